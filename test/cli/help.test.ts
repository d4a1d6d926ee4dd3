/** `stepgate --help`, as a person reads it. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const ROOT = new URL("../..", import.meta.url).pathname;

function help(...command: readonly string[]): string {
  return execFileSync(process.execPath, ["src/main.ts", ...command, "--help"], {
    cwd: ROOT,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" },
  });
}

test("lists every command with one line each", () => {
  const output = help();
  const lines = output.slice(output.indexOf("COMMANDS")).trim().split("\n").slice(1, -1);
  const commands = lines.map((line) => line.trim()).filter((line) => line !== "");
  expect(commands.map((line) => line.split(" ", 1)[0])).toEqual([
    "start",
    "probe-origin",
    "eval",
    "backup",
    "export",
    "import",
    "analytics",
    "test",
  ]);
  expect(Math.max(...lines.map((line) => line.trimEnd().length))).toBeLessThan(120);
});

const readme = readFileSync(join(ROOT, "README.md"), "utf8");

test("the README lists the same commands, and the same options of start", () => {
  const listed = [...readme.matchAll(/^stepgate ([\w-]+) {2,}\S/gm)].map(([, name = ""]) => name);
  const commands = [...help().matchAll(/^ +([\w-]+) {4}\S/gm)].map(([, name = ""]) => name);
  expect(listed.toSorted()).toEqual(commands.toSorted());
  const options = [...readme.matchAll(/^\| `(--[\w-]+) [A-Z]+` \|/gm)].map(([, name = ""]) => name);
  const known = [...help("start").matchAll(/^ +(--[\w-]+)=</gm)].map(([, name = ""]) => name);
  expect(options.toSorted()).toEqual(known.toSorted());
});

test("a command below a command says its own options", () => {
  expect(help("analytics")).toContain("import");
  expect(help("analytics", "import")).toContain("--session=<SOURCE>");
  expect(help("analytics", "nonsense")).toContain("COMMANDS");
});
