/** The last 24 hours, of all processes that counted: the open hour and the 23 before it, from their snapshots. */
import { HOUR_MS, MAX_WINDOW_BYTES, WINDOW_HOURS } from "./limits.ts";
import { decodeSnapshot } from "./snapshot.ts";
import type { Snapshot, SnapshotError } from "./snapshot.ts";
import { addSnapshot, copySum, covers, createSum, uniteIds } from "./sum.ts";
import type { Sum } from "./sum.ts";
import { summarize } from "./summary.ts";
import type { Summary } from "./summary.ts";

/** Counts of one hour as one process saw it: a row in a database, a value in Redis. */
export interface HourSnapshot {
  /** Beginning of the hour, epoch milliseconds. */
  readonly hourAt: number;
  /** Who counted. */
  readonly source: string;
  readonly bytes: Uint8Array;
}

export interface DayWindow {
  /**
   * Keeps what a source says of an hour, in place of what it said before. Bytes are kept, not copied.
   *
   * @returns the error, or `undefined` when it was taken or lies outside the window
   */
  put(nowMs: number, snapshot: HourSnapshot): SnapshotError | undefined;
  /** Forgets the snapshots that `isThere` does not know: their zone, or what they were stored in, has gone. */
  keepOnly(isThere: (hourAt: number, source: string) => boolean): void;
  /** The counts of the last 24 hours: 23 full ones and the open one. Full hours are added up once. */
  summary(nowMs: number): Summary;
}

interface Held {
  readonly hourAt: number;
  readonly source: string;
  readonly snapshot: Snapshot;
}

export function createDayWindow(): DayWindow {
  const held = new Map<string, Held>();
  let openHourAt = 0;
  let fullHours: Sum | undefined;
  let cached: Summary | undefined;

  return {
    put(nowMs, { hourAt, source, bytes }) {
      advance(nowMs);
      if (!isInWindow(hourAt, nowMs)) return undefined;
      const snapshot = decodeSnapshot(bytes);
      if (snapshot.kind === "error") return snapshot;
      const key = `${hourAt} ${source}`;
      let total = bytes.length - (held.get(key)?.snapshot.bytes.length ?? 0);
      for (const other of held.values()) total += other.snapshot.bytes.length;
      if (total > MAX_WINDOW_BYTES) return tooLarge(total);
      held.set(key, { hourAt, source, snapshot });
      changed(hourAt);
      return undefined;
    },
    keepOnly(isThere) {
      for (const [key, { hourAt, source }] of held) {
        if (isThere(hourAt, source)) continue;
        held.delete(key);
        changed(hourAt);
      }
    },
    summary(nowMs) {
      advance(nowMs);
      cached ??= summarize(sumOfDay());
      return cached;
    },
  };

  function changed(hourAt: number): void {
    cached = undefined;
    if (hourAt < openHourAt) fullHours = undefined;
  }

  function advance(nowMs: number): void {
    const hourAt = Math.floor(nowMs / HOUR_MS) * HOUR_MS;
    // A clock that leaps back changes nothing: the hours that were full stay so.
    if (hourAt <= openHourAt) return;
    openHourAt = hourAt;
    fullHours = undefined;
    cached = undefined;
    for (const [key, other] of held) if (!isInWindow(other.hourAt, nowMs)) held.delete(key);
  }

  function sumOfDay(): Sum {
    const all = held.values().toArray();
    const open = all.filter(({ hourAt }) => hourAt >= openHourAt).map(({ snapshot }) => snapshot);
    if (fullHours !== undefined && !open.every((snapshot) => covers(fullHours as Sum, snapshot)))
      fullHours = undefined;
    if (fullHours === undefined) {
      fullHours = createSum(uniteIds(all.map(({ snapshot }) => snapshot.ids)));
      for (const { hourAt, snapshot } of all) if (hourAt < openHourAt) addSnapshot(fullHours, snapshot);
    }
    if (open.length === 0) return fullHours;
    const sum = copySum(fullHours);
    for (const snapshot of open) addSnapshot(sum, snapshot);
    return sum;
  }
}

function isInWindow(hourAt: number, nowMs: number): boolean {
  return Number.isInteger(hourAt / HOUR_MS) && hourAt <= nowMs && hourAt + WINDOW_HOURS * HOUR_MS > nowMs;
}

function tooLarge(found: number): SnapshotError {
  const message = `expected snapshots of at most ${MAX_WINDOW_BYTES} bytes in a day, found ${found}`;
  return { kind: "error", code: "ERR_SNAPSHOT_SIZE", message };
}
