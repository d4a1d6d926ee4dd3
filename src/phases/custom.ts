/** Phase `http_request_firewall_custom`: rules in order, the first terminating action ends it. */
import type { FieldValues } from "../expression/index.ts";
import type { BlockResponse, CompiledRules, Rule } from "../ruleset/index.ts";

export type CustomDecision =
  | { readonly kind: "continue" }
  /** `response` is the rule's own answer; without one the default page is given. */
  | { readonly kind: "block"; readonly rule: Rule; readonly response: BlockResponse | undefined };

const CONTINUE: CustomDecision = { kind: "continue" };

/**
 * @param currentOp short id of the request's operation, empty for none: picks the rules that can match
 * @param onMatch called for each matching rule in order, the terminating one last
 */
export function runCustomRules(
  rules: CompiledRules,
  values: FieldValues,
  currentOp: string,
  onMatch: (rule: Rule) => void,
): CustomDecision {
  let decision = CONTINUE;
  rules.match(values, currentOp, ({ rule }) => {
    onMatch(rule);
    if (rule.action !== "block") return false;
    decision = { kind: "block", rule, response: rule.action_parameters?.response };
    return true;
  });
  return decision;
}
