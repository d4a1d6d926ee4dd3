/** The README's reference of error codes is that of the code. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { CATALOGUE_END, CATALOGUE_START, errorCatalogueMarkdown } from "./catalogue.ts";

test("every code stands in the README, with its category and meaning, and no other", () => {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  const start = readme.indexOf(CATALOGUE_START);
  const end = readme.indexOf(CATALOGUE_END);
  expect(start, `expected ${CATALOGUE_START} in README.md`).toBeGreaterThan(-1);
  expect(end, `expected ${CATALOGUE_END} behind it`).toBeGreaterThan(start);
  expect(readme.slice(start, end + CATALOGUE_END.length)).toBe(errorCatalogueMarkdown());
});
