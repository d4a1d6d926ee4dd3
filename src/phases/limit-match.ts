/** Which rate limits concern a request: those that act on it, those that count it, those that will count it later. */
import type { CompiledRule, Rule, Ruleset } from "../ruleset/index.ts";
import type { PreparedLimit } from "./limit.ts";
import type { PreparedRule, PreparedRuleset } from "./prepare.ts";
import { stateErrorOf } from "./run.ts";
import type { RequestRun } from "./run.ts";
import type { Hit, PhaseInput, PreparedPhase } from "./types.ts";

export interface LimitMatch {
  readonly limit: PreparedLimit;
  readonly ruleset: Ruleset;
  /** The rule's expression holds: the rule may act on this request. */
  readonly acts: boolean;
  /** The request counts as it arrives. */
  readonly counts: boolean;
  readonly isOnTrial: boolean;
  /** Why the expression holds, where nobody knows the sequence that it asks for. */
  readonly cause: Pick<Hit, "isStateError">;
}

export interface CollectedLimits {
  /** In the order of the rules. */
  readonly matches: readonly LimitMatch[];
  readonly later: readonly LimitMatch[];
}

interface Collector {
  readonly input: PhaseInput;
  readonly run: RequestRun;
  readonly matches: LimitMatch[];
  readonly later: LimitMatch[];
}

export function collectLimits(
  { phase, rulesets }: PreparedPhase,
  input: PhaseInput,
  run: RequestRun,
): CollectedLimits {
  const collector: Collector = { input, run, matches: [], later: [] };
  for (const prepared of rulesets) {
    const { id, kind, simulate } = prepared.ruleset;
    if (run.skips?.hasRuleset(id, phase, kind) !== true) collect(prepared, simulate === true, collector);
  }
  return collector;
}

function collect(prepared: PreparedRuleset, isOnTrial: boolean, collector: Collector): void {
  const { input, run } = collector;
  const { limits, ruleset } = prepared;
  if (limits === undefined || (isOnTrial && run.simulatedEnd)) return;
  const acting = actingOnArrival(prepared, input);
  const counted = countedOnArrival(prepared, input);
  for (const { rule, acts, asksHistory } of inOrder(prepared, acting, counted)) {
    if (isSkipped(rule.rule, run)) continue;
    if (rule.action.kind === "execute") execute(rule.action.ruleset, isOnTrial, collector);
    const limit = limits.byRule.get(rule.rule.id);
    if (limit === undefined) continue;
    const counts = limit.counting === undefined ? acts && limit.stage === "arrival" : counted.has(limit);
    // Of a rule that only counts here, it says nothing.
    const cause = stateErrorOf({ asksHistory: acts && asksHistory }, input);
    const match = { limit, ruleset, acts, counts, isOnTrial, cause };
    collector.matches.push(match);
    if (limit.counting === undefined && limit.stage !== "arrival") collector.later.push(match);
  }
  for (const limit of limits.countingLater) {
    if (isSkipped(limit.rule, run)) continue;
    collector.later.push({ limit, ruleset, acts: false, counts: false, isOnTrial, cause: {} });
  }
}

function isSkipped(rule: Rule, { skips }: RequestRun): boolean {
  return skips?.hasRule(rule) === true;
}

const NOTHING_ACTING: readonly CompiledRule<PreparedRule>[] = [];
const NOTHING_COUNTED: ReadonlySet<PreparedLimit> = new Set();

function actingOnArrival(
  { rules }: PreparedRuleset,
  { values, currentOp }: PhaseInput,
): readonly CompiledRule<PreparedRule>[] {
  let acting: CompiledRule<PreparedRule>[] | undefined;
  rules.match(values, currentOp, (match) => {
    (acting ??= []).push(match);
    return false;
  });
  return acting ?? NOTHING_ACTING;
}

function countedOnArrival({ limits }: PreparedRuleset, input: PhaseInput): ReadonlySet<PreparedLimit> {
  const rules = limits?.countingOnArrival;
  if (rules === undefined) return NOTHING_COUNTED;
  const counted = new Set<PreparedLimit>();
  rules.match(input.values, input.currentOp, ({ rule }) => {
    counted.add(rule.limit);
    return false;
  });
  return counted;
}

/** The rules that act or count. Only rules that count what they do not act on make it necessary to look at all. */
function inOrder(
  { rules, limits }: PreparedRuleset,
  acting: readonly CompiledRule<PreparedRule>[],
  counted: ReadonlySet<PreparedLimit>,
): readonly { readonly rule: PreparedRule; readonly acts: boolean; readonly asksHistory: boolean }[] {
  if (counted.size === 0) return acting.map(({ rule, asksHistory }) => ({ rule, acts: true, asksHistory }));
  const actingRules = new Set(acting.map(({ rule }) => rule));
  return rules.rules
    .map(({ rule, asksHistory }) => ({ rule, acts: actingRules.has(rule), asksHistory }))
    .filter(({ rule, acts }) => {
      const limit = limits?.byRule.get(rule.rule.id);
      return acts || (limit !== undefined && counted.has(limit));
    });
}

function execute(executed: PreparedRuleset, isOnTrial: boolean, collector: Collector): void {
  const { id, phase, kind, simulate } = executed.ruleset;
  if (collector.run.skips?.hasRuleset(id, phase, kind) === true) return;
  collect(executed, isOnTrial || simulate === true, collector);
}
