import { describe, expect, test } from "vitest";

import { EMPTY_SEQUENCE, toFields } from "../../src/sequence/index.ts";
import { NOW } from "./arbitraries.ts";

const sequence = {
  entries: [
    { op: "aaaaaaaa", at: NOW - 100 },
    { op: "bbbbbbbb", at: NOW - 1_500 },
    { op: "aaaaaaaa", at: NOW - 9_000 },
  ],
};

describe("fields of a sequence", () => {
  test("operations newest first, repeats kept", () => {
    expect(toFields(sequence, NOW).previousOps).toEqual(["aaaaaaaa", "bbbbbbbb", "aaaaaaaa"]);
  });

  test("age of the latest occurrence", () => {
    expect([...toFields(sequence, NOW).msecSinceOp]).toEqual([
      ["aaaaaaaa", 100],
      ["bbbbbbbb", 1_500],
    ]);
  });

  test("an operation that was not called has no age", () => {
    expect(toFields(sequence, NOW).msecSinceOp.get("cccccccc")).toBeUndefined();
    expect(toFields(sequence, NOW).msecSinceOp.get("__proto__")).toBeUndefined();
  });

  test("never negative, when another process's clock is ahead", () => {
    expect(toFields(sequence, NOW - 500).msecSinceOp.get("aaaaaaaa")).toBe(0);
  });

  test("whole milliseconds", () => {
    expect(toFields(sequence, NOW + 0.9).msecSinceOp.get("aaaaaaaa")).toBe(100);
  });

  test("the ages are computed once", () => {
    const fields = toFields(sequence, NOW);
    expect(fields.msecSinceOp).toBe(fields.msecSinceOp);
  });

  test("empty for an unknown visitor", () => {
    const fields = toFields(EMPTY_SEQUENCE, NOW);
    expect(fields.previousOps).toEqual([]);
    expect(fields.msecSinceOp.size).toBe(0);
  });
});
