/** The gateway beside other proxies: CPU per request, requests per second of one core, latency that it adds. */
import { request } from "node:http";
import { BENCH_HOST, BODY_BYTES, TRACKED_PATH } from "./gateway/kinds.ts";
import { latenciesAt, loadPeer, median, quantile } from "./gateway/load.ts";
import { requireProgram, startNginx, startPeer } from "./gateway/processes.ts";
import type { Peer } from "./gateway/processes.ts";

interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

const ROUNDS = 7;
const ROUND_SECONDS = 1;
/** Requests before the first round: with fewer, what is measured is the compiler that makes the code fast. */
const WARM_UP_REQUESTS = 25_000;
const WARM_UP_ROUNDS = 10;
const CONNECTIONS = 32;
const RATE_PER_SECOND = 1_000;
const RATE_SECONDS = 4;

const PROXIES = [
  "stepgate-plain",
  "stepgate-full",
  "stepgate-analytics",
  "fast-proxy",
  "http-proxy-3",
  "fastify-http-proxy",
  "h3-proxyRequest",
] as const;

const PROXY_LOCATION =
  'proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;';

/** What each peer cost in one round. */
interface Cost {
  readonly cpuMicros: number;
  readonly requestsPerSecond: number;
}

export async function measure(): Promise<Figure[]> {
  const wrk = await requireProgram("wrk", "wrk");
  const peers: Peer[] = [];
  try {
    const origin = await startPeer("origin");
    peers.push(origin);
    const originUrl = `http://127.0.0.1:${origin.port}`;
    for (const kind of PROXIES) peers.push(await startPeer(kind, originUrl));
    const nginx = await startNginx("nginx", {
      location: PROXY_LOCATION,
      upstream: `127.0.0.1:${origin.port}`,
    });
    if (nginx === undefined) process.stderr.write("bench: no nginx, so its ratio is left out\n");
    else peers.push(nginx);
    for (const peer of peers) await checkAnswer(peer);
    const cookie = await realCookie(named(peers, "stepgate-full"));
    const costs = await costsOf(peers, { wrk, seconds: ROUND_SECONDS, connections: CONNECTIONS, cookie });
    return [
      ...ratios(costs),
      ...(await addedLatency(peers, cookie)),
      ...(await workersGain(wrk, cookie)),
      ...perPeer(costs),
    ];
  } finally {
    await Promise.all(peers.map((peer) => peer.stop()));
  }
}

function named(peers: readonly Peer[], name: string): Peer {
  const peer = peers.find((candidate) => candidate.name === name);
  if (peer === undefined) throw new Error(`no peer is called \`${name}\``);
  return peer;
}

/** Rounds are interleaved, so that a noisy moment of the machine meets all peers; medians of the rounds. */
async function costsOf(
  peers: readonly Peer[],
  options: Parameters<typeof loadPeer>[1],
): Promise<ReadonlyMap<string, Cost>> {
  const rounds = new Map<string, Cost[]>(peers.map(({ name }) => [name, []]));
  for (const peer of peers) await warmUp(peer, options);
  for (let round = 0; round < ROUNDS; round++) {
    for (const peer of peers) {
      const before = await peer.cpuMicros();
      const { requests, requestsPerSecond } = await loadPeer(peer, options);
      rounds.get(peer.name)?.push({
        cpuMicros: ((await peer.cpuMicros()) - before) / requests,
        requestsPerSecond,
      });
    }
  }
  return new Map(
    [...rounds].map(([name, list]) => [
      name,
      {
        cpuMicros: median(list.map(({ cpuMicros }) => cpuMicros)),
        requestsPerSecond: median(list.map(({ requestsPerSecond }) => requestsPerSecond)),
      },
    ]),
  );
}

async function warmUp(peer: Peer, options: Parameters<typeof loadPeer>[1]): Promise<void> {
  let requests = 0;
  for (let round = 0; round < WARM_UP_ROUNDS && requests < WARM_UP_REQUESTS; round++)
    requests += (await loadPeer(peer, options)).requests;
}

function ratios(costs: ReadonlyMap<string, Cost>): readonly Figure[] {
  const cpu = (name: string): number => costs.get(name)?.cpuMicros ?? Number.NaN;
  const fastest = Math.min(cpu("fast-proxy"), cpu("http-proxy-3"), cpu("fastify-http-proxy"));
  return [
    ...(costs.has("nginx") ? [ratio("gateway-plain/nginx", cpu("stepgate-plain") / cpu("nginx"))] : []),
    ratio("gateway-full/gateway-plain", cpu("stepgate-full") / cpu("stepgate-plain")),
    ratio("gateway-with-analytics/gateway-without", cpu("stepgate-analytics") / cpu("stepgate-full")),
    ratio("fastest-node-proxy/gateway-plain", fastest / cpu("stepgate-plain")),
    ratio("h3-proxyRequest/gateway-full", cpu("h3-proxyRequest") / cpu("stepgate-full")),
  ];
}

function ratio(name: string, value: number): Figure {
  return { name, value, unit: "x CPU" };
}

function perPeer(costs: ReadonlyMap<string, Cost>): readonly Figure[] {
  return [...costs].flatMap(([name, { cpuMicros, requestsPerSecond }]) => [
    { name: `${name}, CPU per request`, value: cpuMicros, unit: "us" },
    { name: `${name}, per core`, value: 1e6 / cpuMicros, unit: "req/s" },
    { name: `${name}, this machine`, value: requestsPerSecond, unit: "req/s" },
  ]);
}

/** Against the origin itself, and only then against other proxies: what a visitor would feel. */
async function addedLatency(peers: readonly Peer[], cookie: string): Promise<readonly Figure[]> {
  const direct: (readonly number[])[] = [];
  const through: (readonly number[])[] = [];
  const options = { perSecond: RATE_PER_SECOND, seconds: RATE_SECONDS, connections: 16, cookie };
  for (let round = 0; round < 3; round++) {
    direct.push(await latenciesAt(named(peers, "origin"), options));
    through.push(await latenciesAt(named(peers, "stepgate-full"), options));
  }
  const added = (share: number): number =>
    median(through.map((list) => quantile(list, share))) -
    median(direct.map((list) => quantile(list, share)));
  return [
    { name: `p50 added at ${RATE_PER_SECOND} req/s`, value: added(0.5), unit: "ms" },
    { name: `p99 added at ${RATE_PER_SECOND} req/s`, value: added(0.99), unit: "ms" },
  ];
}

/**
 * Two processes on one port against one. The origin is nginx with a fixed answer: what it and the load generator
 * take of the machine's cores is missing to the gateway, so the figure of a machine with two cores is the lowest.
 */
async function workersGain(wrk: string, cookie: string): Promise<readonly Figure[]> {
  const origin = await startNginx("nginx-fixed", { location: `return 200 "${"x".repeat(BODY_BYTES)}";` });
  if (origin === undefined) return [];
  const peers = [origin];
  try {
    const url = `http://127.0.0.1:${origin.port}`;
    peers.push(await startPeer("stepgate-full", url), await startPeer("stepgate-full-2-workers", url));
    const costs = await costsOf(peers.slice(1), { wrk, seconds: ROUND_SECONDS, connections: 64, cookie });
    const rate = (name: string): number => costs.get(name)?.requestsPerSecond ?? Number.NaN;
    const value = rate("stepgate-full-2-workers") / rate("stepgate-full");
    return [{ name: "two workers/one worker", value, unit: "x req/s" }];
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
