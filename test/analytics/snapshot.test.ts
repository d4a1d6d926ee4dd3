import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  createHourCounter,
  createOperationTable,
  createSummary,
  decodeSnapshot,
  encodeSnapshot,
  journeyGraph,
  mergeSnapshots,
  neighbours,
  pairScore,
  recordedHistories,
  topSequences,
} from "../../src/analytics/index.ts";
import type { HourCounter } from "../../src/analytics/index.ts";
import { countsOf, createExactCounter, decoded, snapshotOf, summaryOf } from "./exact.ts";
import { createChain, createRandom, createTraffic, replay, shortId } from "./markov.ts";
import type { Traffic } from "./markov.ts";

const chain = createChain({ operations: 30, fanOut: 4, repeat: 0.15, end: 0.08, seed: 1 });

function counterOf(traffic: Traffic, accepts: (at: number) => boolean = () => true, seed = 0): HourCounter {
  const ids = Array.from({ length: 30 }, (_, op) => shortId(op));
  // Every process has its own order of operations.
  const random = createRandom(seed);
  const order = ids.map((id) => ({ id, at: random() })).toSorted((a, b) => a.at - b.at);
  const counter = createHourCounter({ operations: createOperationTable(order.map(({ id }) => id)) });
  replay(traffic, (op, previous, at) => {
    if (accepts(at)) counter.recordIds(op, previous);
  });
  return counter;
}

describe("a snapshot", () => {
  test("comes back as it was, with the version of its operation table", () => {
    const traffic = createTraffic(chain, 5000, 2);
    const exact = createExactCounter();
    replay(traffic, (op, previous) => exact.record(op, previous));
    const snapshot = snapshotOf(counterOf(traffic));
    const { raw, visits, sequences, pairs } = exact;
    expect(snapshot.tableVersion).toBe(1);
    expect(countsOf(createSummary([snapshot]))).toEqual({ raw, visits, sequences, pairs });
  });

  test("of nothing is a few bytes and says nothing", () => {
    const counter = createHourCounter({ operations: createOperationTable([]) });
    const bytes = encodeSnapshot(counter);
    expect(bytes.length).toBeLessThan(13);
    const summary = createSummary([decoded(bytes)]);
    expect(summary).toMatchObject({ requests: 0, visits: 0, repeatShare: 0, pairErrorBound: 0 });
    expect(topSequences(summary)).toMatchObject({ sequences: [], total: 0, requests: 0, notes: [] });
  });

  test("that is cut to size keeps what is frequent, and its bounds account for the rest", () => {
    const traffic = createTraffic(chain, 20_000, 3);
    const exact = createExactCounter();
    replay(traffic, (op, previous) => exact.record(op, previous));
    const counter = counterOf(traffic);
    const whole = encodeSnapshot(counter);
    const cut = snapshotOf(counter, { maxNodes: 1000, maxPairs: 300 });
    expect(cut.nodes).toBeLessThanOrEqual(1000);
    expect(cut.pairs).toBeLessThanOrEqual(300);
    expect(cut.bytes.length).toBeLessThan(whole.length / 10);
    const summary = createSummary([cut, cut]);
    const counts = countsOf(summary);
    const wrongSequences = [...exact.sequences].filter(([sequence, count]) => {
      const found = (counts.sequences.get(sequence) ?? 0) / 2;
      return found === 0 ? count * 2 > summary.errorBoundOf(sequence.split(" ").length) : found !== count;
    });
    const wrongPairs = [...exact.pairs].filter(([pair, count]) => {
      const found = (counts.pairs.get(pair) ?? 0) / 2;
      return found === 0 ? count * 2 > summary.pairErrorBound : found !== count;
    });
    expect([wrongSequences, wrongPairs]).toEqual([[], []]);
    // Sequences of two are spared: there are far fewer than half of the room.
    expect(summary.errorBoundOf(2)).toBe(0);
    // What is in both snapshots lost nothing, so it is reported without an error.
    expect(topSequences(summary, { minLength: 3, limit: 1 }).sequences[0]).toMatchObject({ errorBound: 0 });
  });
});

