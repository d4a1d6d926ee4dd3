import { describe, expect, test } from "vitest";
import { createDayWindow, createHourRecorder } from "../../src/analytics/index.ts";
import type { DayWindow, HourSnapshot } from "../../src/analytics/index.ts";
import { countsOf, createExactCounter } from "./exact.ts";

const HOUR_MS = 3_600_000;
/** Beginning of some hour. */
const START = 500_000 * HOUR_MS;
const [A, B, C] = ["0000000a", "0000000b", "0000000c"];

/** A process that counts, and hands its snapshots to windows as a store would. */
function processOf(source = "one", operations: readonly string[] = [A, B, C]) {
  const recorder = createHourRecorder({ operations });
  const record = (nowMs: number, op: string, previous: readonly string[]): void =>
    recorder.record(
      nowMs,
      op,
      previous.map((earlier) => ({ op: earlier })),
    );
  const take = (nowMs: number): HourSnapshot[] =>
    recorder.takeSnapshots(nowMs).map(({ hourAt, bytes }) => ({ hourAt, source, bytes }));
  const writeTo = (day: DayWindow, nowMs: number): void => {
    for (const snapshot of take(nowMs)) expect(day.put(nowMs, snapshot)).toBeUndefined();
  };
  return { recorder, record, take, writeTo };
}

describe("a day", () => {
  test("is the open hour and the 23 before it", () => {
    const day = createDayWindow();
    const one = processOf();
    for (let hour = 0; hour < 30; hour += 1) {
      one.record(START + hour * HOUR_MS + 5, B, [A]);
      one.writeTo(day, START + hour * HOUR_MS + 5);
    }
    const now = START + 29 * HOUR_MS + 5;
    expect(day.summary(now).requests).toBe(24);
    expect(countsOf(day.summary(now)).sequences).toEqual(new Map([[`${A} ${B}`, 24]]));
    expect(day.summary(START + 30 * HOUR_MS - 1).requests).toBe(24);
    expect(day.summary(START + 30 * HOUR_MS).requests).toBe(23);
    expect(day.summary(START + 53 * HOUR_MS - 1).requests).toBe(1);
    expect(day.summary(START + 53 * HOUR_MS).requests).toBe(0);
  });

  test("adds up to an exact count of its requests", () => {
    const day = createDayWindow();
    const one = processOf();
    const exact = createExactCounter();
    const ops = [A, B, C];
    for (let at = 0; at < 3000; at += 1) {
      const now = START + at * 25_000;
      const previous = [ops[(at * 7) % 3]!, ops[(at * 5 + 1) % 3]!, ops[at % 2]!];
      const op = ops[(at >> 3) % 3]!;
      one.record(now, op, previous);
      exact.record(op, previous);
      if (at % 100 === 0) one.writeTo(day, now);
      if (at % 500 === 0) day.summary(now);
    }
    const end = START + 3000 * 25_000;
    one.writeTo(day, end);
    const { raw, visits, sequences, pairs } = exact;
    expect(countsOf(day.summary(end))).toEqual({ raw, visits, sequences, pairs });
    expect(day.summary(end), "what did not change is not added up again").toBe(day.summary(end + 1));
  });

  test("says the same whoever asks, after a restart as before", () => {
    const [before, after] = [createDayWindow(), createDayWindow()];
    const first = processOf("first start");
    const stored = new Map<string, HourSnapshot>();
    for (let minute = 0; minute < 200; minute += 1) {
      const now = START + minute * 60_000;
      first.record(now, minute % 3 === 0 ? B : C, [A, B]);
      for (const snapshot of first.take(now)) {
        stored.set(`${snapshot.hourAt}`, snapshot);
        before.put(now, snapshot);
      }
    }
    const now = START + 200 * 60_000;
    for (const snapshot of stored.values()) expect(after.put(now, snapshot)).toBeUndefined();
    expect(countsOf(after.summary(now))).toEqual(countsOf(before.summary(now)));
    expect(stored.size).toBe(4);
    // The hour goes on under the new name.
    const second = processOf("second start");
    second.record(now, A, []);
    second.writeTo(after, now);
    expect(after.summary(now).requests).toBe(201);
  });

  test("what a process says of an hour replaces what it said before, and adds to the rest", () => {
    const day = createDayWindow();
    const [one, two] = [processOf("one"), processOf("two")];
    one.record(START, B, [A]);
    one.writeTo(day, START);
    for (let at = 0; at < 3; at += 1) {
      two.record(START + at, B, [A]);
      two.writeTo(day, START + at);
      expect(day.summary(START + at).requests).toBe(2 + at);
    }
  });

  test("a snapshot that comes when its hour is over counts in it", () => {
    const day = createDayWindow();
    const [one, two] = [processOf("one"), processOf("two")];
    one.record(START, B, [A]);
    two.record(START + 1, B, [A]);
    one.writeTo(day, START + HOUR_MS);
    expect(day.summary(START + HOUR_MS).requests).toBe(1);
    two.writeTo(day, START + HOUR_MS + 5);
    expect(day.summary(START + HOUR_MS + 5).requests).toBe(2);
  });

  test("operations that an hour meets for the first time join those of the hours before", () => {
    const day = createDayWindow();
    const one = processOf("one", [B, C]);
    one.record(START, C, [B]);
    one.record(START + HOUR_MS, C, [B]);
    one.writeTo(day, START + HOUR_MS);
    expect(day.summary(START + HOUR_MS).requests).toBe(2);
    one.recorder.setOperations([A, B, C]);
    one.record(START + HOUR_MS + 1, B, [A]);
    one.writeTo(day, START + HOUR_MS + 1);
    expect(countsOf(day.summary(START + HOUR_MS + 1)).sequences).toEqual(
      new Map([
        [`${B} ${C}`, 2],
        [`${A} ${B}`, 1],
      ]),
    );
  });

  test("bytes that are no snapshot are refused, and hours outside the day ignored", () => {
    const day = createDayWindow();
    const one = processOf();
    one.record(START, A, []);
    const [{ bytes }] = one.take(START) as [HourSnapshot];
    expect(day.put(START, { hourAt: START, source: "x", bytes: Uint8Array.of(1) })).toMatchObject({
      kind: "error",
    });
    for (const hourAt of [START - 24 * HOUR_MS, START + HOUR_MS, START + 1, Number.NaN, Infinity])
      expect(day.put(START, { hourAt, source: "x", bytes })).toBeUndefined();
    expect(day.summary(START).requests).toBe(0);
    expect(day.put(START, { hourAt: START - 23 * HOUR_MS, source: "x", bytes })).toBeUndefined();
    expect(day.summary(START).requests).toBe(1);
  });

  test("what is no longer stored is forgotten", () => {
    const day = createDayWindow();
    const one = processOf();
    one.record(START, A, []);
    one.record(START + HOUR_MS, A, []);
    one.writeTo(day, START + HOUR_MS);
    expect(day.summary(START + HOUR_MS).requests).toBe(2);
    day.keepOnly((hourAt) => hourAt === START);
    expect(day.summary(START + HOUR_MS).requests).toBe(1);
    day.keepOnly(() => false);
    expect(day.summary(START + HOUR_MS).requests).toBe(0);
  });
});

