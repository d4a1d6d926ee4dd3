/** Whom a rule would have hit, had it been in force while the requests were counted. */
import { FIRST_NODE, NODE_COUNT, NODE_OP, NODE_WORDS } from "./context-trie.ts";
import { pairScore } from "./pair-score.ts";
import { operationOf, shortIdOf } from "./summary.ts";
import type { Summary } from "./summary.ts";

/** A rule about two operations, in the words of Sequence Mitigation. */
export interface PairRule {
  /**
   * - `allow`: hits requests to the second operation without the first one before them;
   * - `block`: hits requests to the second operation with the first one before them.
   */
  readonly kind: "allow" | "block";
  /** Short ids. */
  readonly sequence: readonly [first: string, then: string];
}

export interface RuleEffect {
  /** Requests to the second operation. */
  readonly requests: number;
  /** Those that the rule would have hit. */
  readonly hits: number;
  /** Bounds of the true number of hits; equal to `hits` when the counts are exact. */
  readonly atLeast: number;
  readonly atMost: number;
  /** `hits / requests`; 0 without requests. */
  readonly hitRate: number;
  readonly isExact: boolean;
  /** Short ids of the rule that were not met in the time that was counted: the effect says nothing about them. */
  readonly unknown: readonly string[];
}

/** The effect over the recorded counts, exact as long as the pair counts are. */
export function simulatePairRule(summary: Summary, { kind, sequence }: PairRule): RuleEffect {
  const [first, then] = sequence;
  const { requests, passed, errorBound, isExact } = pairScore(summary, first, then);
  const hits = kind === "allow" ? requests - passed : passed;
  return {
    requests,
    hits,
    atLeast: kind === "allow" ? hits - errorBound : hits,
    atMost: kind === "allow" ? hits : hits + errorBound,
    hitRate: requests === 0 ? 0 : hits / requests,
    isExact,
    unknown: [...new Set(sequence)].filter((shortId) => operationOf(summary.sum, shortId) === 0),
  };
}

/** Requests with the same operation and the same history, as far as it was kept. */
export interface RecordedHistory {
  /** Short id. */
  readonly currentOp: string;
  /** Short ids, newest first, without direct repeats, at most eight. */
  readonly previousOps: readonly string[];
  /** How many requests. */
  readonly count: number;
}

/**
 * Takes the counts apart into the histories they were made of, so that any condition on operations and their order
 * can be tried on them: an approximation without times and repeats. Direct repeats of an operation come as a history
 * of just itself. Where the tree was cut a history is shorter than it was.
 *
 * @param maxHistories most frequent first; 10,000 by default
 */
export function recordedHistories(summary: Summary, maxHistories = 10_000): readonly RecordedHistory[] {
  const { sum } = summary;
  const { nodes, size } = sum.trie;
  // What a node has more than its children are the requests whose history ended with it.
  const rest = new Float64Array(size);
  const rootRest = sum.visits.slice();
  for (let node = 0; node < size; node += 1) {
    const parent = nodes[node * NODE_WORDS] as number;
    const count = nodes[node * NODE_WORDS + NODE_COUNT] as number;
    rest[node] = count;
    const rests = parent < FIRST_NODE ? rootRest : rest;
    const at = parent < FIRST_NODE ? parent : parent - FIRST_NODE;
    rests[at] = (rests[at] as number) - count;
  }
  const found: History[] = [];
  for (let op = 1; op <= sum.ids.length; op += 1) {
    const repeats = (sum.raw[op] as number) - (sum.visits[op] as number);
    found.push(
      { ref: op, repeats: false, count: rootRest[op] as number },
      { ref: op, repeats: true, count: repeats },
    );
  }
  for (let node = 0; node < size; node += 1) {
    found.push({ ref: FIRST_NODE + node, repeats: false, count: rest[node] as number });
  }
  return found
    .filter(({ count }) => count > 0)
    .toSorted((a, b) => b.count - a.count)
    .slice(0, maxHistories)
    .map((history) => toRecorded(summary, history));
}

/** A sequence, or the direct repeats of an operation, with how often it was a whole history. */
interface History {
  /** Reference in the tree. */
  readonly ref: number;
  readonly repeats: boolean;
  readonly count: number;
}

function toRecorded({ sum }: Summary, { ref, repeats, count }: History): RecordedHistory {
  const previousOps: string[] = [];
  let at = ref;
  while (at >= FIRST_NODE) {
    const word = (at - FIRST_NODE) * NODE_WORDS;
    previousOps.push(shortIdOf(sum, sum.trie.nodes[word + NODE_OP] as number));
    at = sum.trie.nodes[word] as number;
  }
  const currentOp = shortIdOf(sum, at);
  return { currentOp, previousOps: repeats ? [currentOp] : previousOps.toReversed(), count };
}