describe("merging", () => {
  test("counters of several processes add up to the one that saw everything", () => {
    const traffic = createTraffic(chain, 20_000, 4);
    const parts = [0, 1, 2, 3].map((part) => counterOf(traffic, (at) => at % 4 === part, part));
    const whole = countsOf(summaryOf(counterOf(traffic)));
    expect(countsOf(summaryOf(...parts))).toEqual(whole);
    const merged = mergeSnapshots(parts.map((part) => snapshotOf(part)));
    expect(countsOf(createSummary([decoded(merged)]))).toEqual(whole);
    expect(mergeSnapshots([decoded(merged)])).toEqual(merged);
  });

  test("the bounds of full tables add up, too", () => {
    const traffic = createTraffic(chain, 30_000, 5);
    const exact = createExactCounter();
    replay(traffic, (op, previous) => exact.record(op, previous));
    const operations = createOperationTable(Array.from({ length: 30 }, (_, op) => shortId(op)));
    const parts = [0, 1, 2].map((part) => {
      const counter = createHourCounter({ operations, maxNodes: 1024 });
      replay(traffic, (op, previous, at) => {
        if (at % 3 === part) counter.recordIds(op, previous);
      });
      return snapshotOf(counter, { maxNodes: 500 });
    });
    const direct = createSummary(parts);
    const viaBytes = createSummary([decoded(mergeSnapshots(parts, { maxNodes: 700 }))]);
    for (const summary of [direct, viaBytes]) {
      const counts = countsOf(summary);
      const wrong = [...exact.sequences].filter(([sequence, count]) => {
        const found = counts.sequences.get(sequence) ?? 0;
        return found > count || found + summary.errorBoundOf(sequence.split(" ").length) < count;
      });
      expect(wrong).toEqual([]);
    }
  });

  test("operations of other processes are added by their short ids", () => {
    const one = createHourCounter({ operations: createOperationTable(["0000000a", "0000000b"]) });
    const two = createHourCounter({ operations: createOperationTable(["0000000c", "0000000b"], 7) });
    one.recordIds("0000000b", ["0000000a"]);
    two.recordIds("0000000b", ["0000000c"]);
    const counts = countsOf(summaryOf(one, two));
    expect(counts.raw).toEqual(new Map([["0000000b", 2]]));
    expect(counts.sequences).toEqual(
      new Map([
        ["0000000a 0000000b", 1],
        ["0000000c 0000000b", 1],
      ]),
    );
    expect(decoded(mergeSnapshots([snapshotOf(one), snapshotOf(two)])).tableVersion).toBe(7);
  });
});

/** Header, loss and what was left out: zeros; then the given numbers, each below 128. */
function crafted(...numbers: readonly number[]): Uint8Array {
  return Uint8Array.of(0x53, 1, 1, 0, 0, 0, 0, 0, 0, 0, ...numbers);
}

