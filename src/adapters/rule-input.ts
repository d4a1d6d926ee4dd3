/** Rules as an application writes them. */
import type { Phase, RuleDraft } from "../ruleset/index.ts";

/** A rule in the wire shape of the Rulesets API; what is left out is filled in. */
export interface RuleInput extends Omit<RuleDraft, "action"> {
  /** `block` unless given. */
  readonly action?: RuleDraft["action"];
  /** `http_request_firewall_custom` unless given; `http_ratelimit` needs the member `ratelimit`. */
  readonly phase?: Phase;
}
