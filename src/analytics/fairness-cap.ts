/**
 * Keeps a flood of one client from writing the ranking (attack G1): each sequence and each address prefix may add
 * only so many requests an hour to the counts. Requests beyond that are served, just not counted.
 *
 * The memory is fixed: counts are kept in a count-min sketch (Cormode and Muthukrishnan, 2005) with conservative
 * update. It never forgets a request, so nobody gets past the cap; where many visitors share its counters somebody
 * may reach the cap too early.
 */
import { CAP_COUNTERS, DEFAULT_PER_ADDRESS_PREFIX, DEFAULT_PER_SEQUENCE, HOUR_MS } from "./limits.ts";

export interface FairnessCapOptions {
  /** Requests an hour of one sequence; 200 by default, at most 65,535. */
  readonly perSequence?: number;
  /** Requests an hour from one address prefix; 2,000 by default, at most 65,535. */
  readonly perAddressPrefix?: number;
  /** 32 random bits, so that nobody can look for somebody whose counters to fill. */
  readonly seed: number;
}

export interface FairnessCap {
  /**
   * Decides whether a request may be counted, and remembers that it was. A refused request leaves no trace.
   *
   * @param sequenceId names the chain of sequence cookies or the session; `undefined` for a request that brought
   *   neither, which only its address prefix limits
   * @param addressPrefix see `addressPrefix`; requests without an address share one budget
   * @param nowMs epoch milliseconds; budgets start anew with the hour
   */
  admit(sequenceId: string | undefined, addressPrefix: string, nowMs: number): boolean;
  /** Requests that were refused since the hour began. */
  readonly refused: number;
}

/** @throws {RangeError} for a cap that is no whole number from 1 to 65,535 */
export function createFairnessCap(options: FairnessCapOptions): FairnessCap {
  const { perSequence = DEFAULT_PER_SEQUENCE, perAddressPrefix = DEFAULT_PER_ADDRESS_PREFIX, seed } = options;
  checkCap("perSequence", perSequence);
  checkCap("perAddressPrefix", perAddressPrefix);
  const sequences = createSketch(seed);
  const prefixes = createSketch(Math.imul(seed, 0x9e37_79b1) ^ 0x5bd1_e995);
  let hour = 0;
  let refused = 0;
  return {
    get refused() {
      return refused;
    },
    admit(sequenceId, addressPrefix, nowMs) {
      const current = Math.floor(nowMs / HOUR_MS);
      // Later hours only: a clock that leaps back must not open a second budget.
      if (current > hour) {
        hour = current;
        refused = 0;
        sequences.clear();
        prefixes.clear();
      }
      // The prefix is asked first: new sequences cost a client nothing, so they must not fill the other sketch.
      const isAdmitted =
        prefixes.estimate(addressPrefix) < perAddressPrefix &&
        (sequenceId === undefined || sequences.estimate(sequenceId) < perSequence);
      if (!isAdmitted) {
        refused += 1;
        return false;
      }
      prefixes.add(addressPrefix);
      if (sequenceId !== undefined) sequences.add(sequenceId);
      return true;
    },
  };
}

/** Counts texts; never too low. */
interface Sketch {
  estimate(text: string): number;
  add(text: string): void;
  clear(): void;
}

/** Rows are hashed independently: only a text that shares a counter in all of them is counted too high. */
const ROWS = 2;

function createSketch(seed: number): Sketch {
  const counters = new Uint16Array(ROWS * CAP_COUNTERS);
  const estimateAt = (hash: number): number => {
    let least = 0xffff;
    for (let row = 0; row < ROWS; row += 1) least = Math.min(least, counters[placeIn(row, hash)] as number);
    return least;
  };
  return {
    estimate: (text) => estimateAt(hashOf(text, seed)),
    add(text) {
      const hash = hashOf(text, seed);
      const next = Math.min(estimateAt(hash) + 1, 0xffff);
      for (let row = 0; row < ROWS; row += 1) {
        const place = placeIn(row, hash);
        if ((counters[place] as number) < next) counters[place] = next;
      }
    },
    clear: () => {
      counters.fill(0);
    },
  };
}

const ROW_FACTORS: readonly number[] = [0x85eb_ca6b, 0xc2b2_ae35];

/** Place of a hash in a row of 65,536 counters. */
function placeIn(row: number, hash: number): number {
  return row * CAP_COUNTERS + (Math.imul(hash ^ (hash >>> 15), ROW_FACTORS[row] ?? 1) >>> 16);
}

/** FNV-1a over UTF-16 code units, finished like MurmurHash3. */
function hashOf(text: string, seed: number): number {
  let hash = seed ^ 0x811c_9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x0100_0193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return hash ^ (hash >>> 16);
}

function checkCap(name: string, value: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= 0xffff) return;
  throw new RangeError(`expected \`${name}\` to be a whole number from 1 to 65,535, found \`${value}\``);
}
