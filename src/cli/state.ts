/** State that is not in cookies: in the memory of this process, or in a Redis that nodes share. */
import type { RateLimits } from "../engine/index.ts";
import type { SequenceStore } from "../sequence/index.ts";
import {
  createMemoryRateLimitStore,
  createMemorySequenceStore,
  openRedisState,
  StoreError,
} from "../store/index.ts";
import type { Config } from "./config.ts";
import { hashText } from "./hash.ts";
import type { Logger } from "./log.ts";
import { UserError } from "./user-error.ts";

export interface State {
  readonly sequences: SequenceStore;
  readonly rateLimits: RateLimits;
  readonly close: () => void;
}

/**
 * A Redis that is down keeps nothing from starting: until it answers, rules go by their `on_state_error`.
 *
 * @throws {UserError} when the client library is not installed
 */
export async function openState({ redis }: Pick<Config, "redis">, logger: Logger): Promise<State> {
  if (redis === undefined) {
    return {
      sequences: createMemorySequenceStore(),
      rateLimits: { store: createMemoryRateLimitStore(), hash: hashText },
      close: () => undefined,
    };
  }
  const state = await openRedis(redis, logger);
  return {
    sequences: state.sequences,
    rateLimits: { store: state.rateLimits, hash: hashText },
    close: state.close,
  };
}

async function openRedis(
  { url, timeoutMs }: NonNullable<Config["redis"]>,
  logger: Logger,
): ReturnType<typeof openRedisState> {
  try {
    return await openRedisState({
      url,
      timeoutMs,
      onStatus(status, reason) {
        const line = { event: "redis", status, reason };
        if (status === "up") logger.info(line, "shared state is available");
        else logger.warn(line, "shared state is not available: rules go by their on_state_error");
      },
    });
  } catch (error) {
    if (error instanceof StoreError) throw new UserError(`redis: ${error.message}`);
    throw error;
  }
}
