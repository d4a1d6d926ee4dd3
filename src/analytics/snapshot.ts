/**
 * Counts as bytes, for a row in a database or a value in Redis.
 *
 * ```
 * 2 bytes   "S", version 1
 * varints   version of the operation table
 *           requests that were not counted because of a fairness cap
 *           loss: pairs of the tree, longer sequences, gated trees, gapped pairs
 *           left out: most frequent pair of the tree, most frequent longer sequence
 *           n operations, each: short id (difference to the one before it), requests, visits
 *           n nodes, parents first, each: parent (operation × 2, or nodes back × 2 + 1), older operation, count
 *           for each operation: n pairs, each: earlier operation (difference to the one before it), count
 * ```
 *
 * Operations are numbered 1, 2, … in the order in which they stand here. The short ids are part of the bytes, so
 * that snapshots of nodes with different operation tables add up without a third table that knows both.
 */
import { MAX_OPERATIONS, MAX_SEQUENCE_LENGTH, MAX_SNAPSHOT_BYTES, MAX_SNAPSHOT_NODES } from "./limits.ts";
import { createReader, readVarint } from "./varint.ts";
import type { ByteReader } from "./varint.ts";

export const SNAPSHOT_MAGIC = 0x53;
export const SNAPSHOT_VERSION = 1;

/** By how much counts of a snapshot may be too low; see the error bound of the context tree. */
export interface SnapshotLoss {
  /** Sequences of two operations. */
  readonly pairs: number;
  /** Longer sequences. */
  readonly longer: number;
  /** Trees whose gate was closed at some time. */
  readonly gated: number;
  /** Gapped pairs; 0 means that every pair score is exact. */
  readonly gapped: number;
}

/** What a snapshot was cut down by. Unlike a loss it concerns only sequences that are not in the snapshot. */
export interface SnapshotLeftOut {
  /** Highest count of a sequence of two operations that was left out; 0 when all are there. */
  readonly pairs: number;
  /** The same of longer ones. */
  readonly longer: number;
}

/** Bytes that were checked once, and what is needed to read on in them. */
export interface Snapshot {
  readonly kind: "snapshot";
  readonly bytes: Uint8Array;
  /** Version of the operation table it was counted with. */
  readonly tableVersion: number;
  /** Requests that were not counted because of a fairness cap. */
  readonly capped: number;
  readonly loss: SnapshotLoss;
  readonly leftOut: SnapshotLeftOut;
  /** Short ids as numbers, ascending; operation `n` is at `n - 1`. */
  readonly ids: Uint32Array;
  /** Requests by operation number. */
  readonly raw: Uint32Array;
  /** Requests by operation number that did not directly repeat it. */
  readonly visits: Uint32Array;
  readonly nodes: number;
  readonly nodesAt: number;
  readonly pairs: number;
  /** Where the pairs of an operation number stand. */
  readonly rowsAt: Uint32Array;
}

export type SnapshotErrorCode =
  | "ERR_SNAPSHOT_FORMAT"
  | "ERR_SNAPSHOT_VERSION"
  | "ERR_SNAPSHOT_SIZE"
  | "ERR_SNAPSHOT_COUNTS";

export interface SnapshotError {
  readonly kind: "error";
  readonly code: SnapshotErrorCode;
  /** Lower case, without full stop, with the byte where reading stopped. */
  readonly message: string;
}

/**
 * Total: any bytes give a snapshot or an error, and never an exception. Everything that reading them later relies
 * on is checked here, as is what true counts obey: nothing longer is more frequent than what it contains.
 *
 * @param bytes kept, not copied: must not change afterwards
 */
export function decodeSnapshot(bytes: Uint8Array): Snapshot | SnapshotError {
  if (bytes.length > MAX_SNAPSHOT_BYTES) {
    return error("ERR_SNAPSHOT_SIZE", `expected at most ${MAX_SNAPSHOT_BYTES} bytes, found ${bytes.length}`);
  }
  if (bytes[0] !== SNAPSHOT_MAGIC)
    return error("ERR_SNAPSHOT_FORMAT", "expected a snapshot of sequence counts");
  if (bytes[1] !== SNAPSHOT_VERSION) {
    return error(
      "ERR_SNAPSHOT_VERSION",
      `expected snapshot version ${SNAPSHOT_VERSION}, found ${bytes[1] ?? "none"}`,
    );
  }
  const reader = createReader(bytes, 2);
  const tableVersion = readVarint(reader);
  const capped = readVarint(reader);
  const loss = {
    pairs: readVarint(reader),
    longer: readVarint(reader),
    gated: readVarint(reader),
    gapped: readVarint(reader),
  };
  const leftOut = { pairs: readVarint(reader), longer: readVarint(reader) };
  const operations = readOperations(reader);
  if (operations === undefined) return broken(reader, "operations in ascending order with their requests");
  const nodes = readVarint(reader);
  const nodesAt = reader.at;
  if (!checkNodes(reader, nodes, operations))
    return broken(reader, "sequences no more frequent than their ends");
  const rows = readRows(reader, operations.raw);
  if (rows === undefined) return broken(reader, "pairs no more frequent than their operation");
  if (reader.at !== bytes.length) return broken(reader, "the end of the snapshot");
  const head = { tableVersion, capped, loss, leftOut };
  return { kind: "snapshot", bytes, ...head, ...operations, nodes, nodesAt, ...rows };
}

