/** Writes what {@link decodeSnapshot} reads. */
import { FIRST_NODE, NODE_COUNT, NODE_OP, NODE_WORDS } from "./context-trie.ts";
import type { NodeList, TrieLoss } from "./context-trie.ts";
import { floorOf } from "./cutoffs.ts";
import type { HourCounter } from "./hour-counter.ts";
import { nodesOf } from "./hour-trie.ts";
import { MAX_SNAPSHOT_NODES } from "./limits.ts";
import { toNumber } from "./operation-table.ts";
import type { PairVisitor } from "./pair-counter.ts";
import { SNAPSHOT_MAGIC, SNAPSHOT_VERSION } from "./snapshot.ts";
import { createWriter, writeVarint } from "./varint.ts";
import type { ByteWriter } from "./varint.ts";

const MAX_COUNT = 0xffff_ffff;

/** How much of the counts to write. What is left out is accounted for in the error bound. */
export interface SnapshotSize {
  /** Sequences of two or more operations: the most frequent ones; all by default. */
  readonly maxNodes?: number;
  /** Gapped pairs: the most frequent ones; all by default. */
  readonly maxPairs?: number;
}

/** What can be written: counts by operation index, 1 and up. */
export interface CountSource {
  readonly tableVersion: number;
  /** Requests that were not counted because of a fairness cap. */
  readonly capped: number;
  /** Indexes are 1 to `size`. */
  readonly size: number;
  /** Short id at an index, as a number. */
  idAt(index: number): number;
  readonly raw: ArrayLike<number>;
  readonly visits: ArrayLike<number>;
  readonly trie: NodeList;
  /** Of the tree. */
  readonly loss: TrieLoss;
  readonly gappedLoss: number;
  forEachPair(visit: PairVisitor): void;
}

/**
 * @param counter goes on counting afterwards
 * @returns bytes of its own, about 5 a sequence and 3 a pair
 */
export function encodeSnapshot(counter: HourCounter, size: SnapshotSize = {}): Uint8Array {
  const { capped, raw, visits, trie, pairs } = counter.counts();
  const { operations } = counter;
  const source: CountSource = {
    tableVersion: operations.version,
    capped,
    size: operations.size,
    idAt: (index) => toNumber(operations.shortIdAt(index)),
    raw,
    visits,
    trie: nodesOf(trie),
    loss: trie.loss,
    gappedLoss: pairs.loss,
    forEachPair: (visit) => pairs.forEach(visit),
  };
  return encodeCounts(source, size);
}

/** The same from counts of any origin. */
export function encodeCounts(source: CountSource, size: SnapshotSize): Uint8Array {
  const floors = nodeFloorsOf(source.trie, Math.min(size.maxNodes ?? MAX_SNAPSHOT_NODES, MAX_SNAPSHOT_NODES));
  const pairs = collectPairs(source, size.maxPairs);
  const ranks = rankOperations(source, floors, pairs);
  const writer = createWriter();
  writer.bytes[0] = SNAPSHOT_MAGIC;
  writer.bytes[1] = SNAPSHOT_VERSION;
  writer.end = 2;
  writeVarint(writer, source.tableVersion);
  writeVarint(writer, Math.min(source.capped, MAX_COUNT));
  const { loss } = source;
  writeVarint(writer, loss.pairs);
  writeVarint(writer, loss.longer);
  writeVarint(writer, loss.gated);
  writeVarint(writer, source.gappedLoss + pairs.floor - 1);
  writeVarint(writer, floors.pairs - 1);
  writeVarint(writer, floors.longer - 1);
  writeOperations(writer, source, ranks);
  writeNodes(writer, source.trie, floors, ranks.byIndex);
  writePairs(writer, pairs, ranks);
  return writer.bytes.slice(0, writer.end);
}

/** Operations that occur, numbered in the order of their short ids. */
interface Ranks {
  /** Number of an operation by its index, 0 for one that does not occur. */
  readonly byIndex: Uint16Array;
  /** Indexes in the order of their numbers. */
  readonly indexes: readonly number[];
}

function rankOperations(source: CountSource, floors: NodeFloors, pairs: CollectedPairs): Ranks {
  const byIndex = new Uint16Array(source.size + 1);
  for (let index = 1; index <= source.size; index += 1)
    byIndex[index] = (source.raw[index] as number) > 0 ? 1 : 0;
  const { nodes, size } = source.trie;
  for (let node = 0; node < size; node += 1) {
    if (isWritten(source.trie, node, floors)) byIndex[nodes[node * NODE_WORDS + NODE_OP] as number] = 1;
  }
  for (const key of pairs.keys) byIndex[key & 0xffff] = 1;
  const indexes: number[] = [];
  for (let index = 1; index <= source.size; index += 1) if (byIndex[index] === 1) indexes.push(index);
  indexes.sort((a, b) => source.idAt(a) - source.idAt(b));
  for (const [at, index] of indexes.entries()) byIndex[index] = at + 1;
  return { byIndex, indexes };
}

function writeOperations(writer: ByteWriter, source: CountSource, { indexes }: Ranks): void {
  writeVarint(writer, indexes.length);
  let before = 0;
  for (const index of indexes) {
    const id = source.idAt(index);
    writeVarint(writer, id - before);
    writeVarint(writer, Math.min(source.raw[index] as number, MAX_COUNT));
    writeVarint(writer, Math.min(source.visits[index] as number, MAX_COUNT));
    before = id;
  }
}

