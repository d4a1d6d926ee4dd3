/** What the queries of Sequence Analytics are asked of: the counts of any number of snapshots. */
import { errorBound, FIRST_NODE, NODE_WORDS } from "./context-trie.ts";
import { encodeCounts } from "./encode-snapshot.ts";
import type { SnapshotSize } from "./encode-snapshot.ts";
import { toShortId } from "./operation-table.ts";
import { forEachPair } from "./pair-rows.ts";
import type { Snapshot } from "./snapshot.ts";
import { addSnapshot, createSum, uniteIds } from "./sum.ts";
import type { Sum } from "./sum.ts";

export interface Summary {
  /** Requests counted. */
  readonly requests: number;
  /** Requests that were not counted: their sequence or address had reached its share of the hour. */
  readonly capped: number;
  /** Requests that did not directly repeat the operation before them: the "total" of lift. */
  readonly visits: number;
  /**
   * Share of requests that repeated the operation before them, 0 to 1. Above 0.3 histories of ten entries are too
   * short for long sequences, which are then counted too low (spec: analytics, 2.2).
   */
  readonly repeatShare: number;
  /**
   * Counts of sequences of this length may be too low by this much; they are never too high. What was left out of
   * snapshots counts in full: single sequences that are in them have a smaller bound.
   */
  errorBoundOf(length: number): number;
  /** The same for gapped pairs; 0 means that all pair scores are exact. */
  readonly pairErrorBound: number;
  /** @internal */
  readonly sum: Sum;
  /** @internal length of the sequence of each node */
  readonly lengths: Uint8Array;
}

/** Adds snapshots up, of whatever hours and nodes. Snapshots may come from different operation tables. */
export function createSummary(snapshots: readonly Snapshot[]): Summary {
  const sum = createSum(uniteIds(snapshots.map((snapshot) => snapshot.ids)));
  for (const snapshot of snapshots) addSnapshot(sum, snapshot);
  return summarize(sum);
}

/**
 * The sum of snapshots as one snapshot: what a node does with the closed hours of all of them.
 *
 * @param snapshots of one hour, or of several
 * @returns bytes for `decodeSnapshot`
 */
export function mergeSnapshots(snapshots: readonly Snapshot[], size: SnapshotSize = {}): Uint8Array {
  const { sum } = createSummary(snapshots);
  return encodeCounts(
    {
      tableVersion: Math.max(0, ...snapshots.map((snapshot) => snapshot.tableVersion)),
      capped: sum.capped,
      size: sum.ids.length,
      idAt: (index) => sum.ids[index - 1] ?? 0,
      raw: sum.raw,
      visits: sum.visits,
      trie: sum.trie,
      // As one snapshot it cannot say any more which sequences were in all of its parts.
      loss: {
        ...sum.trie.loss,
        pairs: sum.trie.loss.pairs + sum.leftOut.pairs,
        longer: sum.trie.loss.longer + sum.leftOut.longer,
      },
      gappedLoss: sum.gappedLoss,
      forEachPair: (visit) => forEachPair(sum, visit),
    },
    size,
  );
}

/** @param sum must not change afterwards */
export function summarize(sum: Sum): Summary {
  const requests = sum.raw.reduce((total, count) => total + count, 0);
  const visits = sum.visits.reduce((total, count) => total + count, 0);
  return {
    requests,
    capped: sum.capped,
    visits,
    repeatShare: requests === 0 ? 0 : 1 - visits / requests,
    errorBoundOf: (length) => errorBound(sum.trie.loss, length) + leftOut(sum, length),
    pairErrorBound: sum.gappedLoss,
    sum,
    lengths: lengthsOf(sum),
  };
}

/** How much higher the true count of one node may be. */
export function errorBoundOfNode({ sum, lengths }: Summary, node: number): number {
  const length = lengths[node] as number;
  return (
    errorBound(sum.trie.loss, length) + Math.max(0, leftOut(sum, length) - (sum.trie.credits[node] as number))
  );
}

function leftOut(sum: Sum, length: number): number {
  if (length < 2) return 0;
  return length === 2 ? sum.leftOut.pairs : sum.leftOut.longer;
}

/** Operation of a summary by short id, 0 when it was not met. */
export function operationOf({ ids }: Sum, shortId: string): number {
  const id = Number.parseInt(shortId, 16);
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ids[middle] as number) < id) low = middle + 1;
    else high = middle;
  }
  return ids[low] === id && toShortId(id) === shortId ? low + 1 : 0;
}

/** Short id of an operation of a summary. */
export function shortIdOf({ ids }: Sum, op: number): string {
  return toShortId(ids[op - 1] ?? 0);
}

function lengthsOf({ trie }: Sum): Uint8Array {
  const lengths = new Uint8Array(trie.size);
  for (let node = 0; node < trie.size; node += 1) {
    const parent = trie.nodes[node * NODE_WORDS] as number;
    lengths[node] = parent < FIRST_NODE ? 2 : (lengths[parent - FIRST_NODE] as number) + 1;
  }
  return lengths;
}
