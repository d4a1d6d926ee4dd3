/** The gateway beside other proxies: CPU per request, requests per second of one core, latency that it adds. */
import { request } from "node:http";
import { BENCH_HOST, BODY_BYTES, TRACKED_PATH } from "./gateway/kinds.ts";
import { portOf, startOrigin } from "./gateway/origin.ts";
import { latenciesAt, loadPeer, median, openLane, quantile } from "./gateway/load.ts";
import { costsInRounds, ratioOf } from "./gateway/rounds.ts";
import type { Asker, Costs } from "./gateway/rounds.ts";
import { requireProgram, startNginx, startPeer } from "./gateway/processes.ts";
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
const RATE_PER_SECOND = 1_000;
const RATE_SECONDS = 4;
const LATENCY_ROUNDS = 5;

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
  const text = `GET ${TRACKED_PATH} HTTP/1.1\r\nHost: ${BENCH_HOST}\r\nCookie: ${cookie}\r\n\r\n`;
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

/** Against the origin itself, and only then against other proxies: what a visitor would feel. */
async function addedLatency(cookie: string): Promise<readonly Figure[]> {
  const direct: (readonly number[])[] = [];
  const through: (readonly number[])[] = [];
  const options = { perSecond: RATE_PER_SECOND, seconds: RATE_SECONDS, connections: 16, cookie };
  const origin = await startPeer("origin");
  const gateway = await startPeer("stepgate-full", `http://127.0.0.1:${origin.port}`);
  try {
    // The first round is of code that is not compiled yet.
    await latenciesAt(gateway, options);
    for (let round = 0; round < LATENCY_ROUNDS; round++) {
      direct.push(await latenciesAt(origin, options));
      through.push(await latenciesAt(gateway, options));
    }
  } finally {
    await Promise.all([gateway.stop(), origin.stop()]);
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
    const rate = async (peer: Peer): Promise<number> =>
      (await loadPeer(peer, { wrk, seconds: 1, connections: 64, cookie })).requestsPerSecond;
    for (let round = 0; round < RATE_WARM_UP_ROUNDS; round++) for (const peer of [one, two]) await rate(peer);
    const gains: number[] = [];
    for (let round = 0; round < RATE_ROUNDS; round++) {
      const alone = await rate(one);
      gains.push((await rate(two)) / alone);
    }
    return [{ name: "two workers/one worker", value: median(gains), unit: "x req/s" }];
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
