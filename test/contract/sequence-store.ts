/** What every store of session histories does. */
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type {
  SequenceEntry,
  SequenceStore,
  Session,
  SessionHistory,
  SessionLimits,
} from "../../src/sequence/index.ts";

/** A store with its clock. */
export interface SequenceHarness {
  readonly store: SequenceStore;
  /** Epoch milliseconds for callers. */
  now(): number;
  /** Lets so much time pass for the store. */
  advance(ms: number): Promise<void>;
  close(): Promise<void>;
}

const A = "aaaaaaaa";
const B = "bbbbbbbb";
const C = "cccccccc";

const opsOf = (entries: readonly SequenceEntry[]): readonly string[] => entries.map(({ op }) => op);
const opName = (index: number): string => index.toString(16).padStart(8, "0");

/** The newest entries, and the newest runs, of everything that was ever appended. */
function modelOf(all: readonly string[], maxEntries: number): { sequence: string[]; lookback: string[] } {
  const newestFirst = all.toReversed();
  const runs = newestFirst.filter((op, index) => op !== newestFirst[index - 1]);
  return { sequence: newestFirst.slice(0, maxEntries), lookback: runs.slice(0, maxEntries) };
}

/** @param toleranceMs how far ages may be off because time passes during a call */
export function describeSequenceStore(
  name: string,
  open: () => Promise<SequenceHarness>,
  toleranceMs: number,
): void {
  describe(`store: ${name}`, () => {
    let harness: SequenceHarness;
    let keys = 0;
    const fresh = (limits: SessionLimits = { maxEntries: 10, maxIdleMs: 600_000 }): Session => ({
      key: `0123456789abcdef0123456789abcdef:s:${(keys += 1)}`,
      limits,
    });
    const read = async (session: Session): Promise<SessionHistory> =>
      harness.store.read(session, harness.now());
    const append = async (session: Session, op: string, agoMs = 0): Promise<SessionHistory> =>
      harness.store.append(session, { op, at: harness.now() - agoMs }, harness.now());
    beforeAll(async () => {
      harness = await open();
    });
    afterAll(async () => {
      await harness.close();
    });

    test("nothing is known of a session before its first operation", async () => {
      const session = fresh();
      expect((await read(session)).sequence.entries).toEqual([]);
      expect((await append(session, A)).sequence.entries).toEqual([]);
      expect(opsOf((await read(session)).sequence.entries)).toEqual([A]);
    });

    test("appending returns what was known before, newest first", async () => {
      const session = fresh();
      await append(session, A);
      await append(session, B);
      expect(opsOf((await append(session, C)).sequence.entries)).toEqual([B, A]);
      expect(opsOf((await read(session)).sequence.entries)).toEqual([C, B, A]);
    });

    test("repeats are kept in the sequence and made one in the look-back", async () => {
      const session = fresh();
      for (const op of [A, B, B, B, A]) await append(session, op);
      const history = await read(session);
      expect(opsOf(history.sequence.entries)).toEqual([A, B, B, B, A]);
      expect(opsOf(history.lookback.entries)).toEqual([A, B, A]);
      const times = history.sequence.entries.map(({ at }) => at);
      expect(history.lookback.entries[1]?.at).toBe(times[1]);
    });

    test("polling does not push a step out of the look-back", async () => {
      const session = fresh();
      await append(session, A);
      for (let poll = 0; poll < 50; poll += 1) await append(session, B);
      const history = await read(session);
      expect(opsOf(history.sequence.entries)).toEqual(Array.from({ length: 10 }, () => B));
      expect(opsOf(history.lookback.entries)).toEqual([B, A]);
    });

    test.each([1, 3, 10, 64])("keeps the newest %d entries", async (maxEntries) => {
      const session = fresh({ maxEntries, maxIdleMs: 600_000 });
      const all = Array.from({ length: maxEntries + 5 }, (_, index) => opName(index));
      for (const op of all) await append(session, op);
      expect(opsOf((await read(session)).sequence.entries)).toEqual(all.toReversed().slice(0, maxEntries));
    });

    test("sessions do not know of each other", async () => {
      const [one, other] = [fresh(), fresh()];
      await append(one, A);
      expect((await read(other)).sequence.entries).toEqual([]);
    });

    test("ages are those of the requests, and times grow along the sequence", async () => {
      const session = fresh();
      await append(session, A, 5000);
      await append(session, B, 1000);
      await append(session, C, 3000);
      const { entries } = (await read(session)).sequence;
      const ages = entries.map(({ at }) => harness.now() - at);
      expect(Math.abs((ages[2] ?? 0) - 5000)).toBeLessThanOrEqual(toleranceMs);
      expect(Math.abs((ages[1] ?? 0) - 1000)).toBeLessThanOrEqual(toleranceMs);
      // The request to C came before that to B, but was answered after it.
      expect(Math.abs((ages[0] ?? 0) - 999)).toBeLessThanOrEqual(toleranceMs);
      const times = entries.map(({ at }) => at);
      expect(times).toEqual(times.toSorted((left, right) => right - left));
      expect(new Set(times).size).toBe(3);
    });

    test("idleness slides: a session goes on as long as no gap is too long", async () => {
      const session = fresh({ maxEntries: 10, maxIdleMs: 1200 });
      await append(session, A);
      for (const op of [B, C, B]) {
        await harness.advance(600);
        await append(session, op);
      }
      expect(opsOf((await read(session)).sequence.entries)).toEqual([B, C, B, A]);
      await harness.advance(1300);
      expect((await read(session)).sequence.entries).toEqual([]);
      expect((await append(session, C)).sequence.entries).toEqual([]);
      expect(opsOf((await read(session)).sequence.entries)).toEqual([C]);
    });

    test("reading does not keep a session alive", async () => {
      const session = fresh({ maxEntries: 10, maxIdleMs: 300 });
      await append(session, A);
      await harness.advance(200);
      await read(session);
      await harness.advance(200);
      expect((await read(session)).sequence.entries).toEqual([]);
    });

    test("an answer that took longer than a session lives begins none", async () => {
      const session = fresh({ maxEntries: 10, maxIdleMs: 1000 });
      await append(session, A, 5000);
      expect((await read(session)).sequence.entries).toEqual([]);
    });

    test("parallel appends lose nothing, and each sees all that came before it", async () => {
      const session = fresh({ maxEntries: 64, maxIdleMs: 600_000 });
      const ops = Array.from({ length: 500 }, (_, index) => opName(index + 1));
      const before = await Promise.all(ops.map((op) => append(session, op)));
      const predecessors = new Map(ops.map((op, index) => [op, before[index]?.sequence.entries[0]?.op]));
      let op = (await read(session)).sequence.entries[0]?.op;
      let count = 0;
      for (; op !== undefined && count <= ops.length; count += 1) op = predecessors.get(op);
      expect(count).toBe(ops.length);
    });

    test("property: shows what a list of everything would show", async () => {
      const op = fc.constantFrom(A, B, C, A, A);
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: 6 }),
          fc.array(op, { maxLength: 30 }),
          async (maxEntries, all) => {
            const session = fresh({ maxEntries, maxIdleMs: 600_000 });
            for (const [index, next] of all.entries()) {
              const before = await append(session, next);
              const expected = modelOf(all.slice(0, index), maxEntries);
              expect(opsOf(before.sequence.entries)).toEqual(expected.sequence);
              expect(opsOf(before.lookback.entries)).toEqual(expected.lookback);
            }
            const { sequence, lookback } = await read(session);
            expect({ sequence: opsOf(sequence.entries), lookback: opsOf(lookback.entries) }).toEqual(
              modelOf(all, maxEntries),
            );
          },
        ),
        { numRuns: 60 },
      );
    });
  });
}
