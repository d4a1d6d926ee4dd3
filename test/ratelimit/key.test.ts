import { createHash } from "node:crypto";

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { counterKey } from "../../src/ratelimit/index.ts";
import type { CharacteristicValue } from "../../src/ratelimit/index.ts";

const scope = { zoneId: "0123456789abcdef0123456789abcdef", ruleId: "f".repeat(32), ruleVersion: "3" };
const hash = (text: string): string => createHash("sha256").update(text, "utf16le").digest("base64url");
const key = (...values: CharacteristicValue[]): string => counterKey(scope, values, hash);

describe("counters are kept apart", () => {
  const different: readonly (readonly [string, CharacteristicValue[], CharacteristicValue[]])[] = [
    ["missing and empty", [undefined], [""]],
    ["missing and its mark", [undefined], ["-"]],
    ["a value and its neighbour", ["ab", "c"], ["a", "bc"]],
    ["a text that imitates a separator", ["a=1:b"], ["a", "b"]],
    ["a number and its digits", [5], ["5"]],
    ["a truth value and its text", [true], ["b1"]],
    ["one value and a list of it", ["a"], [["a"]]],
    ["an empty list and a missing value", [[]], [undefined]],
    ["lists that differ in how they are cut", [["a", "b"], ["c"]], [["a"], ["b", "c"]]],
    ["a long text and its hash", ["x".repeat(1000)], [hash("x".repeat(1000))]],
    ["long texts that differ at the end", ["x".repeat(1000)], [`${"x".repeat(999)}y`]],
    ["texts with different lone surrogates", ["\ud800"], ["\ud801"]],
    ["texts that look alike", ["é"], ["e\u0301"]],
    ["letter case", ["A"], ["a"]],
    ["the order of values", ["a", "b"], ["b", "a"]],
  ];
  test.each(different)("%s", (_, left, right) => {
    expect(key(...left)).not.toBe(key(...right));
  });

  test("rules, their versions and zones", () => {
    const keys = [
      counterKey(scope, ["a"], hash),
      counterKey({ ...scope, ruleVersion: "4" }, ["a"], hash),
      counterKey({ ...scope, ruleId: "e".repeat(32) }, ["a"], hash),
      counterKey({ ...scope, zoneId: "e".repeat(32) }, ["a"], hash),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });
});

test("keys are short, printable and without spaces, whatever the request holds", () => {
  const value = fc.oneof(
    fc.constant(undefined),
    fc.string({ unit: "binary", maxLength: 300 }),
    fc.array(fc.string({ unit: "binary", maxLength: 100 }), { maxLength: 50 }),
    fc.integer(),
    fc.boolean(),
  );
  fc.assert(
    fc.property(fc.array(value, { maxLength: 12 }), (values) => {
      expect(key(...values)).toMatch(/^[\x21-\x7e]{1,512}$/);
    }),
  );
});

test("property: different values have different keys, equal values equal ones", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "=", "1", ":", "-", "#", "[", ""), maxLength: 6 });
  const values = fc.array(fc.oneof(fc.constant(undefined), text, fc.array(text, { maxLength: 3 })), {
    maxLength: 4,
  });
  fc.assert(
    fc.property(values, values, (left, right) => {
      const isSame = JSON.stringify(left) === JSON.stringify(right) && left.length === right.length;
      expect(key(...left) === key(...right)).toBe(isSame);
    }),
    { numRuns: 5000 },
  );
});
