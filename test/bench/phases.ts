/** What twenty rules in every phase cost of a whole request, and what a long redirect list costs. */
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { indexRedirects, splitUrl } from "../../src/phases/redirect-list.ts";
import type { Redirect } from "../../src/ruleset/index.ts";
import { account, engineRequest, redirectList, rule, ruleset, startEngine, zone } from "../support/engine.ts";
import { loadPeer, median } from "./gateway/load.ts";
import { requireProgram, startPeer } from "./gateway/processes.ts";
import type { Peer } from "./gateway/processes.ts";

interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

const ROUNDS = 9;
const ROUND_SECONDS = 1;
/** Requests before the first round: with fewer, what is measured is the compiler that makes the code fast. */
const WARM_UP_REQUESTS = 25_000;
const MAX_WARM_UP_ROUNDS = 15;
const CONNECTIONS = 32;

export async function measure(): Promise<Figure[]> {
  return [...(await measurePhases()), ...(await measureRedirects())];
}

async function measurePhases(): Promise<readonly Figure[]> {
  const wrk = await requireProgram("wrk", "wrk");
  const origin = await startPeer("origin");
  const peers: Peer[] = [origin];
  try {
    const url = `http://127.0.0.1:${origin.port}`;
    const gateways = [await startGateway("empty", url), await startGateway("full", url)];
    peers.push(...gateways);
    const options = {
      wrk,
      seconds: ROUND_SECONDS,
      connections: CONNECTIONS,
      cookie: "session=0123456789abcdef",
    };
    for (const peer of gateways) await warmUp(peer, options);
    const costs = gateways.map((): number[] => []);
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [index, peer] of gateways.entries()) {
        const before = await peer.cpuMicros();
        const { requests } = await loadPeer(peer, options);
        costs[index]?.push(((await peer.cpuMicros()) - before) / requests);
      }
    }
    // Neighbouring rounds are compared: what the rest of the machine does meets both alike.
    const ratios = (costs[1] ?? []).map((full, round) => full / (costs[0]?.[round] ?? Number.NaN));
    return [
      { name: "phases-full/phases-empty", value: median(ratios), unit: "x CPU" },
      { name: "phases-empty, CPU per request", value: median(costs[0] ?? []), unit: "us" },
      { name: "phases-full, CPU per request", value: median(costs[1] ?? []), unit: "us" },
    ];
  } finally {
    await Promise.all(peers.map((peer) => peer.stop()));
  }
}

async function warmUp(peer: Peer, options: Parameters<typeof loadPeer>[1]): Promise<void> {
  let requests = 0;
  for (let round = 0; round < MAX_WARM_UP_ROUNDS && requests < WARM_UP_REQUESTS; round += 1)
    requests += (await loadPeer(peer, options)).requests;
}

async function startGateway(kind: "empty" | "full", origin: string): Promise<Peer> {
  const child = fork(new URL("phases/peer.ts", import.meta.url), [kind, origin], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const [{ port }] = (await once(child, "message")) as [{ readonly port: number }];
  return {
    name: `phases-${kind}`,
    port,
    pid: child.pid ?? 0,
    cpuMicros: () => cpuMicrosOf(child),
    stop: () => stop(child),
  };
}

async function cpuMicrosOf(child: ChildProcess): Promise<number> {
  child.send("cpu");
  const [{ cpu }] = (await once(child, "message")) as [{ readonly cpu: NodeJS.CpuUsage }];
  return cpu.user + cpu.system;
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = once(child, "exit");
  child.disconnect();
  await ended;
}

const LOOK_UPS = 20_000;
const REQUESTS = 3_000;

/** The look-up alone, and a whole request of the engine that is redirected. */
async function measureRedirects(): Promise<readonly Figure[]> {
  const [short, long] = [redirects(10), redirects(100_000)];
  const [shortIndex, longIndex] = [indexRedirects(short), indexRedirects(long)];
  const lookUp = (index: typeof shortIndex, count: number) => (): void => {
    for (let turn = 0; turn < LOOK_UPS; turn += 1) {
      const url = splitUrl(`https://shop.example/p/${(turn * 7919) % count}/x/y`);
      if (index.find(url) === undefined) throw new Error("expected every look-up to find something");
    }
  };
  const lookUps = await compare(lookUp(shortIndex, 10), lookUp(longIndex, 100_000));
  const requests = await compare(redirecting(short), redirecting(long));
  return [
    { name: "redirect-100k/redirect-10", value: requests.ratio, unit: "x CPU" },
    { name: "redirect-100k/redirect-10, look-up alone", value: lookUps.ratio, unit: "x CPU" },
    { name: "redirect-100k, whole request", value: (requests.second * 1000) / REQUESTS, unit: "ns" },
    { name: "redirect-100k, look-up", value: (lookUps.second * 1000) / LOOK_UPS, unit: "ns" },
  ];
}

function redirects(count: number): readonly Redirect[] {
  return Array.from({ length: count }, (_, index) => ({
    source_url: `shop.example/p/${index}`,
    target_url: `https://shop.example/q/${index}`,
    status_code: 301 as const,
    include_subdomains: false,
    subpath_matching: true,
    preserve_query_string: false,
    preserve_path_suffix: true,
  }));
}

function redirecting(list: readonly Redirect[]): () => Promise<void> {
  const entry = rule("http.request.full_uri in $moved", {
    action: "redirect",
    action_parameters: { from_list: { name: "moved", key: "http.request.full_uri" } },
  });
  const root = ruleset([entry], { kind: "root", phase: "http_request_redirect" });
  const { engine, events } = startEngine([zone()], undefined, {
    accounts: [account({ rulesets: [root], lists: [redirectList("moved", list)] })],
  });
  return async () => {
    for (let turn = 0; turn < REQUESTS; turn += 1) {
      const { kind } = await engine.decide(engineRequest({ target: `/p/${(turn * 7919) % list.length}/x` }));
      if (kind !== "answer") throw new Error("expected every request to be redirected");
    }
    events.length = 0;
  };
}

/** CPU microseconds of both, rounds interleaved; the median of the ratios of neighbours. */
async function compare(
  first: () => void | Promise<void>,
  second: () => void | Promise<void>,
): Promise<{ readonly ratio: number; readonly second: number }> {
  const ratios: number[] = [];
  const seconds: number[] = [];
  for (let round = -3; round < ROUNDS; round += 1) {
    const [one, other] = [await cpuOf(first), await cpuOf(second)];
    // The first rounds are those of the compiler.
    if (round < 0) continue;
    ratios.push(other / one);
    seconds.push(other);
  }
  return { ratio: median(ratios), second: median(seconds) };
}

async function cpuOf(work: () => void | Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}
