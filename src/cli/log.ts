/** The structured log: JSON lines on standard output, without secrets. */
import { pino } from "pino";
import type { Logger } from "pino";
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

/** One line per rule that fired: everything needed to tell a visitor why. */
export function logEvent(log: Logger, event: SecurityEvent): void {
  log.info(
    {
      event: "rule",
      ray_id: event.rayId,
      zone: event.zoneName,
      phase: event.phase,
      ruleset_id: event.rulesetId,
      rule_id: event.ruleId,
      rule_ref: event.ruleRef,
      rule_version: event.ruleVersion,
      description: event.ruleDescription,
      action: event.action,
      method: event.method,
      host: event.host,
      path: event.path,
      client_ip: event.clientAddress,
      user_agent: event.userAgent,
      current_op: event.currentOp,
      previous_ops: event.previousOps.map(({ op, ageMs }) => ({ op, age_ms: ageMs })),
    },
    `${event.action} by rule ${event.ruleDescription || event.ruleId}`,
  );
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
