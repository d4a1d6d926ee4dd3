import { describe, expect, test } from "vitest";
import {
  createHourCounter,
  createOperationTable,
  journeyGraph,
  neighbours,
  pairScore,
  recordedHistories,
  SEQUENCE_ORDERS,
  simulatePairRule,
  suggestRules,
  topSequences,
} from "../../src/analytics/index.ts";
import type { NamedOperation, Summary } from "../../src/analytics/index.ts";
import { createExactCounter, summaryOf } from "./exact.ts";
import type { ExactCounter } from "./exact.ts";
import { createChain, createRandom, createTraffic, replay, shortId } from "./markov.ts";

/** The operations of the bank in the documentation. */
const LOGIN = "000000a1";
const ACCOUNTS = "000000a2";
const BALANCE = "000000a3";
const TRANSFER = "000000a4";
const CONFIG = "000000a5";

/** Walks whole visits, each an array of operations in the order they were called. */
function observe(visits: readonly (readonly string[])[]): { summary: Summary; exact: ExactCounter } {
  const operations = createOperationTable([...new Set(visits.flat())]);
  const counter = createHourCounter({ operations });
  const exact = createExactCounter();
  for (const visit of visits) {
    for (let at = 0; at < visit.length; at += 1) {
      const previous = visit.slice(Math.max(0, at - 10), at).toReversed();
      counter.recordIds(visit[at]!, previous);
      exact.record(visit[at]!, previous);
    }
  }
  return { summary: summaryOf(counter), exact };
}

function times(count: number, visit: readonly string[]): (readonly string[])[] {
  return Array.from({ length: count }, () => visit);
}

const bank = observe([
  ...times(60, [LOGIN, ACCOUNTS, BALANCE, BALANCE, TRANSFER]),
  ...times(30, [LOGIN, ACCOUNTS, BALANCE]),
  ...times(10, [LOGIN, ACCOUNTS]),
]);

