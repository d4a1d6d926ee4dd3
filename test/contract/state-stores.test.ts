/** Both suites, run against memory and against a real Redis. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { createMemoryRateLimitStore } from "../../src/store/memory-rate-limits.ts";
import { createMemorySequenceStore } from "../../src/store/memory-sequences.ts";
import { openRedisState } from "../../src/store/redis-state.ts";
import { describeRateLimitStore } from "./rate-limit-store.ts";
import { startRedis } from "./redis-server.ts";
import type { TestRedis } from "./redis-server.ts";
import { describeSequenceStore } from "./sequence-store.ts";
import { sleep, until } from "./wait.ts";

/** Time that one call to Redis may take on a busy machine. */
const CALL_MS = 40;

function withFakeClock<Store>(store: Store) {
  let nowMs = 1_790_000_000_000;
  return {
    store,
    now: () => nowMs,
    advance: async (ms: number) => void (nowMs += ms),
    close: async () => undefined,
  };
}

/** A Redis and a connection to it, with a time-out that a busy machine cannot exceed. */
async function openOnRedis() {
  const redis = await startRedis();
  const state = await openRedisState({ url: redis.url, timeoutMs: 5000 });
  await until(() => state.status === "up", 5000);
  const close = async () => {
    state.close();
    await redis.close();
  };
  return { ...state, now: () => Date.now(), advance: sleep, close };
}

describeRateLimitStore("rate limits in memory", async () => withFakeClock(createMemoryRateLimitStore()), 0);
describeSequenceStore("sequences in memory", async () => withFakeClock(createMemorySequenceStore()), 0);

describeRateLimitStore(
  "rate limits on Redis",
  async () => {
    const state = await openOnRedis();
    return { ...state, store: state.rateLimits };
  },
  CALL_MS,
);
describeSequenceStore(
  "sequences on Redis",
  async () => {
    const state = await openOnRedis();
    return { ...state, store: state.sequences };
  },
  CALL_MS,
);

describe("nodes whose clocks differ", () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(async () => {
    await redis.close();
  });

  test("agree on ages: each sees them on its own clock", async () => {
    const [ahead, behind] = await Promise.all([
      openRedisState({ url: redis.url, timeoutMs: 5000 }),
      openRedisState({ url: redis.url, timeoutMs: 5000 }),
    ]);
    await until(() => ahead.status === "up" && behind.status === "up", 5000);
    const session = { key: "zone:s:skew", limits: { maxEntries: 10, maxIdleMs: 600_000 } };
    const aheadNow = Date.now() + 3_600_000;
    await ahead.sequences.append(session, { op: "aaaaaaaa", at: aheadNow - 2000 }, aheadNow);
    const behindNow = Date.now() - 3_600_000;
    const { sequence } = await behind.sequences.read(session, behindNow);
    const ageMs = behindNow - (sequence.entries[0]?.at ?? 0);
    expect(ageMs).toBeGreaterThanOrEqual(2000);
    expect(ageMs).toBeLessThan(2000 + 2 * CALL_MS);
    ahead.close();
    behind.close();
  });

  test("share windows: none ends one for the others", async () => {
    const state = await openRedisState({ url: redis.url, timeoutMs: 5000 });
    await until(() => state.status === "up", 5000);
    const policy = { limit: 1, periodMs: 10_000, lockoutMs: 0 };
    await state.rateLimits.hit("zone:rl:skew", policy, Date.now(), 1);
    expect((await state.rateLimits.hit("zone:rl:skew", policy, Date.now() + 3_600_000, 1)).acts).toBe(true);
    state.close();
  });
});

describe("what Redis holds", () => {
  test("expires by itself, under keys of ours only, in few bytes", async () => {
    const redis = await startRedis();
    const state = await openRedisState({ url: redis.url, timeoutMs: 5000 });
    await until(() => state.status === "up", 5000);
    const limits = { maxEntries: 10, maxIdleMs: 600_000 };
    const key = "0123456789abcdef0123456789abcdef:s:AAAAAAAAAAAAAAAAAAAAAA";
    for (let step = 0; step < 30; step += 1) {
      await state.sequences.append(
        { key, limits },
        { op: `0000000${step % 10}`, at: Date.now() },
        Date.now(),
      );
    }
    await state.rateLimits.hit("zone:rl:x", { limit: 1, periodMs: 60_000, lockoutMs: 0 }, Date.now(), 1);
    expect(await redis.command("DBSIZE")).toBe(":2");
    expect(Number((await redis.command(`PTTL sg:${key}`)).slice(1))).toBeGreaterThan(590_000);
    expect(Number((await redis.command("PTTL sg:zone:rl:x")).slice(1))).toBeGreaterThan(50_000);
    expect(Number((await redis.command(`MEMORY USAGE sg:${key}`)).slice(1))).toBeLessThan(320);
    state.close();
    await redis.close();
  });
});
