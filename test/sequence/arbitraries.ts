/** Random sequences and payloads for the properties. */
import * as fc from "fast-check";

import { EMPTY_SEQUENCE, MAX_ENTRIES, merge } from "../../src/sequence/index.ts";
import type { Sequence, SequenceEntry, SequenceLimits, SequencePayload } from "../../src/sequence/index.ts";

export const NOW = 1_790_000_000_000;
export const TEN: SequenceLimits = { maxEntries: 10, maxAgeMs: 3_600_000 };

/** Few operations and few instants, so that entries collide. */
export const anyEntry: fc.Arbitrary<SequenceEntry> = fc.record({
  op: fc.constantFrom("00000000", "0a0b0c0d", "7fffffff", "80000000", "ffffffff"),
  at: fc.oneof(
    fc.integer({ min: NOW - 12, max: NOW }),
    fc.integer({ min: NOW - 3_600_000, max: NOW + 5_000 }),
  ),
});

export const anySequence: fc.Arbitrary<Sequence> = fc
  .array(anyEntry, { maxLength: 14 })
  .map((entries) => sequenceOf(entries, TEN));

export const anyPayload: fc.Arbitrary<SequencePayload> = fc
  .record({
    sid: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
    genesis: fc.boolean(),
    list: fc.array(anyEntry, { minLength: 1, maxLength: 80 }),
  })
  .map(({ sid, genesis, list }) => ({
    sid,
    genesis,
    entries: sequenceOf(list, { ...TEN, maxEntries: MAX_ENTRIES }).entries,
  }));

/** A sequence from entries in any order, by merging them one by one. */
function sequenceOf(entries: readonly SequenceEntry[], limits: SequenceLimits): Sequence {
  return entries.reduce<Sequence>((sum, entry) => merge(sum, { entries: [entry] }, limits), EMPTY_SEQUENCE);
}