describe("top sequences", () => {
  test("give precedence, follow and lift as they are defined", () => {
    const { sequences, requests, repeatShare } = topSequences(bank.summary, { lastOp: TRANSFER });
    expect(requests).toBe(410);
    expect(repeatShare).toBeCloseTo(60 / 410, 12);
    expect(sequences).toEqual([
      {
        operations: [LOGIN, ACCOUNTS, BALANCE, TRANSFER],
        count: 60,
        errorBound: 0,
        precedence: 1,
        precedenceAtLeast: expect.closeTo(0.9398, 3),
        // 60 of the 90 who got as far as the balance went on.
        follow: 60 / 90,
        // 350 visits in all: by chance 90 of 350 transfers would have come after these three.
        lift: expect.closeTo(350 / 90, 9),
      },
    ]);
  });

  test("leave out what a longer sequence says as well, but not what it says only in part", () => {
    const all = topSequences(bank.summary, { limit: 100 }).sequences.map(({ operations }) =>
      operations.join(" "),
    );
    expect(all.toSorted()).toEqual([
      `${LOGIN} ${ACCOUNTS}`,
      `${LOGIN} ${ACCOUNTS} ${BALANCE}`,
      `${LOGIN} ${ACCOUNTS} ${BALANCE} ${TRANSFER}`,
    ]);
    const { summary } = observe([
      ...times(89, [LOGIN, ACCOUNTS, TRANSFER]),
      ...times(11, [ACCOUNTS, TRANSFER]),
      ...times(90, [LOGIN, BALANCE, CONFIG]),
      ...times(10, [BALANCE, CONFIG]),
    ]);
    const [shorter, longer] = [TRANSFER, CONFIG].map((lastOp) =>
      topSequences(summary, { lastOp })
        .sequences.map(({ operations }) => operations.length)
        .toSorted((a, b) => a - b),
    );
    expect(shorter).toEqual([2, 3]);
    expect(longer).toEqual([3]);
  });

  test("report the shorter sequence when the longer one is not asked for", () => {
    const { sequences } = topSequences(bank.summary, { lastOp: TRANSFER, maxLength: 2 });
    expect(sequences.map(({ operations }) => operations)).toEqual([[BALANCE, TRANSFER]]);
    expect(topSequences(bank.summary, { lastOp: TRANSFER, minLength: 5 }).sequences).toEqual([]);
  });

  test("rank few requests below many: a single visit is no certainty", () => {
    const { summary } = observe([
      ...times(25, [LOGIN, CONFIG]),
      ...times(900, [ACCOUNTS, BALANCE]),
      ...times(100, [BALANCE]),
    ]);
    const { sequences } = topSequences(summary);
    expect(sequences.map(({ operations, precedence }) => [operations.at(-1), precedence])).toEqual([
      [BALANCE, 0.9],
      [CONFIG, 1],
    ]);
  });

  test("need a count of 20, unless told otherwise", () => {
    const { summary } = observe([...times(19, [LOGIN, ACCOUNTS]), ...times(20, [LOGIN, BALANCE])]);
    expect(topSequences(summary).sequences.map(({ count }) => count)).toEqual([20]);
    expect(topSequences(summary, { minCount: 1 }).total).toBe(2);
  });

  test("show by their lift what precedes everything anyway", () => {
    const { summary } = observe([
      ...times(100, [CONFIG, LOGIN]),
      ...times(100, [CONFIG, ACCOUNTS]),
      ...times(50, [BALANCE, TRANSFER]),
    ]);
    const lifts = topSequences(summary, { sort: "lift" }).sequences.map(({ operations, lift }) => [
      operations[0],
      lift,
    ]);
    expect(lifts).toEqual([
      [BALANCE, 10],
      [CONFIG, 2.5],
      [CONFIG, 2.5],
    ]);
  });

  test("can be asked for the operations of one host, and page by page", () => {
    const ofHost = topSequences(bank.summary, { accepts: (shortIdOfLast) => shortIdOfLast !== TRANSFER });
    expect(ofHost.total).toBe(2);
    const [first, second, third] = [0, 1, 2].map((offset) =>
      topSequences(bank.summary, { offset, limit: 1 }),
    );
    expect([first, second, third].map((page) => page?.total)).toEqual([3, 3, 3]);
    expect(new Set([first, second, third].map((page) => page?.sequences[0]?.operations.join())).size).toBe(3);
    expect(topSequences(bank.summary, { offset: 100 })).toMatchObject({ sequences: [], total: 3 });
    expect(topSequences(bank.summary, { lastOp: "ffffffff" }).total).toBe(0);
    expect(topSequences(bank.summary, { lastOp: "__proto__" }).total).toBe(0);
  });

  test.each(SEQUENCE_ORDERS)("come sorted by %s, equals in a fixed order", (sort) => {
    const chain = createChain({ operations: 20, fanOut: 4, repeat: 0.1, end: 0.1, seed: 8 });
    const table = createOperationTable(Array.from({ length: 20 }, (_, op) => shortId(op)));
    const counter = createHourCounter({ operations: table });
    const exact = createExactCounter();
    replay(createTraffic(chain, 20_000, 8), (op, previous) => {
      counter.recordIds(op, previous);
      exact.record(op, previous);
    });
    const { sequences } = topSequences(summaryOf(counter), { sort, limit: 1000 });
    const values = sequences.map((sequence) =>
      sort === "precedence" ? sequence.precedenceAtLeast : sequence[sort],
    );
    expect(values).toEqual(values.toSorted((a, b) => b - a));
    const visits = [...exact.visits.values()].reduce((total, count) => total + count, 0);
    for (const { operations, count, precedence, follow, lift } of sequences) {
      const before = operations.slice(0, -1).join(" ");
      const prefix = Math.max(count, (exact.sequences.get(before) ?? exact.visits.get(before))!);
      expect(count).toBe(exact.sequences.get(operations.join(" ")));
      expect(precedence).toBeCloseTo(count / exact.visits.get(operations.at(-1)!)!, 12);
      expect(follow).toBeCloseTo(count / prefix, 12);
      expect(lift).toBeCloseTo((precedence * visits) / prefix, 9);
    }
    expect(sequences.length).toBeGreaterThan(100);
  });

  test("say when repeats make long sequences look rarer than they are", () => {
    const { summary } = observe(times(30, [LOGIN, LOGIN, LOGIN, ACCOUNTS]));
    expect(topSequences(summary)).toMatchObject({ repeatShare: 0.5, notes: ["repeats"] });
    expect(topSequences(bank.summary).notes).toEqual([]);
  });
});

describe("neighbours", () => {
  test("are what came directly before and after, with where journeys begin and end", () => {
    expect(neighbours(bank.summary, BALANCE)).toEqual({
      requests: 150,
      visits: 90,
      predecessors: [{ operation: ACCOUNTS, count: 90, share: 1 }],
      successors: [{ operation: TRANSFER, count: 60, share: 60 / 90 }],
      starts: 0,
      ends: 30,
      errorBound: 0,
    });
    expect(neighbours(bank.summary, LOGIN)).toMatchObject({ predecessors: [], starts: 100, ends: 0 });
    expect(neighbours(bank.summary, CONFIG)).toMatchObject({
      requests: 0,
      visits: 0,
      predecessors: [],
      successors: [],
    });
  });

  test("make the journey graph", () => {
    const graph = journeyGraph(bank.summary);
    expect(graph.nodes.map(({ operation, visits, starts }) => [operation, visits, starts])).toEqual([
      [LOGIN, 100, 100],
      [ACCOUNTS, 100, 0],
      [BALANCE, 90, 0],
      [TRANSFER, 60, 0],
    ]);
    expect(graph.edges).toEqual([
      { from: LOGIN, to: ACCOUNTS, count: 100, precedence: 1, follow: 1 },
      { from: ACCOUNTS, to: BALANCE, count: 90, precedence: 1, follow: 0.9 },
      { from: BALANCE, to: TRANSFER, count: 60, precedence: 1, follow: 60 / 90 },
    ]);
    expect(graph.isPartial).toBe(false);
    const small = journeyGraph(bank.summary, { maxNodes: 2, minCount: 50 });
    expect(small).toMatchObject({ isPartial: true, edges: [{ from: LOGIN, to: ACCOUNTS }] });
    expect(journeyGraph(bank.summary, { accepts: (op) => op === BALANCE })).toMatchObject({
      nodes: [{ operation: BALANCE }],
      edges: [],
    });
  });
});

