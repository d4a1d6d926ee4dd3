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

/**
 * A place in the way of a request where rules are asked.
 *
 * @useDeclaredType
 */
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

/**
 * What a rule does to a request that matches it.
 *
 * @useDeclaredType
 */
export type RuleAction = (typeof RULE_ACTIONS)[number];

/** Zone entry point, account entry point, or a custom ruleset that an account entry point executes. */
export type RulesetKind = "zone" | "root" | "custom";

/** The answer of a blocking rule in place of the default page. */
export interface BlockResponse {
  /** 400 to 499. */
  readonly status_code: number;
  /** `application/json` and the like. */
  readonly content_type: string;
  /** The body. */
  readonly content: string;
}

/** What `action_parameters` may hold; which members an action takes is a matter of its phase. */
export interface ActionParameters {
  /** The answer of a block. */
  readonly response?: BlockResponse;
  readonly [member: string]: unknown;
}

/** How requests are counted, in the wire shape of the Rulesets API. */
export interface Ratelimit {
  /** What is counted by: `ip.src`, `cf.sequence.id`, `http.request.headers["x"]` and others. */
  readonly characteristics: readonly string[];
  /** Seconds. */
  readonly period: number;
  /** Requests within one period that still pass. */
  readonly requests_per_period?: number;
  /** Seconds; 0 throttles only the excess. */
  readonly mitigation_timeout?: number;
  /** Which requests are counted; those of the rule's own expression unless given. */
  readonly counting_expression?: string;
  /** Whether only requests that go to the origin are counted. */
  readonly requests_to_origin?: boolean;
  /** In place of `requests_per_period`: sum of scores within one period. */
  readonly score_per_period?: number;
  /** Response field in which the origin tells the score of a request. */
  readonly score_response_header_name?: string;
  /** What happens when the counter cannot be asked: pass (default), pass and leave an event, or act. Our own. */
  readonly on_state_error?: StateErrorPolicy;
}

export const STATE_ERROR_POLICIES = ["allow", "log", "block"] as const;

/**
 * What a rate limit does when its counter cannot be asked: pass, pass and leave an event, or act.
 *
 * @useDeclaredType
 */
export type StateErrorPolicy = (typeof STATE_ERROR_POLICIES)[number];

/** A stored rule. */
export interface Rule {
  /** 32 hex characters. */
  readonly id: string;
  /** Decimal text, starting at `"1"`; grows when the rule changes, not when it moves. */
  readonly version: string;
  /** What it does to a request that matches. */
  readonly action: RuleAction;
  /** More about the action. */
  readonly action_parameters?: ActionParameters;
  /** Which requests match, in the Rules language. */
  readonly expression: string;
  /** For people; stands in events. */
  readonly description: string;
  /** Whether it is in force. */
  readonly enabled: boolean;
  /** Stable reference, unique in the ruleset; the id unless given. */
  readonly ref: string;
  /** RFC 3339. */
  readonly last_updated: string;
  /** Whether it leaves events. */
  readonly logging?: {
    /** `true` unless given. */
    readonly enabled: boolean;
  };
  /**
   * What becomes of a rule that asks for the sequence while nobody knows it, because it is kept on the server and that
   * state cannot be had: it does not match (`allow`, the default), or it matches every request that it would match
   * with some sequence (`block`). For rules that end or log a request; a rate limit says it in its `ratelimit`. Our own.
   */
  readonly on_state_error?: "allow" | "block";
  /** For the phase `http_ratelimit`. */
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
