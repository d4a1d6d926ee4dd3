/** Pairs as a matrix: always exact, and the fastest, as long as there are few operations. */
import type { PairCounter } from "./pair-counter.ts";

const CELL = 65_536;

/** @param bits indexes are below 2^bits; 4 to 10 */
export function createDensePairs(bits: number): PairCounter {
  const cells = new Uint16Array(1 << (2 * bits));
  // A cell counts modulo 65,536; how often it went round is kept for the few that ever do.
  const rounds = new Map<number, number>();
  return {
    loss: 0,
    maxIndex: (1 << bits) - 1,
    bytes: cells.byteLength,
    add(keys, length) {
      for (let at = 0; at < length; at += 1) {
        const key = keys[at] as number;
        const cell = ((key >>> 16) << bits) | (key & 0xffff);
        const count = (cells[cell] as number) + 1;
        cells[cell] = count;
        if (count === CELL) rounds.set(cell, (rounds.get(cell) ?? 0) + 1);
      }
    },
    put(op, before, count) {
      const cell = (op << bits) | before;
      cells[cell] = count % CELL;
      if (count >= CELL) rounds.set(cell, Math.floor(count / CELL));
    },
    forEach(visit) {
      const mask = (1 << bits) - 1;
      for (let cell = 0; cell < cells.length; cell += 1) {
        const count = cells[cell] as number;
        const total = rounds.size === 0 ? count : count + (rounds.get(cell) ?? 0) * CELL;
        if (total > 0) visit(cell >>> bits, cell & mask, total);
      }
    },
  };
}
