/**
 * `npm run bench -- [--json FILE] [name …]`: runs the measurements beside this file (or those whose file name is
 * given) and prints them. Every figure is a ratio or a size taken within one run; times of one machine mean nothing.
 */
import { readdir, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";

interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

interface Bench {
  readonly measure: () => Promise<readonly Figure[]>;
}

const { values, positionals } = parseArgs({
  options: { json: { type: "string" } },
  allowPositionals: true,
});

const folder = new URL(".", import.meta.url);
const all = (await readdir(folder))
  .filter((file) => file.endsWith(".ts") && file !== "main.ts" && !file.startsWith("_"))
  .map((file) => file.slice(0, -".ts".length))
  .toSorted();
const unknown = positionals.filter((name) => !all.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`unknown bench \`${unknown.join(" ")}\`: expected some of ${all.join(", ")}\n`);
  process.exit(1);
}

const figures: Figure[] = [];
for (const name of positionals.length === 0 ? all : positionals) {
  const bench = (await import(new URL(`${name}.ts`, folder).href)) as Bench;
  process.stdout.write(`\n${name}\n`);
  for (const figure of await bench.measure()) {
    figures.push(figure);
    process.stdout.write(`  ${figure.name.padEnd(44)} ${format(figure.value).padStart(12)} ${figure.unit}\n`);
  }
}
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(figures, null, 2)}\n`);

function format(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(2);
}
