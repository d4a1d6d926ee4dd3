export { compileRules, RuleCompileError } from "./compile.ts";
export type {
  CompilableRule,
  CompiledRule,
  CompiledRules,
  CompileRulesOptions,
  RuleValues,
} from "./compile.ts";
export { addRule, createRuleset, editRule, removeRule, replaceRules } from "./edits.ts";
export type { EditContext, EditResult, RuleDraft, RulePosition } from "./edits.ts";
export { createExpressionChecker } from "./expression-check.ts";
export type { ExpressionChecker } from "./expression-check.ts";
export { EVERY_FIELD, FIELD_SLOTS, fieldSlot, schemeFor } from "./fields.ts";
export type { SchemeForOptions } from "./fields.ts";
export { canonicalCidr } from "./cidr.ts";
export { checkListItems, listItemKey } from "./list-items.ts";
export type { CheckedItems, ListItemContent } from "./list-items.ts";
export { MAX_COMMENT_LENGTH, MAX_LIST_ITEMS, MAX_LIST_NAME_LENGTH } from "./limits.ts";
export type { RulesetIssue, RulesetIssueKind } from "./issues.ts";
export { LIST_KINDS, REDIRECT_STATUS_CODES } from "./list-types.ts";
export type {
  AsnItem,
  HostnameItem,
  IpItem,
  List,
  ListItem,
  ListKind,
  Redirect,
  RedirectItem,
} from "./list-types.ts";
export { actionsOf, kindsAt, PHASE_TABLE, phaseNamed, phasesWith } from "./phases.ts";
export type { ParametersKind, PhaseRow } from "./phases.ts";
export { PHASES, RULE_ACTIONS } from "./types.ts";
export type {
  ActionParameters,
  BlockResponse,
  Phase,
  Ratelimit,
  Rule,
  RuleAction,
  StateErrorPolicy,
  Ruleset,
  RulesetKind,
} from "./types.ts";
export { checkRule } from "./validate.ts";
export type { RuleTarget } from "./validate.ts";
