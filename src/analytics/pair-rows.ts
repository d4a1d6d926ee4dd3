/** Reads gapped pairs out of the snapshots of a sum, operation by operation: adding all of them up would take longer. */
import type { PairVisitor } from "./pair-counter.ts";
import type { Sum, SumPart } from "./sum.ts";
import { createReader, readVarint } from "./varint.ts";

/** How many requests of `op` had `earlier` in their history. */
export function pairCount(sum: Sum, op: number, earlier: number): number {
  let total = 0;
  for (const part of sum.parts) total += countInPart(part, op, earlier);
  return total;
}

function countInPart({ snapshot, own }: SumPart, op: number, earlier: number): number {
  const row = own[op] as number;
  const wanted = own[earlier] as number;
  if (row === 0 || wanted === 0) return 0;
  const reader = createReader(snapshot.bytes, snapshot.rowsAt[row] as number);
  let before = 0;
  for (let left = readVarint(reader); left > 0 && before < wanted; left -= 1) {
    before += readVarint(reader);
    const count = readVarint(reader);
    if (before === wanted) return count;
  }
  return 0;
}

/** Calls `visit` for the pairs of one operation at a time. */
export interface PairRows {
  /** Calls `visit` once for each operation that was in the history of `op`, in no particular order. */
  forEach(op: number, visit: (earlier: number, count: number) => void): void;
}

/** Holds the scratch space, so that many rows can be read without reserving memory for each. */
export function createPairRows(sum: Sum): PairRows {
  const counts = new Float64Array(sum.ids.length + 1);
  const met = new Uint16Array(sum.ids.length + 1);
  return {
    forEach(op, visit) {
      let size = 0;
      for (const part of sum.parts) size = addRow(part, op, size);
      for (let at = 0; at < size; at += 1) {
        const earlier = met[at] as number;
        visit(earlier, counts[earlier] as number);
        counts[earlier] = 0;
      }
    },
  };

  function addRow({ snapshot, ops, own }: SumPart, op: number, size: number): number {
    const row = own[op] as number;
    if (row === 0) return size;
    const reader = createReader(snapshot.bytes, snapshot.rowsAt[row] as number);
    let end = size;
    let before = 0;
    for (let left = readVarint(reader); left > 0; left -= 1) {
      before += readVarint(reader);
      const count = readVarint(reader);
      const earlier = ops[before] as number;
      if (earlier === 0) continue;
      if (counts[earlier] === 0) {
        met[end] = earlier;
        end += 1;
      }
      counts[earlier] = (counts[earlier] as number) + count;
    }
    return end;
  }
}

/** Calls `visit` for every pair. */
export function forEachPair(sum: Sum, visit: PairVisitor): void {
  const rows = createPairRows(sum);
  for (let op = 1; op <= sum.ids.length; op += 1) {
    rows.forEach(op, (earlier, count) => visit(op, earlier, count));
  }
}
