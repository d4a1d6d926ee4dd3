/** The gateway beside other proxies: CPU per request, requests per second of one core, latency that it adds. */
import { request } from "node:http";
import { BENCH_HOST, BODY_BYTES, TRACKED_PATH } from "./gateway/kinds.ts";
import { portOf, startOrigin } from "./gateway/origin.ts";
import { latenciesOn, loadPeer, median, openLane, openLanes, quantile, requestText } from "./gateway/load.ts";
import { costsInRounds, ratioOf } from "./gateway/rounds.ts";
import type { Asker, Costs } from "./gateway/rounds.ts";
import { proxyPass, requireProgram, startNginx, startPeer } from "./gateway/processes.ts";
import type { Peer } from "./gateway/processes.ts";

interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

const ROUNDS = {
  rounds: 60,
  roundMs: 250,
  /** With fewer, what is measured is the compiler that makes the code fast. */
  warmUpRequests: 25_000,
  connections: 32,
};
/** Rounds in which as many requests are made as go through. */
const RATE_ROUNDS = 7;
const RATE_WARM_UP_ROUNDS = 5;

const LATENCY = { rounds: 150, requestsPerRound: 120, perSecond: 1_000, lanes: 16, warmUpSeconds: 3 };

const PROXIES = [
  "stepgate-plain",
  "stepgate-full",
  "stepgate-analytics",
  "fast-proxy",
  "http-proxy-3",
  "fastify-http-proxy",
  "h3-proxyRequest",
] as const;

const PROXY_LOCATION = proxyPass("http://origin");

export async function measure(): Promise<Figure[]> {
  const peers: Peer[] = [];
  // In this process, which does not sleep while it measures (see `stayAwake`).
  const origin = await startOrigin();
  try {
    const originUrl = `http://127.0.0.1:${portOf(origin)}`;
    for (const kind of PROXIES) peers.push(await startPeer(kind, originUrl));
    const nginx = await startNginx("nginx", {
      location: PROXY_LOCATION,
      upstream: `127.0.0.1:${portOf(origin)}`,
    });
    if (nginx === undefined) process.stderr.write("bench: no nginx, so its ratio is left out\n");
    else peers.push(nginx);
    for (const peer of peers) await checkAnswer(peer);
    const cookie = await realCookie(named(peers, "stepgate-full"));
    const costs = await costsInRounds(peers, { ...ROUNDS, open: (peer) => openAsker(peer, cookie) });
    return [
      ...ratios(costs),
      ...(await addedLatency(cookie)),
      ...(await workersGain(cookie)),
      ...perPeer(costs),
    ];
  } finally {
    await Promise.all(peers.map((peer) => peer.stop()));
    origin.close();
    origin.closeAllConnections();
  }
}

/** One visitor, who always brings the same cookies. */
async function openAsker({ port }: Peer, cookie: string): Promise<Asker> {
  const text = requestText(cookie);
  const lane = await openLane(port);
  return { socket: lane.socket, ask: (answered) => lane.ask(text, answered) };
}

function named(peers: readonly Peer[], name: string): Peer {
  const peer = peers.find((candidate) => candidate.name === name);
  if (peer === undefined) throw new Error(`no peer is called \`${name}\``);
  return peer;
}

function ratios(costs: Costs): readonly Figure[] {
  const ratio = (name: string, base: string): Figure => ({
    name: `${SHORT_NAMES[name] ?? name}/${SHORT_NAMES[base] ?? base}`,
    value: ratioOf(costs, name, base),
    unit: "x CPU",
  });
  const nodeProxies = ["fast-proxy", "http-proxy-3", "fastify-http-proxy"];
  const fastest = Math.min(...nodeProxies.map((name) => ratioOf(costs, name, "stepgate-plain")));
  return [
    ...(costs.has("nginx") ? [ratio("stepgate-plain", "nginx")] : []),
    ratio("stepgate-full", "stepgate-plain"),
    {
      name: "gateway-with-analytics/gateway-without",
      value: ratioOf(costs, "stepgate-analytics", "stepgate-full"),
      unit: "x CPU",
    },
    { name: "fastest-node-proxy/gateway-plain", value: fastest, unit: "x CPU" },
    ratio("h3-proxyRequest", "stepgate-full"),
  ];
}

const SHORT_NAMES: Readonly<Record<string, string>> = {
  "stepgate-plain": "gateway-plain",
  "stepgate-full": "gateway-full",
};

function perPeer(costs: Costs): readonly Figure[] {
  return [...costs].flatMap(([name, rounds]) => [
    { name: `${name}, CPU per request`, value: median(rounds), unit: "us" },
    { name: `${name}, per core`, value: 1e6 / median(rounds), unit: "req/s" },
  ]);
}

/**
 * Against the origin itself, and only then against another proxy: what a visitor would feel. The rounds are short
 * enough for most of them to be free of what else the machine does: here and now it stops for some milliseconds every
 * half second, of which the longest way through it gets the most. Of all requests, the same is told, too.
 */
async function addedLatency(cookie: string): Promise<readonly Figure[]> {
  const wrk = await requireProgram("wrk", "wrk");
  const origin = await startPeer("origin");
  const peers = [origin];
  try {
    peers.push(await startPeer("stepgate-full", `http://127.0.0.1:${origin.port}`));
    const upstream = `127.0.0.1:${origin.port}`;
    const nginx = await startNginx("nginx", { location: PROXY_LOCATION, upstream });
    if (nginx !== undefined) peers.push(nginx);
    for (const peer of peers)
      await loadPeer(peer, { wrk, seconds: LATENCY.warmUpSeconds, connections: 32, cookie });
    const latencies = await latenciesInRounds(peers, { ...LATENCY, cookie });
    const direct = quantilesOf(latencies.get(origin.name) ?? []);
    return peers.slice(1).flatMap(({ name }) => {
      const through = quantilesOf(latencies.get(name) ?? []);
      const by = `added at ${LATENCY.perSecond} req/s by ${SHORT_NAMES[name] ?? name}`;
      return [
        { name: `p50 ${by}`, value: through.p50 - direct.p50, unit: "ms" },
        { name: `p99 ${by}`, value: through.p99 - direct.p99, unit: "ms" },
        { name: `p99 ${by}, all requests`, value: through.p99OfAll - direct.p99OfAll, unit: "ms" },
      ];
    });
  } finally {
    await Promise.all(peers.map((peer) => peer.stop()));
  }
}

