/** "A must precede B": how often that held, whatever lay between. */
import { createPairRows, pairCount } from "./pair-rows.ts";
import { operationOf, shortIdOf } from "./summary.ts";
import type { Summary } from "./summary.ts";
import { wilsonLowerBound } from "./wilson.ts";

export interface PairScore {
  /** Requests to the second operation. */
  readonly requests: number;
  /** Those with the first operation anywhere in their history. */
  readonly passed: number;
  /** `passed / requests`: what `any(cf.sequence.previous_ops[*] == "A")` gave; 0 without requests. */
  readonly passRate: number;
  /** 95 % lower bound of `passRate` (Wilson). */
  readonly passRateAtLeast: number;
  /** 1 - `passRate`: the share of today's requests that the rule would block; 0 without requests. */
  readonly falseBlockRate: number;
  /** `passed` is at most this much too low. */
  readonly errorBound: number;
  /** Whether `errorBound` is 0. */
  readonly isExact: boolean;
}

/**
 * The share of requests to `then` that had `first` in their history, over raw requests, gaps allowed.
 *
 * @param first short id
 * @param then short id; may be the same
 */
export function pairScore(summary: Summary, first: string, then: string): PairScore {
  const { sum } = summary;
  const op = operationOf(sum, then);
  const earlier = operationOf(sum, first);
  const requests = op === 0 ? 0 : (sum.raw[op] ?? 0);
  const passed = op === 0 || earlier === 0 ? 0 : pairCount(sum, op, earlier);
  return scorePair(passed, requests, summary.pairErrorBound);
}

/** Every operation that came before requests to `then`, the surest first. */
export function pairScores(
  summary: Summary,
  then: string,
): readonly (PairScore & { readonly first: string })[] {
  const { sum } = summary;
  const op = operationOf(sum, then);
  const requests = op === 0 ? 0 : (sum.raw[op] ?? 0);
  const scores: (PairScore & { readonly first: string })[] = [];
  if (op === 0) return scores;
  createPairRows(sum).forEach(op, (earlier, passed) => {
    const first = shortIdOf(sum, earlier);
    scores.push({ ...scorePair(passed, requests, summary.pairErrorBound), first });
  });
  return scores.toSorted((a, b) => b.passed - a.passed || (a.first < b.first ? -1 : 1));
}

/** @param errorBound of counts of pairs in general; never more than what `requests` leaves room for */
export function scorePair(passed: number, requests: number, errorBound: number): PairScore {
  const bound = Math.min(errorBound, requests - passed);
  return {
    requests,
    passed,
    passRate: requests === 0 ? 0 : passed / requests,
    passRateAtLeast: wilsonLowerBound(passed, requests),
    falseBlockRate: requests === 0 ? 0 : 1 - passed / requests,
    errorBound: bound,
    isExact: bound === 0,
  };
}
