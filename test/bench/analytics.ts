/**
 * What counting sequences costs: an hour of a million requests to 10,000 operations, and a question about a day of a
 * million requests to 1,000. Times are CPU times of this thread, the least of several rounds, which others disturbed
 * least; traffic follows a Markov chain with eight ways on from every operation.
 */
import {
  createDayWindow,
  createHourCounter,
  createHourRecorder,
  createOperationTable,
  topSequences,
} from "../../src/analytics/index.ts";
import type { DayWindow, HourCounter, OperationTable } from "../../src/analytics/index.ts";
import { createEntry, opNumberOf } from "../../src/sequence/entry.ts";
import type { SequenceEntry } from "../../src/sequence/index.ts";
import { createChain, createTraffic, MAX_HISTORY, replay, shortId } from "../analytics/markov.ts";
import type { Traffic } from "../analytics/markov.ts";
import { collectGarbage } from "../support/garbage.ts";

interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

const REQUESTS = 1_000_000;
const ROUNDS = 5;
const HOUR_MS = 3_600_000;
const START = 500_000 * HOUR_MS;

export async function measure(): Promise<Figure[]> {
  const large = trafficOf(10_000);
  const operations = createOperationTable(idsOf(10_000));
  const feed = leastOf(() => feedIndexes(large, () => undefined));
  const byIndex = leastOf(() => {
    const counter = createHourCounter({ operations });
    feedIndexes(large, (op, previous) => counter.record(op, previous));
    counter.counts();
  });
  const feedOfEntries = leastOf(() => feedEntries(large, () => undefined));
  const byEntry = leastOf(() => countEntries(large, operations));
  const bytes = retainedBytes(() => countEntries(large, operations));
  const { warm, cold } = queryTimes();
  return [
    { name: "analytics-record-ns", value: ((byIndex - feed) * 1e6) / REQUESTS, unit: "ns" },
    { name: "analytics-record-entries-ns", value: ((byEntry - feedOfEntries) * 1e6) / REQUESTS, unit: "ns" },
    { name: "analytics-bytes-10k-ops", value: bytes, unit: "bytes" },
    { name: "analytics-day-query-ms", value: warm, unit: "ms" },
    { name: "analytics-day-query-new-hour-ms", value: cold, unit: "ms" },
  ];
}

function trafficOf(operations: number): Traffic {
  const chain = createChain({ operations, fanOut: 8, repeat: 0.15, end: 0.08, seed: 1 });
  return createTraffic(chain, REQUESTS, 2);
}

function idsOf(operations: number): string[] {
  return Array.from({ length: operations }, (_, op) => shortId(op));
}

/** Operation numbers of the traffic are one below the indexes of a table that was filled in their order. */
function feedIndexes(traffic: Traffic, record: (op: number, previous: Uint16Array) => void): void {
  const byLength = Array.from({ length: MAX_HISTORY + 1 }, (_, length) => new Uint16Array(length));
  for (let at = 0; at < traffic.size; at += 1) {
    const length = traffic.lengths[at] ?? 0;
    const previous = byLength[length] ?? new Uint16Array(0);
    for (let entry = 0; entry < length; entry += 1) {
      previous[entry] = (traffic.histories[at * MAX_HISTORY + entry] ?? 0) + 1;
    }
    record((traffic.ops[at] ?? 0) + 1, previous);
  }
}

/** As a gateway counts: by entries that were read from a cookie. */
function countEntries(traffic: Traffic, operations: OperationTable): HourCounter {
  const counter = createHourCounter({ operations, opNumberOf });
  feedEntries(traffic, (op, entries) => counter.recordEntries(op, entries));
  // Those that still wait are part of the cost.
  counter.counts();
  return counter;
}

/** Entries are made for each request, as they are when a cookie is read; that costs as much without counting them. */
function feedEntries(
  traffic: Traffic,
  record: (op: string, entries: readonly SequenceEntry[]) => void,
): void {
  const ids = idsOf(10_000);
  const numbers = Int32Array.from(ids, (id) => Number.parseInt(id, 16));
  const byLength = Array.from({ length: MAX_HISTORY + 1 }, (_, length) =>
    Array.from({ length }, () => createEntry("", START, 0)),
  );
  for (let at = 0; at < traffic.size; at += 1) {
    const length = traffic.lengths[at] ?? 0;
    const entries = byLength[length] ?? [];
    for (let entry = 0; entry < length; entry += 1) {
      const op = traffic.histories[at * MAX_HISTORY + entry] ?? 0;
      entries[entry] = createEntry(ids[op] ?? "", START, numbers[op] ?? 0);
    }
    record(ids[traffic.ops[at] ?? 0] ?? "", entries);
  }
}

/** Milliseconds of CPU time. */
function timeOf(run: () => unknown): number {
  const before = process.threadCpuUsage();
  run();
  return process.threadCpuUsage(before).user / 1000;
}

function leastOf(run: () => unknown): number {
  return Math.min(...Array.from({ length: ROUNDS }, () => timeOf(run)));
}

function bytesInUse(): number {
  // What typed arrays held is freed by the second one.
  collectGarbage();
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Bytes that stay in use as long as what was made is held: on the heap and in typed arrays. */
function retainedBytes(make: () => unknown): number {
  make();
  const before = bytesInUse();
  const held = [make()];
  const bytes = bytesInUse() - before;
  return held.length === 0 ? 0 : bytes;
}

/**
 * A day of a million requests: what an answer takes when new requests came, and the first one of a new hour; writing
 * the snapshot that it needs and reading it again are part of it, the store between them is not.
 */
function queryTimes(): { readonly warm: number; readonly cold: number } {
  const recorder = createHourRecorder({ operations: idsOf(1000) });
  const day = createDayWindow();
  const pass = (nowMs: number): void => {
    for (const hour of recorder.takeSnapshots(nowMs)) day.put(nowMs, { ...hour, source: "bench" });
  };
  replay(trafficOf(1000), (op, previous, at) => {
    const nowMs = START + Math.floor((at / REQUESTS) * 24 * HOUR_MS);
    const entries = previous.map((earlier) => ({ op: earlier }));
    recorder.record(nowMs, op, entries);
  });
  let hour = 24;
  const ask = (nowMs: number): number =>
    timeOf(() => {
      pass(nowMs);
      answer(day, nowMs);
    });
  ask(START + hour * HOUR_MS - 1);
  const warm: number[] = [];
  const cold: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    recorder.record(START + hour * HOUR_MS - 1, shortId(1), [{ op: shortId(0) }]);
    warm.push(ask(START + hour * HOUR_MS - 1));
    recorder.record(START + hour * HOUR_MS, shortId(1), [{ op: shortId(0) }]);
    cold.push(ask(START + hour * HOUR_MS));
    hour += 1;
  }
  return { warm: Math.min(...warm), cold: Math.min(...cold) };
}

function answer(day: DayWindow, nowMs: number): void {
  const { sequences } = topSequences(day.summary(nowMs));
  if (sequences.length === 0) throw new Error("expected sequences, found none");
}