/** Least counts of the nodes to write. A child never counts more than its parent, so what is written is a tree. */
interface NodeFloors {
  /** For sequences of two operations. */
  readonly pairs: number;
  /** For longer ones; not below `pairs`. */
  readonly longer: number;
}

/** Pairs are what rules are made of: longer sequences give way to them, as long as they leave them half of the room. */
function nodeFloorsOf(trie: NodeList, maxNodes: number): NodeFloors {
  if (trie.size <= maxNodes) return { pairs: 1, longer: 1 };
  const pairs = new Uint32Array(trie.size);
  const longer = new Uint32Array(trie.size);
  let sizes = 0;
  let longerSize = 0;
  for (let word = 0; word < trie.size * NODE_WORDS; word += NODE_WORDS) {
    const count = trie.nodes[word + NODE_COUNT] as number;
    if ((trie.nodes[word] as number) < FIRST_NODE) {
      pairs[sizes] = count;
      sizes += 1;
    } else {
      longer[longerSize] = count;
      longerSize += 1;
    }
  }
  const kept = Math.min(sizes, Math.max(maxNodes >>> 1, maxNodes - longerSize));
  const floor = floorOf(pairs.subarray(0, sizes), kept);
  return { pairs: floor, longer: Math.max(floor, floorOf(longer.subarray(0, longerSize), maxNodes - kept)) };
}

function isWritten({ nodes }: NodeList, node: number, floors: NodeFloors): boolean {
  const word = node * NODE_WORDS;
  const floor = (nodes[word] as number) < FIRST_NODE ? floors.pairs : floors.longer;
  return (nodes[word + NODE_COUNT] as number) >= floor;
}

function writeNodes(writer: ByteWriter, trie: NodeList, floors: NodeFloors, ranks: Uint16Array): void {
  const { nodes, size } = trie;
  const numbers = new Uint32Array(size);
  let written = 0;
  for (let node = 0; node < size; node += 1) {
    if (!isWritten(trie, node, floors)) continue;
    numbers[node] = written;
    written += 1;
  }
  writeVarint(writer, written);
  for (let node = 0; node < size; node += 1) {
    if (!isWritten(trie, node, floors)) continue;
    const word = node * NODE_WORDS;
    const parent = nodes[word] as number;
    const back = (numbers[node] as number) - (numbers[parent - FIRST_NODE] ?? 0);
    writeVarint(writer, parent < FIRST_NODE ? (ranks[parent] as number) * 2 : back * 2 + 1);
    writeVarint(writer, ranks[nodes[word + NODE_OP] as number] as number);
    writeVarint(writer, nodes[word + NODE_COUNT] as number);
  }
}

interface CollectedPairs {
  /** Index of the operation times 65,536 plus that of the earlier one. */
  readonly keys: Uint32Array;
  readonly counts: Uint32Array;
  readonly floor: number;
}

function collectPairs(source: CountSource, maxPairs: number | undefined): CollectedPairs {
  let keys = new Uint32Array(1024);
  let counts = new Uint32Array(1024);
  let size = 0;
  source.forEachPair((op, before, count) => {
    if (size === keys.length) {
      keys = widened(keys);
      counts = widened(counts);
    }
    keys[size] = ((op << 16) | before) >>> 0;
    counts[size] = Math.min(count, MAX_COUNT);
    size += 1;
  });
  keys = keys.slice(0, size);
  counts = counts.slice(0, size);
  const floor = floorOf(counts, maxPairs ?? size);
  if (floor === 1) return { keys, counts, floor };
  const stays = (_: number, at: number): boolean => (counts[at] as number) >= floor;
  return { keys: keys.filter(stays), counts: counts.filter((count) => count >= floor), floor };
}

function writePairs(writer: ByteWriter, { keys, counts }: CollectedPairs, ranks: Ranks): void {
  const { byIndex } = ranks;
  // Two passes of counting sort, least significant first: by earlier operation, then by operation.
  const operations = ranks.indexes.length;
  const all = Uint32Array.from(keys, (_, at) => at);
  const byEarlier = sortBy(all, operations, (at) => byIndex[(keys[at] as number) & 0xffff] as number);
  const order = sortBy(byEarlier, operations, (at) => byIndex[(keys[at] as number) >>> 16] as number);
  let from = 0;
  for (let op = 1; op <= operations; op += 1) {
    let end = from;
    while (end < order.length && byIndex[(keys[order[end] as number] as number) >>> 16] === op) end += 1;
    writeVarint(writer, end - from);
    let before = 0;
    for (; from < end; from += 1) {
      const at = order[from] as number;
      const earlier = byIndex[(keys[at] as number) & 0xffff] as number;
      writeVarint(writer, earlier - before);
      writeVarint(writer, counts[at] as number);
      before = earlier;
    }
  }
}

/** Stable counting sort of `items` by a key of 1 to `maxKey`. */
function sortBy(items: Uint32Array, maxKey: number, keyOf: (item: number) => number): Uint32Array {
  const starts = new Uint32Array(maxKey + 2);
  for (const item of items) starts[keyOf(item) + 1] = (starts[keyOf(item) + 1] as number) + 1;
  for (let key = 1; key < starts.length; key += 1)
    starts[key] = (starts[key] as number) + (starts[key - 1] as number);
  const sorted = new Uint32Array(items.length);
  for (const item of items) {
    const key = keyOf(item);
    const at = starts[key] as number;
    sorted[at] = item;
    starts[key] = at + 1;
  }
  return sorted;
}

function widened(values: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const wider = new Uint32Array(values.length * 2);
  wider.set(values);
  return wider;
}
