import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createHourCounter, createOperationTable, pairScore } from "../../src/analytics/index.ts";
import type { HourCounter, HourCounterOptions } from "../../src/analytics/index.ts";
import { countsOf, createExactCounter, snapshotOf, summaryOf } from "./exact.ts";
import type { ExactCounter } from "./exact.ts";
import { createChain, createRandom, createTraffic, replay, shortId } from "./markov.ts";

const [A, B, C, D] = [shortId(0), shortId(1), shortId(2), shortId(3)];

function counterFor(operations: number, options: Partial<HourCounterOptions> = {}): HourCounter {
  const ids = Array.from({ length: operations }, (_, op) => shortId(op));
  return createHourCounter({ operations: createOperationTable(ids), ...options });
}

describe("one hour", () => {
  test("counts every sequence that a request ends, and every operation in its history once", () => {
    const counter = counterFor(4);
    counter.recordIds(A, []);
    counter.recordIds(B, [A]);
    counter.recordIds(C, [B, A]);
    counter.recordIds(C, [B, B, A, B, A]);
    const counts = countsOf(summaryOf(counter));
    expect(counts.raw).toEqual(
      new Map([
        [A, 1],
        [B, 1],
        [C, 2],
      ]),
    );
    expect(counts.sequences).toEqual(
      new Map([
        [`${A} ${B}`, 1],
        [`${B} ${C}`, 2],
        [`${A} ${B} ${C}`, 2],
        [`${B} ${A} ${B} ${C}`, 1],
        [`${A} ${B} ${A} ${B} ${C}`, 1],
      ]),
    );
    expect(counts.pairs).toEqual(
      new Map([
        [`${A} ${B}`, 1],
        [`${A} ${C}`, 2],
        [`${B} ${C}`, 2],
      ]),
    );
  });

  test("a repeat is a request but no visit, and ends no sequence", () => {
    const counter = counterFor(4);
    counter.recordIds(B, [A]);
    counter.recordIds(B, [B, A]);
    counter.recordIds(B, [B, B, A]);
    const counts = countsOf(summaryOf(counter));
    expect(counts.raw).toEqual(new Map([[B, 3]]));
    expect(counts.visits).toEqual(new Map([[B, 1]]));
    expect(counts.sequences).toEqual(new Map([[`${A} ${B}`, 1]]));
    expect(counts.pairs).toEqual(
      new Map([
        [`${A} ${B}`, 3],
        [`${B} ${B}`, 2],
      ]),
    );
  });

  test("parallel requests that saw the same past do not precede one another", () => {
    const counter = counterFor(4);
    counter.recordIds(A, [D]);
    counter.recordIds(B, [D]);
    expect([...countsOf(summaryOf(counter)).sequences.keys()].toSorted()).toEqual(
      [`${D} ${A}`, `${D} ${B}`].toSorted(),
    );
  });

  test("an operation that is not in the table is not counted, and ends what is known of a history", () => {
    const counter = counterFor(3);
    counter.recordIds(D, [A]);
    counter.recordIds("no id", [A]);
    counter.recordIds(C, [B, D, A]);
    const counts = countsOf(summaryOf(counter));
    expect(counts.raw).toEqual(new Map([[C, 1]]));
    expect(counts.sequences).toEqual(new Map([[`${B} ${C}`, 1]]));
    expect(counts.pairs).toEqual(
      new Map([
        [`${A} ${C}`, 1],
        [`${B} ${C}`, 1],
      ]),
    );
  });

  test("a history of any length is looked at up to its 64th entry", () => {
    const counter = counterFor(4);
    counter.recordIds(C, [...Array.from({ length: 63 }, () => B), A, D]);
    counter.recordIds(
      C,
      Array.from({ length: 100_000 }, () => B),
    );
    expect(countsOf(summaryOf(counter)).pairs).toEqual(
      new Map([
        [`${A} ${C}`, 1],
        [`${B} ${C}`, 2],
      ]),
    );
  });

  test("entries are counted like their short ids, text that is none included", () => {
    const [byId, byEntry] = [counterFor(3), counterFor(3)];
    const histories = [[B, A, B], ["no id", A], [B, "no id", A], [D, A], []];
    for (const history of histories) {
      byId.recordIds(C, history);
      byEntry.recordEntries(
        C,
        history.map((op) => ({ op })),
      );
    }
    byEntry.recordEntries("no id", [{ op: A }]);
    expect(countsOf(summaryOf(byEntry))).toEqual(countsOf(summaryOf(byId)));
    expect(countsOf(summaryOf(byEntry)).pairs.get(`${A} ${C}`)).toBe(4);
  });

  test("indexes of the table and short ids are counted alike", () => {
    const [byId, byIndex] = [counterFor(3), counterFor(3)];
    byId.recordIds(C, [B, A, B]);
    byIndex.record(3, [2, 1, 2]);
    byIndex.record(0, [1]);
    expect(countsOf(summaryOf(byIndex))).toEqual(countsOf(summaryOf(byId)));
  });

  test("operations saved during the hour are counted from then on", () => {
    const ids = Array.from({ length: 3000 }, (_, op) => shortId(op));
    const operations = createOperationTable(ids.slice(0, 3));
    const counter = createHourCounter({ operations });
    const exact = createExactCounter();
    const random = createRandom(5);
    for (const size of [3, 40, 900, 3000]) {
      operations.add(ids.slice(0, size));
      for (let at = 0; at < 2000; at += 1) {
        const [op = "", ...previous] = Array.from({ length: 6 }, () => ids[Math.floor(random() * size)]!);
        counter.recordIds(op, previous);
        exact.record(op, previous);
      }
    }
    const counts = countsOf(summaryOf(counter));
    expect(counts.pairs).toEqual(exact.pairs);
    expect(counts.sequences).toEqual(exact.sequences);
  });

  test("a pair that is counted more than 65,535 times stays exact", () => {
    const counter = counterFor(3);
    for (let at = 0; at < 140_000; at += 1) counter.record(2, [1]);
    expect(pairScore(summaryOf(counter), A, B)).toMatchObject({
      requests: 140_000,
      passed: 140_000,
      isExact: true,
    });
  });

  test.each([
    { maxNodes: 1000 },
    { maxNodes: 256 },
    { maxNodes: 2_097_152 },
    { maxPairs: 2048 },
    { maxPairs: Number.NaN },
  ])("refuses the impossible size %j", (options) => {
    expect(() => counterFor(3, options)).toThrow(
      /^expected `max(Nodes|Pairs)` to be a power of two from \d+ to \d+, found/,
    );
  });
});

