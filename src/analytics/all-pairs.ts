/** All pairs "A must precede B" that occurred. */
import { createPairRows } from "./pair-rows.ts";
import { scorePair } from "./pair-score.ts";
import type { PairScore } from "./pair-score.ts";
import { shortIdOf } from "./summary.ts";
import type { Summary } from "./summary.ts";

export interface ScoredPair extends PairScore {
  /** Short ids. */
  readonly first: string;
  readonly second: string;
}

/**
 * @param minPassed least requests to the second operation that had the first in their history
 * @returns the highest lower bound of the pass rate first, then the most requests
 */
export function allPairs(summary: Summary, minPassed = 1): readonly ScoredPair[] {
  const { sum } = summary;
  const rows = createPairRows(sum);
  const pairs: ScoredPair[] = [];
  for (let op = 1; op <= sum.ids.length; op += 1) {
    const requests = sum.raw[op] ?? 0;
    rows.forEach(op, (earlier, passed) => {
      if (passed < minPassed || earlier === op) return;
      const score = scorePair(passed, requests, summary.pairErrorBound);
      pairs.push({ first: shortIdOf(sum, earlier), second: shortIdOf(sum, op), ...score });
    });
  }
  return pairs.toSorted(
    (a, b) =>
      b.passRateAtLeast - a.passRateAtLeast ||
      b.requests - a.requests ||
      (a.first + a.second < b.first + b.second ? -1 : 1),
  );
}
