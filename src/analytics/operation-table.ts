/** Short ids ↔ small whole numbers, so that counters can live in typed arrays. */
import { MAX_OPERATIONS } from "./limits.ts";

const SHORT_ID = /^[0-9a-f]{8}$/;
const SHORT_ID_LENGTH = 8;

const NO_DIGIT = 16;
/** Value of a hexadecimal digit by its character code. */
const DIGITS = Uint8Array.from({ length: 128 }, (_, code) => {
  const digit = "0123456789abcdef".indexOf(String.fromCharCode(code));
  return digit === -1 ? NO_DIGIT : digit;
});

/** Places of a new table, a power of two; at most half of them are in use. */
const START_SLOTS = 64;
/** Words of a place: the number that an id spells, its index or 0. */
const SLOT_WORDS = 2;
const INDEX = 1;
const HASH_FACTOR = 0x9e37_79b1;

/** Operations of one zone in the order in which they were added; an index never changes its meaning. */
export interface OperationTable {
  /** Grows by one with every change. */
  readonly version: number;
  /** Operations held; indexes are 1 to `size`. */
  readonly size: number;
  /** Index of a short id, 0 when it is not in the table. */
  indexOf(shortId: string): number;
  /**
   * Writes the indexes of short ids that are given as the signed 32-bit numbers which they spell.
   *
   * @param length ids that count
   * @param from where in `into` the first one goes
   */
  writeIndexes(ids: Int32Array, length: number, into: Uint16Array, from: number): void;
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
 * Requests look up some ten short ids each, in texts that were just made of a cookie: the number that a text spells is
 * found faster than the text, which would have to be hashed each time.
 *
 * @param shortIds 8 lower-case hex characters each; repeats are ignored
 * @param version what the table starts at, so that a table made anew does not reuse a version; 1 by default
 * @throws {RangeError} for text that is no short id
 */
export function createOperationTable(shortIds: readonly string[], version = 1): OperationTable {
  const known: string[] = [""];
  let slots = new Int32Array(START_SLOTS * SLOT_WORDS);
  let shift = Math.clz32(START_SLOTS - 1);
  let current = version;

  const table: OperationTable = {
    get version() {
      return current;
    },
    get size() {
      return known.length - 1;
    },
    indexOf(shortId) {
      const id = parseShortId(shortId);
      return id === undefined ? 0 : (slots[slotOf(id) + INDEX] as number);
    },
    writeIndexes(ids, length, into, from) {
      // A loop over what does not change, so that several rounds of it are on their way at once.
      const [places, bits] = [slots, shift];
      for (let at = 0; at < length; at += 1) {
        into[from + at] = places[slotIn(places, bits, ids[at] as number) + INDEX] as number;
      }
    },
    shortIdAt: (index) => known[index] ?? "",
    add(added) {
      for (const shortId of added) checkShortId(shortId);
      const before = known.length;
      for (const shortId of added) {
        if (known.length > MAX_OPERATIONS) break;
        if (known.length * 2 * SLOT_WORDS >= slots.length) widen();
        const id = toNumber(shortId) | 0;
        const slot = slotOf(id);
        if (slots[slot + INDEX] !== 0) continue;
        slots[slot] = id;
        slots[slot + INDEX] = known.length;
        known.push(shortId);
      }
      if (known.length > before) current += 1;
    },
  };
  table.add(shortIds);
  current = version;
  return table;

  function slotOf(id: number): number {
    return slotIn(slots, shift, id);
  }

  function widen(): void {
    slots = new Int32Array(slots.length * 2);
    shift -= 1;
    for (let index = 1; index < known.length; index += 1) {
      const id = toNumber(known[index] as string) | 0;
      const slot = slotOf(id);
      slots[slot] = id;
      slots[slot + INDEX] = index;
    }
  }
}

/** Where an id is, or would be put. */
function slotIn(slots: Int32Array, shift: number, id: number): number {
  const mask = slots.length - 1;
  let slot = (Math.imul(id, HASH_FACTOR) >>> shift) * SLOT_WORDS;
  while (slots[slot + INDEX] !== 0 && slots[slot] !== id) slot = (slot + SLOT_WORDS) & mask;
  return slot;
}

/** The number that a short id spells, signed; `undefined` for any other text. */
export function parseShortId(text: string): number | undefined {
  if (text.length !== SHORT_ID_LENGTH) return undefined;
  let id = 0;
  let seen = 0;
  for (let at = 0; at < SHORT_ID_LENGTH; at += 1) {
    // Beyond the table is `undefined`, which counts as no digit too.
    const digit = DIGITS[text.charCodeAt(at)] ?? NO_DIGIT;
    seen |= digit;
    id = (id << 4) | digit;
  }
  return seen >= NO_DIGIT ? undefined : id;
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
