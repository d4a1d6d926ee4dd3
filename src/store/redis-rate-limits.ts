/** Rate-limit counters that nodes share, in Redis: one atomic call for each hit. */
import { rateLimitState } from "../ratelimit/index.ts";
import type { RateLimitStore } from "../ratelimit/index.ts";
import type { StateCommands } from "./redis-connection.ts";

/** A hit needs whole numbers: Lua would cut fractions off in some places and not in others. */
export function createRedisRateLimitStore(commands: StateCommands): RateLimitStore {
  return {
    async hit(key, policy, _nowMs, amount) {
      const { limit, periodMs, lockoutMs } = policy;
      const [count, resetMs, lockedMs] = await commands.hit(key, amount, limit, periodMs, lockoutMs);
      return rateLimitState(policy, count, resetMs, lockedMs);
    },
    reset: (key) => commands.forget(key),
  };
}
