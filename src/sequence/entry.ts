/** Entries that know the number which their short id spells: whoever counts requests needs no text to find it. */
import type { SequenceEntry } from "./types.ts";

/** Value of a lower-case hex digit by character code, -1 for any other character. */
const HEX_DIGITS = Int8Array.from({ length: 128 }, (_, code) =>
  "0123456789abcdef".indexOf(String.fromCharCode(code)),
);

const HALF_LENGTH = 4;

class NumberedEntry implements SequenceEntry {
  readonly op: string;
  readonly at: number;
  // Private, so that an entry is equal to any other object with the same operation and time.
  readonly #number: number;

  constructor(op: string, at: number, number: number) {
    this.op = op;
    this.at = at;
    this.#number = number;
  }

  static numberOf(entry: { readonly op: string }): number | undefined {
    return #number in entry ? entry.#number : parseShortId(entry.op);
  }
}

/** @param number the signed 32-bit number that `op` spells */
export function createEntry(op: string, at: number, number: number): SequenceEntry {
  return new NumberedEntry(op, at, number);
}

/** The signed 32-bit number that the short id of an entry spells; `undefined` when it is none. */
export function opNumberOf(entry: { readonly op: string }): number | undefined {
  return NumberedEntry.numberOf(entry);
}

/** The signed 32-bit number that 8 lower-case hex characters spell; `undefined` for any other text. */
function parseShortId(op: string): number | undefined {
  if (op.length !== 2 * HALF_LENGTH) return undefined;
  let high = 0;
  let low = 0;
  // A digit that is none makes its half negative, and negative it stays.
  for (let index = 0; index < HALF_LENGTH; index += 1) {
    high = (high << 4) | digitAt(op, index);
    low = (low << 4) | digitAt(op, index + HALF_LENGTH);
  }
  return high < 0 || low < 0 ? undefined : (high << 16) | low;
}

function digitAt(op: string, index: number): number {
  return HEX_DIGITS[op.charCodeAt(index)] ?? -1;
}
