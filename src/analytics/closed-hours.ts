/** The full hours of the last day, of this process and of others, and their sum. */
import { HOUR_MS, MAX_SOURCES_PER_HOUR, MAX_WINDOW_BYTES, WINDOW_HOURS } from "./limits.ts";
import { toNumber } from "./operation-table.ts";
import type { OperationTable } from "./operation-table.ts";
import { decodeSnapshot } from "./snapshot.ts";
import type { Snapshot, SnapshotError } from "./snapshot.ts";
import { addSnapshot, covers, createSum, uniteIds } from "./sum.ts";
import type { Sum } from "./sum.ts";

export interface ClosedHours {
  /** Drops the hours that have left the day; @returns whether there were any */
  forget(nowMs: number): boolean;
  /**
   * Keeps what a source says of an hour, in place of what it said before. Bytes are kept, not copied.
   *
   * @returns why not, if so
   */
  put(hourAt: number, source: string, bytes: Uint8Array): SnapshotError | undefined;
  /** Adds one hour to the sum; @returns whether there are more to add */
  prepare(table: OperationTable): boolean;
  /**
   * The sum of all hours, made once and then kept until they change.
   *
   * @param table operations that the open hour may add, which the sum has room for
   * @param current what will be added to a copy of it
   */
  sum(table: OperationTable, current: Snapshot | undefined): Sum;
}

interface PartialSum {
  readonly sum: Sum;
  /** Snapshots that are still to be added. */
  readonly pending: Snapshot[];
}

export function createClosedHours(): ClosedHours {
  const hours = new Map<number, Map<string, Snapshot>>();
  let partial: PartialSum | undefined;

  return {
    forget(nowMs) {
      const gone = [...hours.keys()].filter((hourAt) => hourAt + WINDOW_HOURS * HOUR_MS <= nowMs);
      for (const hourAt of gone) hours.delete(hourAt);
      if (gone.length > 0) partial = undefined;
      return gone.length > 0;
    },
    put(hourAt, source, bytes) {
      const snapshot = decodeSnapshot(bytes);
      if (snapshot.kind === "error") return snapshot;
      const sources = hours.get(hourAt) ?? new Map<string, Snapshot>();
      if (!sources.has(source) && sources.size >= MAX_SOURCES_PER_HOUR) {
        return tooLarge(
          `expected at most ${MAX_SOURCES_PER_HOUR} sources in an hour: merge their snapshots first`,
        );
      }
      const total = all().reduce((size, kept) => size + kept.bytes.length, bytes.length);
      if (total > MAX_WINDOW_BYTES) {
        return tooLarge(`expected snapshots of at most ${MAX_WINDOW_BYTES} bytes in a day, found ${total}`);
      }
      sources.set(source, snapshot);
      hours.set(hourAt, sources);
      partial = undefined;
      return undefined;
    },
    prepare(table) {
      partial ??= start(table);
      const next = partial.pending.pop();
      if (next !== undefined) addSnapshot(partial.sum, next);
      return partial.pending.length > 0;
    },
    sum(table, current) {
      if (partial !== undefined && current !== undefined && !covers(partial.sum, current))
        partial = undefined;
      partial ??= start(table);
      for (const snapshot of partial.pending.splice(0)) addSnapshot(partial.sum, snapshot);
      return partial.sum;
    },
  };

  function all(): Snapshot[] {
    return hours
      .values()
      .flatMap((sources) => sources.values())
      .toArray();
  }

  function start(table: OperationTable): PartialSum {
    const pending = all();
    const known = Uint32Array.from({ length: table.size }, (_, at) => toNumber(table.shortIdAt(at + 1)));
    return { sum: createSum(uniteIds([known, ...pending.map((snapshot) => snapshot.ids)])), pending };
  }
}

function tooLarge(message: string): SnapshotError {
  return { kind: "error", code: "ERR_SNAPSHOT_SIZE", message };
}
