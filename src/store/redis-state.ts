/** Everything that nodes share through Redis, over one connection. */
import type { RateLimitStore } from "../ratelimit/index.ts";
import type { SequenceStore } from "../sequence/index.ts";
import { connectRedis } from "./redis-connection.ts";
import type { RedisConnectionOptions } from "./redis-connection.ts";
import type { RedisStatus } from "./redis-gate.ts";
import { createRedisRateLimitStore } from "./redis-rate-limits.ts";
import { createRedisSequenceStore } from "./redis-sequences.ts";

export interface RedisState {
  readonly rateLimits: RateLimitStore;
  readonly sequences: SequenceStore;
  /** Whether calls are sent at all now. */
  readonly status: RedisStatus;
  readonly close: () => void;
}

/**
 * Connects to Redis in the background; until it is there every call rejects with a `StateUnavailableError`.
 *
 * @throws {StoreError} `ERR_STORE_OPEN` for a malformed URL, or when the package `ioredis` is not installed
 */
export async function openRedisState(options: RedisConnectionOptions): Promise<RedisState> {
  const { commands, gate, close } = await connectRedis(options);
  return {
    rateLimits: createRedisRateLimitStore(commands),
    sequences: createRedisSequenceStore(commands),
    get status() {
      return gate.status;
    },
    close,
  };
}
