/** Cases written from the language's description alone, beside those of the reference engine. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { answerLine } from "../../src/cli/eval-case.ts";
import { EVERY_FIELD } from "../../src/ruleset/index.ts";

interface Case {
  readonly expr: string;
  readonly ctx?: object;
  readonly mode?: "value";
  readonly result?: boolean;
  readonly value?: unknown;
  /** Category of the first error. */
  readonly error?: string;
}

const CASES = JSON.parse(
  readFileSync(new URL("../vectors/language-cases.json", import.meta.url), "utf8"),
) as readonly Case[];

const OPTIONS = { scheme: EVERY_FIELD, missingNotEqual: false, explain: false };

test("there are hundreds, each once", () => {
  expect(CASES.length).toBeGreaterThan(600);
  expect(new Set(CASES.map((given) => JSON.stringify(given))).size).toBe(CASES.length);
});

test("each gives what it has to", () => {
  const differing = CASES.flatMap((given) => {
    const { expr, ctx = {}, mode } = given;
    const answer = answerLine(JSON.stringify({ id: expr, expr, ctx, mode }), 1, OPTIONS);
    const found =
      "error" in answer
        ? { error: answer.error.category }
        : "result" in answer
          ? { result: answer.result }
          : { value: answer.value };
    const wanted = { result: given.result, value: given.value, error: given.error };
    return JSON.stringify(wanted) === JSON.stringify({ ...wanted, ...found }) ? [] : [{ given, found }];
  });
  expect(differing).toEqual([]);
});
