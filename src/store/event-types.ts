/** The store of security events as others see it. */
import type { SecurityEvent } from "../engine/index.ts";

/** An event with its place among all. */
export interface StoredEvent {
  /** Grows from event to event, with gaps. */
  readonly sequence: number;
  readonly event: SecurityEvent;
}

/** Which events of a zone; absent members are no condition. */
export interface EventQuery {
  readonly zoneId: string;
  readonly rayId?: string;
  readonly phase?: string;
  readonly rulesetId?: string;
  readonly ruleId?: string;
  readonly ruleRef?: string;
  readonly action?: string;
  readonly outcome?: string;
  readonly method?: string;
  readonly host?: string;
  readonly path?: string;
  readonly clientAddress?: string;
  readonly currentOp?: string;
  readonly status?: number;
  /** Epoch milliseconds, both inclusive. */
  readonly since?: number;
  readonly before?: number;
}

export interface EventStore {
  /** Takes an event for the next batch; never waits and never throws. */
  add(event: SecurityEvent): void;
  /** The newest events first. @param beforeSequence only older ones than this */
  list(query: EventQuery, limit: number, beforeSequence?: number): readonly StoredEvent[];
  /** The oldest events first. @param afterSequence only newer ones than this */
  listAfter(query: EventQuery, limit: number, afterSequence: number): readonly StoredEvent[];
  /** Sequence of the newest event of all zones; 0 when there is none. */
  newest(): number;
  /** Calls `listener` after each batch of this process. Returns how to stop that. */
  subscribe(listener: () => void): () => void;
  /** Events that were dropped because they came faster than they could be written. */
  readonly dropped: number;
  /** Writes what is waiting and closes the database. */
  close(): void;
}

export interface EventStoreOptions {
  /** File of the database, made when it does not exist; `":memory:"` keeps everything in this process. */
  readonly path: string;
  /** The clock, epoch milliseconds. */
  readonly now: () => number;
  /** Events kept; 100,000 by default. Those of header modifications, which fire on ordinary requests, take at most a tenth. */
  readonly maxEvents?: number;
  /** How long an event is kept, milliseconds; 7 days by default. */
  readonly maxAgeMs?: number;
  /** Told when a batch could not be written; its events are lost. */
  readonly onError?: (error: Error) => void;
}
