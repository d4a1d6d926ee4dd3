/** Counts the requests of one hour, from the sequence that each of them carries; no visitor is remembered. */
import { createContextTrie, recordPath } from "./context-trie.ts";
import type { ContextTrie } from "./context-trie.ts";
import { createDensePairs } from "./dense-pairs.ts";
import {
  DEFAULT_MAX_NODES,
  DEFAULT_PAIR_SLOTS,
  MAX_DENSE_CAPACITY,
  MAX_MAX_NODES,
  MAX_PAIR_SLOTS,
  MAX_PREVIOUS,
  MAX_SEQUENCE_LENGTH,
} from "./limits.ts";
import type { OperationTable } from "./operation-table.ts";
import type { PairCounter } from "./pair-counter.ts";
import { createSparsePairs } from "./sparse-pairs.ts";

export interface HourCounterOptions {
  /** Operations of the zone; it may grow while counting goes on. */
  readonly operations: OperationTable;
  /** Sequences kept, a power of two from 512 to 1,048,576; 20 bytes each. 262,144 by default. */
  readonly maxNodes?: number;
  /**
   * Pairs kept when there are more than 1,023 operations, a power of two from 4,096 to 4,194,304 of which three
   * quarters are used; 8 bytes each. 262,144 by default. Up to 1,023 operations all pairs are kept.
   */
  readonly maxPairs?: number;
}

export interface HourCounter {
  readonly operations: OperationTable;
  /** Bytes of the typed arrays held. */
  readonly bytes: number;
  /**
   * Counts one request. One to an operation that is not in the table is left out; a history ends at the first
   * operation that is not in it, and such operations count in no pair.
   *
   * @param op index of the operation in the table, 0 for one that is not in it
   * @param previousOps indexes of those before it, newest first, repeats kept: the field `cf.sequence.previous_ops`;
   *   at most 64 count
   */
  record(op: number, previousOps: ArrayLike<number>): void;
  /** The same with short ids. */
  recordIds(currentOp: string, previousOps: readonly string[]): void;
  /** The same with the entries of a sequence. */
  recordEntries(currentOp: string, entries: readonly { readonly op: string }[]): void;
  /** Remembers that a request was not counted because of a fairness cap. */
  addCapped(): void;
  /** What was counted so far; arrays that go on changing. */
  counts(): HourCounts;
}

/** Counts of one hour, by indexes of the operation table. */
export interface HourCounts {
  /** Requests that were not counted because of a fairness cap. */
  readonly capped: number;
  /** Requests by operation. */
  readonly raw: Uint32Array;
  /** Requests by operation that did not directly repeat it. */
  readonly visits: Uint32Array;
  readonly trie: ContextTrie;
  readonly pairs: PairCounter;
}

