/**
 * How often each operation came after each run of others: a tree of reversed contexts (the context tree of a
 * variable-order Markov chain) with bounded memory and a known error.
 *
 * A node stands for a sequence: the sequence of its parent with one older operation in front. The children of an
 * operation are the operations before it, and so on back. Nodes live in one typed array and are found by open
 * addressing; a parent always lies before its children.
 *
 * When the tree is full, counts are lowered by their median and what falls to zero is dropped: Misra-Gries in
 * batches, as in the frequent-items sketch of DataSketches (Anderson et al., arXiv:1705.07001).
 *
 * INVARIANT: count ≤ true count ≤ count + the error bound of its length.
 * INVARIANT: the children of a node do not add up to more than the node.
 */
import { GATE } from "./limits.ts";
import { medianOf } from "./cutoffs.ts";

/** Words of a node: reference of its parent, its older operation, its count. */
export const NODE_WORDS = 3;
export const NODE_OP = 1;
export const NODE_COUNT = 2;

/** References below are operations (sequences of length 1); node `n` has the reference `FIRST_NODE + n`. */
export const FIRST_NODE = 65_536;

const START_CAPACITY = 1024;
const MAX_COUNT = 0x7fff_ffff;
const DROPPED = -1;

/** By how much counts may be too low. Additive: hours, processes and nodes simply add up. */
export interface TrieLoss {
  /** For sequences of two operations. */
  readonly pairs: number;
  /** For longer ones. */
  readonly longer: number;
  /** Trees in which the gate was ever closed; each may have missed `GATE` per operation beyond two. */
  readonly gated: number;
}

/** Nodes, parents first. Mutable by design. */
export interface NodeList {
  /** `NODE_WORDS` words a node; signed, because that is what the engines calculate with fastest. */
  nodes: Int32Array;
  /** Nodes in use. */
  size: number;
  loss: TrieLoss;
  /** In a sum, how much of what was left out of snapshots was not this node: what its error bound is smaller by. */
  credits: Uint32Array;
}

/** A list in which nodes are found. */
export interface ContextTrie extends NodeList {
  /** Node number + 1, 0 where empty; twice as many places as there may be nodes. */
  index: Int32Array;
  /** Nodes that fit before the next growth. */
  capacity: number;
  readonly maxNodes: number;
}

/** @param maxNodes power of two, at least 512 */
export function createContextTrie(maxNodes: number): ContextTrie {
  const capacity = Math.min(maxNodes, START_CAPACITY);
  return {
    nodes: new Int32Array(capacity * NODE_WORDS),
    index: new Int32Array(capacity * 2),
    size: 0,
    capacity,
    maxNodes,
    loss: { pairs: 0, longer: 0, gated: 0 },
    credits: new Uint32Array(capacity),
  };
}

/** How much higher than its count the true count of a sequence of `length` operations may be. */
export function errorBound(loss: TrieLoss, length: number): number {
  if (length <= 1) return 0;
  if (length === 2) return loss.pairs;
  return loss.longer + loss.gated * GATE * (length - 2);
}

/** Hash of a sequence of one operation; {@link extendHash} goes on from there. */
export function rootHash(op: number): number {
  return extendHash(0, op);
}

/** Hash of a sequence from that of the sequence without its oldest operation. */
export function extendHash(hash: number, op: number): number {
  const mixed = Math.imul(hash ^ op, 0x9e37_79b1);
  return mixed ^ (mixed >>> 15);
}

/** A sequence to add: its parent, its oldest operation, how often it was counted. */
export interface AddedNode {
  /** Reference. */
  parent: number;
  op: number;
  count: number;
  /** Added to its credits. */
  credit: number;
}

/**
 * Adds to the count of one node, which is made when it is new. There must be room ({@link makeRoom}).
 *
 * @param hash of its sequence
 * @returns reference of the node
 */
export function addNode(trie: ContextTrie, hash: number, added: AddedNode): number {
  const { nodes, index, credits } = trie;
  const { parent, op } = added;
  const mask = index.length - 1;
  let at = slotOf(hash, Math.clz32(mask));
  let found = index[at] as number;
  while (found !== 0) {
    const word = (found - 1) * NODE_WORDS;
    if (nodes[word] === parent && nodes[word + NODE_OP] === op) break;
    at = (at + 1) & mask;
    found = index[at] as number;
  }
  if (found === 0) {
    found = append(trie, parent, op);
    index[at] = found;
  }
  const word = (found - 1) * NODE_WORDS + NODE_COUNT;
  nodes[word] = Math.min((nodes[word] as number) + added.count, MAX_COUNT);
  credits[found - 1] = (credits[found - 1] as number) + added.credit;
  return FIRST_NODE + found - 1;
}

/** Reference of a child, 0 when there is none. `hash` is that of the child's sequence. */
export function findNode(trie: ContextTrie, parent: number, op: number, hash: number): number {
  const { nodes, index } = trie;
  const mask = index.length - 1;
  let slot = slotOf(hash, Math.clz32(mask));
  let found = index[slot] as number;
  while (found !== 0) {
    const word = (found - 1) * NODE_WORDS;
    if (nodes[word] === parent && nodes[word + NODE_OP] === op) return FIRST_NODE + found - 1;
    slot = (slot + 1) & mask;
    found = index[slot] as number;
  }
  return 0;
}

