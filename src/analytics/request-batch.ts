/**
 * Requests that wait to be counted together. Tables of several megabytes are mostly out of the processor's reach between
 * two requests; for many requests at once it fetches what they need side by side.
 */
import { MAX_PREVIOUS, MAX_SEQUENCE_LENGTH } from "./limits.ts";

/** Mutable by design. */
export interface RequestBatch {
  readonly capacity: number;
  /** Requests that wait. */
  size: number;
  /** Index of the operation of each. */
  readonly ops: Uint16Array;
  /** Operations before it that count. */
  readonly lengths: Uint8Array;
  /** Their indexes, newest first, `MAX_PREVIOUS` places for each request. */
  readonly previous: Uint16Array;
  /** Scratch: pairs of all requests, 16 bits of the index of the operation, then 16 of that of the one before it. */
  readonly pairs: Int32Array;
  readonly paths: PathBatch;
}

/** The sequences that requests end: their operation and those before it, newest first, no two neighbours equal. */
export interface PathBatch {
  size: number;
  /** Operations of each, 2 to 9. */
  readonly lengths: Uint8Array;
  /** `MAX_SEQUENCE_LENGTH` places for each. */
  readonly ops: Uint16Array;
}

export function createRequestBatch(capacity: number): RequestBatch {
  return {
    capacity,
    size: 0,
    ops: new Uint16Array(capacity),
    lengths: new Uint8Array(capacity),
    previous: new Uint16Array(capacity * MAX_PREVIOUS),
    pairs: new Int32Array(capacity * MAX_PREVIOUS),
    paths: {
      size: 0,
      lengths: new Uint8Array(capacity),
      ops: new Uint16Array(capacity * MAX_SEQUENCE_LENGTH),
    },
  };
}

/**
 * Adds a request whose `length` previous operations stand in their places.
 *
 * @returns whether the batch is full
 */
export function addRequest(batch: RequestBatch, op: number, length: number): boolean {
  batch.ops[batch.size] = op;
  batch.lengths[batch.size] = length;
  batch.size += 1;
  return batch.size === batch.capacity;
}

/**
 * Writes each operation that is in the history of a request, once, as a key of `PairCounter.add`.
 *
 * @param size keys in `batch.pairs` so far
 * @returns keys in it now
 */
export function addPairs(batch: RequestBatch, request: number, size: number): number {
  const { previous, pairs } = batch;
  const row = (batch.ops[request] as number) << 16;
  const from = request * MAX_PREVIOUS;
  const end = from + (batch.lengths[request] as number);
  let distinct = size;
  for (let at = from; at < end; at += 1) {
    const earlier = previous[at] as number;
    // Histories are short: looking back is faster than any table.
    let same = from;
    while (previous[same] !== earlier) same += 1;
    if (same < at || earlier === 0) continue;
    pairs[distinct] = row | earlier;
    distinct += 1;
  }
  return distinct;
}

/** Adds the sequence that a request ends to `batch.paths`, unless it is the only operation. */
export function addPath({ ops, lengths, previous, paths }: RequestBatch, request: number): void {
  const start = paths.size * MAX_SEQUENCE_LENGTH;
  const from = request * MAX_PREVIOUS;
  const end = from + (lengths[request] as number);
  let last = ops[request] as number;
  paths.ops[start] = last;
  let steps = 1;
  for (let at = from; at < end && steps < MAX_SEQUENCE_LENGTH; at += 1) {
    const earlier = previous[at] as number;
    if (earlier === last) continue;
    // What lies behind an unknown operation was not directly before.
    if (earlier === 0) break;
    paths.ops[start + steps] = earlier;
    steps += 1;
    last = earlier;
  }
  if (steps === 1) return;
  paths.lengths[paths.size] = steps;
  paths.size += 1;
}
