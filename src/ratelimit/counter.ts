/**
 * The arithmetic of one counter. The Lua script of the Redis store does the same, step by step.
 *
 * The window is fixed and begins with the first request that it counts. Against a sliding window that decides
 * three things: the first N of a window pass and nobody else, under every load; the time told to the client is the
 * time after which it is served again; a counter is three numbers, however high the limit. The price is known too:
 * around the end of a window up to 2 N − 1 requests may pass within less than a period (never more than N in a
 * window). Windows begin with their clients, not with the clock, so clients that were turned away do not all come
 * back in the same second (draft-ietf-httpapi-ratelimit-headers-11, section 8.5).
 */
import type { RateLimitPolicy, RateLimitState } from "./types.ts";

/** A counter. Changed in place: it is the one value here that every request touches. */
export interface Counter {
  /** Requests or score of the window so far. */
  count: number;
  /** Epoch milliseconds; 0 when no window is open. */
  windowEndsAt: number;
  /** Epoch milliseconds until which everything is acted on; 0 for never. */
  lockedUntil: number;
}

/** Where counting stops: beyond it adding 1 has no effect on a double. */
export const MAX_COUNT = Number.MAX_SAFE_INTEGER;

export function createCounter(): Counter {
  return { count: 0, windowEndsAt: 0, lockedUntil: 0 };
}

/**
 * Counts and says what follows.
 *
 * While a key is locked out nothing is counted and the lock-out is not prolonged: it lasts for as long as
 * configured, not for as long as the client goes on trying. A window that is still open when the lock-out ends
 * stays exceeded; in no window do more than N pass.
 *
 * @param nowMs epoch milliseconds
 * @param amount whole, 0 or more; 0 only looks, and opens no window
 */
export function hitCounter(
  counter: Counter,
  policy: RateLimitPolicy,
  nowMs: number,
  amount: number,
): RateLimitState {
  limitToPolicy(counter, policy, nowMs);
  if (counter.lockedUntil <= nowMs) {
    if (counter.windowEndsAt <= nowMs) {
      counter.count = 0;
      counter.windowEndsAt = amount > 0 ? nowMs + policy.periodMs : 0;
    }
    counter.count = Math.min(counter.count + amount, MAX_COUNT);
    if (counter.count > policy.limit && policy.lockoutMs > 0) counter.lockedUntil = nowMs + policy.lockoutMs;
  }
  const resetMs = Math.max(counter.windowEndsAt - nowMs, 0);
  return rateLimitState(policy, counter.count, resetMs, Math.max(counter.lockedUntil - nowMs, 0));
}

/** Whether a counter says no more than a new one would. */
export function isSpent(counter: Counter, nowMs: number): boolean {
  return counter.windowEndsAt <= nowMs && counter.lockedUntil <= nowMs;
}

/**
 * What a counter's figures mean.
 *
 * @param resetMs milliseconds until the window ends, 0 or more
 * @param lockedMs milliseconds until the lock-out ends, 0 or more
 */
export function rateLimitState(
  policy: RateLimitPolicy,
  count: number,
  resetMs: number,
  lockedMs: number,
): RateLimitState {
  const acts = lockedMs > 0 || count > policy.limit;
  return { acts, remaining: acts ? 0 : policy.limit - count, resetMs, lockedMs };
}

/** Nothing ends later than the policy allows from now on: the clock may have been set back, or the rule changed. */
function limitToPolicy(counter: Counter, policy: RateLimitPolicy, nowMs: number): void {
  const latestEnd = nowMs + policy.periodMs;
  if (counter.windowEndsAt > latestEnd) counter.windowEndsAt = latestEnd;
  const latestLock = nowMs + policy.lockoutMs;
  if (counter.lockedUntil > latestLock) counter.lockedUntil = latestLock;
}
