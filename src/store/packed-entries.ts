/**
 * Entries of a session as a string: 8 bytes each, an eighth of what they take as objects.
 *
 * Two code units hold the number of the operation, two the milliseconds to the newer entry before it.
 */
import type { SequenceEntry } from "../sequence/index.ts";

const UNITS = 4;
const MAX_GAP_MS = 2 ** 32 - 1;

/** Numbers operations in the order in which they are met. Grows with the operations ever saved, not with visitors. */
export class EntryPacker {
  readonly #numbers = new Map<string, number>();
  readonly #names: string[] = [];

  /** @param entries newest first */
  pack(entries: readonly SequenceEntry[]): string {
    const units: number[] = [];
    let newerAt = entries[0]?.at ?? 0;
    let offset = 0;
    for (const { op, at } of entries) {
      const number = this.#numberOf(op);
      const gapMs = Math.min(newerAt - at, MAX_GAP_MS);
      units[offset] = number >>> 16;
      units[offset + 1] = number & 0xffff;
      units[offset + 2] = gapMs >>> 16;
      units[offset + 3] = gapMs & 0xffff;
      offset += UNITS;
      newerAt = at;
    }
    return String.fromCharCode(...units);
  }

  /** @param newestAt time of the first entry, epoch milliseconds */
  unpack(packed: string, newestAt: number): readonly SequenceEntry[] {
    const entries: SequenceEntry[] = [];
    let at = newestAt;
    for (let offset = 0; offset < packed.length; offset += UNITS) {
      at -= packed.charCodeAt(offset + 2) * 0x10000 + packed.charCodeAt(offset + 3);
      const number = packed.charCodeAt(offset) * 0x10000 + packed.charCodeAt(offset + 1);
      entries.push({ op: this.#names[number] ?? "", at });
    }
    return entries;
  }

  #numberOf(op: string): number {
    let number = this.#numbers.get(op);
    if (number === undefined) {
      number = this.#names.length;
      this.#numbers.set(op, number);
      this.#names.push(op);
    }
    return number;
  }
}
