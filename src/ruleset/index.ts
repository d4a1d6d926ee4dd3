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
