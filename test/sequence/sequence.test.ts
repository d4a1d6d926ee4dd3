import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { EMPTY_SEQUENCE, append, merge, prune } from "../../src/sequence/index.ts";
import type { SequenceEntry } from "../../src/sequence/index.ts";
import { NOW, TEN, anyEntry, anySequence } from "./arbitraries.ts";

const A = "aaaaaaaa";
const B = "bbbbbbbb";
const C = "cccccccc";

/** The definition that merging has to agree with: the newest of the union, at a tie by operation. */
function newestOfUnion(entries: readonly SequenceEntry[], maxEntries: number): readonly SequenceEntry[] {
  const byIdentity = new Map(entries.map((entry) => [`${entry.at} ${entry.op}`, entry]));
  return [...byIdentity.values()]
    .toSorted((a, b) => b.at - a.at || (a.op < b.op ? -1 : 1))
    .slice(0, maxEntries);
}

describe("append", () => {
  test("puts the operation first, at the time of the call", () => {
    const sequence = append(append(EMPTY_SEQUENCE, A, NOW, TEN), B, NOW + 5, TEN);
    expect(sequence.entries).toEqual([
      { op: B, at: NOW + 5 },
      { op: A, at: NOW },
    ]);
  });

  test.each([
    ["at the same millisecond", NOW],
    ["when this process's clock is behind", NOW - 2_000],
    ["when the clock leaps back by an hour", NOW - 3_600_000],
  ])("keeps the order of calls %s", (_, nowMs) => {
    const sequence = append(append(EMPTY_SEQUENCE, A, NOW, TEN), B, nowMs, TEN);
    expect(sequence.entries).toEqual([
      { op: B, at: NOW + 1 },
      { op: A, at: NOW },
    ]);
  });

  test("keeps repeats", () => {
    const sequence = append(append(EMPTY_SEQUENCE, A, NOW, TEN), A, NOW + 1, TEN);
    expect(sequence.entries.map((entry) => entry.op)).toEqual([A, A]);
  });

  test("drops the eleventh operation and what is an hour old", () => {
    let sequence = append(EMPTY_SEQUENCE, A, NOW, TEN);
    for (let index = 1; index <= 10; index += 1) sequence = append(sequence, B, NOW + index, TEN);
    expect(sequence.entries).toHaveLength(10);
    expect(sequence.entries.some((entry) => entry.op === A)).toBe(false);
    expect(append(sequence, C, NOW + 3_600_010, TEN).entries).toEqual([{ op: C, at: NOW + 3_600_010 }]);
  });

  test("leaves the sequence it was given as it was", () => {
    const before = append(EMPTY_SEQUENCE, A, NOW, TEN);
    append(before, B, NOW + 1, TEN);
    expect(before.entries).toEqual([{ op: A, at: NOW }]);
    expect(EMPTY_SEQUENCE.entries).toEqual([]);
  });

  test("cuts fractions of a millisecond off", () => {
    expect(append(EMPTY_SEQUENCE, A, NOW + 0.75, TEN).entries[0]?.at).toBe(NOW);
  });
});

describe("prune", () => {
  const sequence = {
    entries: [
      { op: A, at: NOW },
      { op: B, at: NOW - 10 },
      { op: C, at: NOW - 20 },
    ],
  };

  test.each([
    ["nothing when all is young", NOW, 10, [A, B, C]],
    ["an entry of exactly the largest age", NOW - 20 + 3_600_000, 10, [A, B]],
    ["everything after an hour of silence", NOW + 3_600_000, 10, []],
    ["the oldest when there are too many", NOW, 2, [A, B]],
  ])("drops %s", (_, nowMs, maxEntries, expected) => {
    const kept = prune(sequence, nowMs, { maxEntries, maxAgeMs: 3_600_000 });
    expect(kept.entries.map((entry) => entry.op)).toEqual(expected);
  });

  test("keeps entries from the future: another process's clock may be ahead", () => {
    expect(prune(sequence, NOW - 60_000, TEN)).toBe(sequence);
  });
});

describe("merge", () => {
  test("is the newest of the union", () => {
    fc.assert(
      fc.property(anySequence, anySequence, (a, b) => {
        expect(merge(a, b, TEN).entries).toEqual(newestOfUnion([...a.entries, ...b.entries], TEN.maxEntries));
      }),
      { numRuns: 2_000 },
    );
  });

  test("is commutative", () => {
    fc.assert(
      fc.property(anySequence, anySequence, (a, b) => {
        expect(merge(a, b, TEN)).toEqual(merge(b, a, TEN));
      }),
      { numRuns: 2_000 },
    );
  });

  test("is associative", () => {
    fc.assert(
      fc.property(anySequence, anySequence, anySequence, (a, b, c) => {
        expect(merge(merge(a, b, TEN), c, TEN)).toEqual(merge(a, merge(b, c, TEN), TEN));
      }),
      { numRuns: 2_000 },
    );
  });

  test("is idempotent, and the empty sequence changes nothing", () => {
    fc.assert(
      fc.property(anySequence, (a) => {
        expect(merge(a, a, TEN)).toEqual(a);
        expect(merge(a, EMPTY_SEQUENCE, TEN)).toEqual(a);
        expect(merge(EMPTY_SEQUENCE, a, TEN)).toEqual(a);
      }),
      { numRuns: 2_000 },
    );
  });

  test("old content that comes back late changes nothing", () => {
    fc.assert(
      fc.property(anySequence, fc.array(anyEntry, { maxLength: 5 }), (a, later) => {
        const grown = later.reduce((sequence, { op, at }) => append(sequence, op, at, TEN), a);
        const alive = prune(a, grown.entries[0]?.at ?? NOW, TEN);
        expect(merge(grown, alive, TEN).entries.slice(0, later.length)).toEqual(
          grown.entries.slice(0, later.length),
        );
      }),
    );
  });
});
