/** Short ids ↔ small whole numbers, so that counters can live in typed arrays. */
import { MAX_OPERATIONS } from "./limits.ts";

const SHORT_ID = /^[0-9a-f]{8}$/;

/** Operations of one zone in the order in which they were added; an index never changes its meaning. */
export interface OperationTable {
  /** Grows by one with every change. */
  readonly version: number;
  /** Operations held; indexes are 1 to `size`. */
  readonly size: number;
  /** Index of a short id, 0 when it is not in the table. */
  indexOf(shortId: string): number;
  /** Short id at an index, `""` where there is none. */
  shortIdAt(index: number): string;
  /**
   * Adds what is new. Operations beyond 65,535 are left out: their requests are not counted.
   *
   * @param shortIds 8 lower-case hex characters each
   * @throws {RangeError} for text that is no short id, before anything is added
   */
  add(shortIds: readonly string[]): void;
}

/**
 * @param shortIds 8 lower-case hex characters each; repeats are ignored
 * @param version what the table starts at, so that a table made anew does not reuse a version; 1 by default
 * @throws {RangeError} for text that is no short id
 */
export function createOperationTable(shortIds: readonly string[], version = 1): OperationTable {
  const indexes = new Map<string, number>();
  const known: string[] = [""];
  let current = version;
  const table: OperationTable = {
    get version() {
      return current;
    },
    get size() {
      return known.length - 1;
    },
    indexOf: (shortId) => indexes.get(shortId) ?? 0,
    shortIdAt: (index) => known[index] ?? "",
    add(added) {
      for (const shortId of added) checkShortId(shortId);
      const before = known.length;
      for (const shortId of added) {
        if (indexes.has(shortId) || known.length > MAX_OPERATIONS) continue;
        indexes.set(shortId, known.length);
        known.push(shortId);
      }
      if (known.length > before) current += 1;
    },
  };
  table.add(shortIds);
  current = version;
  return table;
}

/** Short id as the 32-bit number it spells. */
export function toNumber(shortId: string): number {
  return Number.parseInt(shortId, 16);
}

/** The inverse of {@link toNumber}. */
export function toShortId(value: number): string {
  return value.toString(16).padStart(8, "0");
}

function checkShortId(shortId: string): void {
  if (SHORT_ID.test(shortId)) return;
  throw new RangeError(
    `expected a short id of 8 lower-case hex characters, found \`${shortId.slice(0, 40)}\``,
  );
}
