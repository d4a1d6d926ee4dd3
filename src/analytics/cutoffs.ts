/** Where to cut when a table holds more counts than it may. */

/** Counts up to here are binned, which is what a full table mostly holds; sorting is for the rest. */
const BINS = 4096;

/**
 * Smallest count that at least half of the counts do not exceed, so that lowering all by it drops at least half.
 *
 * @param counts above 0; at least one
 */
export function medianOf(counts: Uint32Array | Int32Array): number {
  const bins = new Uint32Array(BINS + 1);
  for (const count of counts) {
    const bin = Math.min(count, BINS);
    bins[bin] = (bins[bin] as number) + 1;
  }
  let seen = 0;
  for (let count = 1; count < BINS; count += 1) {
    seen += bins[count] as number;
    if (seen * 2 >= counts.length) return count;
  }
  return counts.toSorted()[(counts.length - 1) >>> 1] as number;
}

/** Least count such that no more than `most` counts reach it; 1 when all of them may stay. */
export function floorOf(counts: Uint32Array, most: number): number {
  if (counts.length <= most) return 1;
  return (counts.toSorted()[counts.length - 1 - most] as number) + 1;
}