describe("against an exact count", () => {
  test("any requests give the same counts as long as the tables are not full", () => {
    const request = fc.tuple(fc.nat(5), fc.array(fc.nat(5), { maxLength: 12 }));
    fc.assert(
      fc.property(fc.array(request, { maxLength: 60 }), (requests) => {
        const counter = counterFor(6);
        const exact = createExactCounter();
        for (const [op, previous] of requests) {
          counter.recordIds(shortId(op), previous.map(shortId));
          exact.record(shortId(op), previous.map(shortId));
        }
        const { raw, visits, sequences, pairs } = exact;
        expect(countsOf(summaryOf(counter))).toEqual({ raw, visits, sequences, pairs });
      }),
    );
  });

  test("Markov traffic gives the same counts as long as the tables are not full", () => {
    const chain = createChain({ operations: 50, fanOut: 4, repeat: 0.15, end: 0.08, seed: 3 });
    const counter = counterFor(50);
    const exact = createExactCounter();
    replay(createTraffic(chain, 30_000, 4), (op, previous) => {
      counter.recordIds(op, previous);
      exact.record(op, previous);
    });
    const { raw, visits, sequences, pairs } = exact;
    expect(snapshotOf(counter).loss).toEqual({ pairs: 0, longer: 0, gated: 0, gapped: 0 });
    expect(countsOf(summaryOf(counter))).toEqual({ raw, visits, sequences, pairs });
  });
});

/** Runs of the property below; the figure of the acceptance is 1,000. */
const RUNS = Number(process.env["STEPGATE_ANALYTICS_RUNS"] ?? 40);

