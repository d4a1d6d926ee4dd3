/**
 * Security events, kept in a database of their own: bounded by count and age, written in batches between requests.
 *
 * An event that was handed in is in memory until the next batch (a fraction of a second); a crash loses those. The
 * configuration is in another file and is not concerned.
 */
import type { SecurityEvent } from "../engine/index.ts";
import { EventDatabase } from "./event-database.ts";
import type { EventClass } from "./event-database.ts";
import { openOrRenew } from "./expendable-database.ts";
import type { EventQuery, EventStore, EventStoreOptions, StoredEvent } from "./event-types.ts";

const DEFAULT_MAX_EVENTS = 100_000;
const DEFAULT_MAX_AGE_MS = 7 * 86_400_000;

/** How long events wait for others to be written with. */
const BATCH_DELAY_MS = 100;

/** Events of one batch: a few milliseconds of a process that has requests to serve. */
const BATCH_SIZE = 250;

/** Waiting events that are written first when somebody asks, so that they see what has just happened. */
const MAX_WRITTEN_FOR_READER = 1_000;

/** Events that may wait: beyond it a flood of them would cost more memory than it is worth knowing. */
const MAX_WAITING = 20_000;

/**
 * @throws {StoreError} `ERR_STORE_OPEN` when the database cannot be opened or made anew
 */
export function openEventStore(options: EventStoreOptions): EventStore {
  return new BatchingEventStore(openDatabase(options), options);
}

/** A database that is damaged (power was lost while it was written) is begun anew: events are no configuration. */
function openDatabase({
  path,
  maxEvents = DEFAULT_MAX_EVENTS,
  maxAgeMs = DEFAULT_MAX_AGE_MS,
}: EventStoreOptions): EventDatabase {
  const limits = { maxAgeMs, maxOf: { rewrite: Math.ceil(maxEvents / 10), other: maxEvents } };
  return openOrRenew(path, () => new EventDatabase(path, limits));
}

class BatchingEventStore implements EventStore {
  readonly #database: EventDatabase;
  readonly #options: EventStoreOptions;
  readonly #listeners = new Set<() => void>();
  readonly #waiting: SecurityEvent[] = [];
  #timer: NodeJS.Timeout | undefined;
  dropped = 0;

  constructor(database: EventDatabase, options: EventStoreOptions) {
    this.#database = database;
    this.#options = options;
  }

  add(event: SecurityEvent): void {
    if (this.#waiting.length >= MAX_WAITING) {
      this.dropped += 1;
      return;
    }
    this.#waiting.push(event);
    this.#timer ??= setTimeout(() => this.#writeBatch(), BATCH_DELAY_MS).unref();
  }

  list(query: EventQuery, limit: number, beforeSequence?: number): readonly StoredEvent[] {
    this.#writeWaiting(MAX_WRITTEN_FOR_READER);
    return this.#database.select(query, { limit, newestFirst: true, from: beforeSequence });
  }

  listAfter(query: EventQuery, limit: number, afterSequence: number): readonly StoredEvent[] {
    this.#writeWaiting(MAX_WRITTEN_FOR_READER);
    return this.#database.select(query, { limit, newestFirst: false, from: afterSequence });
  }

  newest(): number {
    this.#writeWaiting(MAX_WRITTEN_FOR_READER);
    return this.#database.newest();
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#writeWaiting(this.#waiting.length);
    clearTimeout(this.#timer);
    this.#database.close();
  }

  /** One batch, and the next one when the requests that came meanwhile have been served. */
  #writeBatch(): void {
    this.#timer = undefined;
    this.#writeWaiting(BATCH_SIZE);
    if (this.#waiting.length > 0) this.#timer = setTimeout(() => this.#writeBatch(), 0).unref();
  }

  #writeWaiting(count: number): void {
    this.#write(this.#waiting.splice(0, count));
  }

  #write(events: readonly SecurityEvent[]): void {
    if (events.length === 0) return;
    try {
      this.#database.insert(events, classOf, this.#options.now());
    } catch (error) {
      this.dropped += events.length;
      this.#options.onError?.(error as Error);
    }
    // Not at once: whoever reads has just caused this batch, and would be called in the middle of it.
    for (const listener of this.#listeners) queueMicrotask(listener);
  }
}

function classOf({ action, outcome }: SecurityEvent): EventClass {
  return action === "rewrite" && outcome === "applied" ? "rewrite" : "other";
}