describe("hostile bytes", () => {
  /** Two operations (ids 1 and 2) of 5 requests and 4 visits each. */
  const TWO = [2, 1, 5, 4, 1, 5, 4];
  /** No nodes, no pairs. */
  const END = [0, 0, 0];

  test("the hand-made snapshot of these tests is a good one", () => {
    expect(decodeSnapshot(crafted(...TWO, ...END)).kind).toBe("snapshot");
    expect(decodeSnapshot(crafted(...TWO, 2, 4, 1, 4, 3, 2, 4, 1, 2, 5, 1, 1, 5))).toMatchObject({
      nodes: 2,
      pairs: 2,
    });
  });

  test.each([
    ["nothing", new Uint8Array(0), "ERR_SNAPSHOT_FORMAT"],
    ["other bytes", Uint8Array.of(1, 2, 3), "ERR_SNAPSHOT_FORMAT"],
    ["a later version", Uint8Array.of(0x53, 2, 0), "ERR_SNAPSHOT_VERSION"],
    ["only a header", Uint8Array.of(0x53, 1), "ERR_SNAPSHOT_FORMAT"],
    ["a number not in its shortest form", Uint8Array.of(0x53, 1, 0x81, 0), "ERR_SNAPSHOT_FORMAT"],
    [
      "a number of more than 32 bits",
      Uint8Array.of(0x53, 1, 0xff, 0xff, 0xff, 0xff, 0x10),
      "ERR_SNAPSHOT_FORMAT",
    ],
    [
      "a number without an end",
      Uint8Array.of(0x53, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
      "ERR_SNAPSHOT_FORMAT",
    ],
    ["an operation twice", crafted(2, 1, 5, 4, 0, 5, 4, ...END), "ERR_SNAPSHOT_COUNTS"],
    ["more visits than requests", crafted(1, 1, 5, 6, 0, 0), "ERR_SNAPSHOT_COUNTS"],
    ["more operations than bytes", crafted(0x7f), "ERR_SNAPSHOT_COUNTS"],
    [
      "an id of more than 32 bits",
      crafted(2, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 1, 1, 1, 1, ...END),
      "ERR_SNAPSHOT_COUNTS",
    ],
    ["more nodes than bytes", crafted(...TWO, 0x7f), "ERR_SNAPSHOT_COUNTS"],
    ["a node without a parent", crafted(...TWO, 1, 0, 1, 1, 0, 0), "ERR_SNAPSHOT_COUNTS"],
    ["a node that is its own parent", crafted(...TWO, 1, 1, 1, 1, 0, 0), "ERR_SNAPSHOT_COUNTS"],
    ["a node before its parent", crafted(...TWO, 1, 3, 1, 1, 0, 0), "ERR_SNAPSHOT_COUNTS"],
    ["a node of an unknown operation", crafted(...TWO, 1, 4, 3, 1, 0, 0), "ERR_SNAPSHOT_COUNTS"],
    ["a node under an unknown operation", crafted(...TWO, 1, 6, 1, 1, 0, 0), "ERR_SNAPSHOT_COUNTS"],
    ["a node that repeats its parent", crafted(...TWO, 1, 4, 2, 1, 0, 0), "ERR_SNAPSHOT_COUNTS"],
    ["a node counted zero times", crafted(...TWO, 1, 4, 1, 0, 0, 0), "ERR_SNAPSHOT_COUNTS"],
    ["a node more frequent than its operation", crafted(...TWO, 1, 4, 1, 5, 0, 0), "ERR_SNAPSHOT_COUNTS"],
    [
      "the same node twice, together too frequent",
      crafted(...TWO, 2, 4, 1, 3, 4, 1, 3, 0, 0),
      "ERR_SNAPSHOT_COUNTS",
    ],
    [
      "a node more frequent than its parent",
      crafted(...TWO, 2, 4, 1, 2, 3, 2, 3, 0, 0),
      "ERR_SNAPSHOT_COUNTS",
    ],
    [
      "a sequence of ten operations",
      crafted(...TWO, 9, 4, 1, 4, ...[2, 1, 2, 1, 2, 1, 2, 1].flatMap((op) => [3, op, 4]), 0, 0),
      "ERR_SNAPSHOT_COUNTS",
    ],
    ["a pair more frequent than its operation", crafted(...TWO, 0, 1, 2, 6, 0), "ERR_SNAPSHOT_COUNTS"],
    ["a pair counted zero times", crafted(...TWO, 0, 1, 2, 0, 0), "ERR_SNAPSHOT_COUNTS"],
    ["a pair twice", crafted(...TWO, 0, 2, 2, 1, 0, 1, 0), "ERR_SNAPSHOT_COUNTS"],
    ["a pair with an unknown operation", crafted(...TWO, 0, 1, 3, 1, 0), "ERR_SNAPSHOT_COUNTS"],
    ["more pairs than bytes", crafted(...TWO, 0, 0xff, 0xff, 0xff, 0xff, 0x0f), "ERR_SNAPSHOT_FORMAT"],
    ["something behind the end", crafted(...TWO, ...END, 0), "ERR_SNAPSHOT_COUNTS"],
    ["too many bytes", new Uint8Array(16_777_217), "ERR_SNAPSHOT_SIZE"],
  ])("%s are an error", (_, bytes, code) => {
    expect(decodeSnapshot(bytes)).toMatchObject({
      kind: "error",
      code,
      message: expect.stringMatching(/^expected .*[^.]$/),
    });
  });

  test("every beginning of a snapshot is an error", () => {
    const bytes = encodeSnapshot(counterOf(createTraffic(chain, 300, 6)));
    for (let end = 0; end < bytes.length; end += 1) {
      expect(decodeSnapshot(bytes.subarray(0, end)).kind, `${end} of ${bytes.length} bytes`).toBe("error");
    }
  });

  test("any bytes give an error, or counts that every query can work with", () => {
    const good = encodeSnapshot(counterOf(createTraffic(chain, 200, 7)));
    const change = fc.tuple(fc.nat(good.length - 1), fc.nat(255));
    const damaged = fc.array(change, { minLength: 1, maxLength: 6 }).map((changes) => {
      const bytes = good.slice();
      for (const [at, value] of changes) bytes[at] = value;
      return bytes;
    });
    const random = fc.uint8Array({ maxLength: 200 }).map((bytes) => Uint8Array.of(0x53, 1, ...bytes));
    let taken = 0;
    fc.assert(
      fc.property(fc.oneof(damaged, random), (bytes) => {
        const snapshot = decodeSnapshot(bytes);
        if (snapshot.kind === "error") return;
        taken += 1;
        const summary = createSummary([snapshot, decoded(good)]);
        topSequences(summary, { minCount: 1 });
        neighbours(summary, shortId(1));
        journeyGraph(summary);
        pairScore(summary, shortId(1), shortId(2));
        recordedHistories(summary);
        decoded(mergeSnapshots([snapshot]));
      }),
      { numRuns: 2000 },
    );
    expect(taken).toBeGreaterThan(50);
  });
});
