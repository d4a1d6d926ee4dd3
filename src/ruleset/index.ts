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
