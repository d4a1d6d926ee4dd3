/**
 * Pairs of many operations in bounded memory: open addressing, exact until it is two thirds full.
 *
 * From then on a pair gets a place only when it is met for the second time (a filter of bits remembers the first),
 * because most of the millions of pairs of a large site occur once. A full table is purged like the context tree.
 *
 * INVARIANT: count ≤ true count ≤ count + `loss`. A pair loses at most 1 for each time the filter starts anew, and
 * at most the step of each purge.
 */
import { medianOf } from "./cutoffs.ts";
import type { PairCounter, PairVisitor } from "./pair-counter.ts";

const START_SLOTS = 4096;
/** Shares of the places in use: above the first a table grows or is purged, above the second the filter starts. */
const FULL = 0.75;
const FILTERED = 0.5;
/** Share of the pairs that a purge drops, and counts that are told apart in finding out how. */
const DROPPED_SHARE = 0.75;
const BINS = 256;
/** Bits of the filter per place of the table: 128 KB beside 262,144 places. */
const FILTER_BITS_LOG2 = 2;

/** Pairs that are counted together. */
const CHUNK = 512;

interface Table {
  /** Two words a place: key, count. A count of 0 means empty. */
  words: Int32Array;
  slots: number;
  /** `hash >>> shift` is the place. */
  shift: number;
  used: number;
  /** Pairs up to which nothing has to be done. */
  limit: number;
  loss: number;
  readonly maxSlots: number;
  /** Empty as long as the table is exact. */
  filter: Int32Array;
  filterShift: number;
  filterUsed: number;
  /** Scratch: the pairs of a request that are to be counted. */
  readonly seen: Int32Array;
  /** Means nothing: what was loaded ahead, put together so that it has to be loaded. */
  touched: number;
}

/** @param maxSlots power of two, at least 4,096; three quarters of them are used, 8 bytes each */
export function createSparsePairs(maxSlots: number): PairCounter {
  const slots = Math.min(maxSlots, START_SLOTS);
  const table: Table = {
    words: new Int32Array(slots * 2),
    slots,
    shift: Math.clz32(slots - 1),
    used: 0,
    limit: slots * (slots < maxSlots ? FULL : FILTERED),
    loss: 0,
    maxSlots,
    filter: new Int32Array(0),
    filterShift: 0,
    filterUsed: 0,
    seen: new Int32Array(CHUNK),
    touched: 0,
  };
  return {
    get loss() {
      return table.loss;
    },
    maxIndex: 0xffff,
    get bytes() {
      return table.words.byteLength + table.filter.byteLength + table.seen.byteLength;
    },
    add(keys, length) {
      for (let from = 0; from < length; from += CHUNK) {
        const chunk = length <= CHUNK ? keys : keys.subarray(from, from + CHUNK);
        const size = Math.min(length - from, CHUNK);
        if (table.used + size > table.limit) makeRoom(table, size);
        if (table.filter.length === 0) insert(table, chunk, size);
        else insert(table, table.seen, takeSeen(table, chunk, size));
      }
    },
    put(op, before, count) {
      if (table.used + 1 > table.limit) makeRoom(table, 1);
      place(table, (op << 16) | before, count);
      table.used += 1;
    },
    forEach: (visit) => forEachPair(table, visit),
  };
}

/** Collects those pairs that the filter has seen before in `table.seen`, and shows it the others. */
function takeSeen(table: Table, keys: Int32Array, length: number): number {
  if (table.filterUsed > table.filter.length * 16) restartFilter(table);
  const { seen, filter, filterShift } = table;
  let taken = 0;
  for (let at = 0; at < length; at += 1) {
    const key = keys[at] as number;
    const bit = hashOf(key) >>> filterShift;
    const bits = filter[bit >>> 5] as number;
    filter[bit >>> 5] = bits | (1 << (bit & 31));
    // Without a branch: whether a pair was seen is anybody's guess, also the processor's.
    seen[taken] = key;
    taken += (bits >>> (bit & 31)) & 1;
  }
  table.filterUsed += length - taken;
  return taken;
}

