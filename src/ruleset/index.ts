export { compileRules, RuleCompileError } from "./compile.ts";
export type { CompilableRule, CompiledRule, CompiledRules, CompileRulesOptions } from "./compile.ts";
export { EVERY_FIELD, FIELD_SLOTS, fieldSlot, schemeFor } from "./fields.ts";
export type { SchemeForOptions } from "./fields.ts";
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
export { PHASES, RULE_ACTIONS } from "./types.ts";
export type {
  ActionParameters,
  BlockResponse,
  Phase,
  Ratelimit,
  Rule,
  RuleAction,
  Ruleset,
  RulesetKind,
} from "./types.ts";
