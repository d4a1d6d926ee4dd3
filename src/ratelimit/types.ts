/** Rate-limit counters as values, and what keeps them. */

/** When one rule acts. Made from a rule's `ratelimit` member by `toRateLimitPolicy`. */
export interface RateLimitPolicy {
  /** Requests (or score) of one window that still pass; whole, at least 1. The rule acts when a counter exceeds it. */
  readonly limit: number;
  /** Length of the window, whole milliseconds, at least 1. */
  readonly periodMs: number;
  /** How long the rule acts on everything once it has acted, whole milliseconds; 0 only throttles the excess. */
  readonly lockoutMs: number;
}

/** What a counter says right after it was asked. Spans of time, not instants: whose clock measured them does not matter. */
export interface RateLimitState {
  /** Whether the rule acts on this request. */
  readonly acts: boolean;
  /** How much of the limit is left; 0 when the rule acts. */
  readonly remaining: number;
  /** Milliseconds until the window ends and the counter begins anew; 0 when nothing was counted yet. */
  readonly resetMs: number;
  /** Milliseconds for which the rule acts on everything with this key; 0 when it does not. */
  readonly lockedMs: number;
}

/**
 * Counts by key. Checking and counting are one step: of 10 N parallel hits with a limit of N exactly N pass.
 *
 * A store that cannot answer in time rejects with a `StateUnavailableError` (src/sequence/store.ts); what then
 * happens to the request is for the rule to say (`on_state_error`).
 */
export interface RateLimitStore {
  /**
   * @param key what `counterKey` gives; printable ASCII
   * @param nowMs epoch milliseconds of the caller; a store that nodes share goes by its own clock instead
   * @param amount how much to count: 1 for a request, its score for a score, 0 to look without counting
   */
  hit(
    key: string,
    policy: RateLimitPolicy,
    nowMs: number,
    amount: number,
  ): RateLimitState | Promise<RateLimitState>;
  /** Begins anew: a challenge was passed ("their request counter is set to zero"). */
  reset(key: string): void | Promise<void>;
}
