/** The parts of the README that say what the code says; `npm run readme` writes them, a test keeps them equal. */
import { readFileSync } from "node:fs";
import { API_ERRORS } from "../../src/api/index.ts";
import { ERROR_CATALOGUE } from "../../src/expression/index.ts";
import { modesTable } from "../security/tracking-modes.ts";
import { limitRows, metricRows } from "./limits.ts";

/** Asked for once: the registry of the metrics is one that has counted nothing. */
const METRIC_ROWS = await metricRows();

const cell = (text: string): string => text.replaceAll("|", "\\|");

const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(" | ")} |`;

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return [line(header), `|${"---|".repeat(header.length)}`, ...rows.map(line)].join("\n");
}

/** A program that the tests of the package run. */
const snippet = (file: string): string =>
  readFileSync(new URL(`../package/snippets/${file}`, import.meta.url), "utf8").trimEnd();

const fenced = (code: string): string => ["```js", code, "```"].join("\n");

/** Frameworks beside the first, by the names of their programs. */
const FRAMEWORKS: Readonly<Record<string, string>> = {
  h3: "h3.js",
  "Nitro: `middleware/stepgate.js`": "nitro/middleware/stepgate.js",
  Fastify: "fastify.js",
  Koa: "koa.js",
  "node:http": "node.js",
  "Hono, and whatever else takes a `Request`": "hono.js",
};

/** Folded, without the operations and rules: they are the same in every program. */
function folded([name, file]: readonly [string, string]): string {
  const code = snippet(file).replace(/^const operations = [^]*?^const rules = .*\n\n/m, "");
  const summary = name.replaceAll(/`(.*?)`/g, "<code>$1</code>");
  return `<details><summary>${summary}</summary>\n\n${fenced(code)}\n\n</details>`;
}

/** Marker → text between `<!-- marker -->` and `<!-- /marker -->`. */
export const README_BLOCKS: Readonly<Record<string, () => string>> = {
  snippets: () => [fenced(snippet("express.js")), ...Object.entries(FRAMEWORKS).map(folded)].join("\n\n"),
  "expression-errors": () =>
    table(
      ["code", "category", "meaning"],
      Object.entries(ERROR_CATALOGUE).map(([code, { category, meaning }]) => [
        `\`${code}\``,
        `\`${category}\``,
        meaning,
      ]),
    ),
  "api-errors": () =>
    table(
      ["code", "HTTP", "meaning"],
      Object.values(API_ERRORS)
        .toSorted((left, right) => left.code - right.code)
        .map(({ code, status, meaning }) => [String(code), String(status), meaning]),
    ),
  limits: () => table(["key", "default", "unit", "what for"], limitRows()),
  metrics: () => table(["name", "type", "meaning"], METRIC_ROWS),
  // A test runs every cell of it.
  modes: modesTable,
};

/**
 * The README with every block as the code has it.
 *
 * @throws {Error} when a marker is missing
 */
export function withBlocks(readme: string): string {
  let text = readme;
  for (const [marker, block] of Object.entries(README_BLOCKS)) {
    const [start, end] = [`<!-- ${marker} -->`, `<!-- /${marker} -->`];
    const from = text.indexOf(start);
    const to = text.indexOf(end);
    if (from === -1 || to < from) throw new Error(`expected ${start} … ${end} in README.md`);
    text = `${text.slice(0, from + start.length)}\n\n${block()}\n\n${text.slice(to)}`;
  }
  return text;
}
