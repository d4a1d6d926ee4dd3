/** The hour that is being counted. */
import { encodeSnapshot } from "./encode-snapshot.ts";
import { createHourCounter } from "./hour-counter.ts";
import type { HourCounter, HourCounterOptions } from "./hour-counter.ts";
import { CLOSED_MAX_NODES, CLOSED_MAX_PAIRS, HOUR_MS } from "./limits.ts";
import { createOperationTable } from "./operation-table.ts";
import type { OperationTable } from "./operation-table.ts";
import { decodeSnapshot } from "./snapshot.ts";
import type { Snapshot } from "./snapshot.ts";

export interface CurrentHourOptions extends Pick<HourCounterOptions, "maxNodes" | "maxPairs"> {
  /** Short ids of the zone's operations. */
  readonly operations: readonly string[];
}

/** Counts of an hour that are small enough to be kept. */
export interface CountedHour {
  /** Beginning of the hour, epoch milliseconds. */
  readonly hourAt: number;
  readonly bytes: Uint8Array;
}

export interface CurrentHour {
  /** Requests since the hour began; 0 when none came yet. */
  readonly requests: number;
  readonly operations: OperationTable;
  setOperations(shortIds: readonly string[]): void;
  /** Counts in the hour of the first request, also when the clock leaps back. */
  record(nowMs: number, currentOp: string, previousOps: readonly string[]): void;
  isOver(nowMs: number): boolean;
  /** What was counted, cut to size; `undefined` without requests. */
  counted(): CountedHour | undefined;
  /** What was counted, in full; `undefined` without requests. */
  snapshot(): Snapshot | undefined;
  /** Ends the hour; the next request begins another. */
  end(): void;
}

/** @throws {RangeError} for text that is no short id, and for options out of range */
export function createCurrentHour(options: CurrentHourOptions): CurrentHour {
  let shortIds = options.operations;
  let table = createOperationTable(shortIds);
  // Refuses bad options now rather than at the first request.
  let counter: HourCounter = createHourCounter({ ...options, operations: table });
  let hourAt = 0;
  let requests = 0;
  return {
    get requests() {
      return requests;
    },
    get operations() {
      return table;
    },
    setOperations(given) {
      table.add(given);
      shortIds = given;
    },
    record(nowMs, currentOp, previousOps) {
      if (requests === 0) hourAt = Math.floor(nowMs / HOUR_MS) * HOUR_MS;
      requests += 1;
      counter.recordIds(currentOp, previousOps);
    },
    isOver: (nowMs) => requests > 0 && nowMs >= hourAt + HOUR_MS,
    counted() {
      if (requests === 0) return undefined;
      const bytes = encodeSnapshot(counter, { maxNodes: CLOSED_MAX_NODES, maxPairs: CLOSED_MAX_PAIRS });
      return { hourAt, bytes };
    },
    snapshot() {
      const decoded = requests === 0 ? undefined : decodeSnapshot(encodeSnapshot(counter));
      return decoded?.kind === "snapshot" ? decoded : undefined;
    },
    end() {
      // What is no operation any more gets no index in the next hour.
      table = createOperationTable(shortIds, table.version + 1);
      counter = createHourCounter({ ...options, operations: table });
      requests = 0;
    },
  };
}
