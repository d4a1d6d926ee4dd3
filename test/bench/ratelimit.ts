/** Rate-limit counters: ours over a bare Map, and ours on Redis over the same script without what guards it. */
import { Redis } from "ioredis";

import { counterKey } from "../../src/ratelimit/index.ts";
import { createMemoryRateLimitStore, openRedisState } from "../../src/store/index.ts";
import { HIT } from "../../src/store/redis-scripts.ts";
import { startRedis } from "../contract/redis-server.ts";
import { until } from "../contract/wait.ts";

interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

const ROUNDS = 15;
const KEYS = 10_000;
const HITS = 200_000;

const REDIS_ROUNDS = 7;
const REDIS_HITS = 4000;
const IN_FLIGHT = 64;

const policy = { limit: 100, periodMs: 60_000, lockoutMs: 0 };
const scope = { zoneId: "0123456789abcdef0123456789abcdef", ruleId: "f".repeat(32), ruleVersion: "1" };
const keys = Array.from({ length: KEYS }, (_, index) =>
  counterKey(scope, [`10.0.${index >> 8}.${index & 255}`], (text) => text),
);

export async function measure(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  figures.push(...measureMemory());
  figures.push(...(await measureRedis()));
  return figures;
}

function measureMemory(): readonly Figure[] {
  const bare: number[] = [];
  const ours: number[] = [];
  // The rounds take turns, so that what else the machine does falls on both alike.
  for (let round = 0; round < ROUNDS; round += 1) {
    bare.push(cpuNanoseconds(countInMap));
    ours.push(cpuNanoseconds(hitStore));
  }
  return [
    { name: "ratelimit-memory/map", value: median(ours) / median(bare), unit: "x" },
    { name: "ratelimit-memory-ns", value: median(ours) / HITS, unit: "ns" },
  ];
}

/** What a counter is at its simplest: no window, no limit, no bound. */
function countInMap(): void {
  const counts = new Map<string, number>();
  for (let hit = 0; hit < HITS; hit += 1) {
    const key = keyOf(hit);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  if (counts.size !== KEYS) throw new Error(`expected ${KEYS} counters, found ${counts.size}`);
}

function hitStore(): void {
  const store = createMemoryRateLimitStore();
  let acted = 0;
  for (let hit = 0; hit < HITS; hit += 1) {
    if (store.hit(keyOf(hit), policy, 1_790_000_000_000 + hit / 1000, 1).acts) acted += 1;
  }
  if (store.size !== KEYS || acted !== 0) throw new Error("expected every hit to pass");
}

async function measureRedis(): Promise<readonly Figure[]> {
  const redis = await startRedis();
  const state = await openRedisState({ url: redis.url, timeoutMs: 5000 });
  const bare = new Redis(redis.url, {
    enableAutoPipelining: true,
    scripts: { bareHit: { lua: HIT, numberOfKeys: 1 } },
  }) as Redis & { bareHit(...args: readonly (string | number)[]): Promise<unknown> };
  try {
    await until(() => state.status === "up" && bare.status === "ready", 5000);
    const hit = async (turn: number) => state.rateLimits.hit(keyOf(turn), policy, 0, 1);
    const bareHit = async (turn: number) =>
      bare.bareHit(`sg:${keyOf(turn)}`, 1, policy.limit, policy.periodMs, 0);
    const ours: number[] = [];
    const theirs: number[] = [];
    const alone: number[] = [];
    for (let round = 0; round < REDIS_ROUNDS; round += 1) {
      theirs.push(await microsecondsPerCall(bareHit, IN_FLIGHT));
      ours.push(await microsecondsPerCall(hit, IN_FLIGHT));
      alone.push(await microsecondsPerCall(hit, 1));
    }
    return [
      { name: "ratelimit-redis/bare-script", value: median(ours) / median(theirs), unit: "x" },
      { name: `ratelimit-redis-us (${IN_FLIGHT} in flight)`, value: median(ours), unit: "µs" },
      { name: "ratelimit-redis-us (one at a time)", value: median(alone), unit: "µs" },
    ];
  } finally {
    bare.disconnect();
    state.close();
    await redis.close();
  }
}

function keyOf(turn: number): string {
  return keys[(turn * 7919) % KEYS] ?? "";
}

async function microsecondsPerCall(call: (turn: number) => Promise<unknown>, lanes: number): Promise<number> {
  const perLane = Math.ceil(REDIS_HITS / IN_FLIGHT);
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      for (let turn = 0; turn < perLane; turn += 1) await call(lane * perLane + turn);
    }),
  );
  return ((performance.now() - startedAt) * 1000) / (perLane * lanes);
}

function cpuNanoseconds(task: () => void): number {
  const before = process.cpuUsage();
  task();
  const { user, system } = process.cpuUsage(before);
  return (user + system) * 1000;
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN;
}
