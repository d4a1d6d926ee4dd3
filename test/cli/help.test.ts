/** `stepgate --help`, as a person reads it. */
import { execFileSync } from "node:child_process";
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

test("a command below a command says its own options", () => {
  expect(help("analytics")).toContain("import");
  expect(help("analytics", "import")).toContain("--session=<SOURCE>");
  expect(help("analytics", "nonsense")).toContain("COMMANDS");
});