describe("the pair score", () => {
  test.each([
    { operations: 40, title: "few operations" },
    { operations: 1500, title: "more operations than a matrix holds" },
  ])("equals what the rule gave request by request, for $title", ({ operations }) => {
    const random = createRandom(operations);
    const ids = Array.from({ length: operations }, (_, op) => shortId(op));
    const counter = createHourCounter({ operations: createOperationTable(ids) });
    const anyId = (): string => ids[Math.floor(random() ** 3 * operations)]!;
    const requests = Array.from({ length: 20_000 }, () => ({
      op: anyId(),
      previous: Array.from({ length: Math.floor(random() * 11) }, anyId),
    }));
    for (const { op, previous } of requests) counter.recordIds(op, previous);
    const summary = summaryOf(counter);
    for (let pair = 0; pair < 60; pair += 1) {
      const [first, then] = [anyId(), anyId()];
      const toThen = requests.filter(({ op }) => op === then);
      const passed = toThen.filter(({ previous }) => previous.some((earlier) => earlier === first)).length;
      expect(pairScore(summary, first, then)).toMatchObject({
        requests: toThen.length,
        passed,
        passRate: toThen.length === 0 ? 0 : passed / toThen.length,
        errorBound: 0,
        isExact: true,
      });
    }
  });

  test("allows gaps, counts repeats, and knows an operation before itself", () => {
    const { summary } = observe([...times(3, [LOGIN, BALANCE, ACCOUNTS, TRANSFER, TRANSFER]), [TRANSFER]]);
    expect(pairScore(summary, LOGIN, TRANSFER)).toMatchObject({
      requests: 7,
      passed: 6,
      falseBlockRate: 1 - 6 / 7,
    });
    expect(pairScore(summary, TRANSFER, TRANSFER)).toMatchObject({ requests: 7, passed: 3 });
  });

  test("of an operation that nobody called is nothing", () => {
    const nothing = { requests: 0, passed: 0, passRate: 0, falseBlockRate: 0, errorBound: 0 };
    expect(pairScore(bank.summary, LOGIN, CONFIG)).toMatchObject(nothing);
    expect(pairScore(bank.summary, CONFIG, LOGIN)).toMatchObject({
      requests: 100,
      passed: 0,
      falseBlockRate: 1,
    });
  });
});

describe("what if", () => {
  test("tells whom a rule would have hit", () => {
    const { summary } = observe([...times(90, [BALANCE, TRANSFER]), ...times(10, [TRANSFER])]);
    const sequence = [BALANCE, TRANSFER] as const;
    expect(simulatePairRule(summary, { kind: "allow", sequence })).toEqual({
      requests: 100,
      hits: 10,
      atLeast: 10,
      atMost: 10,
      hitRate: 0.1,
      isExact: true,
      unknown: [],
    });
    expect(simulatePairRule(summary, { kind: "block", sequence })).toMatchObject({ hits: 90, hitRate: 0.9 });
    expect(simulatePairRule(summary, { kind: "block", sequence: [CONFIG, TRANSFER] })).toMatchObject({
      hits: 0,
      unknown: [CONFIG],
    });
  });

  test("bounds the hits where pairs were lost", () => {
    const ids = Array.from({ length: 1100 }, (_, op) => shortId(op));
    const counter = createHourCounter({ operations: createOperationTable(ids), maxPairs: 4096 });
    const random = createRandom(1);
    const any = (): number => 1 + Math.floor(random() * 1100);
    let hits = 0;
    for (let at = 0; at < 20_000; at += 1) {
      counter.record(any(), [any(), any(), any()]);
      const isHit = at % 50 === 0;
      if (at % 10 === 0) counter.record(2, isHit ? [] : [any(), 1]);
      if (isHit) hits += 1;
    }
    const effect = simulatePairRule(summaryOf(counter), {
      kind: "allow",
      sequence: [shortId(0), shortId(1)],
    });
    expect(effect.isExact).toBe(false);
    // Requests to the second operation that came by chance are hits, too.
    expect(effect.atMost).toBeGreaterThanOrEqual(hits);
    expect(effect.atLeast).toBeLessThanOrEqual(effect.hits);
    expect(effect.atMost - effect.atLeast).toBeLessThan(60);
  });

  test("takes the counts apart into the histories they were made of", () => {
    expect(recordedHistories(bank.summary)).toEqual([
      { currentOp: LOGIN, previousOps: [], count: 100 },
      { currentOp: ACCOUNTS, previousOps: [LOGIN], count: 100 },
      { currentOp: BALANCE, previousOps: [ACCOUNTS, LOGIN], count: 90 },
      { currentOp: BALANCE, previousOps: [BALANCE], count: 60 },
      { currentOp: TRANSFER, previousOps: [BALANCE, ACCOUNTS, LOGIN], count: 60 },
    ]);
    expect(recordedHistories(bank.summary, 1)).toHaveLength(1);
  });
});