describe("a process that counts", () => {
  test("hands out a closed hour once, the open one when it changed, an empty one never", () => {
    const one = processOf();
    expect(one.take(START)).toEqual([]);
    one.record(START, A, []);
    expect(one.take(START + 1)).toMatchObject([{ hourAt: START }]);
    expect(one.take(START + 2), "nothing new").toEqual([]);
    one.record(START + 3, A, []);
    expect(one.take(START + HOUR_MS)).toMatchObject([{ hourAt: START, source: "one" }]);
    expect(one.take(START + 2 * HOUR_MS)).toEqual([]);
  });

  test("goes on in the open hour when the clock leaps back", () => {
    const one = processOf();
    one.record(START, A, []);
    one.record(START - 3 * HOUR_MS, A, []);
    one.record(START + HOUR_MS, A, []);
    const day = createDayWindow();
    const hours = one.take(START + HOUR_MS);
    expect(hours.map(({ hourAt }) => hourAt)).toEqual([START, START + HOUR_MS]);
    for (const hour of hours) day.put(START + HOUR_MS, hour);
    expect(day.summary(START + HOUR_MS).requests).toBe(3);
  });

  test("counts new operations at once, and forgets those that are gone with the hour", () => {
    const day = createDayWindow();
    const one = processOf("one", [A, B]);
    one.record(START, C, [A]);
    one.recorder.setOperations([B, C]);
    one.record(START, C, [A]);
    one.writeTo(day, START);
    expect(day.summary(START).requests).toBe(1);
    one.record(START + HOUR_MS, C, [A]);
    one.record(START + HOUR_MS, A, []);
    one.writeTo(day, START + HOUR_MS);
    expect(countsOf(day.summary(START + HOUR_MS))).toMatchObject({
      raw: new Map([[C, 2]]),
      pairs: new Map([[`${A} ${C}`, 1]]),
    });
    expect(() => one.recorder.setOperations(["A"])).toThrow(
      "expected a short id of 8 lower-case hex characters, found `A`",
    );
  });

  test("says how many requests it left out", () => {
    const day = createDayWindow();
    const one = processOf();
    one.record(START, A, []);
    for (let at = 0; at < 5; at += 1) one.recorder.addCapped(START + at);
    one.writeTo(day, START + 9);
    expect(day.summary(START + 9)).toMatchObject({ requests: 1, capped: 5 });
  });
});
