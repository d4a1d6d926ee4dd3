/** What the checkers of `action_parameters` know of the rule around them. */
import type { ExpressionChecker } from "./expression-check.ts";
import type { ParametersKind } from "./phases.ts";
import type { Phase, RuleAction, RulesetKind } from "./types.ts";

export interface ParametersContext {
  readonly parameters: ParametersKind;
  readonly action: RuleAction;
  readonly phase: Phase;
  readonly kind: RulesetKind;
  readonly expressions: ExpressionChecker;
  /** The rule's expression, if it is a text. */
  readonly expression: string | undefined;
}
