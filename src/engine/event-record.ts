/** A security event as JSON: in our own names for the API and the log, or in those of the original's Logpush data set. */
import type { RuleAction } from "../ruleset/index.ts";
import type { SecurityEvent } from "./events.ts";

/** Epoch milliseconds as RFC 3339 text; the engine has no calendar of its own. */
export type FormatTime = (epochMs: number) => string;

/** An event in our own names. */
export function toEventRecord(
  event: SecurityEvent,
  formatTime: FormatTime,
): Readonly<Record<string, unknown>> {
  return {
    ray_id: event.rayId,
    occurred_at: formatTime(event.at),
    zone_id: event.zoneId,
    zone: event.zoneName,
    phase: event.phase,
    source: sourceOf(event),
    ruleset_id: event.rulesetId,
    rule_id: event.ruleId,
    rule_ref: event.ruleRef,
    rule_version: event.ruleVersion,
    description: event.ruleDescription,
    action: event.action,
    outcome: event.outcome,
    ...(event.detail === undefined ? {} : { detail: event.detail }),
    ...(event.wouldBeStatus === undefined ? {} : { would_be_status: event.wouldBeStatus }),
    match_index: event.matchIndex,
    method: event.method,
    scheme: event.scheme,
    protocol: event.protocol,
    host: event.host,
    path: event.path,
    query: event.query,
    referer: event.referer,
    client_ip: event.clientAddress,
    user_agent: event.userAgent,
    status: event.status,
    origin_status: event.originStatus,
    current_op: event.currentOp,
    previous_ops: event.previousOps.map(({ op, ageMs }) => ({ op, age_ms: ageMs })),
    missing: event.missing.map(({ op, ageMs, atLeastMs, atMostMs, position }) => ({
      op,
      ...(ageMs === undefined ? {} : { age_ms: ageMs }),
      ...(atLeastMs === undefined ? {} : { at_least_ms: atLeastMs }),
      ...(atMostMs === undefined ? {} : { at_most_ms: atMostMs }),
      ...(position === undefined ? {} : { position }),
    })),
  };
}

/** Actions as the data set spells them. Redirects and rewrites are no security events there: their own names stay. */
const LOGPUSH_ACTIONS: Readonly<Record<RuleAction, string>> = {
  block: "block",
  log: "log",
  skip: "skip",
  challenge: "challenge",
  js_challenge: "jschallenge",
  managed_challenge: "managedchallenge",
  execute: "execute",
  redirect: "redirect",
  rewrite: "rewrite",
};

const LOGPUSH_SUFFIXES: Readonly<Partial<Record<SecurityEvent["outcome"], string>>> = {
  bypassed: "bypassed",
  solved: "solved",
  unsolved: "failed",
};

/** What the data set calls the product that a rule belongs to; the phase where it has no name for it. */
const SOURCES: Readonly<Partial<Record<SecurityEvent["phase"], string>>> = {
  http_request_firewall_custom: "firewallcustom",
  http_ratelimit: "ratelimit",
  http_request_api_gateway_early: "apishieldsequencemitigation",
};

/**
 * An event with the field names of the data set `firewall_events`. Fields that need Cloudflare's network (countries,
 * networks, scans, leaked credentials) are left out.
 */
export function toFirewallEvent(
  event: SecurityEvent,
  formatTime: FormatTime,
): Readonly<Record<string, unknown>> {
  const referer = URL.parse(event.referer);
  return {
    Action: logpushAction(event),
    ClientIP: event.clientAddress,
    ClientRefererHost: referer?.hostname ?? "",
    ClientRefererPath: referer?.pathname ?? "",
    ClientRefererQuery: referer?.search ?? "",
    ClientRefererScheme: referer?.protocol.slice(0, -1) ?? "",
    ClientRequestHost: event.host,
    ClientRequestMethod: event.method,
    ClientRequestPath: event.path,
    ClientRequestProtocol: event.protocol,
    ClientRequestQuery: event.query === "" ? "" : `?${event.query}`,
    ClientRequestScheme: event.scheme,
    ClientRequestUserAgent: event.userAgent,
    Datetime: formatTime(event.at),
    Description: event.ruleDescription,
    EdgeResponseStatus: event.status,
    Kind: "firewall",
    MatchIndex: event.matchIndex,
    Metadata: {
      phase: event.phase,
      ruleset_id: event.rulesetId,
      rule_version: event.ruleVersion,
      outcome: event.outcome,
      ...(event.detail === undefined ? {} : { detail: event.detail }),
      ...(event.wouldBeStatus === undefined ? {} : { would_be_status: String(event.wouldBeStatus) }),
      current_op: event.currentOp,
      previous_ops: event.previousOps.map(({ op, ageMs }) => `${op}:${ageMs}`).join(" "),
      missing_ops: event.missing.map(({ op }) => op).join(" "),
    },
    OriginResponseStatus: event.originStatus,
    OriginatorRayID: "00",
    RayID: event.rayId,
    Ref: event.ruleRef,
    RuleID: event.ruleId,
    Source: sourceOf(event),
  };
}

function sourceOf({ phase }: SecurityEvent): string {
  return SOURCES[phase] ?? phase;
}

/** What a rule on trial did is what `log` does. */
function logpushAction({ action, outcome }: SecurityEvent): string {
  if (outcome === "simulated") return "log";
  return LOGPUSH_ACTIONS[action] + (LOGPUSH_SUFFIXES[outcome] ?? "");
}