/**
 * Makes room for `needed` more nodes: by growing, and when the tree has its full size by purging. References
 * that were handed out before mean nothing afterwards.
 *
 * @param needed at most half of `maxNodes`
 */
export function makeRoom(trie: ContextTrie, needed: number): void {
  while (trie.size + needed > trie.capacity && trie.capacity < trie.maxNodes) grow(trie);
  while (trie.size + needed > trie.capacity) purge(trie);
}

/** A copy that shares nothing with the original. */
export function copyTrie(trie: ContextTrie): ContextTrie {
  return {
    ...trie,
    nodes: trie.nodes.slice(),
    index: trie.index.slice(),
    credits: trie.credits.slice(),
  };
}

/** Hashes of all sequences of the tree, by node number. */
export function hashesOf(trie: ContextTrie): Uint32Array {
  const hashes = new Uint32Array(trie.size);
  for (let node = 0; node < trie.size; node += 1) {
    const parent = trie.nodes[node * NODE_WORDS] as number;
    const before = parent < FIRST_NODE ? rootHash(parent) : (hashes[parent - FIRST_NODE] as number);
    hashes[node] = extendHash(before, trie.nodes[node * NODE_WORDS + NODE_OP] as number);
  }
  return hashes;
}

/** Place of a hash in a table of 2^(32 - `shift`) places. */
export function slotOf(hash: number, shift: number): number {
  return Math.imul(hash, 0x85eb_ca6b) >>> shift;
}

/** Number of the new node + 1. */
function append(trie: ContextTrie, parent: number, op: number): number {
  const word = trie.size * NODE_WORDS;
  trie.nodes[word] = parent;
  trie.nodes[word + NODE_OP] = op;
  trie.nodes[word + NODE_COUNT] = 0;
  trie.size += 1;
  return trie.size;
}

function grow(trie: ContextTrie): void {
  trie.capacity = Math.min(trie.capacity * 2, trie.maxNodes);
  const nodes = new Int32Array(trie.capacity * NODE_WORDS);
  nodes.set(trie.nodes.subarray(0, trie.size * NODE_WORDS));
  trie.nodes = nodes;
  const credits = new Uint32Array(trie.capacity);
  credits.set(trie.credits);
  trie.credits = credits;
  trie.index = new Int32Array(trie.capacity * 2);
  reindex(trie);
}

function purge(trie: ContextTrie): void {
  // The index serves as scratch space.
  lowerCounts(trie, trie.index);
  trie.index.fill(0);
  reindex(trie);
}

/**
 * Lowers counts so that at least a quarter of the nodes can be dropped, and accounts for the loss.
 *
 * @param list at least one node
 * @param scratch a place for each node
 */
export function lowerCounts(list: NodeList, scratch: Int32Array): void {
  const { nodes, size } = list;
  let longer = 0;
  for (let word = 0; word < size * NODE_WORDS; word += NODE_WORDS) {
    if ((nodes[word] as number) >= FIRST_NODE) longer += 1;
  }
  // Pairs are what rules are made of: they are spared until they fill the tree by themselves.
  const firstParent = longer * 2 < size ? 0 : FIRST_NODE;
  const step = medianCount(list, firstParent);
  subtract(list, firstParent, { step, moved: scratch });
  const { loss } = list;
  list.loss = {
    ...loss,
    pairs: loss.pairs + (firstParent === 0 ? step : 0),
    longer: loss.longer + step,
  };
}

/** Median count of the nodes whose parent is at least `firstParent`. */
function medianCount({ nodes, size }: NodeList, firstParent: number): number {
  const counts = new Uint32Array(size);
  let total = 0;
  for (let word = 0; word < size * NODE_WORDS; word += NODE_WORDS) {
    if ((nodes[word] as number) < firstParent) continue;
    counts[total] = nodes[word + NODE_COUNT] as number;
    total += 1;
  }
  return medianOf(counts.subarray(0, total));
}

/** Lowers counts and closes the gaps; `moved` becomes new node numbers by old ones. */
function subtract(
  list: NodeList,
  firstParent: number,
  { step, moved }: { readonly step: number; readonly moved: Int32Array },
): void {
  const { nodes, credits } = list;
  let kept = 0;
  for (let node = 0; node < list.size; node += 1) {
    const from = node * NODE_WORDS;
    const parent = nodes[from] as number;
    const count = (nodes[from + NODE_COUNT] as number) - (parent >= firstParent ? step : 0);
    // A child never counts more than its parent, so a dropped node has no child left that would be kept.
    if (count <= 0) {
      moved[node] = DROPPED;
      continue;
    }
    const to = kept * NODE_WORDS;
    nodes[to] = parent < FIRST_NODE ? parent : FIRST_NODE + (moved[parent - FIRST_NODE] as number);
    nodes[to + NODE_OP] = nodes[from + NODE_OP] as number;
    nodes[to + NODE_COUNT] = count;
    // Writing beyond the end of an array without credits does nothing.
    credits[kept] = credits[node] as number;
    moved[node] = kept;
    kept += 1;
  }
  credits.fill(0, kept);
  list.size = kept;
}

function reindex(trie: ContextTrie): void {
  const { index } = trie;
  const hashes = hashesOf(trie);
  const mask = index.length - 1;
  const shift = Math.clz32(mask);
  for (let node = 0; node < trie.size; node += 1) {
    let slot = slotOf(hashes[node] as number, shift);
    while (index[slot] !== 0) slot = (slot + 1) & mask;
    index[slot] = node + 1;
  }
}
