/** `stepgate --help`, as a person reads it. */
import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";

const ROOT = new URL("../..", import.meta.url).pathname;

test("lists every command with one line each", () => {
  const output = execFileSync(process.execPath, ["src/main.ts", "--help"], {
    cwd: ROOT,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" },
  });
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
