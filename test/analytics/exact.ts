/** Counts without bounds, the slow and obvious way; and the counts of a summary in the same form. */
import { FIRST_NODE, NODE_COUNT, NODE_OP, NODE_WORDS } from "../../src/analytics/context-trie.ts";
import { createSummary, decodeSnapshot, encodeSnapshot } from "../../src/analytics/index.ts";
import type { HourCounter, Snapshot, SnapshotSize, Summary } from "../../src/analytics/index.ts";
import { forEachPair } from "../../src/analytics/pair-rows.ts";
import { shortIdOf } from "../../src/analytics/summary.ts";

export interface Counts {
  /** By short id. */
  readonly raw: Map<string, number>;
  readonly visits: Map<string, number>;
  /** By short ids, the oldest first, joined by spaces; two or more. */
  readonly sequences: Map<string, number>;
  /** By `<earlier> <op>`. */
  readonly pairs: Map<string, number>;
}

export interface ExactCounter extends Counts {
  record(currentOp: string, previousOps: readonly string[]): void;
}

export function createExactCounter(): ExactCounter {
  const raw = new Map<string, number>();
  const visits = new Map<string, number>();
  const sequences = new Map<string, number>();
  const pairs = new Map<string, number>();
  return {
    raw,
    visits,
    sequences,
    pairs,
    record(currentOp, previousOps) {
      add(raw, currentOp);
      for (const earlier of new Set(previousOps)) add(pairs, `${earlier} ${currentOp}`);
      if (previousOps[0] === currentOp) return;
      add(visits, currentOp);
      const collapsed = [currentOp, ...previousOps].filter((op, at, all) => op !== all[at - 1]);
      for (let length = 2; length <= Math.min(9, collapsed.length); length += 1) {
        add(sequences, collapsed.slice(0, length).toReversed().join(" "));
      }
    },
  };
}

function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

export function countsOf(summary: Summary): Counts {
  const { sum } = summary;
  const raw = new Map<string, number>();
  const visits = new Map<string, number>();
  const sequences = new Map<string, number>();
  const pairs = new Map<string, number>();
  for (let op = 1; op <= sum.ids.length; op += 1) {
    if (sum.raw[op]! > 0) raw.set(shortIdOf(sum, op), sum.raw[op]!);
    if (sum.visits[op]! > 0) visits.set(shortIdOf(sum, op), sum.visits[op]!);
  }
  const names: string[] = [];
  for (let node = 0; node < sum.trie.size; node += 1) {
    const word = node * NODE_WORDS;
    const parent = sum.trie.nodes[word]!;
    const older = shortIdOf(sum, sum.trie.nodes[word + NODE_OP]!);
    const name = `${older} ${parent < FIRST_NODE ? shortIdOf(sum, parent) : names[parent - FIRST_NODE]}`;
    names[node] = name;
    sequences.set(name, sum.trie.nodes[word + NODE_COUNT]!);
  }
  forEachPair(sum, (op, earlier, count) =>
    pairs.set(`${shortIdOf(sum, earlier)} ${shortIdOf(sum, op)}`, count),
  );
  return { raw, visits, sequences, pairs };
}

/** Takes the way through bytes, as every reader does. */
export function snapshotOf(counter: HourCounter, size?: SnapshotSize): Snapshot {
  return decoded(encodeSnapshot(counter, size));
}

export function summaryOf(...counters: readonly HourCounter[]): Summary {
  return createSummary(counters.map((counter) => snapshotOf(counter)));
}

export function decoded(bytes: Uint8Array): Snapshot {
  const snapshot = decodeSnapshot(bytes);
  if (snapshot.kind === "error") throw new Error(snapshot.message);
  return snapshot;
}
