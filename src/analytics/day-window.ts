/** The last 24 hours: one hour being counted, the others as snapshots, of this process and of others. */
import { createClosedHours } from "./closed-hours.ts";
import { createCurrentHour } from "./current-hour.ts";
import type { CountedHour, CurrentHourOptions } from "./current-hour.ts";
import { HOUR_MS, WINDOW_HOURS } from "./limits.ts";
import type { SnapshotError } from "./snapshot.ts";
import { addSnapshot, copySum } from "./sum.ts";
import type { Sum } from "./sum.ts";
import { summarize } from "./summary.ts";
import type { Summary } from "./summary.ts";

/** Counts of one hour as one process saw it: a row in a database, a value in Redis. */
export interface HourSnapshot extends CountedHour {
  /** Who counted; names of running processes must differ. */
  readonly source: string;
}

export interface DayWindowOptions extends CurrentHourOptions {
  /** Names this process among those that count the same zone; a new name for each start. */
  readonly source: string;
  /** How old a summary may be, in milliseconds, before counts since then are added; 0 by default. */
  readonly maxSummaryAgeMs?: number;
}

export interface DayWindow {
  /** Counts one request, see `HourCounter.recordIds`. The hour before is closed when `nowMs` is the first of a new one. */
  record(nowMs: number, currentOp: string, previousOps: readonly string[]): void;
  /** New operations count from now on, those that are gone no longer from the next hour on. */
  setOperations(shortIds: readonly string[]): void;
  /** Closes the hour when it is over, and forgets what is older than a day; for a timer, as traffic may pause. */
  advance(nowMs: number): void;
  /**
   * What to store: hours that were closed since the last call, and the open hour as it is now. A zone without
   * traffic stores nothing.
   */
  takeSnapshots(nowMs: number): readonly HourSnapshot[];
  /**
   * Adds what was stored before a restart, or by another process; replaces what the same source said of the same
   * hour before. Bytes are kept, not copied.
   *
   * @returns the error, or `undefined` when it was taken or lies outside the window
   */
  put(nowMs: number, snapshot: HourSnapshot): SnapshotError | undefined;
  /**
   * Does a few milliseconds of what the next summary needs; for idle moments, in the first minutes of an hour.
   *
   * @returns whether there is more to do
   */
  prepare(nowMs: number): boolean;
  /** The counts of the last 24 hours: 23 full ones and the open one. */
  summary(nowMs: number): Summary;
}

/** @throws {RangeError} for text that is no short id, and for options out of range */
export function createDayWindow(options: DayWindowOptions): DayWindow {
  const { source, maxSummaryAgeMs = 0 } = options;
  const current = createCurrentHour(options);
  const hours = createClosedHours();
  let closed: HourSnapshot[] = [];
  let cached: CachedSummary | undefined;

  return {
    record(nowMs, currentOp, previousOps) {
      if (current.isOver(nowMs)) advance(nowMs);
      current.record(nowMs, currentOp, previousOps);
    },
    setOperations: (shortIds) => current.setOperations(shortIds),
    advance,
    takeSnapshots(nowMs) {
      advance(nowMs);
      const taken = closed;
      closed = [];
      const counted = current.counted();
      return counted === undefined ? taken : [...taken, { ...counted, source }];
    },
    put(nowMs, { hourAt, source: from, bytes }) {
      advance(nowMs);
      if (!isInWindow(hourAt, nowMs)) return undefined;
      cached = undefined;
      return hours.put(hourAt, from, bytes);
    },
    prepare(nowMs) {
      advance(nowMs);
      return hours.prepare(current.operations);
    },
    summary(nowMs) {
      advance(nowMs);
      const { requests } = current;
      if (cached === undefined || (cached.requests !== requests && nowMs - cached.atMs >= maxSummaryAgeMs)) {
        cached = { atMs: nowMs, requests, summary: summarize(sumOfDay()) };
      }
      return cached.summary;
    },
  };

  function advance(nowMs: number): void {
    if (current.isOver(nowMs)) closeHour();
    if (hours.forget(nowMs)) cached = undefined;
  }

  function closeHour(): void {
    const counted = current.counted();
    current.end();
    cached = undefined;
    if (counted === undefined) return;
    closed.push({ ...counted, source });
    hours.put(counted.hourAt, source, counted.bytes);
  }

  function sumOfDay(): Sum {
    const snapshot = current.snapshot();
    const full = hours.sum(current.operations, snapshot);
    if (snapshot === undefined) return full;
    const sum = copySum(full);
    addSnapshot(sum, snapshot);
    return sum;
  }
}

interface CachedSummary {
  readonly atMs: number;
  /** Requests of the open hour that are in it. */
  readonly requests: number;
  readonly summary: Summary;
}

function isInWindow(hourAt: number, nowMs: number): boolean {
  return Number.isInteger(hourAt / HOUR_MS) && hourAt <= nowMs && hourAt + WINDOW_HOURS * HOUR_MS > nowMs;
}
