/** Reads the counts of the last 24 hours out of the store that all processes write. */
import { createDayWindow, readSamples } from "../analytics/index.ts";
import type { DayWindow, DecisionSamples, SnapshotKind, SnapshotStore, Summary } from "../analytics/index.ts";
import { StateUnavailableError } from "../sequence/index.ts";
import { apiError } from "./errors.ts";
import { MAX_DAY_WINDOWS, MIN_FLUSH_INTERVAL_MS } from "./limits.ts";

export interface TrafficCounts {
  readonly store: SnapshotStore;
  /** Has the processes of this machine write what they counted; at most once in two seconds. */
  readonly flush: () => Promise<void>;
}

/** Counts of the last 24 hours. All reject with an {@link ApiError} while the store is away. */
export interface AnalyticsReader {
  summary(zoneId: string): Promise<Summary>;
  samples(zoneId: string): Promise<DecisionSamples>;
  /** What processes learned of requests to no saved operation in the last ten days, for `sumDiscovery`. */
  learned(zoneId: string): Promise<readonly Uint8Array[]>;
}

/** What is known of one zone's snapshots, so that only what changed is read again. */
interface CachedDay {
  readonly window: DayWindow;
  /** By hour and source. */
  readonly stamps: Map<string, number>;
}

export function createAnalyticsReader(
  { store, flush }: TrafficCounts,
  { now, onError }: { readonly now: () => number; readonly onError?: (error: Error) => void },
): AnalyticsReader {
  const days = new Map<string, CachedDay>();
  let flushedAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<unknown> = Promise.resolve();
  return {
    summary: (zoneId) => available(() => inTurn(() => summaryOf(zoneId))),
    samples: (zoneId) => available(async () => readSamples(await allOf(zoneId, "sample"))),
    learned: (zoneId) => available(() => allOf(zoneId, "discovery")),
  };

  async function allOf(zoneId: string, kind: SnapshotKind): Promise<readonly Uint8Array[]> {
    await fresh();
    const entries = await store.list(zoneId, kind, now());
    return (await store.read(entries)).filter((bytes) => bytes !== undefined);
  }

  /** One reader at a time: two would read the same snapshots twice. */
  function inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = reading.then(work, work);
    reading = result.catch(() => undefined);
    return result;
  }

  async function fresh(): Promise<void> {
    const nowMs = now();
    if (nowMs - flushedAt < MIN_FLUSH_INTERVAL_MS && nowMs >= flushedAt) return;
    flushedAt = nowMs;
    await flush();
  }

  async function summaryOf(zoneId: string): Promise<Summary> {
    await fresh();
    const nowMs = now();
    const { window, stamps } = dayOf(zoneId);
    const entries = await store.list(zoneId, "sequences", nowMs);
    const changed = entries.filter((entry) => stamps.get(keyOf(entry)) !== entry.stamp);
    const bytes = await store.read(changed);
    for (const [at, { hourAt, source, stamp }] of changed.entries()) {
      const found = bytes[at];
      if (found === undefined) continue;
      const error = window.put(nowMs, { hourAt, source, bytes: found });
      if (error !== undefined) onError?.(new Error(`counts of ${source}: ${error.message}`));
      stamps.set(keyOf({ hourAt, source }), stamp);
    }
    const there = new Set(entries.map(keyOf));
    for (const key of stamps.keys()) if (!there.has(key)) stamps.delete(key);
    window.keepOnly((hourAt, source) => there.has(keyOf({ hourAt, source })));
    return window.summary(nowMs);
  }

  function dayOf(zoneId: string): CachedDay {
    const day = days.get(zoneId) ?? { window: createDayWindow(), stamps: new Map() };
    // The zone that was asked for last is the last to go.
    days.delete(zoneId);
    days.set(zoneId, day);
    for (const other of [...days.keys()].slice(0, -MAX_DAY_WINDOWS)) days.delete(other);
    return day;
  }
}

async function available<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof StateUnavailableError)) throw error;
    throw apiError("counts_unavailable", "the counts cannot be had: Redis does not answer");
  }
}

function keyOf({ hourAt, source }: { readonly hourAt: number; readonly source: string }): string {
  return `${hourAt} ${source}`;
}
