/** Rules as written become rulesets as compiled, checked like those that come through the API. */
import { checkRule, createExpressionChecker } from "../ruleset/index.ts";
import type { ListKind, Phase, Rule, Ruleset, RulesetKind } from "../ruleset/index.ts";
import type { RuleInput } from "./rule-input.ts";
import { contentId } from "./stable-ids.ts";

const DEFAULT_PHASE: Phase = "http_request_firewall_custom";

/** Rules in code have no date; the version of the program is theirs. */
export const NO_DATE = "1970-01-01T00:00:00Z";

/**
 * @param inputs in the order in which they are asked, those of a phase among themselves
 * @throws {TypeError} with everything that is wrong with any of them
 */
export function toRulesets(inputs: readonly RuleInput[]): readonly Ruleset[] {
  const rules = inputs.map((input) => ({ phase: input.phase ?? DEFAULT_PHASE, rule: toRule(input) }));
  checkRules(rules.map(({ phase, rule }) => ({ phase, kind: "zone", rule })));
  const refs = new Set<string>();
  for (const [index, { rule }] of rules.entries()) {
    if (refs.has(rule.ref)) {
      throw new TypeError(`rule ${index + 1}: expected a \`ref\` of its own, found \`${rule.ref}\` again`);
    }
    refs.add(rule.ref);
  }
  return [...Map.groupBy(rules, ({ phase }) => phase)].map(([phase, members]) => ({
    id: contentId("ruleset", phase),
    name: "default",
    description: "",
    kind: "zone",
    phase,
    version: "1",
    last_updated: NO_DATE,
    rules: members.map(({ rule }) => rule),
  }));
}

/** Fills in what may be left out. Methods and private members of a rule built with sentences stay behind. */
export function toRule(input: RuleInput): Rule {
  const { phase, ...members } = input;
  const { action = "block", description = "", enabled = true, expression } = input;
  const id =
    input.id ??
    contentId("rule", JSON.stringify([phase ?? DEFAULT_PHASE, input.ref ?? "", expression, action]));
  return {
    ...members,
    id,
    ref: input.ref ?? id,
    action,
    description,
    enabled,
    version: "1",
    last_updated: NO_DATE,
  };
}

/** A rule, and where it stands. */
export interface PlacedRule {
  readonly phase: Phase;
  readonly kind: RulesetKind;
  readonly rule: unknown;
}

/**
 * @param listKinds lists that expressions may name, none unless given
 * @throws {TypeError} with everything that is wrong with any of them
 */
export function checkRules(
  rules: readonly PlacedRule[],
  listKinds: ReadonlyMap<string, ListKind> = new Map(),
): void {
  const expressions = createExpressionChecker(listKinds);
  const problems = rules.flatMap(({ phase, kind, rule }, index) =>
    checkRule(rule, { phase, kind, expressions }).map(
      ({ pointer, reason }) => `rule ${index + 1} of ${phase}, \`${pointer}\`: ${reason}`,
    ),
  );
  if (problems.length > 0) throw new TypeError(problems.join("; "));
}
