import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { README_BLOCKS, withBlocks } from "./blocks.ts";

const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");

test("every generated block of the README is what the code says; `npm run readme` writes them", () => {
  expect(withBlocks(readme)).toBe(readme);
});

test.each(Object.keys(README_BLOCKS))("a README without the block %s is noticed", (marker) => {
  expect(() => withBlocks(readme.replace(`<!-- ${marker} -->`, ""))).toThrow(marker);
});
