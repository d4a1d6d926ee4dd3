/**
 * What keeping the sequence costs a request: by session identifier in memory and on Redis, over sequence cookies. The
 * whole way through the engine, CPU time of this process; each round measures all of them, one after another.
 */
import { randomBytes } from "node:crypto";
import { createSequenceCarrier } from "../../src/cli/sequence-cookies.ts";
import { createEngine, DEFAULT_SEQUENCE_SETTINGS } from "../../src/engine/index.ts";
import type { Engine, EngineRequest, Zone } from "../../src/engine/index.ts";
import type { SequenceStore } from "../../src/sequence/index.ts";
import { createMemorySequenceStore, openRedisState } from "../../src/store/index.ts";
import { startRedis } from "../contract/redis-server.ts";
import { until } from "../contract/wait.ts";
import { configSource, engineRequest, NOON, rule, ruleset, testKeys, zone } from "../support/engine.ts";

interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

const VISITORS = 1000;
const IN_FLIGHT = 64;
const WARM_UP = 12;
const ROUNDS = 25;

/** In the order in which every visitor makes them. */
const STEPS = [
  { method: "GET", target: "/a" },
  { method: "GET", target: "/c/7" },
  { method: "POST", target: "/b" },
] as const;

const NEEDS_A = 'cf.sequence.current_op eq "bbbbbbbb" and not any(cf.sequence.previous_ops[*] == "aaaaaaaa")';

/** One way of keeping sequences, with its visitors. */
interface Way {
  readonly engine: Engine;
  /** Cookies by visitor; empty where the session is named by a header. */
  readonly jars: readonly Map<string, string>[] | undefined;
}

function zoneWith(isSession: boolean): Zone {
  const base = zone();
  return {
    ...base,
    rulesets: [ruleset([rule(NEEDS_A)])],
    settings: {
      ...base.settings,
      sequenceCookies: { enabled: !isSession },
      ...(isSession
        ? {
            authIdCharacteristics: [{ type: "header", name: "x-session" } as const],
            sequence: { ...DEFAULT_SEQUENCE_SETTINGS, tracking: "session" as const },
          }
        : {}),
    },
  };
}

let now = NOON;

function startWay(sequences: SequenceStore | undefined): Way {
  const isSession = sequences !== undefined;
  const carrier = createSequenceCarrier(
    testKeys(),
    { maxEntries: 10, maxAgeSeconds: 3600, leads: 2 },
    {},
    { sequences: sequences ?? createMemorySequenceStore(), now: () => now },
  );
  const engine = createEngine({
    source: configSource({ version: 1, zones: [zoneWith(isSession)] }),
    ...carrier,
    random: (lengthBytes) => randomBytes(lengthBytes),
    onEvent: () => undefined,
  });
  return { engine, jars: isSession ? undefined : Array.from({ length: VISITORS }, () => new Map()) };
}

function requestOf({ jars }: Way, visitor: number, step: number): EngineRequest {
  const jar = jars?.[visitor];
  const headers = {
    "user-agent": "bench",
    ...(jar === undefined
      ? { "x-session": `visitor-${visitor}` }
      : { cookie: Array.from(jar, (pair) => pair.join("=")).join("; ") }),
  };
  return engineRequest({ ...(STEPS[step % STEPS.length] as (typeof STEPS)[number]), headers, at: now });
}

async function visit(engine: Engine, request: EngineRequest): Promise<readonly string[]> {
  const outcome = await engine.decide(request);
  if (outcome.kind !== "forward") throw new Error("expected every request to pass");
  return outcome.visit.onResponse(200, ["content-type", "application/json"]);
}

/** Every visitor makes one step. Nanoseconds of CPU a request, what the visitors themselves do left out. */
async function round(way: Way, step: number): Promise<number> {
  const requests = Array.from({ length: VISITORS }, (_, visitor) => requestOf(way, visitor, step));
  const responses: (readonly string[])[] = [];
  const before = process.cpuUsage();
  const lane = async (start: number): Promise<void> => {
    for (let visitor = start; visitor < VISITORS; visitor += IN_FLIGHT) {
      responses[visitor] = await visit(way.engine, requests[visitor] as EngineRequest);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, (_, start) => lane(start)));
  const { user, system } = process.cpuUsage(before);
  for (const [visitor, headers] of responses.entries()) keepCookies(way.jars?.[visitor], headers);
  return ((user + system) * 1000) / VISITORS;
}

function keepCookies(jar: Map<string, string> | undefined, headers: readonly string[]): void {
  if (jar === undefined) return;
  for (const [index, name] of headers.entries()) {
    if (index % 2 === 1 || name.toLowerCase() !== "set-cookie") continue;
    const line = headers[index + 1] ?? "";
    const [, key = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    if (line.includes("Max-Age=0")) jar.delete(key);
    else jar.set(key, value);
  }
}

export async function measure(): Promise<readonly Figure[]> {
  const redis = await startRedis();
  const state = await openRedisState({ url: redis.url, timeoutMs: 10_000 });
  try {
    await until(() => state.status === "up", 5000);
    const ways = [startWay(undefined), startWay(createMemorySequenceStore()), startWay(state.sequences)];
    const times = ways.map((): number[] => []);
    for (let step = 0; step < WARM_UP + ROUNDS; step += 1) {
      // Another way goes first each time.
      for (let turn = 0; turn < ways.length; turn += 1) {
        const index = (step + turn) % ways.length;
        const ns = await round(ways[index] as Way, step);
        if (step >= WARM_UP) times[index]?.push(ns);
      }
      now += 3000;
    }
    const [cookie = Number.NaN, memory = Number.NaN, shared = Number.NaN] = times.map(median);
    return [
      { name: "session-memory/cookie", value: memory / cookie, unit: "x" },
      { name: "session-redis/cookie", value: shared / cookie, unit: "x" },
      { name: "cookie-us", value: cookie / 1000, unit: "µs" },
    ];
  } finally {
    state.close();
    await redis.close();
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN;
}
