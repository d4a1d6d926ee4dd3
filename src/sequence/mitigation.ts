/**
 * Sequence rules ("seqrules"): what the two operations of a rule say about one request.
 *
 * With a rule [A, B] and a request to B: a `block` rule fires when A is in the look-back, an `allow` rule when it is
 * not (Sequence Mitigation, "Fields"). The look-back is the sequence with consecutive repeats made one: the request itself
 * and the nine before it, none of these older than ten minutes.
 */
import { collapse } from "./store.ts";
import type { Sequence } from "./types.ts";

export const SEQ_RULE_KINDS = ["allow", "block"] as const;
export const SEQ_RULE_ACTIONS = ["block", "log"] as const;
export const SEQ_RULE_STATE_ERRORS = ["allow", "block"] as const;

/** A sequence rule as it is stored; wire names. The rules of a zone are a list in the order of their evaluation. */
export interface SeqRule {
  /** UUID. */
  readonly id: string;
  /** 1 to 50 characters. */
  readonly title: string;
  /** `block` denies the sequence; `allow` denies its second operation without its first. */
  readonly kind: (typeof SEQ_RULE_KINDS)[number];
  readonly action: (typeof SEQ_RULE_ACTIONS)[number];
  /** UUIDs of two operations of one host, which differ. */
  readonly sequence: readonly [string, string];
  /** Higher first; never higher than that of the rule before. */
  readonly priority: number;
  /** What a request to the second operation meets when the state cannot be had; `allow` when absent. Our own. */
  readonly on_state_error?: (typeof SEQ_RULE_STATE_ERRORS)[number];
  /** RFC 3339 with microseconds. */
  readonly created_at: string;
  readonly last_updated: string;
}

export interface SeqRuleOptions {
  /** Requests of the look-back, the current one included; 10 by default. */
  readonly maxRequests?: number;
  /** How old an operation of the look-back may be; 600,000 by default. */
  readonly maxAgeMs?: number;
  /**
   * Whether `allow` rules fire on a request that has no identity at all: no session identifier, or no sequence cookie.
   * Only attributable traffic is tracked in sessions, so there the answer is `false`; a visitor without a sequence cookie
   * has not called the first operation, so there it is `true`.
   */
  readonly allowFiresWithoutIdentity: boolean;
}

/** The sequence rules of a zone, found by the operation of the request. */
export interface CompiledSeqRules {
  /** Short id of the second operation → its rules in the order of evaluation. */
  readonly byOperation: ReadonlyMap<string, readonly CompiledSeqRule[]>;
  readonly maxRequests: number;
  readonly maxAgeMs: number;
  readonly allowFiresWithoutIdentity: boolean;
}

interface CompiledSeqRule {
  readonly rule: SeqRule;
  /** Short id of the operation that is looked for. */
  readonly first: string;
}

/** What is known when a request is judged. */
export interface SeqRuleInput {
  /** Short id of the request's operation; empty when it is none. */
  readonly currentOp: string;
  /** The look-back of the session, or the sequence of the cookies; `undefined` when the state cannot be had. */
  readonly lookback: Sequence | undefined;
  /** Whether the request carries what sequences are kept by. */
  readonly hasIdentity: boolean;
  /** Epoch milliseconds of the request. */
  readonly nowMs: number;
}

export interface FiredSeqRule {
  readonly rule: SeqRule;
  /** `sequence`: the look-back is as the rule says; `state_error`: nobody knows, and the rule blocks then. */
  readonly reason: "sequence" | "state_error";
}

export interface SeqRuleDecision {
  /** `block` when the last fired rule blocks. */
  readonly action: "continue" | "block";
  /** In the order of evaluation: any number that log, then at most one that blocks. */
  readonly fired: readonly FiredSeqRule[];
}

const DEFAULT_MAX_REQUESTS = 10;
const DEFAULT_MAX_AGE_MS = 600_000;

const CONTINUE: SeqRuleDecision = Object.freeze({ action: "continue", fired: Object.freeze([]) });

/** Digits of an operation's UUID that make its short id. */
const SHORT_ID_LENGTH = 8;

/** Indexes the rules, so that a request only meets those about its own operation. */
export function compileSeqRules(rules: readonly SeqRule[], options: SeqRuleOptions): CompiledSeqRules {
  const byOperation = new Map<string, CompiledSeqRule[]>();
  for (const rule of rules) {
    const [first, second] = rule.sequence.map((id) => id.slice(0, SHORT_ID_LENGTH)) as [string, string];
    const group = byOperation.get(second);
    if (group === undefined) byOperation.set(second, [{ rule, first }]);
    else group.push({ rule, first });
  }
  return {
    byOperation,
    maxRequests: options.maxRequests ?? DEFAULT_MAX_REQUESTS,
    maxAgeMs: options.maxAgeMs ?? DEFAULT_MAX_AGE_MS,
    allowFiresWithoutIdentity: options.allowFiresWithoutIdentity,
  };
}

/** Judges one request. The first rule that blocks ends it; those that log do not. */
export function evaluateSeqRules(compiled: CompiledSeqRules, input: SeqRuleInput): SeqRuleDecision {
  const rules = compiled.byOperation.get(input.currentOp);
  if (rules === undefined) return CONTINUE;
  const seen = input.lookback === undefined ? undefined : operationsSeen(input.lookback, input, compiled);
  const fired: FiredSeqRule[] = [];
  for (const { rule, first } of rules) {
    const reason = seen === undefined ? "state_error" : "sequence";
    const isFired =
      seen === undefined
        ? rule.on_state_error === "block"
        : fires(rule, seen.has(first), input.hasIdentity, compiled);
    if (!isFired) continue;
    fired.push({ rule, reason });
    if (rule.action === "block") return { action: "block", fired };
  }
  return fired.length === 0 ? CONTINUE : { action: "continue", fired };
}

function fires(rule: SeqRule, isSeen: boolean, hasIdentity: boolean, compiled: CompiledSeqRules): boolean {
  if (rule.kind === "block") return isSeen;
  return !isSeen && (hasIdentity || compiled.allowFiresWithoutIdentity);
}

/** Operations of the look-back, the current one left out. */
function operationsSeen(
  lookback: Sequence,
  { currentOp, nowMs }: SeqRuleInput,
  { maxRequests, maxAgeMs }: CompiledSeqRules,
): ReadonlySet<string> {
  const { entries } = collapse(lookback);
  // Repeats of the current operation right before it are one with it.
  const start = entries[0]?.op === currentOp ? 1 : 0;
  const before = entries.slice(start, start + maxRequests - 1);
  return new Set(before.filter(({ at }) => nowMs - at <= maxAgeMs).map(({ op }) => op));
}
