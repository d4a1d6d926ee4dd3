/**
 * The context tree of one hour, as it is counted in: how often each operation came after each run of others, in
 * bounded memory and with a known error. What is read of it, and added up, is a list of nodes (see `node-list.ts`).
 *
 * A slot of the table is all there is of a node: its key, which is the slot of its parent and its older operation, and
 * its count. A request looks at one place in memory for each operation before it, and where these places are depends on
 * the operations alone: all of them can be on their way before the first one is needed.
 *
 * INVARIANT: count ≤ true count ≤ count + the error bound of its length.
 * INVARIANT: the children of a node do not add up to more than the node.
 */
import {
  extendHash,
  FIRST_NODE,
  lowerCounts,
  NODE_COUNT,
  NODE_OP,
  NODE_WORDS,
  rootHash,
  slotOf,
} from "./context-trie.ts";
import type { NodeList, TrieLoss } from "./context-trie.ts";
import { GATE, MAX_SEQUENCE_LENGTH } from "./limits.ts";
import type { PathBatch } from "./request-batch.ts";

const START_CAPACITY = 1024;
/** Nodes are put into a new table one by one at each growth: there must not be many of them. */
const GROWTH = 4;

/**
 * Words of a slot: operation and the low half of the reference of its parent; the rest of that reference and the count.
 * A reference has 22 bits at most, so that 26 are left for counts: 67 million, where counting stops.
 */
const SLOT_WORDS = 2;
const COUNT_BITS = 26;
const COUNT_MASK = 2 ** COUNT_BITS - 1;

/** Mutable by design. */
export interface HourTrie {
  /** Twice as many slots as there may be nodes; an empty one has the count 0. */
  words: Int32Array;
  /** Slots in the order in which they were taken, parents first. */
  order: Int32Array;
  /** Nodes in use. */
  size: number;
  /** Nodes that fit before the next growth. */
  capacity: number;
  readonly maxNodes: number;
  loss: TrieLoss;
  readonly scratch: PathScratch;
}

/** Where the paths of a batch have got to. */
interface PathScratch {
  /** Paths that go on; the rest is by path. */
  readonly active: Uint8Array;
  readonly hashes: Int32Array;
  /** References of the nodes that were found last, and their counts. */
  readonly parents: Int32Array;
  readonly counts: Int32Array;
  /** Where the next ones are looked for. */
  readonly places: Int32Array;
  /** Means nothing: what was loaded ahead, put together so that it has to be loaded. */
  touched: number;
}

/** Paths of a batch at most. */
const MAX_PATHS = 256;

/** @param maxNodes power of two, 512 to 1,048,576 */
export function createHourTrie(maxNodes: number): HourTrie {
  const capacity = Math.min(maxNodes, START_CAPACITY);
  return {
    words: new Int32Array(capacity * 2 * SLOT_WORDS),
    order: new Int32Array(capacity),
    size: 0,
    capacity,
    maxNodes,
    loss: { pairs: 0, longer: 0, gated: 0 },
    scratch: {
      active: new Uint8Array(MAX_PATHS),
      hashes: new Int32Array(MAX_PATHS),
      parents: new Int32Array(MAX_PATHS),
      counts: new Int32Array(MAX_PATHS),
      places: new Int32Array(MAX_PATHS),
      touched: 0,
    },
  };
}

export function bytesOf({ words, order }: HourTrie): number {
  return words.byteLength + order.byteLength;
}

/** Counts requests by the sequences that they end. */
export function recordPaths(trie: HourTrie, paths: PathBatch): void {
  const { scratch } = trie;
  let needed = 0;
  for (let path = 0; path < paths.size; path += 1) {
    scratch.active[path] = path;
    scratch.hashes[path] = rootHash(paths.ops[path * MAX_SEQUENCE_LENGTH] as number);
    scratch.parents[path] = paths.ops[path * MAX_SEQUENCE_LENGTH] as number;
    needed += (paths.lengths[path] as number) - 1;
  }
  if (trie.size + needed > trie.capacity) makeRoom(trie, needed);
  const isGated = trie.size * 2 > trie.maxNodes;
  let active = paths.size;
  for (let step = 1; active > 0; step += 1) {
    seekStep(trie, paths, { step, active });
    active = recordStep(trie, paths, { step, active, gate: isGated && step > 1 ? GATE : 0 });
  }
}

/** Finds out where the next nodes of all paths are looked for, and loads these places side by side. */
function seekStep(
  { words, scratch }: HourTrie,
  paths: PathBatch,
  { step, active }: { readonly step: number; readonly active: number },
): void {
  const shift = Math.clz32(words.length / SLOT_WORDS - 1);
  let touched = 0;
  for (let at = 0; at < active; at += 1) {
    const path = scratch.active[at] as number;
    const hash = extendHash(
      scratch.hashes[path] as number,
      paths.ops[path * MAX_SEQUENCE_LENGTH + step] as number,
    );
    const word = slotOf(hash, shift) * SLOT_WORDS;
    scratch.hashes[path] = hash;
    scratch.places[path] = word;
    touched ^= words[word] as number;
  }
  scratch.touched = touched;
}

