/**
 * One server of the gateway's bench in a process of its own: `node peer.ts KIND [ORIGIN]`. Tells its port, and what
 * else the bench has to know, by one IPC message.
 */
import cluster from "node:cluster";
import { createServer } from "node:http";
import type { RequestListener, Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { createLog } from "../../../src/cli/log.ts";
import { generateMasterKey } from "../../../src/cookie/index.ts";
import { createSequenceCarrier } from "../../../src/cli/sequence-cookies.ts";
import { createTraffic } from "../../../src/cli/traffic.ts";
import type { Traffic } from "../../../src/cli/traffic.ts";
import { keepRequestsYoung } from "../../../src/cli/young-requests.ts";
import { createGateway, listenHttp } from "../../../src/gateway/index.ts";
import type { ConfigSource, Zone } from "../../../src/engine/index.ts";
import { openSqliteSnapshots } from "../../../src/store/index.ts";
import { configSource, operation, rule, ruleset, zone } from "../../support/engine.ts";
import { BENCH_HOST, KINDS, TRACKED_PATH } from "./kinds.ts";
import type { PeerKind } from "./kinds.ts";
import { portOf, startOrigin } from "./origin.ts";

const require = createRequire(import.meta.url);

/** The same for all peers and workers: a cookie of one that another could not open would be another kind of load. */
const KEYS = [
  generateMasterKey((lengthBytes) => Uint8Array.from({ length: lengthBytes }, (_, index) => index)),
];

async function listenOn(handler: RequestListener): Promise<number> {
  const server = createServer({ keepAliveTimeout: 60_000 }, handler);
  return listening(server);
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

/** As `stepgate start` does it. */
async function startStepgate(benchZone: Zone, { counts = false } = {}): Promise<number> {
  keepRequestsYoung();
  const source = configSource({ version: 1, zones: [benchZone] });
  const gateway = createGateway({
    source,
    trafficFor: counts ? counting(source).trafficFor : undefined,
    // The load repeats one visitor's cookies. Without this, all responses but two would be those of a burst, which
    // write one entry and delete nothing; a visitor who takes one step after the other always gets the whole.
    ...createSequenceCarrier(KEYS, { maxEntries: 10, maxAgeSeconds: 3600, leads: Infinity }),
    now: Date.now,
    onEvent: () => undefined,
    onProblem: () => undefined,
  });
  return (await listenHttp({ port: 0, hostname: "127.0.0.1" }, gateway)).port;
}

/** As `stepgate start` counts; the caps are those of a site with many visitors, of whom the load is only one. */
function counting(source: ConfigSource): Traffic {
  return createTraffic({
    store: openSqliteSnapshots(":memory:"),
    source,
    processId: "bench",
    cap: { perSequence: 65_535, perAddressPrefix: 65_535, seed: 1 },
    now: Date.now,
    random: Math.random,
    logger: createLog("silent"),
  });
}

/** Only forwards. */
const plainZone = (origin: string): Zone =>
  zone({
    hosts: [BENCH_HOST],
    origin,
    operations: [],
    settings: {
      sequenceCookies: { enabled: false },
      cookieScope: { sameSite: "Lax", partitioned: false, domain: null },
    },
  });

/** Twenty rules as operators write them; none of them fires on the bench's requests. */
const RULES: readonly string[] = [
  ...Array.from({ length: 8 }, (_, index) => {
    const [current, before] = [shortId(index + 1), shortId(index + 2)];
    return `cf.sequence.current_op eq "${current}" and not any(cf.sequence.previous_ops[*] == "${before}")`;
  }),
  `cf.sequence.current_op eq "${shortId(0)}" and cf.sequence.msec_since_op["${shortId(30)}"] lt 500`,
  `cf.sequence.current_op eq "${shortId(0)}" and any(cf.sequence.previous_ops[*] == "${shortId(31)}")`,
  'http.request.uri.path eq "/admin" and not ip.src in {192.0.2.0/24}',
  'starts_with(http.request.uri.path, "/internal/")',
  'http.request.method in {"PUT" "DELETE"} and http.request.uri.path contains "/users/"',
  'http.user_agent contains "sqlmap"',
  'http.user_agent eq "" and http.request.method eq "POST"',
  'http.request.uri.query contains "<script"',
  'lower(http.request.uri.path) contains "/.git/"',
  'any(http.request.headers["x-debug"][*] == "1")',
  'ends_with(http.request.uri.path, ".php")',
  "ip.src in {198.51.100.0/24 203.0.113.0/24}",
];

function shortId(index: number): string {
  return (0xa0000000 + index).toString(16);
}

/** Fifty operations, twenty rules, sequence cookies on. */
const fullZone = (origin: string): Zone =>
  zone({
    hosts: [BENCH_HOST],
    origin,
    operations: Array.from({ length: 50 }, (_, index) => ({
      ...operation(shortId(index), "GET", index === 0 ? TRACKED_PATH : `/api/v1/step${index}/{var1}`),
      host: BENCH_HOST,
    })),
    rulesets: [ruleset(RULES.map((expression) => rule(expression)))],
  });

/** As `stepgate start --workers` does it: processes that share the port, and nothing else. */
async function startWorkers(origin: string, count: number): Promise<number> {
  cluster.setupPrimary({ exec: fileURLToPath(import.meta.url), args: ["stepgate-full", origin] });
  const ports = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<number>((resolve) => {
          cluster.fork().on("message", ({ port }: { readonly port: number }) => resolve(port));
        }),
    ),
  );
  return ports[0] ?? 0;
}

interface FastProxy {
  proxy(req: unknown, res: unknown, url: string | undefined, options: object): void;
}

const START = {
  origin: async () => portOf(await startOrigin()),
  "stepgate-plain": (origin) => startStepgate(plainZone(origin)),
  "stepgate-full": (origin) => startStepgate(fullZone(origin)),
  "stepgate-analytics": (origin) => startStepgate(fullZone(origin), { counts: true }),
  "stepgate-full-2-workers": (origin) => startWorkers(origin, 2),
  "fast-proxy": (origin) => {
    const create = require("fast-proxy") as (options: object) => FastProxy;
    const peer = create({ base: origin, undici: { connections: 256, pipelining: 1 } });
    return listenOn((req, res) => peer.proxy(req, res, req.url, {}));
  },
  "http-proxy-3": async (origin) => {
    const { createProxyServer } = await import("http-proxy-3");
    const { Agent } = await import("node:http");
    const proxy = createProxyServer({
      target: origin,
      agent: new Agent({ keepAlive: true, maxSockets: 256 }),
    });
    return listenOn((req, res) => proxy.web(req, res));
  },
  "fastify-http-proxy": async (origin) => {
    const { default: fastify } = await import("fastify");
    const { default: httpProxy } = await import("@fastify/http-proxy");
    const app = fastify();
    await app.register(httpProxy, { upstream: origin, undici: { connections: 256, pipelining: 1 } });
    await app.listen({ port: 0, host: "127.0.0.1" });
    return (app.server.address() as AddressInfo).port;
  },
  "h3-proxyRequest": async (origin) => {
    const { H3, proxyRequest, toNodeHandler } = await import("h3");
    const app = new H3().use((event) => proxyRequest(event, `${origin}${event.url.pathname}`));
    return listenOn(toNodeHandler(app));
  },
} as const satisfies Record<PeerKind, (origin: string) => Promise<number>>;

const kind = KINDS.find((name) => name === process.argv[2]);
if (kind === undefined || process.send === undefined)
  throw new TypeError("expected to be started by the bench");
process.send({ port: await START[kind](process.argv[3] ?? "") });
process.on("disconnect", () => process.exit(0));
