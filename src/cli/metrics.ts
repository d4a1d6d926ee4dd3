/** Metrics in Prometheus' format. Labels are names of the configuration, never what a client wrote. */
import cluster from "node:cluster";
import { AggregatorRegistry, collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import type { SecurityEvent } from "../engine/index.ts";
import type { FinishedRequest, GatewayProblem } from "../gateway/index.ts";
import type { SequenceState } from "../sequence/index.ts";

export interface Metrics {
  readonly onEvent: (event: SecurityEvent) => void;
  readonly onFinished: (request: FinishedRequest) => void;
  readonly onProblem: (problem: GatewayProblem) => void;
  readonly onSequenceRead: (state: SequenceState) => void;
  /** The text of this process, or of all workers together. */
  text(): Promise<string>;
  readonly contentType: string;
}

/** Seconds; an origin answers within milliseconds or has a problem. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** Bytes of our cookies in one request: at rest below 200, in a burst about 1 KB. */
const COOKIE_BYTES = [0, 100, 200, 400, 800, 1_600, 3_200];

/** Methods by which requests are counted; a client can invent others. */
const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

interface Observed {
  /** Names of zones by id. */
  readonly zoneName: (zoneId: string) => string | undefined;
  readonly configVersion: () => number;
}

export function createMetrics({ zoneName, configVersion }: Observed): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const { requests, durations, upstream, decisions, problems, cookies, cookieBytes } =
    instrumentsOn(registry);
  void new Gauge({
    name: "stepgate_config_version",
    help: "Version of the configuration in force",
    registers: [registry],
    aggregator: "min",
    collect(): void {
      this.set(configVersion());
    },
  });
  publishToPrimary(registry);
  return {
    onEvent: ({ zoneName: zone, phase, ruleId, action }) =>
      decisions.inc({ zone, phase, rule: ruleId, action }),
    onFinished({ zoneId, method, status, outcome, durationMs, upstreamMs }) {
      const zone = (zoneId === undefined ? undefined : zoneName(zoneId)) ?? "";
      const known = METHODS.has(method) ? method : "other";
      requests.inc({ zone, method: known, status: `${Math.floor(status / 100)}xx`, outcome });
      durations.observe({ zone }, durationMs / 1000);
      if (upstreamMs !== undefined) upstream.observe({ zone }, upstreamMs / 1000);
    },
    onProblem: ({ reason }) => problems.inc({ reason }),
    onSequenceRead({ invalid, cookieBytes: bytes }) {
      cookieBytes.observe(bytes);
      for (const [reason, count] of Object.entries(invalid)) if (count > 0) cookies.inc({ reason }, count);
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

function instrumentsOn(registry: Registry) {
  const registers = [registry];
  const requests = new Counter({
    name: "stepgate_requests_total",
    help: "Requests by zone, method, status class and outcome (forwarded, answered by us, failed, left)",
    labelNames: ["zone", "method", "status", "outcome"] as const,
    registers,
  });
  const durations = new Histogram({
    name: "stepgate_request_seconds",
    help: "Seconds from a request's headers to the end of its answer",
    labelNames: ["zone"] as const,
    buckets: SECONDS,
    registers,
  });
  const upstream = new Histogram({
    name: "stepgate_upstream_seconds",
    help: "Seconds until the origin's response headers were there",
    labelNames: ["zone"] as const,
    buckets: SECONDS,
    registers,
  });
  const decisions = new Counter({
    name: "stepgate_rule_hits_total",
    help: "Rules that fired",
    labelNames: ["zone", "phase", "rule", "action"] as const,
    registers,
  });
  const problems = new Counter({
    name: "stepgate_refused_total",
    help: "Requests refused without a rule, and failures of origins",
    labelNames: ["reason"] as const,
    registers,
  });
  const cookies = new Counter({
    name: "stepgate_cookies_invalid_total",
    help: "Sequence cookies that were ignored, by reason",
    labelNames: ["reason"] as const,
    registers,
  });
  const cookieBytes = new Histogram({
    name: "stepgate_cookie_bytes",
    help: "Bytes of sequence cookies in a request",
    buckets: COOKIE_BYTES,
    registers,
  });
  return { requests, durations, upstream, decisions, problems, cookies, cookieBytes };
}

/** Of all workers; to be called in the process that started them. */
export function createWorkersMetrics(): Pick<Metrics, "text" | "contentType"> {
  const aggregator = new AggregatorRegistry();
  return { text: () => aggregator.clusterMetrics(), contentType: aggregator.contentType };
}

/** A worker answers the questions of the process that started it. */
function publishToPrimary(registry: Registry): void {
  if (!cluster.isWorker) return;
  AggregatorRegistry.setRegistries([registry]);
  void new AggregatorRegistry();
}
