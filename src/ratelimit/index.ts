export { createCounter, hitCounter, isSpent, MAX_COUNT, rateLimitState } from "./counter.ts";
export type { Counter } from "./counter.ts";
export { rateLimitHeaders, retryAfterSeconds } from "./headers.ts";
export type { RateLimitReport } from "./headers.ts";
export { counterKey } from "./key.ts";
export type { CharacteristicValue, CounterScope, HashText } from "./key.ts";
export { MAX_SCORE, parseScore, rateLimitUnit, toRateLimitPolicy } from "./policy.ts";
export type { RateLimitParameters, RateLimitUnit } from "./policy.ts";
export type { RateLimitPolicy, RateLimitState, RateLimitStore } from "./types.ts";
