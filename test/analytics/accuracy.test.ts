/**
 * Scores against Markov chains whose true scores are known. With exact counts what is left is the luck of the
 * draw, which falls with the square root of the traffic.
 */
import { describe, expect, test } from "vitest";
import { createHourCounter, createOperationTable, topSequences } from "../../src/analytics/index.ts";
import type { Summary } from "../../src/analytics/index.ts";
import { countsOf, summaryOf } from "./exact.ts";
import { createChain, createTraffic, replay, shortId, trueSequences } from "./markov.ts";
import type { Chain, TrueSequence } from "./markov.ts";

function observe(chain: Chain, requests: number, seed: number): Summary {
  const { operations } = chain.options;
  const table = createOperationTable(Array.from({ length: operations }, (_, op) => shortId(op)));
  const counter = createHourCounter({ operations: table });
  replay(createTraffic(chain, requests, seed), (op, previous) => counter.recordIds(op, previous));
  return summaryOf(counter);
}

/** Mean absolute error by length, over sequences with a true score from 0.02 and 50 expected requests. */
function meanErrors(summary: Summary, truths: readonly TrueSequence[]): Map<number, number> {
  const { sequences, visits } = countsOf(summary);
  const errors = new Map<number, number[]>();
  for (const { operations, precedence, frequency } of truths) {
    if (frequency * summary.requests < 50) continue;
    const score = (sequences.get(operations.join(" ")) ?? 0) / (visits.get(operations.at(-1)!) ?? 1);
    const ofLength = errors.get(operations.length) ?? [];
    errors.set(operations.length, [...ofLength, Math.abs(score - precedence)]);
  }
  return new Map(
    [...errors].map(([length, all]) => [length, all.reduce((sum, error) => sum + error, 0) / all.length]),
  );
}

describe.each([
  { operations: 20, requests: 100_000, most: 0.005 },
  { operations: 50, requests: 1_000_000, most: 0.003 },
])("$requests requests to $operations operations", ({ operations, requests, most }) => {
  const chain = createChain({ operations, fanOut: 4, repeat: 0.15, end: 0.08, skew: 1, seed: 11 });
  const truths = trueSequences(chain, 6, 0.02);

  test(`score sequences of 2 to 6 operations within ${most} on average`, { timeout: 300_000 }, () => {
    const summary = observe(chain, requests, 12);
    const errors = meanErrors(summary, truths);
    expect([...errors.keys()].toSorted((a, b) => a - b)).toEqual([2, 3, 4, 5, 6]);
    const mean = errors.values().reduce((sum, error) => sum + error, 0) / errors.size;
    expect(mean).toBeLessThanOrEqual(most);

    // The best sequences that are reported are truly that good.
    const bySequence = new Map(truths.map((truth) => [truth.operations.join(" "), truth]));
    for (const found of topSequences(summary, { maxLength: 6 }).sequences) {
      const truth = bySequence.get(found.operations.join(" "));
      expect(found.precedence).toBeCloseTo(truth?.precedence ?? 0, 1);
      expect(found.follow).toBeCloseTo(truth?.follow ?? 0, 1);
    }
  });
});
