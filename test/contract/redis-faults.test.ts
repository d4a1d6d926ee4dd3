/** Redis slow, hung, killed, unreachable or full: calls end in time with one kind of error, and come back. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { StateUnavailableError } from "../../src/sequence/index.ts";
import { openRedisState } from "../../src/store/redis-state.ts";
import type { RedisState } from "../../src/store/redis-state.ts";
import { startRedis } from "./redis-server.ts";
import type { TestRedis } from "./redis-server.ts";
import { startTcpProxy } from "./tcp-proxy.ts";
import type { TcpProxy } from "./tcp-proxy.ts";
import { sleep, until } from "./wait.ts";

const TIMEOUT_MS = 50;
/** The bound that is promised. */
const RECOVERY_MS = 2000;

const policy = { limit: 1_000_000, periodMs: 60_000, lockoutMs: 0 };
const session = { key: "zone:s:faults", limits: { maxEntries: 10, maxIdleMs: 600_000 } };

/** What one call came to. */
interface Call {
  readonly tookMs: number;
  readonly error: unknown;
}

async function callOnce(state: RedisState, turn: number): Promise<Call> {
  const startedAt = performance.now();
  const now = Date.now();
  let error: unknown;
  try {
    if (turn % 3 === 0) await state.rateLimits.hit("zone:rl:faults", policy, now, 1);
    else if (turn % 3 === 1) await state.sequences.append(session, { op: "aaaaaaaa", at: now }, now);
    else await state.sequences.read(session, now);
  } catch (caught) {
    error = caught;
  }
  return { tookMs: performance.now() - startedAt, error };
}

/** Calls without pause on several lanes until stopped, and meanwhile measures how late timers of this process are. */
function startLoad(state: RedisState, lanes = 8) {
  const calls: Call[] = [];
  const stopped = new AbortController();
  let worstLagMs = 0;
  let expectedAt = performance.now() + 5;
  const ticker = setInterval(() => {
    worstLagMs = Math.max(worstLagMs, performance.now() - expectedAt);
    expectedAt = performance.now() + 5;
  }, 5);
  const lane = async (start: number) => {
    for (let turn = start; !stopped.signal.aborted; turn += 1) {
      calls.push(await callOnce(state, turn));
      await sleep(1);
    }
  };
  const running = Promise.all(Array.from({ length: lanes }, (_, index) => lane(index)));
  return {
    calls,
    async stop() {
      stopped.abort();
      clearInterval(ticker);
      await running;
      return { calls, worstLagMs };
    },
  };
}

const isTyped = ({ error }: Call): boolean => error === undefined || error instanceof StateUnavailableError;
const worst = (calls: readonly Call[]): number => Math.max(...calls.map(({ tookMs }) => tookMs));

/** Every call in time but for the lateness of this process, and every error of the one kind. */
function expectOrderly({ calls, worstLagMs }: { calls: readonly Call[]; worstLagMs: number }): void {
  expect(calls.filter((call) => !isTyped(call))).toEqual([]);
  expect(worst(calls)).toBeLessThanOrEqual(TIMEOUT_MS + 25 + worstLagMs);
}

