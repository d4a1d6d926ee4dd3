/** The tables of limits and metrics in the README: names and defaults are the code's, reasons stand here. */
import { createMetrics } from "../../src/cli/metrics.ts";
import { DEFAULT_GUARD_LIMITS, DEFAULT_LISTENER_LIMITS } from "../../src/gateway/index.ts";
import { DEFAULT_UPSTREAM_LIMITS } from "../../src/proxy/index.ts";

const CLIENT_DEFAULTS = { ...DEFAULT_LISTENER_LIMITS, ...DEFAULT_GUARD_LIMITS };

const CLIENT_REASONS: Readonly<Record<keyof typeof CLIENT_DEFAULTS, string>> = {
  handshakeTimeoutMs: "for the TLS handshake, which is two round trips and a signature",
  headersTimeoutMs: "for a request's header section; then 408",
  requestTimeoutMs: "for a request with its body; 0 for none, because an upload takes what it takes",
  keepAliveTimeoutMs: "that a connection may be idle: longer than the 60 s of usual balancers in front",
  maxHeaderBytes: "of a header section; beyond it 431. Twice what cookies of one host grow to",
  checkingIntervalMs: "between two looks for connections that are over their time",
  maxConnections: "connections; each costs some 80 KB with TLS, which is kept for the next ones",
  maxConnectionsPerAddress: "connections of one address, which many people can share",
  maxUnusedConnectionsPerAddress:
    "connections of one address that have not brought a request yet: its further handshakes wait, as long as a handshake may take",
  maxConcurrentStreams: "streams at once on one HTTP/2 connection",
  maxPipelinedRequests:
    "requests that wait on one HTTP/1.1 connection for the answers to earlier ones; beyond it the connection is cut",
  maxRequests: "requests under way; beyond it 503 with Retry-After, before memory grows",
  maxRequestsPerAddress:
    "requests under way from one address, or one /64 of IPv6: no client alone takes all of an origin's connections. Its further handshakes wait until there is room",
  maxLoopDelayMs:
    "that the event loop may be late, twice in a row; then 503 until it is on time. 0 for no limit",
  maxHeapShare: "of the heap; beyond it 503, because V8 then spends its time on collecting",
  bodyStallMs: "in which less than `bodyStallBytes` of a wanted body came, until the connection is cut",
  bodyStallBytes: "of a body that have to come in that time",
  responseStallMs: "in which a client takes nothing of a response that waits, until it is cut",
};

const UPSTREAM_REASONS: Readonly<Record<keyof typeof DEFAULT_UPSTREAM_LIMITS, string>> = {
  connections: "connections to one origin; further requests wait for one",
  connectTimeoutMs: "until a connection stands; then the next origin, or 502",
  queueTimeoutMs: "that a request waits for a connection; then 503 with Retry-After",
  keepAliveTimeoutMs:
    "that an idle connection is kept: less than the 5 s after which Node origins close theirs",
  headersTimeoutMs: "until the origin's header section is there; then 504",
  bodyTimeoutMs: "between two pieces of a response; 0 for none, so that event streams may be silent",
};

/** By the end of a name; others are counts. */
const UNITS = { Ms: "ms", Bytes: "bytes", Share: "share" };

const unitOf = (name: string): string =>
  Object.entries(UNITS).find(([end]) => name.endsWith(end))?.[1] ?? "count";

function rowsOf(
  section: string,
  defaults: Readonly<Record<string, number>>,
  reasons: Readonly<Record<string, string>>,
): readonly (readonly string[])[] {
  return Object.entries(defaults).map(([name, value]) => [
    `\`${section}.${name}\``,
    String(value),
    unitOf(name),
    reasons[name] ?? "",
  ]);
}

export const limitRows = (): readonly (readonly string[])[] => [
  ...rowsOf("limits", CLIENT_DEFAULTS, CLIENT_REASONS),
  ...rowsOf("upstream", { ...DEFAULT_UPSTREAM_LIMITS }, UPSTREAM_REASONS),
];

/** Those of our own; the usual ones of the process and of Node are beside them. */
export async function metricRows(): Promise<readonly (readonly string[])[]> {
  const metrics = createMetrics({ zoneName: () => "", configVersion: () => 1 });
  const text = await metrics.text();
  return [...text.matchAll(/^# HELP (stepgate_\S+) (.*)\n# TYPE \S+ (\w+)$/gm)].map(
    ([, name = "", help = "", type = ""]) => [`\`${name}\``, type, help],
  );
}
