/** Checks rules as they are written, against their phase: everything that can be known before they run. */
import { checkActionParameters } from "./action-parameters.ts";
import type { ExpressionChecker } from "./expression-check.ts";
import type { RulesetIssue } from "./issues.ts";
import { MAX_DESCRIPTION_LENGTH, MAX_EXPRESSION_LENGTH, MAX_REF_LENGTH } from "./limits.ts";
import { actionsOf, PHASE_TABLE } from "./phases.ts";
import { checkRatelimit } from "./ratelimit-block.ts";
import { Place } from "./report.ts";
import { RULE_ACTIONS } from "./types.ts";
import type { Phase, RuleAction, RulesetKind } from "./types.ts";

/** Where the checked rules will live. */
export interface RuleTarget {
  readonly phase: Phase;
  readonly kind: RulesetKind;
  readonly expressions: ExpressionChecker;
}

/**
 * Everything that is wrong with a rule; nothing when it can be stored and run.
 *
 * @param rule any JSON value
 * @param pointer of the rule in what was sent
 */
export function checkRule(rule: unknown, target: RuleTarget, pointer = ""): readonly RulesetIssue[] {
  const issues: RulesetIssue[] = [];
  const place = new Place(issues, rule, pointer);
  if (place.object() === undefined) return issues;
  checkIdentity(place);
  const expression = checkExpression(place.member("expression"), target);
  checkAction(place, target, expression);
  return issues;
}

function checkIdentity(place: Place): void {
  const id = place.member("id");
  const text = id.string({ max: 32, required: false });
  if (text !== undefined && !/^[0-9a-f]{32}$/.test(text)) {
    id.report("it must have 32 lower-case hexadecimal digits");
  }
  place.member("ref").string({ min: 1, max: MAX_REF_LENGTH, required: false });
  place.member("description").string({ max: MAX_DESCRIPTION_LENGTH, required: false });
  place.member("enabled").boolean();
  const logging = place.member("logging");
  if (logging.object({ required: false }) !== undefined) {
    if (logging.member("enabled").isPresent) logging.member("enabled").boolean();
    else logging.member("enabled").report("it is required; expected true or false", "missing");
  }
}

function checkExpression(place: Place, { phase, expressions }: RuleTarget): string | undefined {
  const expression = place.string({ max: MAX_EXPRESSION_LENGTH });
  if (expression === undefined) return undefined;
  expressions.filter(place, expression, phase);
  return expression;
}

function checkAction(rule: Place, target: RuleTarget, expression: string | undefined): void {
  const { phase, kind } = target;
  const row = PHASE_TABLE[phase];
  const action = checkActionName(rule.member("action"), target);
  if (action !== undefined) {
    checkActionParameters(rule.member("action_parameters"), {
      parameters: row.actions[action] ?? "none",
      action,
      phase,
      kind,
      expressions: target.expressions,
      expression,
    });
  }
  checkStateError(rule.member("on_state_error"), target, action);
  const ratelimit = rule.member("ratelimit");
  if (!row.hasRatelimit && ratelimit.isPresent) {
    ratelimit.report(`rules of ${phase} have no rate limit; write it in http_ratelimit`, "parameters");
  }
  // A rule that only executes another ruleset counts nothing itself.
  if (row.hasRatelimit && action !== undefined && action !== "execute") {
    checkRatelimit(ratelimit, target.expressions);
  }
}

/** Phases whose rules can ask for the sequence and end a request for it. */
const STATE_ERROR_PHASES: ReadonlySet<Phase> = new Set([
  "http_request_firewall_custom",
  "http_ratelimit",
  "http_request_redirect",
]);

/** A rule that lets requests off, or vouches for them in a header, must not do so because nobody knows anything. */
const UNFIT_ACTIONS: ReadonlySet<RuleAction> = new Set(["skip", "rewrite"]);

function checkStateError(place: Place, { phase }: RuleTarget, action: RuleAction | undefined): void {
  if (place.oneOf(["allow", "block"], { required: false }) === undefined) return;
  if (!STATE_ERROR_PHASES.has(phase))
    place.report(`rules of ${phase} do not ask for the sequence`, "parameters");
  else if (phase === "http_ratelimit" && action !== "execute")
    place.report("a rule that counts says it in `ratelimit`", "parameters");
  else if (action !== undefined && UNFIT_ACTIONS.has(action))
    place.report(`action ${action} is not carried out while the sequence cannot be had`, "parameters");
}

function checkActionName(place: Place, { phase, kind }: RuleTarget) {
  const name = place.string({ max: 100 });
  if (name === undefined) return undefined;
  const supported = actionsOf(phase, kind);
  const action = supported.find((known) => known === name);
  if (action !== undefined) return action;
  const known = RULE_ACTIONS.some((other) => other === name);
  return place.report(
    `${known ? `rules of a ${kind} ruleset in ${phase} cannot do this` : "Stepgate has no such action"}; supported here: ${supported.join(", ")}`,
    "not_supported",
  );
}