interface LatencyOptions {
  readonly rounds: number;
  readonly requestsPerRound: number;
  readonly perSecond: number;
  readonly lanes: number;
  readonly cookie: string;
}

type RoundLatencies = readonly (readonly number[])[];

async function latenciesInRounds(
  peers: readonly Peer[],
  { rounds, requestsPerRound, perSecond, lanes: count, cookie }: LatencyOptions,
): Promise<ReadonlyMap<string, RoundLatencies>> {
  const lanes = await Promise.all(peers.map(({ port }) => openLanes(port, count)));
  const latencies = peers.map((): (readonly number[])[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, own] of lanes.entries())
      latencies[index]?.push(await latenciesOn(own, { perSecond, requests: requestsPerRound, cookie }));
  }
  for (const { socket } of lanes.flat()) socket.destroy();
  return new Map(peers.map(({ name }, index) => [name, latencies[index] ?? []]));
}

/** Medians of the rounds, and the 99th percentile of all requests together. */
function quantilesOf(rounds: RoundLatencies): {
  readonly p50: number;
  readonly p99: number;
  readonly p99OfAll: number;
} {
  const all = rounds.flat().toSorted((one, other) => one - other);
  return {
    p50: median(rounds.map((list) => quantile(list, 0.5))),
    p99: median(rounds.map((list) => quantile(list, 0.99))),
    p99OfAll: quantile(all, 0.99),
  };
}

interface Rate {
  readonly requestsPerSecond: number;
  /** Of the gateway, per request. */
  readonly cpuMicros: number;
}

/**
 * Two processes on one port against one. The origin is nginx with a fixed answer: what it and the load generator
 * take of the machine's cores is missing to the gateway, so the figure of a machine with two cores is the lowest. That
 * two workers do not cost each other anything shows in the CPU time of a request.
 */
async function workersGain(cookie: string): Promise<readonly Figure[]> {
  const wrk = await requireProgram("wrk", "wrk");
  const origin = await startNginx("nginx-fixed", { location: `return 200 "${"x".repeat(BODY_BYTES)}";` });
  if (origin === undefined) return [];
  const peers = [origin];
  try {
    const url = `http://127.0.0.1:${origin.port}`;
    const one = await startPeer("stepgate-full", url);
    const two = await startPeer("stepgate-full-2-workers", url);
    peers.push(one, two);
    const rate = async (peer: Peer): Promise<Rate> => {
      const before = await peer.cpuMicros();
      const result = await loadPeer(peer, { wrk, seconds: 1, connections: 64, cookie });
      return { ...result, cpuMicros: ((await peer.cpuMicros()) - before) / result.requests };
    };
    for (let round = 0; round < RATE_WARM_UP_ROUNDS; round++) for (const peer of [one, two]) await rate(peer);
    const pairs: (readonly [Rate, Rate])[] = [];
    for (let round = 0; round < RATE_ROUNDS; round++) pairs.push([await rate(one), await rate(two)]);
    const gain = (member: "requestsPerSecond" | "cpuMicros"): number =>
      median(pairs.map(([alone, both]) => both[member] / alone[member]));
    return [
      { name: "two workers/one worker", value: gain("requestsPerSecond"), unit: "x req/s" },
      { name: "two workers/one worker, per request", value: gain("cpuMicros"), unit: "x CPU" },
    ];
  } finally {
    await Promise.all(peers.map((peer) => peer.stop()));
  }
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly setCookie: readonly string[];
}

function ask(peer: Peer, path: string, cookie: string): Promise<Answer> {
  const headers = { host: BENCH_HOST, ...(cookie === "" ? {} : { cookie }) };
  return new Promise((resolve, reject) => {
    request({ host: "127.0.0.1", port: peer.port, path, headers, agent: false }, (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => (body += chunk.toString()));
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, body, setCookie: response.headers["set-cookie"] ?? [] }),
      );
    })
      .on("error", reject)
      .end();
  });
}

/** @throws {Error} when a peer does not do what it is measured for */
async function checkAnswer(peer: Peer): Promise<void> {
  const { status, body } = await ask(peer, TRACKED_PATH, "");
  if (status !== 200 || body !== "x".repeat(BODY_BYTES))
    throw new Error(`${peer.name}: expected the origin's page, found ${status} and ${body.length} bytes`);
}

/** What a visitor of the full gateway carries after ten operations. */
async function realCookie(peer: Peer): Promise<string> {
  const jar = new Map([["session", "0123456789abcdef0123456789abcdef"]]);
  const header = (): string => [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
  for (let step = 1; step <= 10; step++) {
    const { setCookie } = await ask(peer, `/api/v1/step${step + 10}/7`, header());
    for (const line of setCookie) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (/max-age=0/i.test(line)) jar.delete(name);
      else jar.set(name, value);
    }
  }
  const { setCookie } = await ask(peer, TRACKED_PATH, header());
  if (setCookie.length === 0 || jar.size < 2) throw new Error("the full gateway does not keep a sequence");
  return header();
}