function named(shortIdOf: string, method: string, endpoint: string): NamedOperation {
  const id = `${shortIdOf}-0000-4000-8000-000000000000`;
  return { id, shortId: shortIdOf, method, host: "bank.example", endpoint };
}

describe("suggested rules", () => {
  const operations = [
    named(LOGIN, "POST", "/api/v1/login"),
    named(ACCOUNTS, "GET", "/api/v1/users/{var1}/accounts"),
    named(BALANCE, "GET", "/api/v1/accounts/{var1}/balance"),
    named(TRANSFER, "POST", "/api/v1/transferFunds"),
    named(CONFIG, "GET", "/api/v1/config"),
  ];

  test("are ready to be sent, with whom they would have blocked", () => {
    const [first, ...others] = suggestRules(bank.summary, operations);
    expect(first).toEqual({
      first: BALANCE,
      second: TRANSFER,
      sequenceRule: {
        title: "GET /api/v1/accounts/{var1}/balance before POST...",
        kind: "allow",
        action: "block",
        sequence: [`${BALANCE}-0000-4000-8000-000000000000`, `${TRANSFER}-0000-4000-8000-000000000000`],
      },
      customRule: {
        description: "GET /api/v1/accounts/{var1}/balance before POST /api/v1/transferFunds",
        expression: `cf.sequence.current_op eq "${TRANSFER}" and not any(cf.sequence.previous_ops[*] == "${BALANCE}")`,
        action: "block",
      },
      effect: expect.objectContaining({ requests: 60, passed: 60, falseBlockRate: 0, isExact: true }),
      precedence: 1,
      lift: expect.closeTo(410 / 120, 9),
    });
    // Accounts before transfer is implied, and so is login before balance.
    expect(others.map((rule) => [rule.first, rule.second])).toEqual([
      [ACCOUNTS, BALANCE],
      [LOGIN, ACCOUNTS],
    ]);
  });

  test("are the same when one visitor goes round and round", () => {
    const round = Array.from({ length: 40 }, () => [ACCOUNTS, BALANCE, TRANSFER]).flat();
    const { summary } = observe([[LOGIN, ...round]]);
    const [best] = suggestRules(summary, operations);
    expect([best?.first, best?.second]).toEqual([BALANCE, TRANSFER]);
  });

  test("leave out what too many visitors do otherwise, and what too few did at all", () => {
    const { summary } = observe([
      ...times(97, [BALANCE, TRANSFER]),
      ...times(3, [TRANSFER]),
      ...times(19, [CONFIG, LOGIN]),
    ]);
    expect(suggestRules(summary, operations)).toEqual([]);
    expect(suggestRules(summary, operations, { minPassRate: 0.95 })).toMatchObject([
      { first: BALANCE, second: TRANSFER },
    ]);
    expect(suggestRules(summary, operations, { minRequests: 10 })).toMatchObject([
      { first: CONFIG, second: LOGIN },
    ]);
  });

  test("name only operations of the zone, and no sequence rule across hosts", () => {
    const known = operations.filter(({ shortId: id }) => id !== BALANCE);
    expect(suggestRules(bank.summary, known)[0]).toMatchObject({ first: ACCOUNTS, second: TRANSFER });
    const apart = operations.map((each) =>
      each.shortId === BALANCE ? { ...each, host: "other.example" } : each,
    );
    const [rule] = suggestRules(bank.summary, apart);
    expect(rule).toMatchObject({ first: BALANCE, second: TRANSFER });
    expect(rule).not.toHaveProperty("sequenceRule");
    expect(suggestRules(bank.summary, [])).toEqual([]);
  });

  test("stay within the limits that are asked for", () => {
    expect(suggestRules(bank.summary, operations, { limit: 1 })).toHaveLength(1);
    expect(suggestRules(bank.summary, operations, { perOperation: 0 })).toEqual([]);
  });
});
