/** The structured log: JSON lines on standard output, without secrets. */
import { pino } from "pino";
import type { Logger } from "pino";
import { toEventRecord, toFirewallEvent } from "../engine/index.ts";
import type { SecurityEvent } from "../engine/index.ts";
import type { GatewayProblem } from "../gateway/index.ts";

export type { Logger };

export function createLog(level: string): Logger {
  return pino({
    level,
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label) => ({ level: label }) },
  });
}

/** Names of the fields of an event: our own, or those of the original's Logpush data set `firewall_events`. */
export type EventNames = "own" | "logpush";

/** One line per rule that fired: everything needed to tell a visitor why. */
export function logEvent(log: Logger, event: SecurityEvent, names: EventNames = "own"): void {
  const record = names === "own" ? toEventRecord(event, formatTime) : toFirewallEvent(event, formatTime);
  log.info({ event: "rule", ...record }, `${event.action} by rule ${event.ruleDescription || event.ruleId}`);
}

function formatTime(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

/** Refusals are the clients' doing and only worth a debug line; failing origins and defects are not. */
export function logProblem(log: Logger, problem: GatewayProblem): void {
  const line = {
    event: "problem",
    reason: problem.reason,
    ray_id: problem.rayId,
    method: problem.method,
    ...(problem.error === undefined ? {} : { error: problem.error.message }),
  };
  if (problem.reason === "internal")
    log.error({ ...line, stack: problem.error?.stack }, "the gateway failed a request");
  else if (problem.reason.startsWith("origin_")) log.warn(line, "the origin failed a request");
  else log.debug(line, "request refused");
}