describe("a Redis of its own", () => {
  let redis: TestRedis;
  let proxy: TcpProxy;
  let state: RedisState;
  beforeAll(async () => {
    redis = await startRedis();
    proxy = await startTcpProxy(redis.port);
    state = await openRedisState({ url: `redis://127.0.0.1:${proxy.port}` });
  });
  afterAll(async () => {
    state.close();
    await proxy.close();
    await redis.close();
  });
  beforeEach(async () => {
    await until(() => state.status === "up", 10_000);
  });

  test("killed and restarted under load: no call waits longer than 50 ms, and it is back within 2 s", async () => {
    const load = startLoad(state);
    await sleep(200);
    await redis.kill();
    await sleep(700);
    await redis.start();
    const recoveredMs = await until(() => state.status === "up", 10_000);
    await sleep(100);
    const result = await load.stop();
    expectOrderly(result);
    expect(recoveredMs).toBeLessThanOrEqual(RECOVERY_MS);
    expect(result.calls.at(-1)?.error).toBeUndefined();
    expect(result.calls.some(({ error }) => error !== undefined)).toBe(true);
  });

  test("hung: after the first failures nothing waits, and it is back when Redis is", async () => {
    const load = startLoad(state);
    await sleep(100);
    redis.pause();
    await until(() => state.status === "down", 5000);
    const seenBefore = load.calls.length;
    await sleep(500);
    const refused = load.calls.slice(seenBefore + 8);
    expect(refused.length).toBeGreaterThan(100);
    expect(refused.every(({ error }) => (error as StateUnavailableError).code === "ERR_STATE_DOWN")).toBe(
      true,
    );
    redis.resume();
    expect(await until(() => state.status === "up", 10_000)).toBeLessThanOrEqual(RECOVERY_MS);
    expectOrderly(await load.stop());
  });

  test("hung for so long that connections are replaced", async () => {
    redis.pause();
    const load = startLoad(state, 4);
    await sleep(3500);
    redis.resume();
    expect(await until(() => state.status === "up", 10_000)).toBeLessThanOrEqual(RECOVERY_MS);
    expectOrderly(await load.stop());
    expect((await callOnce(state, 0)).error).toBeUndefined();
  });

  test("slow: typed errors in time, and a probe that comes late opens nothing", async () => {
    proxy.delayMs = 150;
    const load = startLoad(state, 4);
    await sleep(1500);
    expect(state.status).toBe("down");
    // Eight calls at most were under way when the gate shut; all others were refused at once.
    const late = load.calls.filter(({ tookMs }) => tookMs > TIMEOUT_MS / 2);
    expect(late.length).toBeLessThanOrEqual(8);
    proxy.delayMs = 0;
    expect(await until(() => state.status === "up", 10_000)).toBeLessThanOrEqual(RECOVERY_MS);
    expectOrderly(await load.stop());
  });

  test("unreachable while the connection stands: it is replaced", async () => {
    proxy.isBlackHole = true;
    const load = startLoad(state, 4);
    await sleep(2500);
    proxy.isBlackHole = false;
    expect(await until(() => state.status === "up", 10_000)).toBeLessThanOrEqual(RECOVERY_MS);
    expectOrderly(await load.stop());
  });

  test("scripts that Redis has forgotten are sent again", async () => {
    await redis.command("SCRIPT FLUSH");
    const calls = await Promise.all(Array.from({ length: 30 }, (_, turn) => callOnce(state, turn)));
    expect(calls.filter(({ error }) => error !== undefined)).toEqual([]);
  });

  test("out of memory: refused with the cause, without the arguments, and reading goes on", async () => {
    await redis.command("CONFIG SET maxmemory 1");
    const append = await callOnce(state, 1);
    expect(append.error).toBeInstanceOf(StateUnavailableError);
    expect(append.error).toMatchObject({ code: "ERR_STATE_REFUSED" });
    expect(String(append.error)).not.toContain("zone:s:faults");
    expect(state.status).toBe("up");
    await redis.command("CONFIG SET maxmemory 0");
    expect((await callOnce(state, 1)).error).toBeUndefined();
  });
});

describe("connecting", () => {
  test("a Redis that is down at the start delays nothing, and is found when it comes", async () => {
    const redis = await startRedis();
    await redis.kill();
    const statuses: string[] = [];
    const state = await openRedisState({ url: redis.url, onStatus: (status) => statuses.push(status) });
    const call = await callOnce(state, 0);
    expect(call.error).toMatchObject({ code: "ERR_STATE_DOWN" });
    await redis.start();
    expect(await until(() => state.status === "up", 10_000)).toBeLessThanOrEqual(RECOVERY_MS);
    await redis.kill();
    await until(() => state.status === "down", 5000);
    expect(statuses).toEqual(["up", "down"]);
    state.close();
    await redis.close();
  });

  test.each(["", "localhost:6379", "http://127.0.0.1:6379", "redis//x"])(
    "refuses the URL %j",
    async (url) => {
      await expect(openRedisState({ url })).rejects.toMatchObject({ code: "ERR_STORE_OPEN" });
    },
  );

  test("a refused URL is not quoted: it may hold a password", async () => {
    await expect(
      openRedisState({ url: "rediss:/x:secret@host" }).then((state) => state.close()),
    ).resolves.toBeUndefined();
    await expect(openRedisState({ url: "htp://x:secret@host" })).rejects.not.toThrow(/secret/);
  });

  test("closing ends what is under way", async () => {
    const redis = await startRedis();
    const state = await openRedisState({ url: redis.url });
    await until(() => state.status === "up", 5000);
    state.close();
    await until(() => state.status === "down", 5000);
    expect((await callOnce(state, 0)).error).toMatchObject({ code: "ERR_STATE_DOWN" });
    await redis.close();
  });
});
