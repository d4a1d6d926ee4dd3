/** Counts the requests of a gateway, and writes what was counted to a store once a minute. */
import { createZoneCounter, HOUR_MS, SNAPSHOT_KINDS } from "../analytics/index.ts";
import type { FairnessCapOptions, SnapshotStore, StoredSnapshot, ZoneCounter } from "../analytics/index.ts";
import type { ConfigSource, JudgedRequest, TrafficFactory, Zone, ZoneTraffic } from "../engine/index.ts";
import { opNumberOf } from "../sequence/index.ts";
import type { Logger } from "./log.ts";
import { reasonOf } from "./user-error.ts";

/** How much counting a crash loses at most. */
const WRITE_EVERY_MS = 60_000;

/** Snapshots that could not be written wait, the newest for each hour; beyond it the oldest are given up. */
const MAX_WAITING = 1_000;

export interface TrafficOptions {
  readonly store: SnapshotStore;
  /** Zones that are served; counts of others are dropped. */
  readonly source: ConfigSource;
  /** Name of this process, another one at each start. */
  readonly processId: string;
  readonly cap: FairnessCapOptions;
  readonly now: () => number;
  /** A number from 0 to below 1. */
  readonly random: () => number;
  readonly logger: Logger;
}

export interface Traffic {
  /** For the engine. */
  readonly trafficFor: TrafficFactory;
  /** Writes what was counted since the last time. A store that is away costs nothing but time. */
  flush(): Promise<void>;
  /** Writes everything and stops; the store stays open. */
  close(): Promise<void>;
}

export function createTraffic(options: TrafficOptions): Traffic {
  return new CountedTraffic(options);
}

class CountedTraffic implements Traffic {
  readonly #options: TrafficOptions;
  readonly #counters = new Map<string, ZoneCounter>();
  /** Snapshots that are still to be written, by zone, kind and hour. */
  readonly #waiting = new Map<string, StoredSnapshot>();
  readonly #unsubscribe: () => void;
  #writing: Promise<void> = Promise.resolve();
  #prunedAt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: TrafficOptions) {
    this.#options = options;
    this.#unsubscribe = options.source.subscribe(({ zones }) => {
      const served = new Set(zones.map(({ id }) => id));
      for (const zoneId of this.#counters.keys()) if (!served.has(zoneId)) this.#counters.delete(zoneId);
    });
    this.#schedule();
  }

  readonly trafficFor = (zone: Zone): ZoneTraffic => {
    const counter = this.#counterOf(zone);
    const isSampled = zone.settings.analytics?.sampleDecisions === true;
    counter.setSampling(isSampled);
    return {
      onJudged: (judged) => count(counter, judged, isSampled),
      onResponse: (judged, status) => observe(counter, judged, status),
    };
  };

  flush(): Promise<void> {
    // One after the other: an older snapshot must not overtake a newer one.
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  async close(): Promise<void> {
    this.#unsubscribe();
    clearTimeout(this.#timer);
    await this.flush();
  }

  #schedule(): void {
    // With the minutes of the clock, so that an hour is written when it ends.
    const delayMs = WRITE_EVERY_MS - (this.#options.now() % WRITE_EVERY_MS);
    this.#timer = setTimeout(() => {
      void this.flush();
      this.#schedule();
    }, delayMs).unref();
  }

  #counterOf({ id, operations }: Zone): ZoneCounter {
    const { cap, random } = this.#options;
    const shortIds = operations.map(({ shortId }) => shortId);
    const known = this.#counters.get(id);
    known?.setOperations(shortIds);
    const counter = known ?? createZoneCounter({ operations: shortIds, cap, random, opNumberOf });
    this.#counters.set(id, counter);
    return counter;
  }

  async #write(): Promise<void> {
    const { store, now, logger } = this.#options;
    const nowMs = now();
    this.#collect(nowMs);
    const batch = [...this.#waiting];
    try {
      await store.put(
        batch.map(([, snapshot]) => snapshot),
        nowMs,
      );
      for (const [key, snapshot] of batch) if (this.#waiting.get(key) === snapshot) this.#waiting.delete(key);
      if (nowMs - this.#prunedAt < HOUR_MS) return;
      this.#prunedAt = nowMs;
      await store.prune(nowMs);
    } catch (error) {
      logger.warn(
        { event: "analytics", error: reasonOf(error) },
        "counts could not be written; they wait for the next time",
      );
    }
  }

  #collect(nowMs: number): void {
    const { processId } = this.#options;
    for (const [zoneId, counter] of this.#counters) {
      const taken = counter.takeSnapshots(nowMs);
      for (const kind of SNAPSHOT_KINDS) {
        for (const { hourAt, bytes } of taken[kind]) {
          const snapshot = { zoneId, kind, hourAt, source: processId, bytes };
          this.#waiting.set(`${zoneId} ${kind} ${hourAt}`, snapshot);
        }
      }
    }
    for (const key of [...this.#waiting.keys()].slice(0, -MAX_WAITING)) this.#waiting.delete(key);
  }
}

/** INVARIANT: never throws, for a request waits for it. */
function count(counter: ZoneCounter, judged: JudgedRequest, isSampled: boolean): void {
  const { request, operation, tracked } = judged;
  const { receivedAt } = request;
  // What nobody knows says nothing about the order of requests.
  if (operation !== undefined && tracked !== undefined && tracked.isUnavailable !== true) {
    counter.record(receivedAt, {
      currentOp: operation.shortId,
      entries: tracked.sequence.entries,
      sequenceId: tracked.id,
      clientAddress: request.clientAddress,
    });
  }
  if (isSampled) counter.sample(receivedAt, () => toSampled(judged));
}

/** INVARIANT: never throws, either. */
function observe(
  counter: ZoneCounter,
  { request, host, path, operation }: JudgedRequest,
  status: number,
): void {
  if (operation !== undefined) return;
  counter.observe(request.receivedAt, { method: request.method, host, path, status });
}

function toSampled({ request, host, path, query, operation, tracked, isEnded }: JudgedRequest) {
  return {
    rayId: request.rayId,
    at: request.receivedAt,
    method: request.method,
    scheme: request.scheme,
    httpVersion: request.httpVersion,
    host,
    path,
    query,
    clientAddress: request.clientAddress,
    userAgent: request.header("user-agent") ?? "",
    referer: request.header("referer") ?? "",
    currentOp: operation?.shortId ?? "",
    entries: tracked?.sequence.entries ?? [],
    lookback: (tracked?.lookback ?? tracked?.sequence)?.entries ?? [],
    hasIdentity: tracked !== undefined && tracked.id !== "",
    isEnded,
  };
}
