import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import {
  DEFAULT_SESSION_LIMITS,
  EMPTY_HISTORY,
  checkSessionLimits,
  collapse,
  recordEntry,
  toHistory,
} from "../../src/sequence/index.ts";
import type { SequenceEntry } from "../../src/sequence/index.ts";

const T0 = 1_790_000_000_000;

function record(ops: readonly string[], maxEntries: number): readonly SequenceEntry[] {
  let kept: readonly SequenceEntry[] = [];
  for (const [index, op] of ops.entries())
    kept = recordEntry(kept, { op, at: T0 + index * 1000 }, maxEntries);
  return kept;
}

const opsOf = (entries: readonly SequenceEntry[]): string => entries.map(({ op }) => op).join("");

describe("recording", () => {
  test.each([
    ["abc", 10, "cba", "cba"],
    ["abbbc", 10, "cbbba", "cba"],
    ["abcd", 3, "dcb", "dcb"],
    ["abbbbbbb", 3, "bbb", "ba"],
    ["abbbbcbbbb", 3, "bbb", "bcb"],
    ["aaaa", 1, "a", "a"],
  ])("%s with %d entries shows %s, and looks back on %s", (ops, maxEntries, sequence, lookback) => {
    const history = toHistory(record(ops.split(""), maxEntries), maxEntries);
    expect(opsOf(history.sequence.entries)).toBe(sequence);
    expect(opsOf(history.lookback.entries)).toBe(lookback);
  });

  test("an entry that is not newer than the newest becomes one millisecond newer", () => {
    const first = recordEntry([], { op: "a", at: T0 + 0.7 }, 10);
    const second = recordEntry(first, { op: "b", at: T0 - 5000 }, 10);
    expect(second).toEqual([
      { op: "b", at: T0 + 1 },
      { op: "a", at: T0 },
    ]);
  });

  test("property: keeps less than twice the entries, and all that fields and look-back need", () => {
    const ops = fc.array(fc.constantFrom("a", "b", "c", "a"), { maxLength: 60 });
    fc.assert(
      fc.property(ops, fc.integer({ min: 1, max: 8 }), (all, maxEntries) => {
        const kept = record(all, maxEntries);
        expect(kept.length).toBeLessThanOrEqual(2 * maxEntries - 1);
        const newestFirst = all.toReversed();
        const runs = newestFirst.filter((op, index) => op !== newestFirst[index - 1]);
        const history = toHistory(kept, maxEntries);
        expect(opsOf(history.sequence.entries)).toBe(newestFirst.slice(0, maxEntries).join(""));
        expect(opsOf(history.lookback.entries)).toBe(runs.slice(0, maxEntries).join(""));
      }),
    );
  });
});

test("collapsing keeps the newest of each run, and twice is as good as once", () => {
  const entries = "bbaab".split("").map((op, index) => ({ op, at: T0 - index }));
  const once = collapse({ entries });
  expect(once.entries).toEqual([
    { op: "b", at: T0 },
    { op: "a", at: T0 - 2 },
    { op: "b", at: T0 - 4 },
  ]);
  expect(collapse(once)).toBe(once);
});

test("nothing kept is the empty history", () => {
  expect(toHistory([], 10)).toBe(EMPTY_HISTORY);
});

test.each([
  [{ maxEntries: 0, maxIdleMs: 1 }, /`maxEntries`.*1 to 64.*`0`/],
  [{ maxEntries: 65, maxIdleMs: 1 }, /`maxEntries`/],
  [{ maxEntries: 10, maxIdleMs: 0 }, /`maxIdleMs`/],
  [{ maxEntries: 10, maxIdleMs: 86_400_001 }, /`maxIdleMs`/],
])("refuses the limits %j", (limits, message) => {
  expect(() => checkSessionLimits(limits)).toThrow(message);
});

test("the defaults are the documented figures", () => {
  expect(DEFAULT_SESSION_LIMITS).toEqual({ maxEntries: 10, maxIdleMs: 600_000 });
  expect(() => checkSessionLimits(DEFAULT_SESSION_LIMITS)).not.toThrow();
});
