import { describe, expect, test } from "vitest";
import { createDayWindow } from "../../src/analytics/index.ts";
import type { DayWindow, HourSnapshot } from "../../src/analytics/index.ts";
import { countsOf, createExactCounter } from "./exact.ts";

const HOUR_MS = 3_600_000;
/** Beginning of some hour. */
const START = 500_000 * HOUR_MS;
const [A, B, C] = ["0000000a", "0000000b", "0000000c"];

function windowOf(source = "one", operations: readonly string[] = [A, B, C]): DayWindow {
  return createDayWindow({ operations, source });
}

describe("a day", () => {
  test("is the open hour and the 23 before it", () => {
    const day = windowOf();
    for (let hour = 0; hour < 30; hour += 1) day.record(START + hour * HOUR_MS + 5, B, [A]);
    const now = START + 29 * HOUR_MS + 5;
    expect(day.summary(now).requests).toBe(24);
    expect(countsOf(day.summary(now)).sequences).toEqual(new Map([[`${A} ${B}`, 24]]));
    expect(day.summary(START + 30 * HOUR_MS - 1).requests).toBe(24);
    expect(day.summary(START + 30 * HOUR_MS).requests).toBe(23);
    expect(day.summary(START + 53 * HOUR_MS - 1).requests).toBe(1);
    expect(day.summary(START + 53 * HOUR_MS).requests).toBe(0);
  });

  test("adds up to an exact count of its requests", () => {
    const day = windowOf();
    const exact = createExactCounter();
    const ops = [A, B, C];
    for (let at = 0; at < 3000; at += 1) {
      const previous = [ops[(at * 7) % 3]!, ops[(at * 5 + 1) % 3]!, ops[at % 2]!];
      const op = ops[(at >> 3) % 3]!;
      day.record(START + at * 25_000, op, previous);
      exact.record(op, previous);
      if (at % 500 === 0) day.summary(START + at * 25_000);
    }
    const { raw, visits, sequences, pairs } = exact;
    expect(countsOf(day.summary(START + 3000 * 25_000))).toEqual({ raw, visits, sequences, pairs });
  });

  test("shows a request at once, or after the time that was asked for", () => {
    const fresh = windowOf();
    const lazy = createDayWindow({ operations: [A, B, C], source: "two", maxSummaryAgeMs: 60_000 });
    for (const [day, expected] of [
      [fresh, [1, 2, 2]],
      [lazy, [1, 1, 2]],
    ] as const) {
      day.record(START, A, []);
      const first = day.summary(START);
      day.record(START + 1, A, []);
      const second = day.summary(START + 59_999);
      expect([first.requests, second.requests, day.summary(START + 60_000).requests]).toEqual(expected);
      expect(day.summary(START + 60_000)).toBe(day.summary(START + 60_001));
    }
  });

  test("goes on counting in the open hour when the clock leaps back", () => {
    const day = windowOf();
    day.record(START, A, []);
    day.record(START - 3 * HOUR_MS, A, []);
    expect(day.summary(START - 3 * HOUR_MS).requests).toBe(2);
    day.record(START + HOUR_MS, A, []);
    expect(day.takeSnapshots(START + HOUR_MS).map(({ hourAt }) => hourAt)).toEqual([START, START + HOUR_MS]);
  });

  test("can do its adding up in small steps before somebody asks", () => {
    const day = windowOf();
    for (let hour = 0; hour < 5; hour += 1) day.record(START + hour * HOUR_MS, B, [A]);
    const now = START + 4 * HOUR_MS;
    const steps = [1, 2, 3, 4, 5].map(() => day.prepare(now));
    expect(steps).toEqual([true, true, true, false, false]);
    expect(day.summary(now).requests).toBe(5);
  });

  test("counts new operations at once, and forgets those that are gone with the hour", () => {
    const day = windowOf("one", [A, B]);
    day.record(START, C, [A]);
    day.setOperations([B, C]);
    day.record(START, C, [A]);
    expect(day.summary(START).requests).toBe(1);
    day.record(START + HOUR_MS, C, [A]);
    day.record(START + HOUR_MS, A, []);
    expect(countsOf(day.summary(START + HOUR_MS))).toMatchObject({
      raw: new Map([[C, 2]]),
      pairs: new Map([[`${A} ${C}`, 1]]),
    });
    expect(() => day.setOperations(["A"])).toThrow(
      "expected a short id of 8 lower-case hex characters, found `A`",
    );
  });
});

