/**
 * Scores against Markov chains whose true scores are known. The error is the luck of the draw, which an exact count of
 * the same requests has too: for a score p of n visits √(p (1 - p) / n), so that it falls with the square root of the
 * traffic and grows with that of the number of operations.
 */
import { describe, expect, test } from "vitest";
import { createHourCounter, createOperationTable, topSequences } from "../../src/analytics/index.ts";
import type { Summary } from "../../src/analytics/index.ts";
import { countsOf, createExactCounter, summaryOf } from "./exact.ts";
import type { Counts } from "./exact.ts";
import { createChain, createTraffic, replay, shortId, trueSequences } from "./markov.ts";
import type { Chain, Traffic, TrueSequence } from "./markov.ts";

/** So few that visits which are cut off at the end hardly count. */
const VISITORS_AT_ONCE = 20;

function observe(chain: Chain, traffic: Traffic): Summary {
  const { operations } = chain.options;
  const table = createOperationTable(Array.from({ length: operations }, (_, op) => shortId(op)));
  const counter = createHourCounter({ operations: table });
  replay(traffic, (op, previous) => counter.recordIds(op, previous));
  return summaryOf(counter);
}

/** Mean absolute error by length, over sequences with a true score from 0.02 and 50 expected requests. */
function meanErrors(
  { sequences, visits }: Counts,
  requests: number,
  truths: readonly TrueSequence[],
): Map<number, number> {
  const errors = new Map<number, number[]>();
  for (const { operations, precedence, frequency } of truths) {
    if (frequency * requests < 50) continue;
    const score = (sequences.get(operations.join(" ")) ?? 0) / (visits.get(operations.at(-1)!) ?? 1);
    const ofLength = errors.get(operations.length) ?? [];
    errors.set(operations.length, [...ofLength, Math.abs(score - precedence)]);
  }
  return new Map(
    [...errors].map(([length, all]) => [length, all.reduce((sum, error) => sum + error, 0) / all.length]),
  );
}

describe.each([
  { operations: 15, requests: 100_000, most: 0.005 },
  { operations: 50, requests: 1_000_000, most: 0.003 },
])("$requests requests to $operations operations", ({ operations, requests, most }) => {
  const chain = createChain({ operations, fanOut: 4, repeat: 0.15, end: 0.08, skew: 1, seed: 11 });
  const truths = trueSequences(chain, 6, 0.02);

  test(
    `score sequences of 2, 3, 4, 5 and 6 operations within ${most} on average`,
    { timeout: 300_000 },
    () => {
      const summary = observe(chain, createTraffic(chain, requests, 12, VISITORS_AT_ONCE));
      const errors = meanErrors(countsOf(summary), requests, truths);
      expect([...errors.keys()].toSorted((a, b) => a - b)).toEqual([2, 3, 4, 5, 6]);
      for (const [length, error] of errors) expect(error, `length ${length}`).toBeLessThanOrEqual(most);

      // The best sequences that are reported are truly that good.
      const bySequence = new Map(truths.map((truth) => [truth.operations.join(" "), truth]));
      for (const found of topSequences(summary, { maxLength: 6 }).sequences) {
        const truth = bySequence.get(found.operations.join(" "));
        expect(found.precedence).toBeCloseTo(truth?.precedence ?? 0, 1);
        expect(found.follow).toBeCloseTo(truth?.follow ?? 0, 1);
      }
    },
  );
});

test("counting adds nothing to the error of an exact count of the same 100,000 requests", () => {
  const chain = createChain({ operations: 50, fanOut: 4, repeat: 0.15, end: 0.08, skew: 1, seed: 11 });
  const truths = trueSequences(chain, 6, 0.02);
  const traffic = createTraffic(chain, 100_000, 12, VISITORS_AT_ONCE);
  const exact = createExactCounter();
  replay(traffic, (op, previous) => exact.record(op, previous));
  const errors = meanErrors(countsOf(observe(chain, traffic)), traffic.size, truths);
  expect(errors).toEqual(meanErrors(exact, traffic.size, truths));
});
