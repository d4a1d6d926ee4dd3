/** Rulesets and rules as they are stored and compiled; wire names stay as on the wire. */

/** Phases Stepgate runs, by their wire names, in the order of one request. */
export const PHASES = [
  "http_request_dynamic_redirect",
  "http_request_firewall_custom",
  "http_ratelimit",
  "http_request_redirect",
  "http_request_late_transform",
  "http_response_headers_transform",
] as const;

export type Phase = (typeof PHASES)[number];

export const RULE_ACTIONS = [
  "block",
  "log",
  "skip",
  "execute",
  "challenge",
  "js_challenge",
  "managed_challenge",
  "redirect",
  "rewrite",
] as const;

export type RuleAction = (typeof RULE_ACTIONS)[number];

/** Zone entry point, account entry point, or a custom ruleset that an account entry point executes. */
export type RulesetKind = "zone" | "root" | "custom";

/** The answer of a blocking rule in place of the default page. */
export interface BlockResponse {
  /** 400 to 499. */
  readonly status_code: number;
  readonly content_type: string;
  readonly content: string;
}

/** What `action_parameters` may hold; which members an action takes is a matter of its phase. */
export interface ActionParameters {
  readonly response?: BlockResponse;
  readonly [member: string]: unknown;
}

export interface Ratelimit {
  readonly characteristics: readonly string[];
  /** Seconds. */
  readonly period: number;
  readonly requests_per_period?: number;
  /** Seconds; 0 throttles only the excess. */
  readonly mitigation_timeout?: number;
  readonly counting_expression?: string;
  readonly requests_to_origin?: boolean;
  readonly score_per_period?: number;
  readonly score_response_header_name?: string;
  /** What happens when the counter cannot be asked: pass (default), pass and leave an event, or act. Our own. */
  readonly on_state_error?: StateErrorPolicy;
}

export const STATE_ERROR_POLICIES = ["allow", "log", "block"] as const;

export type StateErrorPolicy = (typeof STATE_ERROR_POLICIES)[number];

export interface Rule {
  /** 32 hex characters. */
  readonly id: string;
  /** Decimal text, starting at `"1"`; grows when the rule changes, not when it moves. */
  readonly version: string;
  readonly action: RuleAction;
  readonly action_parameters?: ActionParameters;
  readonly expression: string;
  readonly description: string;
  readonly enabled: boolean;
  /** Stable reference, unique in the ruleset; the id unless given. */
  readonly ref: string;
  /** RFC 3339. */
  readonly last_updated: string;
  readonly logging?: { readonly enabled: boolean };
  /**
   * What becomes of a rule that asks for the sequence while nobody knows it, because it is kept on the server and that
   * state cannot be had: it does not match (`allow`, the default), or it matches every request that it would match
   * with some sequence (`block`). For rules that end or log a request; a rate limit says it in its `ratelimit`. Our own.
   */
  readonly on_state_error?: "allow" | "block";
  readonly ratelimit?: Ratelimit;
}

export interface Ruleset {
  /** 32 hex characters. */
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly kind: RulesetKind;
  readonly phase: Phase;
  /** Decimal text, starting at `"1"`, plus one per change. */
  readonly version: string;
  /** RFC 3339. */
  readonly last_updated: string;
  /** Trial mode: terminating actions only leave an event that says what would have happened. Our own; off unless `true`. */
  readonly simulate?: boolean;
  readonly rules: readonly Rule[];
}
