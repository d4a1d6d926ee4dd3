/** The figures of the sequence cookies, each with its reason (spec: sequence cookies, sections 1.1 to 1.4). */
import type { SequenceLimits } from "./types.ts";

/** What the cookie variant remembers unless configured otherwise: the figures of the product's documentation. */
export const DEFAULT_LIMITS: SequenceLimits = { maxEntries: 10, maxAgeMs: 3_600_000 };

/** Entries a cookie can hold at most: 64 of them seal into about 700 characters, far below the 4,096 of a browser. */
export const MAX_ENTRIES = 64;

/** Longest look-back: beyond a day a cookie would need more key epochs than its name can tell apart with certainty. */
export const MAX_AGE_MS = 86_400_000;

/** Cookies opened for one request. Browsers send older cookies first, so these are the last ones of the header. */
export const MAX_READ_COOKIES = 64;

/** Delete lines of one response: about 4 KB, what a proxy with an 8 KB header buffer still takes. */
export const MAX_DELETED_COOKIES = 100;

/** Chains born within this time of one another come from the same first burst of parallel requests. */
export const GENESIS_WINDOW_MS = 10_000;

/** Views remembered: about 1 MB, 4 MB under attack. A forgotten view costs bytes in a header, never an entry. */
export const MAX_VIEWS = 4096;

/** Responses of one process for the same view that write the full state: 2 in a single process, 1 where several share the traffic. */
export const DEFAULT_LEADS = 2;

/** Responses for the same view from which on the same operation shares one cookie. */
export const DEFAULT_COALESCE_AFTER = 16;

/**
 * Refuses limits that no cookie can carry.
 *
 * @throws {RangeError} naming the limit, its bounds and the value found.
 */
export function checkLimits(limits: SequenceLimits): void {
  checkWhole("maxEntries", limits.maxEntries, MAX_ENTRIES);
  checkWhole("maxAgeMs", limits.maxAgeMs, MAX_AGE_MS);
}

function checkWhole(name: string, value: number, max: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= max) return;
  throw new RangeError(`expected \`${name}\` to be a whole number from 1 to ${max}, found \`${value}\``);
}
