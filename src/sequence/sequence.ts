/**
 * Sequences as values. Merging keeps the newest entries of a union, and the newest of a union are the newest
 * of the newest of its parts; therefore merging is associative, commutative and idempotent, and cookies may
 * be merged in any order, any number of times, by any process.
 */
import type { Sequence, SequenceEntry, SequenceLimits } from "./types.ts";

/** The sequence of a visitor of whom nothing is known. */
export const EMPTY_SEQUENCE: Sequence = Object.freeze({ entries: Object.freeze([]) });

/**
 * Adds an operation as the newest entry.
 *
 * The time is that of a hybrid logical clock: never before or at the newest entry, so that what was called
 * later is listed as newer even when the processes' clocks disagree.
 *
 * @param op short id of the operation
 * @param nowMs epoch milliseconds; a fraction is cut off
 */
export function append(sequence: Sequence, op: string, nowMs: number, limits: SequenceLimits): Sequence {
  const newest = sequence.entries[0];
  const now = Math.floor(nowMs);
  const at = newest === undefined ? now : Math.max(now, newest.at + 1);
  const kept = Math.min(keptOf(sequence.entries, nowMs, limits), limits.maxEntries - 1);
  const entries: SequenceEntry[] = [{ op, at }];
  for (let index = 0; index < kept; index += 1) entries.push(sequence.entries[index] as SequenceEntry);
  return { entries };
}

/** The newest entries of both, each pair (op, at) once. Age is not looked at: see {@link prune}. */
export function merge(a: Sequence, b: Sequence, limits: SequenceLimits): Sequence {
  const entries: SequenceEntry[] = [];
  let i = 0;
  let j = 0;
  while (entries.length < limits.maxEntries) {
    const left = a.entries[i];
    const right = b.entries[j];
    const order = compareOptional(left, right);
    if (order <= 0) i += 1;
    if (order >= 0) j += 1;
    const next = order <= 0 ? left : right;
    if (next === undefined) break;
    entries.push(next);
  }
  return { entries };
}

/**
 * Drops the entries that are too old or too many.
 *
 * @param nowMs epoch milliseconds; an entry of age `maxAgeMs` is dropped, one from the future is kept
 * @returns the same object when nothing is dropped
 */
export function prune(sequence: Sequence, nowMs: number, limits: SequenceLimits): Sequence {
  const { entries } = sequence;
  const kept = keptOf(entries, nowMs, limits);
  return kept === entries.length ? sequence : { entries: entries.slice(0, kept) };
}

/** How many of the newest entries are neither too old nor too many. */
function keptOf(
  entries: readonly SequenceEntry[],
  nowMs: number,
  { maxEntries, maxAgeMs }: SequenceLimits,
): number {
  let kept = Math.min(entries.length, maxEntries);
  while (kept > 0 && nowMs - (entries[kept - 1]?.at ?? 0) >= maxAgeMs) kept -= 1;
  return kept;
}

/** Newest first; at the same millisecond by operation, so that every process lists them alike. */
export function compareEntries(a: SequenceEntry, b: SequenceEntry): number {
  if (a.at !== b.at) return b.at - a.at;
  if (a.op === b.op) return 0;
  return a.op < b.op ? -1 : 1;
}

function compareOptional(a: SequenceEntry | undefined, b: SequenceEntry | undefined): number {
  if (a === undefined) return b === undefined ? 0 : 1;
  return b === undefined ? -1 : compareEntries(a, b);
}