function insert(table: Table, keys: Int32Array, length: number): void {
  const { words, shift } = table;
  const mask = words.length - 1;
  let touched = 0;
  for (let at = 0; at < length; at += 1) {
    touched ^= words[(hashOf(keys[at] as number) >>> shift) * 2] as number;
  }
  table.touched = touched;
  let added = 0;
  for (let at = 0; at < length; at += 1) {
    const key = keys[at] as number;
    let word = (hashOf(key) >>> shift) * 2;
    let found = words[word + 1] as number;
    while (found !== 0 && words[word] !== key) {
      word = (word + 2) & mask;
      found = words[word + 1] as number;
    }
    if (found === 0) {
      words[word] = key;
      added += 1;
    }
    words[word + 1] = found + 1;
  }
  table.used += added;
}

function hashOf(key: number): number {
  return Math.imul(key, 0x9e37_79b1);
}

function forEachPair({ words }: Table, visit: PairVisitor): void {
  for (let word = 0; word < words.length; word += 2) {
    const count = words[word + 1] as number;
    if (count === 0) continue;
    const key = words[word] as number;
    visit(key >>> 16, key & 0xffff, count);
  }
}

function makeRoom(table: Table, needed: number): void {
  while (table.used + needed > table.limit) {
    if (table.slots < table.maxSlots) grow(table);
    else if (table.filter.length === 0) startFilter(table);
    else purge(table);
  }
}

function grow(table: Table): void {
  const { words } = table;
  table.slots *= 2;
  table.shift -= 1;
  table.limit = table.slots * (table.slots < table.maxSlots ? FULL : FILTERED);
  table.words = new Int32Array(table.slots * 2);
  for (let word = 0; word < words.length; word += 2) {
    const count = words[word + 1] as number;
    if (count > 0) place(table, words[word] as number, count);
  }
}

function purge(table: Table): void {
  const step = purgeStep(table);
  table.filter.fill(0);
  table.filterUsed = 0;
  lower(table, step);
  // One more than the step: the filter forgot which pairs were met once.
  table.loss += step + 1;
}

/** Least step that drops three quarters of the pairs: half would do, but then the next purge comes sooner. */
function purgeStep({ words, used }: Table): number {
  const bins = new Uint32Array(BINS);
  for (let word = 1; word < words.length; word += 2) {
    const bin = Math.min(words[word] as number, BINS - 1);
    bins[bin] = (bins[bin] as number) + 1;
  }
  let dropped = 0;
  for (let step = 1; step < BINS - 1; step += 1) {
    dropped += bins[step] as number;
    if (dropped >= used * DROPPED_SHARE) return step;
  }
  return medianOf(words.filter((count, word) => word % 2 === 1 && count > 0));
}

function startFilter(table: Table): void {
  table.limit = table.slots * FULL;
  table.filter = new Int32Array((table.slots << FILTER_BITS_LOG2) >>> 5);
  table.filterShift = table.shift - FILTER_BITS_LOG2;
  restartFilter(table);
}

/** Forgets which pairs were met once. Those in the table stay known: their counts go on. */
function restartFilter(table: Table): void {
  const { words } = table;
  table.filter.fill(0);
  table.filterUsed = 0;
  for (let word = 0; word < words.length; word += 2) {
    if (words[word + 1] !== 0) showFilter(table, words[word] as number);
  }
  table.loss += 1;
}

function showFilter(table: Table, key: number): void {
  const { filter } = table;
  const bit = hashOf(key) >>> table.filterShift;
  const bits = filter[bit >>> 5] as number;
  filter[bit >>> 5] = bits | (1 << (bit & 31));
  table.filterUsed += 1 - ((bits >>> (bit & 31)) & 1);
}

/**
 * Lowers all counts in place. Starting behind an empty place, every pair that stays is put where a search for it
 * begins, or at the first place free from there on; that is never behind the place it came from.
 */
function lower(table: Table, step: number): void {
  const { words } = table;
  const mask = words.length - 1;
  let start = 0;
  while ((words[start + 1] as number) !== 0) start += 2;
  table.used = 0;
  for (let offset = 2; offset < words.length; offset += 2) {
    const word = (start + offset) & mask;
    const count = words[word + 1] as number;
    if (count === 0) continue;
    words[word + 1] = 0;
    if (count <= step) continue;
    const key = words[word] as number;
    place(table, key, count - step);
    showFilter(table, key);
    table.used += 1;
  }
}

function place({ words, shift }: Table, key: number, count: number): void {
  const mask = words.length - 1;
  let word = (hashOf(key) >>> shift) * 2;
  while ((words[word + 1] as number) !== 0) word = (word + 2) & mask;
  words[word] = key;
  words[word + 1] = count;
}
