/** Counts failed authentications, so that guessing and broken scripts cost little. */
import {
  AUTH_WINDOW_MS,
  MAX_AUTH_FAILURES,
  MAX_AUTH_FAILURES_TOTAL,
  MAX_TRACKED_ADDRESSES,
} from "./limits.ts";

export interface AuthLimiter {
  /**
   * Counts a failure. Returns whether it is one too many, and has to be answered with 429.
   *
   * A valid token always passes, also from an address with many failures: tokens have 256 random bits, so that no
   * rate of guessing is dangerous, while locking an address out would let any local script lock out the operator.
   */
  fail(address: string): boolean;
}

export function createAuthLimiter(now: () => number): AuthLimiter {
  let windowEndsAt = 0;
  let total = 0;
  const failures = new Map<string, number>();
  return {
    fail(address) {
      const at = now();
      if (at >= windowEndsAt) {
        windowEndsAt = at + AUTH_WINDOW_MS;
        total = 0;
        failures.clear();
      }
      total += 1;
      const count = (failures.get(address) ?? 0) + 1;
      if (count > 1 || failures.size < MAX_TRACKED_ADDRESSES) failures.set(address, count);
      return count > MAX_AUTH_FAILURES || total > MAX_AUTH_FAILURES_TOTAL;
    },
  };
}
