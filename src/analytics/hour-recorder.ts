/** Counts the requests of a zone hour by hour: the side that writes. What a day adds up to is for the one who reads. */
import { encodeSnapshot } from "./encode-snapshot.ts";
import { createHourCounter } from "./hour-counter.ts";
import type { HourCounter, HourCounterOptions } from "./hour-counter.ts";
import { CLOSED_MAX_NODES, CLOSED_MAX_PAIRS, HOUR_MS, WINDOW_HOURS } from "./limits.ts";
import { createOperationTable } from "./operation-table.ts";

export interface HourRecorderOptions extends Pick<
  HourCounterOptions,
  "maxNodes" | "maxPairs" | "opNumberOf"
> {
  /** Short ids of the zone's operations. */
  readonly operations: readonly string[];
}

/** Counts of an hour that are small enough to be kept. */
export interface CountedHour {
  /** Beginning of the hour, epoch milliseconds. */
  readonly hourAt: number;
  readonly bytes: Uint8Array;
}

export interface HourRecorder {
  /**
   * Counts one request, see `HourCounter.recordEntries`. The hour before is closed when `nowMs` is the first of a new
   * one; a clock that leaps back goes on in the open hour.
   */
  record(nowMs: number, currentOp: string, entries: readonly { readonly op: string }[]): void;
  /** New operations count from now on, those that are gone no longer from the next hour on. */
  setOperations(shortIds: readonly string[]): void;
  /** Remembers that a request was not counted, for whoever reads the counts. */
  addCapped(nowMs: number): void;
  /**
   * What to store: hours that were closed since the last call, and the open hour as it is now, unless nothing was
   * counted in it since. A zone without traffic stores nothing.
   */
  takeSnapshots(nowMs: number): readonly CountedHour[];
}

/** @throws {RangeError} for text that is no short id, and for options out of range */
export function createHourRecorder(options: HourRecorderOptions): HourRecorder {
  let shortIds = options.operations;
  let table = createOperationTable(shortIds);
  // Refuses bad options now rather than at the first request.
  let counter: HourCounter = createHourCounter({ ...options, operations: table });
  let hourAt = 0;
  let requests = 0;
  let taken = 0;
  let closed: CountedHour[] = [];

  return {
    record(nowMs, currentOp, entries) {
      begin(nowMs);
      counter.recordEntries(currentOp, entries);
    },
    addCapped(nowMs) {
      begin(nowMs);
      counter.addCapped();
    },
    setOperations(given) {
      table.add(given);
      shortIds = given;
    },
    takeSnapshots(nowMs) {
      if (isOver(nowMs)) close();
      const snapshots = closed;
      closed = [];
      if (requests === taken) return snapshots;
      taken = requests;
      return [...snapshots, counted()];
    },
  };

  function begin(nowMs: number): void {
    if (isOver(nowMs)) close();
    if (requests === 0) hourAt = Math.floor(nowMs / HOUR_MS) * HOUR_MS;
    requests += 1;
  }

  function isOver(nowMs: number): boolean {
    return requests > 0 && nowMs >= hourAt + HOUR_MS;
  }

  function close(): void {
    if (requests > taken) closed = [...closed, counted()].slice(-WINDOW_HOURS);
    // What is no operation any more gets no index in the next hour.
    table = createOperationTable(shortIds, table.version + 1);
    counter = createHourCounter({ ...options, operations: table });
    requests = 0;
    taken = 0;
  }

  function counted(): CountedHour {
    return {
      hourAt,
      bytes: encodeSnapshot(counter, { maxNodes: CLOSED_MAX_NODES, maxPairs: CLOSED_MAX_PAIRS }),
    };
  }
}