describe("storing", () => {
  test("a window that was restored from what was stored says the same", () => {
    const before = windowOf("first start");
    const stored = new Map<string, HourSnapshot>();
    const store = (nowMs: number): void => {
      for (const snapshot of before.takeSnapshots(nowMs))
        stored.set(`${snapshot.hourAt} ${snapshot.source}`, snapshot);
    };
    for (let minute = 0; minute < 200; minute += 1) {
      before.record(START + minute * 60_000, minute % 3 === 0 ? B : C, [A, B]);
      store(START + minute * 60_000);
    }
    const now = START + 200 * 60_000;
    const after = windowOf("second start");
    for (const snapshot of stored.values()) expect(after.put(now, snapshot)).toBeUndefined();
    expect(countsOf(after.summary(now))).toEqual(countsOf(before.summary(now)));
    expect([...stored.keys()]).toHaveLength(4);
    // The hour goes on under the new name.
    after.record(now, A, []);
    expect(after.summary(now).requests).toBe(201);
  });

  test("what another process says of an hour replaces what it said before, and adds to the rest", () => {
    const [one, two] = [windowOf("one"), windowOf("two")];
    one.record(START, B, [A]);
    for (let at = 0; at < 3; at += 1) {
      two.record(START + at, B, [A]);
      for (const snapshot of two.takeSnapshots(START + at)) one.put(START + at, snapshot);
    }
    expect(one.summary(START + 3).requests).toBe(4);
  });

  test("a closed hour is handed out once, the open one whenever asked, an empty one never", () => {
    const day = windowOf();
    expect(day.takeSnapshots(START)).toEqual([]);
    day.record(START, A, []);
    expect(day.takeSnapshots(START + 1)).toHaveLength(1);
    expect(day.takeSnapshots(START + 2)).toHaveLength(1);
    const closing = day.takeSnapshots(START + HOUR_MS);
    expect(closing).toMatchObject([{ hourAt: START, source: "one" }]);
    expect(day.takeSnapshots(START + 2 * HOUR_MS)).toEqual([]);
  });

  test("bytes that are no snapshot are refused, and hours outside the day ignored", () => {
    const day = windowOf();
    const other = windowOf("two");
    other.record(START, A, []);
    const [good] = other.takeSnapshots(START);
    const bytes = good!.bytes;
    expect(day.put(START, { hourAt: START, source: "x", bytes: Uint8Array.of(1) })).toMatchObject({
      kind: "error",
    });
    for (const hourAt of [
      START - 24 * HOUR_MS,
      START + HOUR_MS,
      START + 1,
      Number.NaN,
      Number.POSITIVE_INFINITY,
    ]) {
      expect(day.put(START, { hourAt, source: "x", bytes })).toBeUndefined();
    }
    expect(day.summary(START).requests).toBe(0);
    expect(day.put(START, { hourAt: START - 23 * HOUR_MS, source: "x", bytes })).toBeUndefined();
    expect(day.summary(START).requests).toBe(1);
  });

  test("an hour takes 64 sources, no more", () => {
    const day = windowOf();
    const other = windowOf("two");
    other.record(START, A, []);
    const { bytes } = other.takeSnapshots(START)[0]!;
    for (let source = 0; source < 64; source += 1) {
      expect(day.put(START, { hourAt: START, source: String(source), bytes })).toBeUndefined();
    }
    expect(day.put(START, { hourAt: START, source: "64", bytes })).toMatchObject({
      code: "ERR_SNAPSHOT_SIZE",
      message: "expected at most 64 sources in an hour: merge their snapshots first",
    });
    expect(day.put(START, { hourAt: START, source: "63", bytes })).toBeUndefined();
    expect(day.summary(START).requests).toBe(64);
  });
});