describe("tables that are too small", () => {
  test(`the error bound is never exceeded in ${RUNS} random runs`, { timeout: 3_600_000 }, () => {
    for (let seed = 1; seed <= RUNS; seed += 1) {
      const random = createRandom(seed);
      const maxNodes = 2 ** (9 + Math.floor(random() * 3));
      const operations = 5 + Math.floor(random() ** 2 * 300);
      const chain = createChain({
        operations,
        fanOut: 2 + Math.floor(random() * 20),
        repeat: random() * 0.5,
        end: 0.02 + random() * 0.2,
        skew: random() * 2,
        seed,
      });
      const counter = counterFor(operations, { maxNodes });
      const exact = createExactCounter();
      replay(createTraffic(chain, 4000 + Math.floor(random() * 8000), seed), (op, previous) => {
        counter.recordIds(op, previous);
        exact.record(op, previous);
      });
      expect(wrongCounts(counter, exact), `seed ${seed}`).toEqual([]);
      const { loss } = snapshotOf(counter);
      const added = [...exact.sequences.values()].reduce((total, count) => total + count, 0);
      expect(loss.longer, `seed ${seed}`).toBeLessThanOrEqual((4 * added) / maxNodes);
    }
  });

  test("so do pairs of more operations than a matrix holds", () => {
    for (const seed of [1, 2]) {
      const chain = createChain({ operations: 1100, fanOut: 4, repeat: 0.1, end: 0.1, skew: 1.5, seed });
      const counter = counterFor(1100, { maxPairs: 4096 });
      const exact = createExactCounter();
      replay(createTraffic(chain, 15_000, seed), (op, previous) => {
        counter.recordIds(op, previous);
        exact.record(op, previous);
      });
      expect(snapshotOf(counter).loss.gapped).toBeGreaterThan(2);
      expect(wrongCounts(counter, exact), `seed ${seed}`).toEqual([]);
    }
  });

  test("a flood of ever new sequences takes no more memory, and spares what is frequent", () => {
    const counter = counterFor(1000, { maxNodes: 4096 });
    const random = createRandom(9);
    const any = (): number => 1 + Math.floor(random() * 1000);
    for (let at = 0; at < 100_000; at += 1) {
      if (at % 10 === 0) counter.record(3, [2, 1]);
      else counter.record(any(), Array.from({ length: 10 }, any));
    }
    expect(counter.bytes).toBeLessThan(3_000_000);
    const summary = summaryOf(counter);
    const found = countsOf(summary).sequences.get(`${A} ${B} ${C}`) ?? 0;
    expect(found).toBeGreaterThan(9000);
    expect(found + summary.errorBoundOf(3)).toBeGreaterThanOrEqual(10_000);
  });
});

/** Counts that are higher than the exact one, or lower by more than the bound. */
function wrongCounts(counter: HourCounter, exact: ExactCounter): string[] {
  const summary = summaryOf(counter);
  const counts = countsOf(summary);
  const wrong: string[] = [];
  for (const [sequence, count] of exact.sequences) {
    const found = counts.sequences.get(sequence) ?? 0;
    const bound = summary.errorBoundOf(sequence.split(" ").length);
    if (found > count || found + bound < count)
      wrong.push(`${sequence}: ${found} + ${bound}, truly ${count}`);
  }
  for (const [pair, count] of exact.pairs) {
    const found = counts.pairs.get(pair) ?? 0;
    if (found > count || found + summary.pairErrorBound < count)
      wrong.push(`${pair}: ${found}, truly ${count}`);
  }
  for (const sequence of counts.sequences.keys())
    if (!exact.sequences.has(sequence)) wrong.push(`${sequence}: never met`);
  for (const pair of counts.pairs.keys()) if (!exact.pairs.has(pair)) wrong.push(`${pair}: never met`);
  for (const [op, count] of exact.raw) if (counts.raw.get(op) !== count) wrong.push(`${op}: requests`);
  for (const [op, count] of exact.visits) if (counts.visits.get(op) !== count) wrong.push(`${op}: visits`);
  return wrong;
}
