/** The phases, one row each: where they exist and what their rules may do. */
import { PHASES } from "./types.ts";
import type { Phase, RuleAction, RulesetKind } from "./types.ts";

/** Which `action_parameters` an action takes in a phase; see `action-parameters.ts`. */
export type ParametersKind =
  | "block_response"
  | "skip"
  | "execute"
  | "redirect_value"
  | "redirect_list"
  | "request_headers"
  | "response_headers"
  | "none";

export interface PhaseRow {
  /** Kinds of ruleset the phase can have: `zone` at zone level, `root` and `custom` at account level. */
  readonly kinds: readonly RulesetKind[];
  /** Actions of its rules with their parameters. `execute` is for `root` rulesets only. */
  readonly actions: Readonly<Partial<Record<RuleAction, ParametersKind>>>;
  /** Whether rules have a `ratelimit` block: all of them, or none. */
  readonly hasRatelimit: boolean;
  /** What the phase is called in messages. */
  readonly title: string;
}

const CHALLENGES = {
  challenge: "none",
  js_challenge: "none",
  managed_challenge: "none",
} as const satisfies PhaseRow["actions"];

export const PHASE_TABLE: Readonly<Record<Phase, PhaseRow>> = {
  http_request_dynamic_redirect: {
    kinds: ["zone"],
    actions: { redirect: "redirect_value" },
    hasRatelimit: false,
    title: "single redirects",
  },
  http_request_firewall_custom: {
    kinds: ["zone", "root", "custom"],
    actions: { block: "block_response", log: "none", skip: "skip", execute: "execute", ...CHALLENGES },
    hasRatelimit: false,
    title: "custom rules",
  },
  http_ratelimit: {
    kinds: ["zone", "root", "custom"],
    actions: { block: "block_response", log: "none", execute: "execute", ...CHALLENGES },
    hasRatelimit: true,
    title: "rate limiting rules",
  },
  http_request_redirect: {
    kinds: ["root"],
    actions: { redirect: "redirect_list" },
    hasRatelimit: false,
    title: "bulk redirects",
  },
  http_request_late_transform: {
    kinds: ["zone"],
    actions: { rewrite: "request_headers" },
    hasRatelimit: false,
    title: "request header modification",
  },
  http_response_headers_transform: {
    kinds: ["zone"],
    actions: { rewrite: "response_headers" },
    hasRatelimit: false,
    title: "response header modification",
  },
};

/** Names that mean a phase although they are not its own: the pages about sequence rules write this one. */
const PHASE_ALIASES: Readonly<Record<string, Phase>> = { http_request_ratelimit: "http_ratelimit" };

/** The phase that a name on the wire means. */
export function phaseNamed(name: string): Phase | undefined {
  if (Object.hasOwn(PHASE_ALIASES, name)) return PHASE_ALIASES[name];
  return PHASES.find((phase) => phase === name);
}

/** Kinds of ruleset that exist at a level. */
export function kindsAt(level: "zone" | "account"): readonly RulesetKind[] {
  return level === "zone" ? ["zone"] : ["root", "custom"];
}

/** Phases that can have a ruleset of `kind`. */
export function phasesWith(kind: RulesetKind): readonly Phase[] {
  return PHASES.filter((phase) => PHASE_TABLE[phase].kinds.includes(kind));
}

/** Actions that rules of a ruleset may have. */
export function actionsOf(phase: Phase, kind: RulesetKind): readonly RuleAction[] {
  const actions = Object.keys(PHASE_TABLE[phase].actions) as RuleAction[];
  return kind === "root" ? actions : actions.filter((action) => action !== "execute");
}
