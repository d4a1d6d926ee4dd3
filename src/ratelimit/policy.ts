/** A rule's `ratelimit` member as a policy. */
import type { RateLimitPolicy } from "./types.ts";

/** The members of `ratelimit` that say when the rule acts; wire names, checked when the rule was stored. */
export interface RateLimitParameters {
  /** Seconds. */
  readonly period: number;
  readonly requests_per_period?: number;
  /** Seconds; 0 or absent throttles only the excess. */
  readonly mitigation_timeout?: number;
  readonly score_per_period?: number;
}

/** What a rule adds up. */
export type RateLimitUnit = "requests" | "score";

/** `score` when the rule adds up what the origin reports, `requests` otherwise. */
export function rateLimitUnit(parameters: RateLimitParameters): RateLimitUnit {
  return parameters.requests_per_period === undefined && parameters.score_per_period !== undefined
    ? "score"
    : "requests";
}

/** @throws {RangeError} for a rule that has neither `requests_per_period` nor `score_per_period`, or figures that count nothing */
export function toRateLimitPolicy(parameters: RateLimitParameters): RateLimitPolicy {
  const limit = parameters.requests_per_period ?? parameters.score_per_period;
  if (limit === undefined) {
    throw new RangeError("expected `requests_per_period` or `score_per_period`, found neither");
  }
  return {
    limit: whole("limit", limit, 1),
    periodMs: whole("period", parameters.period, 1) * 1000,
    lockoutMs: whole("mitigation_timeout", parameters.mitigation_timeout ?? 0, 0) * 1000,
  };
}

/** Highest score of one response (Cloudflare, "Request rate calculation"). */
export const MAX_SCORE = 1_000_000;

/**
 * The score that an origin reports in a response field.
 *
 * @param value the field's value; `undefined` when the response has none
 * @returns 1 to 1,000,000, or 0 (count nothing) for a missing value or anything but such a whole number
 */
export function parseScore(value: string | undefined): number {
  if (value === undefined || !/^[\t ]*0{0,7}[1-9][0-9]{0,6}[\t ]*$/.test(value)) return 0;
  const score = Number(value);
  return score <= MAX_SCORE ? score : 0;
}

function whole(name: string, value: number, min: number): number {
  if (Number.isSafeInteger(value) && value >= min) return value;
  throw new RangeError(`expected \`${name}\` to be a whole number of at least ${min}, found \`${value}\``);
}
