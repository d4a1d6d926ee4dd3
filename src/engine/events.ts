/** What a rule did to a request, for logs, audits and the person who asks why they were blocked. */
import type { Requirement } from "../expression/index.ts";
import type { Hit, HitOutcome } from "../phases/index.ts";
import { shortIdOf } from "../operation/index.ts";
import type { Phase, RuleAction } from "../ruleset/index.ts";
import type { SeqRule } from "../sequence/index.ts";
import type { RequestFields } from "./fields.ts";
import { missingOps } from "./missing-ops.ts";
import type { MissingOp } from "./missing-ops.ts";

/** Phases that leave events; sequence rules have one of their own, which holds no rulesets. */
export type EventPhase = Phase | "http_request_api_gateway_early";

/** As {@link HitOutcome}; and `solved`, `unsolved`: a challenge of the rule was answered, rightly or wrongly. */
export type EventOutcome = HitOutcome | "solved" | "unsolved";

/** What one rule did to one request. */
export interface SecurityEvent {
  /** Names the request: 16 hex characters, in the answer's `Stepgate-Ray` field too. */
  readonly rayId: string;
  /** Epoch milliseconds. */
  readonly at: number;
  /** 32 hex characters. */
  readonly zoneId: string;
  /** Name of the site. */
  readonly zoneName: string;
  /** Where in the way of a request the rule stands. */
  readonly phase: EventPhase;
  /** Empty for a sequence rule, which is in no ruleset. */
  readonly rulesetId: string;
  /** 32 hex characters. */
  readonly ruleId: string;
  /** Stable reference of the rule. */
  readonly ruleRef: string;
  /** Grows when the rule changes. */
  readonly ruleVersion: string;
  /** What its author says of the rule. */
  readonly ruleDescription: string;
  /** What the rule asks for. */
  readonly action: RuleAction;
  /** What became of it. */
  readonly outcome: EventOutcome;
  /** A clause for the operator: where a redirect led, why something failed. */
  readonly detail?: string;
  /** Status that the visitor would have seen if the ruleset were not on trial. */
  readonly wouldBeStatus?: number;
  /** 0 for the last rule that fired for the request, counting backwards. */
  readonly matchIndex: number;
  /** Method of the request. */
  readonly method: string;
  /** Scheme that the visitor used. */
  readonly scheme: "http" | "https";
  /** `HTTP/1.1`, `HTTP/2`. */
  readonly protocol: string;
  /** Host name that was asked for. */
  readonly host: string;
  /** Canonical path, without the query. */
  readonly path: string;
  /** Without `?`. */
  readonly query: string;
  /** Field `Referer`, or empty. */
  readonly referer: string;
  /** Address of the visitor. */
  readonly clientAddress: string;
  /** Field `User-Agent`, or empty. */
  readonly userAgent: string;
  /** Status that the visitor saw; 499 when they left before there was one. */
  readonly status: number;
  /** Status that the origin gave; 0 when it was not asked, or did not answer. */
  readonly originStatus: number;
  /** Short id of the operation this request is, or empty. */
  readonly currentOp: string;
  /** Earlier operations, newest first, with their ages. */
  readonly previousOps: readonly {
    /** Short id. */
    readonly op: string;
    /** Milliseconds since it was called. */
    readonly ageMs: number;
  }[];
  /** What the rule asked for and did not find; empty when it did not fire for something missing. */
  readonly missing: readonly MissingOp[];
}

/** A rule that fired, on its way to becoming an event: the status is known only at the end. */
export interface FiredRule extends Omit<Hit, "outcome"> {
  readonly outcome: EventOutcome;
}

/** A sequence rule that fired, likewise. */
export interface FiredSequenceRule {
  readonly seqRule: SeqRule;
  /** Whether nobody knows the sequence: the rule then goes by its `on_state_error`. */
  readonly isStateError: boolean;
}

/** Whether a rule that fired is to leave an event: an operator may turn it off, but not for what went wrong. */
export function leavesEvent({ rule, outcome }: FiredRule): boolean {
  return rule.logging?.enabled !== false || outcome === "failed";
}

/** The facts of one finished request. */
export interface FinishedRequest {
  readonly fields: RequestFields;
  readonly zoneId: string;
  readonly status: number;
  readonly originStatus: number;
}

const STATE_ERROR_DETAIL = "the sequence cannot be had; `on_state_error` is block";

type RuleFacts = Pick<
  SecurityEvent,
  | "phase"
  | "rulesetId"
  | "ruleId"
  | "ruleRef"
  | "ruleVersion"
  | "ruleDescription"
  | "action"
  | "outcome"
  | "detail"
  | "wouldBeStatus"
  | "missing"
>;

/** @param requirements what the rule's expression asks of the sequence */
export function toEvents(
  fired: readonly (FiredRule | FiredSequenceRule)[],
  { fields, zoneId, status, originStatus }: FinishedRequest,
  requirements: (hit: FiredRule) => readonly Requirement[],
): readonly SecurityEvent[] {
  const { facts, currentOp, entries } = fields;
  const { request } = facts;
  const previousOps = entries.map(({ op, at }) => ({ op, ageMs: Math.max(0, request.receivedAt - at) }));
  return fired.map((hit, index) => ({
    rayId: request.rayId,
    at: request.receivedAt,
    zoneId,
    zoneName: facts.zoneName,
    ...("seqRule" in hit
      ? sequenceRuleFacts(hit)
      : // Of a sequence that nobody knows, nothing can be said to be missing.
        ruleFacts(hit, hit.isStateError === true ? [] : missingOps(requirements(hit), previousOps))),
    matchIndex: fired.length - 1 - index,
    method: request.method,
    scheme: request.scheme,
    protocol: `HTTP/${request.httpVersion.replace(/\.0$/, request.httpVersion === "1.0" ? ".0" : "")}`,
    host: facts.host,
    path: facts.path,
    query: facts.query,
    referer: request.header("referer") ?? "",
    clientAddress: request.clientAddress,
    userAgent: request.header("user-agent") ?? "",
    status,
    originStatus,
    currentOp,
    previousOps,
  }));
}

function ruleFacts(hit: FiredRule, missing: readonly MissingOp[]): RuleFacts {
  const { ruleset, rule, outcome, wouldBeStatus } = hit;
  const clauses = [hit.detail, hit.isStateError === true ? STATE_ERROR_DETAIL : undefined];
  const detail = clauses.filter((clause) => clause !== undefined).join("; ");
  return {
    phase: ruleset.phase,
    rulesetId: ruleset.id,
    ruleId: rule.id,
    ruleRef: rule.ref,
    ruleVersion: rule.version,
    ruleDescription: rule.description,
    action: rule.action,
    outcome,
    ...(detail === "" ? {} : { detail }),
    ...(wouldBeStatus === undefined ? {} : { wouldBeStatus }),
    missing,
  };
}

/** Of an `allow` rule the first operation is what was missing, within the look-back; a `block` rule misses nothing. */
function sequenceRuleFacts({ seqRule, isStateError }: FiredSequenceRule): RuleFacts {
  const { id, title, kind, action, sequence } = seqRule;
  return {
    phase: "http_request_api_gateway_early",
    rulesetId: "",
    ruleId: id,
    ruleRef: id,
    ruleVersion: "1",
    ruleDescription: title,
    action,
    outcome: "applied",
    ...(isStateError ? { detail: STATE_ERROR_DETAIL } : {}),
    missing: kind === "allow" && !isStateError ? [{ op: shortIdOf(sequence[0]) }] : [],
  };
}
