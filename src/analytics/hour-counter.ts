/** Counts the requests of one hour, from the sequence that each of them carries; no visitor is remembered. */
import { createDensePairs } from "./dense-pairs.ts";
import { bytesOf, createHourTrie, recordPaths } from "./hour-trie.ts";
import type { HourTrie } from "./hour-trie.ts";
import {
  DEFAULT_MAX_NODES,
  DEFAULT_PAIR_SLOTS,
  MAX_DENSE_CAPACITY,
  MAX_MAX_NODES,
  MAX_PAIR_SLOTS,
  MAX_PREVIOUS,
} from "./limits.ts";
import { parseShortId } from "./operation-table.ts";
import type { OperationTable } from "./operation-table.ts";
import type { PairCounter } from "./pair-counter.ts";
import { addPairs, addPath, addRequest, createRequestBatch } from "./request-batch.ts";
import type { RequestBatch } from "./request-batch.ts";
import { createSparsePairs } from "./sparse-pairs.ts";

/** Requests that are counted together. */
const MAX_BATCH = 64;
/** Places of the tree for each of them, so that a batch takes but a small part of it. */
const NODES_PER_REQUEST = 256;

/** Short id of an operation that was called before. */
interface Entry {
  readonly op: string;
}

/** The signed 32-bit number that the short id of an entry spells; `undefined` for text that is none. */
export type OpNumberOf = (entry: Entry) => number | undefined;

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
  /** How the number of an entry is found; from its text by default. */
  readonly opNumberOf?: OpNumberOf;
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
  recordEntries(currentOp: string, entries: readonly Entry[]): void;
  /** Remembers that a request was not counted because of a fairness cap. */
  addCapped(): void;
  /** What was counted so far, requests that wait included; arrays that go on changing. */
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
  readonly trie: HourTrie;
  readonly pairs: PairCounter;
}

/** @throws {RangeError} for a `maxNodes` or `maxPairs` that is no power of two in its range */
export function createHourCounter(options: HourCounterOptions): HourCounter {
  const { operations, opNumberOf = parseEntry } = options;
  const counting = createCounting(options);
  const { batch, trie } = counting;
  const ids = new Int32Array(MAX_PREVIOUS);
  let capped = 0;

  return {
    operations,
    get bytes() {
      return counting.raw.byteLength + counting.visits.byteLength + counting.pairs.bytes + bytesOf(trie);
    },
    record(op, previousOps) {
      if (op === 0) return;
      const length = Math.min(previousOps.length, MAX_PREVIOUS);
      const from = batch.size * MAX_PREVIOUS;
      for (let at = 0; at < length; at += 1) batch.previous[from + at] = previousOps[at] as number;
      if (addRequest(batch, op, length)) count();
    },
    recordIds(currentOp, previousOps) {
      const op = operations.indexOf(currentOp);
      if (op === 0) return;
      const length = Math.min(previousOps.length, MAX_PREVIOUS);
      const from = batch.size * MAX_PREVIOUS;
      for (let at = 0; at < length; at += 1)
        batch.previous[from + at] = operations.indexOf(previousOps[at] as string);
      if (addRequest(batch, op, length)) count();
    },
    recordEntries(currentOp, entries) {
      const op = operations.indexOf(currentOp);
      if (op === 0) return;
      const length = Math.min(entries.length, MAX_PREVIOUS);
      const from = batch.size * MAX_PREVIOUS;
      let isComplete = true;
      for (let at = 0; at < length; at += 1) {
        const id = opNumberOf(entries[at] as Entry);
        ids[at] = id ?? 0;
        isComplete &&= id !== undefined;
      }
      operations.writeIndexes(ids, length, batch.previous, from);
      if (!isComplete) dropUnnumbered(batch.previous, from, entries, opNumberOf);
      if (addRequest(batch, op, length)) count();
    },
    addCapped: () => {
      capped += 1;
    },
    counts() {
      count();
      const { raw, visits, pairs } = counting;
      return { capped, raw, visits, trie, pairs };
    },
  };

  function count(): void {
    if (operations.size >= counting.capacity) widen(counting, operations.size, options.maxPairs);
    countBatch(counting);
  }
}

/** Mutable by design. */
interface Counting {
  /** Above every index. */
  capacity: number;
  raw: Uint32Array<ArrayBuffer>;
  visits: Uint32Array<ArrayBuffer>;
  pairs: PairCounter;
  readonly trie: HourTrie;
  readonly batch: RequestBatch;
}

function createCounting({
  operations,
  maxNodes = DEFAULT_MAX_NODES,
  maxPairs,
}: HourCounterOptions): Counting {
  checkPower("maxNodes", maxNodes, [512, MAX_MAX_NODES]);
  if (maxPairs !== undefined) checkPower("maxPairs", maxPairs, [4096, MAX_PAIR_SLOTS]);
  const capacity = capacityFor(operations.size);
  return {
    capacity,
    raw: new Uint32Array(capacity),
    visits: new Uint32Array(capacity),
    pairs: createPairs(capacity, maxPairs),
    trie: createHourTrie(maxNodes),
    batch: createRequestBatch(Math.min(MAX_BATCH, maxNodes / NODES_PER_REQUEST)),
  };
}

/** Counts the requests that wait. */
function countBatch({ raw, visits, pairs, trie, batch }: Counting): void {
  let distinct = 0;
  batch.paths.size = 0;
  for (let request = 0; request < batch.size; request += 1) {
    const op = batch.ops[request] as number;
    raw[op] = (raw[op] as number) + 1;
    distinct = addPairs(batch, request, distinct);
    // A repeat is the same step of the journey (product documentation, "Repeated sequences").
    if ((batch.lengths[request] as number) > 0 && batch.previous[request * MAX_PREVIOUS] === op) continue;
    visits[op] = (visits[op] as number) + 1;
    addPath(batch, request);
  }
  batch.size = 0;
  pairs.add(batch.pairs, distinct);
  recordPaths(trie, batch.paths);
}

function widen(counting: Counting, operations: number, maxPairs: number | undefined): void {
  const capacity = capacityFor(operations);
  counting.capacity = capacity;
  counting.raw = widened(counting.raw, capacity);
  counting.visits = widened(counting.visits, capacity);
  if (counting.pairs.maxIndex >= capacity - 1) return;
  const wider = createPairs(capacity, maxPairs);
  counting.pairs.forEach((op, before, times) => wider.put(op, before, times));
  counting.pairs = wider;
}

/** Takes out the indexes of entries whose text is no short id. */
function dropUnnumbered(
  indexes: Uint16Array,
  from: number,
  entries: readonly Entry[],
  opNumberOf: OpNumberOf,
): void {
  for (const [at, entry] of entries.slice(0, MAX_PREVIOUS).entries())
    if (opNumberOf(entry) === undefined) indexes[from + at] = 0;
}

const parseEntry: OpNumberOf = ({ op }) => parseShortId(op);

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