/** @throws {RangeError} for a `maxNodes` or `maxPairs` that is no power of two in its range */
export function createHourCounter(options: HourCounterOptions): HourCounter {
  const { operations } = options;
  if (options.maxNodes !== undefined) checkPower("maxNodes", options.maxNodes, [512, MAX_MAX_NODES]);
  if (options.maxPairs !== undefined) checkPower("maxPairs", options.maxPairs, [4096, MAX_PAIR_SLOTS]);

  let capacity = capacityFor(operations.size);
  let raw = new Uint32Array(capacity);
  let visits = new Uint32Array(capacity);
  let pairs = createPairs(capacity, options.maxPairs);
  const trie = createContextTrie(options.maxNodes ?? DEFAULT_MAX_NODES);
  const indexes = new Uint16Array(MAX_PREVIOUS);
  const path = new Uint16Array(MAX_SEQUENCE_LENGTH);
  const pairKeys = new Int32Array(MAX_PREVIOUS);
  let capped = 0;

  return {
    operations,
    get bytes() {
      const counts = raw.byteLength + visits.byteLength + pairs.bytes;
      return counts + trie.nodes.byteLength + trie.index.byteLength;
    },
    record: (op, previousOps) => count(op, previousOps, Math.min(previousOps.length, MAX_PREVIOUS)),
    recordIds(currentOp, previousOps) {
      const length = Math.min(previousOps.length, MAX_PREVIOUS);
      for (let at = 0; at < length; at += 1) indexes[at] = operations.indexOf(previousOps[at] as string);
      count(operations.indexOf(currentOp), indexes, length);
    },
    recordEntries(currentOp, entries) {
      const length = Math.min(entries.length, MAX_PREVIOUS);
      for (let at = 0; at < length; at += 1)
        indexes[at] = operations.indexOf((entries[at] as { readonly op: string }).op);
      count(operations.indexOf(currentOp), indexes, length);
    },
    addCapped: () => {
      capped += 1;
    },
    counts: () => ({ capped, raw, visits, trie, pairs }),
  };

  function count(op: number, previous: ArrayLike<number>, length: number): void {
    if (op === 0) return;
    if (operations.size >= capacity) widen();
    raw[op] = (raw[op] as number) + 1;
    const distinct = collectPairs(pairKeys, op, previous, length);
    if (distinct > 0) pairs.add(pairKeys, distinct);
    // A repeat is the same step of the journey (product documentation, "Repeated sequences").
    if (length > 0 && previous[0] === op) return;
    visits[op] = (visits[op] as number) + 1;
    const steps = collectPath(path, op, previous, length);
    if (steps > 1) recordPath(trie, path, steps);
  }

  function widen(): void {
    capacity = capacityFor(operations.size);
    raw = widened(raw, capacity);
    visits = widened(visits, capacity);
    if (pairs.maxIndex >= capacity - 1) return;
    const wider = createPairs(capacity, options.maxPairs);
    pairs.forEach((op, before, times) => wider.put(op, before, times));
    pairs = wider;
  }
}

/** Writes each operation that is in the history of a request, once, as a key of {@link PairCounter.add}. */
function collectPairs(keys: Int32Array, op: number, previous: ArrayLike<number>, length: number): number {
  const row = op << 16;
  let distinct = 0;
  for (let at = 0; at < length; at += 1) {
    const earlier = previous[at] as number;
    // Histories are short: looking back is faster than any table.
    let same = 0;
    while (previous[same] !== earlier) same += 1;
    if (same < at || earlier === 0) continue;
    keys[distinct] = row | earlier;
    distinct += 1;
  }
  return distinct;
}

/** Writes the sequence that ends with `op`, newest first and without direct repeats. */
function collectPath(path: Uint16Array, op: number, previous: ArrayLike<number>, length: number): number {
  path[0] = op;
  let steps = 1;
  let last = op;
  for (let at = 0; at < length && steps < MAX_SEQUENCE_LENGTH; at += 1) {
    const earlier = previous[at] as number;
    if (earlier === last) continue;
    // What lies behind an unknown operation was not directly before.
    if (earlier === 0) break;
    path[steps] = earlier;
    steps += 1;
    last = earlier;
  }
  return steps;
}

/** Power of two above every index. */
function capacityFor(operations: number): number {
  return Math.max(16, powerOfTwoFrom(operations + 1));
}

function createPairs(capacity: number, maxPairs = DEFAULT_PAIR_SLOTS): PairCounter {
  return capacity <= MAX_DENSE_CAPACITY ? createDensePairs(Math.log2(capacity)) : createSparsePairs(maxPairs);
}

function powerOfTwoFrom(least: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(least, 1)));
}

function widened(counts: Uint32Array<ArrayBuffer>, capacity: number): Uint32Array<ArrayBuffer> {
  const wider = new Uint32Array(capacity);
  wider.set(counts);
  return wider;
}

function checkPower(name: string, value: number, [least, most]: readonly [number, number]): void {
  if (value >= least && value <= most && Number.isInteger(Math.log2(value))) return;
  throw new RangeError(
    `expected \`${name}\` to be a power of two from ${least} to ${most}, found \`${value}\``,
  );
}
