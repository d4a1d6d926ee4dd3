/** Random bytes on Node, drawn in bulk: one call of the system per few hundred cookies. */
import { randomFillSync } from "node:crypto";

const POOL_BYTES = 8192;

/** @returns a source of cryptographically strong bytes; no byte is handed out twice */
export function createRandomSource(): (size: number) => Uint8Array {
  let pool = new Uint8Array(0);
  let used = 0;
  return (size) => {
    if (size > POOL_BYTES) return randomFillSync(new Uint8Array(size));
    if (used + size > pool.length) {
      // A new pool, never the old one refilled: slices that were handed out keep their bytes.
      pool = randomFillSync(new Uint8Array(POOL_BYTES));
      used = 0;
    }
    used += size;
    return pool.subarray(used - size, used);
  };
}