/**
 * Counts the next node of each path.
 *
 * @param round `gate`: count that a node must have for a longer one to be made
 * @returns paths that go on
 */
function recordStep(
  trie: HourTrie,
  paths: PathBatch,
  { step, active, gate }: { readonly step: number; readonly active: number; readonly gate: number },
): number {
  const { words, scratch } = trie;
  const mask = words.length - 1;
  let kept = 0;
  for (let at = 0; at < active; at += 1) {
    const path = scratch.active[at] as number;
    const parent = scratch.parents[path] as number;
    const key = ((parent & 0xffff) << 16) | (paths.ops[path * MAX_SEQUENCE_LENGTH + step] as number);
    const high = parent >>> 16;
    let word = scratch.places[path] as number;
    let found = words[word + 1] as number;
    while (found !== 0 && (words[word] !== key || found >>> COUNT_BITS !== high)) {
      word = (word + SLOT_WORDS) & mask;
      found = words[word + 1] as number;
    }
    if (found === 0) {
      if ((scratch.counts[path] as number) < gate) {
        noteGate(trie);
        continue;
      }
      words[word] = key;
      found = high << COUNT_BITS;
      trie.order[trie.size] = word / SLOT_WORDS;
      trie.size += 1;
    }
    const count = Math.min((found & COUNT_MASK) + 1, COUNT_MASK);
    words[word + 1] = (found & ~COUNT_MASK) | count;
    if (step + 1 === paths.lengths[path]) continue;
    scratch.counts[path] = count;
    scratch.parents[path] = FIRST_NODE + word / SLOT_WORDS;
    scratch.active[kept] = path;
    kept += 1;
  }
  return kept;
}

/** All nodes, to be read or written; shares nothing with the tree. */
export function nodesOf({ words, order, size, loss }: HourTrie): NodeList {
  const nodes = new Int32Array(size * NODE_WORDS);
  // Node number by slot.
  const numbers = new Int32Array(words.length / SLOT_WORDS);
  for (let node = 0; node < size; node += 1) {
    const slot = order[node] as number;
    numbers[slot] = node;
    const key = words[slot * SLOT_WORDS] as number;
    const rest = words[slot * SLOT_WORDS + 1] as number;
    const parent = ((rest >>> COUNT_BITS) << 16) | (key >>> 16);
    const to = node * NODE_WORDS;
    nodes[to] = parent < FIRST_NODE ? parent : FIRST_NODE + (numbers[parent - FIRST_NODE] as number);
    nodes[to + NODE_OP] = key & 0xffff;
    nodes[to + NODE_COUNT] = rest & COUNT_MASK;
  }
  return { nodes, size, loss, credits: new Uint32Array(0) };
}

/** Notes that counts are lost because longer contexts have to wait. */
function noteGate(trie: HourTrie): void {
  if (trie.loss.gated === 0) trie.loss = { ...trie.loss, gated: 1 };
}

/** Grows, and when the tree has its full size drops what is rare. */
function makeRoom(trie: HourTrie, needed: number): void {
  while (trie.size + needed > trie.capacity) {
    const list = nodesOf(trie);
    if (trie.capacity < trie.maxNodes) {
      trie.capacity = Math.min(trie.capacity * GROWTH, trie.maxNodes);
      trie.words = new Int32Array(trie.capacity * 2 * SLOT_WORDS);
      trie.order = new Int32Array(trie.capacity);
    } else {
      // The order is written anew below.
      lowerCounts(list, trie.order);
      trie.words.fill(0);
      trie.loss = list.loss;
    }
    refill(trie, list);
  }
}

/** Puts the nodes into the empty table. */
function refill(trie: HourTrie, { nodes, size }: NodeList): void {
  const { words, order } = trie;
  const mask = words.length - 1;
  const shift = Math.clz32(words.length / SLOT_WORDS - 1);
  const hashes = new Int32Array(size);
  for (let node = 0; node < size; node += 1) {
    const from = node * NODE_WORDS;
    const listed = nodes[from] as number;
    const op = nodes[from + NODE_OP] as number;
    const isPair = listed < FIRST_NODE;
    const parent = isPair ? listed : FIRST_NODE + (order[listed - FIRST_NODE] as number);
    const hash = extendHash(isPair ? rootHash(listed) : (hashes[listed - FIRST_NODE] as number), op);
    hashes[node] = hash;
    let word = slotOf(hash, shift) * SLOT_WORDS;
    while (words[word + 1] !== 0) word = (word + SLOT_WORDS) & mask;
    words[word] = ((parent & 0xffff) << 16) | op;
    words[word + 1] = ((parent >>> 16) << COUNT_BITS) | (nodes[from + NODE_COUNT] as number);
    order[node] = word / SLOT_WORDS;
  }
  trie.size = size;
}
