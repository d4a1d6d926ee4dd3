/** Adds snapshots up: hours, processes and nodes alike. */
import { addNode, copyTrie, createContextTrie, extendHash, makeRoom, rootHash } from "./context-trie.ts";
import type { ContextTrie } from "./context-trie.ts";
import { floorOf } from "./cutoffs.ts";
import { MAX_OPERATIONS, SUM_MAX_NODES } from "./limits.ts";
import { readNode } from "./snapshot.ts";
import type { Snapshot, SnapshotLeftOut, SnapshotNode } from "./snapshot.ts";
import { createReader } from "./varint.ts";

/** Mutable by design. Operation `n` of a sum is `ids[n - 1]`. */
export interface Sum {
  /** Short ids as numbers, ascending. */
  readonly ids: Uint32Array;
  readonly raw: Float64Array;
  readonly visits: Float64Array;
  readonly trie: ContextTrie;
  /** Of all snapshots together; the credits of a node say how much of it does not concern the node. */
  leftOut: SnapshotLeftOut;
  readonly parts: SumPart[];
  gappedLoss: number;
  /** Requests that were not counted because of a fairness cap. */
  capped: number;
}

/** A snapshot that was added; its gapped pairs are read from its bytes when they are asked for. */
export interface SumPart {
  readonly snapshot: Snapshot;
  /** Operation of the sum by operation of the snapshot, 0 for one that the sum does not have. */
  readonly ops: Uint16Array;
  /** The other way round. */
  readonly own: Uint16Array;
}

/** @param ids ascending, no id twice, at most 65,535: the operations of the snapshots that will be added */
export function createSum(ids: Uint32Array): Sum {
  return {
    ids,
    raw: new Float64Array(ids.length + 1),
    visits: new Float64Array(ids.length + 1),
    trie: createContextTrie(SUM_MAX_NODES),
    leftOut: { pairs: 0, longer: 0 },
    parts: [],
    gappedLoss: 0,
    capped: 0,
  };
}

/** A sum that can go on by itself. */
export function copySum(sum: Sum): Sum {
  return {
    ...sum,
    raw: sum.raw.slice(),
    visits: sum.visits.slice(),
    trie: copyTrie(sum.trie),
    parts: [...sum.parts],
  };
}

/** All ids, ascending, none twice; the first 65,535 if there are more. */
export function uniteIds(sets: readonly Uint32Array[]): Uint32Array {
  const all = new Uint32Array(sets.reduce((size, ids) => size + ids.length, 0));
  let at = 0;
  for (const ids of sets) {
    all.set(ids, at);
    at += ids.length;
  }
  all.sort();
  return all.filter((id, position) => position === 0 || id !== all[position - 1]).subarray(0, MAX_OPERATIONS);
}

/** Whether the sum has all operations of the snapshot. */
export function covers(sum: Sum, { ids }: Snapshot): boolean {
  return !matchIds(sum.ids, ids).includes(0, 1);
}

/** Adds a snapshot; what belongs to operations that the sum does not have is left out. */
export function addSnapshot(sum: Sum, snapshot: Snapshot): void {
  const ops = matchIds(sum.ids, snapshot.ids);
  const own = new Uint16Array(sum.ids.length + 1);
  for (let op = 1; op < ops.length; op += 1) {
    const to = ops[op] as number;
    if (to === 0) continue;
    own[to] = op;
    sum.raw[to] = (sum.raw[to] as number) + (snapshot.raw[op] as number);
    sum.visits[to] = (sum.visits[to] as number) + (snapshot.visits[op] as number);
  }
  const lost = addNodes(sum.trie, snapshot, ops);
  const { loss } = sum.trie;
  sum.trie.loss = {
    pairs: loss.pairs + snapshot.loss.pairs + lost,
    longer: loss.longer + snapshot.loss.longer + lost,
    gated: loss.gated + snapshot.loss.gated,
  };
  sum.leftOut = {
    pairs: sum.leftOut.pairs + snapshot.leftOut.pairs,
    longer: sum.leftOut.longer + snapshot.leftOut.longer,
  };
  sum.gappedLoss += snapshot.loss.gapped;
  sum.capped += snapshot.capped;
  sum.parts.push({ snapshot, ops, own });
}

/** Place (from 1) of every id of `some` in `all`, both ascending; 0 for those that are not there. */
function matchIds(all: Uint32Array, some: Uint32Array): Uint16Array {
  const places = new Uint16Array(some.length + 1);
  let place = 0;
  for (const [at, id] of some.entries()) {
    while (place < all.length && (all[place] as number) < id) place += 1;
    if (all[place] === id) places[at + 1] = place + 1;
  }
  return places;
}

/** @returns how many counts a sequence may have lost because the snapshot was too large for the sum */
function addNodes(trie: ContextTrie, snapshot: Snapshot, ops: Uint16Array): number {
  const most = trie.maxNodes / 2;
  const floor = snapshot.nodes > most ? floorOf(countsOf(snapshot), most) : 1;
  makeRoom(trie, Math.min(snapshot.nodes, most));
  // References and hashes by number; 0 for nodes that are left out, and with them their children.
  const refs = new Uint32Array(snapshot.nodes);
  const hashes = new Uint32Array(snapshot.nodes);
  const reader = createReader(snapshot.bytes, snapshot.nodesAt);
  const node: SnapshotNode = { rootOp: 0, parent: 0, op: 0, count: 0 };
  const added = { parent: 0, op: 0, count: 0, credit: 0 };
  for (let at = 0; at < snapshot.nodes; at += 1) {
    readNode(reader, at, node);
    const isPair = node.rootOp > 0;
    added.parent = (isPair ? ops[node.rootOp] : refs[node.parent]) as number;
    added.op = ops[node.op] as number;
    added.count = node.count;
    added.credit = isPair ? snapshot.leftOut.pairs : snapshot.leftOut.longer;
    if (added.parent === 0 || added.op === 0 || node.count < floor) continue;
    const before = isPair ? rootHash(added.parent) : (hashes[node.parent] as number);
    const hash = extendHash(before, added.op);
    hashes[at] = hash;
    refs[at] = addNode(trie, hash, added);
  }
  return floor - 1;
}

function countsOf({ bytes, nodesAt, nodes }: Snapshot): Uint32Array {
  const counts = new Uint32Array(nodes);
  const reader = createReader(bytes, nodesAt);
  const node: SnapshotNode = { rootOp: 0, parent: 0, op: 0, count: 0 };
  for (let at = 0; at < nodes; at += 1) {
    readNode(reader, at, node);
    counts[at] = node.count;
  }
  return counts;
}
