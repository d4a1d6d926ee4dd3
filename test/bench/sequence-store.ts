/** Session histories: one request in memory and on Redis, and what a session takes in memory. */

import { Redis } from "ioredis";

import { DEFAULT_SESSION_LIMITS } from "../../src/sequence/index.ts";
import type { SequenceStore, Session } from "../../src/sequence/index.ts";
import { createMemorySequenceStore, openRedisState } from "../../src/store/index.ts";
import { startRedis } from "../contract/redis-server.ts";
import { until } from "../contract/wait.ts";
import { collectGarbage } from "../support/garbage.ts";

interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

const ROUNDS = 15;
const SESSIONS = 10_000;
const REQUESTS = 50_000;

const REDIS_ROUNDS = 7;
const REDIS_REQUESTS = 2048;
const IN_FLIGHT = 64;

const FULL_SESSIONS = 100_000;

const START = 1_790_000_000_000;
const OPS = Array.from({ length: 40 }, (_, index) => (0x10000000 + index * 7919).toString(16));

export async function measure(): Promise<readonly Figure[]> {
  const figures: Figure[] = [measureMemory(), measureBytes()];
  figures.push(...(await measureRedis()));
  return figures;
}

/** Read when the request arrives, append when it is answered. */
function measureMemory(): Figure {
  const store = createMemorySequenceStore();
  const sessions = Array.from({ length: SESSIONS }, (_, index) => sessionOf(index));
  const rounds: number[] = [];
  let now = START;
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = process.cpuUsage();
    for (let request = 0; request < REQUESTS; request += 1) {
      now += 0.5;
      const session = sessions[request % SESSIONS] as Session;
      store.read(session, now);
      store.append(session, { op: OPS[(request * 7) % OPS.length] as string, at: now }, now);
    }
    const { user, system } = process.cpuUsage(before);
    rounds.push(((user + system) * 1000) / REQUESTS);
  }
  return { name: "sequence-store-memory-ns", value: median(rounds), unit: "ns" };
}

function measureBytes(): Figure {
  const store = createMemorySequenceStore();
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  for (let index = 0; index < FULL_SESSIONS; index += 1) {
    for (let step = 0; step < 10; step += 1) {
      const at = START + step * 3000;
      store.append(sessionOf(index), { op: OPS[(index + step) % OPS.length] as string, at }, at);
    }
  }
  collectGarbage();
  const bytes = process.memoryUsage().heapUsed - before;
  if (store.size !== FULL_SESSIONS || bytes > store.bytes) throw new Error("expected the estimate to hold");
  return { name: "sequence-store-memory-bytes (full session)", value: bytes / FULL_SESSIONS, unit: "B" };
}

async function measureRedis(): Promise<readonly Figure[]> {
  const redis = await startRedis();
  const state = await openRedisState({ url: redis.url, timeoutMs: 5000 });
  const bare = new Redis(redis.url, { enableAutoPipelining: true });
  try {
    await until(() => state.status === "up" && bare.status === "ready", 5000);
    const { sequences } = state;
    const twoPings = async () => {
      await bare.ping();
      await bare.ping();
    };
    const ours: number[] = [];
    const pings: number[] = [];
    const alone: number[] = [];
    for (let round = 0; round < REDIS_ROUNDS; round += 1) {
      pings.push(await microseconds(twoPings, IN_FLIGHT));
      ours.push(await microseconds((turn) => oneRequest(sequences, turn), IN_FLIGHT));
      alone.push(await microseconds((turn) => oneRequest(sequences, turn), 1));
    }
    return [
      { name: "sequence-store-redis/two-pings", value: median(ours) / median(pings), unit: "x" },
      { name: `sequence-store-redis-us (${IN_FLIGHT} in flight)`, value: median(ours), unit: "µs" },
      { name: "sequence-store-redis-us (one at a time)", value: median(alone), unit: "µs" },
    ];
  } finally {
    bare.disconnect();
    state.close();
    await redis.close();
  }
}

async function oneRequest(store: SequenceStore, turn: number): Promise<void> {
  const session = sessionOf(turn % SESSIONS);
  const now = START + turn;
  await store.read(session, now);
  await store.append(session, { op: OPS[turn % OPS.length] as string, at: now }, now);
}

function sessionOf(index: number): Session {
  const key = ["0123456789abcdef0123456789abcdef:s:", index.toString(36).padStart(22, "A")].join("");
  return {
    key,
    source: `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`,
    limits: DEFAULT_SESSION_LIMITS,
  };
}

async function microseconds(request: (turn: number) => Promise<void>, lanes: number): Promise<number> {
  const perLane = Math.ceil(REDIS_REQUESTS / IN_FLIGHT);
  const startedAt = performance.now();
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      for (let turn = 0; turn < perLane; turn += 1) await request(lane * perLane + turn);
    }),
  );
  return ((performance.now() - startedAt) * 1000) / (perLane * lanes);
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN;
}