/** Node of a snapshot as it stands in the bytes. */
export interface SnapshotNode {
  /** Number of the operation it is a child of, or 0. */
  rootOp: number;
  /** Node it is a child of, if it is not a child of an operation. */
  parent: number;
  op: number;
  count: number;
}

/** Reads the node with the number `node`, which is the next one of the reader, into `into`. */
export function readNode(reader: ByteReader, node: number, into: SnapshotNode): void {
  const parent = readVarint(reader);
  into.rootOp = (parent & 1) === 0 ? parent >>> 1 : 0;
  into.parent = node - (parent >>> 1);
  into.op = readVarint(reader);
  into.count = readVarint(reader);
}

interface Operations {
  readonly ids: Uint32Array;
  readonly raw: Uint32Array;
  readonly visits: Uint32Array;
}

function readOperations(reader: ByteReader): Operations | undefined {
  const size = readVarint(reader);
  // Three bytes each at least: a few bytes must not make us reserve memory for many operations.
  if (size > MAX_OPERATIONS || size * 3 > reader.bytes.length - reader.at) return undefined;
  const ids = new Uint32Array(size);
  const raw = new Uint32Array(size + 1);
  const visits = new Uint32Array(size + 1);
  let id = -1;
  for (let op = 1; op <= size; op += 1) {
    const step = readVarint(reader);
    // The first is written as it is, the others as the difference to the one before.
    id = op === 1 ? step : id + step;
    if (id > 0xffff_ffff || (op > 1 && step === 0)) return undefined;
    ids[op - 1] = id;
    raw[op] = readVarint(reader);
    visits[op] = readVarint(reader);
    if ((visits[op] as number) > (raw[op] as number)) return undefined;
  }
  return reader.failed ? undefined : { ids, raw, visits };
}

/** Leaves the reader behind the nodes. */
function checkNodes(reader: ByteReader, nodes: number, operations: Operations): boolean {
  if (nodes > MAX_SNAPSHOT_NODES || nodes * 3 > reader.bytes.length - reader.at) return false;
  const read: ReadNodes = {
    rootRest: Float64Array.from(operations.visits),
    rest: new Float64Array(nodes),
    ops: new Uint16Array(nodes),
    lengths: new Uint8Array(nodes),
  };
  const node: SnapshotNode = { rootOp: 0, parent: 0, op: 0, count: 0 };
  for (let at = 0; at < nodes; at += 1) {
    readNode(reader, at, node);
    if (reader.failed || node.count === 0 || node.op < 1 || node.op > operations.ids.length) return false;
    if (node.rootOp > operations.ids.length) return false;
    if (node.rootOp === 0 && (node.parent < 0 || node.parent >= at)) return false;
    if (!takeFromParent(read, node, at)) return false;
  }
  return true;
}

/** What is known of the nodes that were read. */
interface ReadNodes {
  /** What the children of an operation, or of a node, leave of its count. */
  readonly rootRest: Float64Array;
  readonly rest: Float64Array;
  readonly ops: Uint16Array;
  readonly lengths: Uint8Array;
}

function takeFromParent(
  { rootRest, rest, ops, lengths }: ReadNodes,
  node: SnapshotNode,
  at: number,
): boolean {
  const isPair = node.rootOp > 0;
  const parent = isPair ? node.rootOp : node.parent;
  const parentOp = isPair ? node.rootOp : (ops[parent] as number);
  const length = isPair ? 2 : (lengths[parent] as number) + 1;
  if (node.op === parentOp || length > MAX_SEQUENCE_LENGTH) return false;
  const rests = isPair ? rootRest : rest;
  const left = (rests[parent] as number) - node.count;
  if (left < 0) return false;
  rests[parent] = left;
  rest[at] = node.count;
  ops[at] = node.op;
  lengths[at] = length;
  return true;
}

function readRows(reader: ByteReader, raw: Uint32Array): Pick<Snapshot, "pairs" | "rowsAt"> | undefined {
  const rowsAt = new Uint32Array(raw.length);
  let pairs = 0;
  for (let op = 1; op < raw.length; op += 1) {
    rowsAt[op] = reader.at;
    const size = readVarint(reader);
    pairs += size;
    let earlier = 0;
    for (let at = 0; at < size; at += 1) {
      const step = readVarint(reader);
      earlier += step;
      const count = readVarint(reader);
      if (reader.failed || step === 0 || earlier >= raw.length) return undefined;
      if (count === 0 || count > (raw[op] as number)) return undefined;
    }
  }
  return reader.failed ? undefined : { pairs, rowsAt };
}

function broken(reader: ByteReader, expected: string): SnapshotError {
  return reader.failed
    ? error("ERR_SNAPSHOT_FORMAT", `expected a number at byte ${reader.at}`)
    : error("ERR_SNAPSHOT_COUNTS", `expected ${expected} before byte ${reader.at}`);
}

function error(code: SnapshotErrorCode, message: string): SnapshotError {
  return { kind: "error", code, message };
}
