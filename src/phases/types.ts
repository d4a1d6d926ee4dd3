/** What phases are given of a request, and what comes out of them. */
import type { BlockResponse, Phase, Rule, RuleValues, Ruleset } from "../ruleset/index.ts";
import type { PreparedRuleset } from "./prepare.ts";
import type { TargetContext } from "./redirect-target.ts";

/** The rulesets of one phase that concern a zone: the account's first, then its own. */
export interface PreparedPhase {
  readonly phase: Phase;
  readonly rulesets: readonly PreparedRuleset[];
}

/** One request at one phase. INVARIANT: the values do not change while the phase runs. */
export interface PhaseInput {
  readonly values: RuleValues;
  /** Short id of the request's operation, empty for none: picks the rules that can match. */
  readonly currentOp: string;
  /** Where the request was made to, for redirects; asked for only by them. */
  target(): Omit<TargetContext, "preserveQuery">;
  /** Whether the visitor has passed a challenge lately; asked for only by challenges. */
  isCleared(): boolean;
  /** Called for each rule that fires, in order, the terminating one last. */
  onHit(hit: Hit): void;
}

/**
 * - `applied`: the action was carried out;
 * - `simulated`: it was not, because its ruleset is on trial; the request went on as if the rule were not there;
 * - `bypassed`: a challenge was not given, because the visitor holds a clearance;
 * - `failed`: it could not be carried out as written; `detail` says why and what was done instead.
 */
export type HitOutcome = "applied" | "simulated" | "bypassed" | "failed";

/** A rule that fired. */
export interface Hit {
  readonly ruleset: Ruleset;
  readonly rule: Rule;
  readonly outcome: HitOutcome;
  /** A clause for the operator. */
  readonly detail?: string;
  /** It fired by its `on_state_error`: nobody knows the sequence that it asks for. */
  readonly isStateError?: true;
  /** Status of the answer that a simulated rule did not give. */
  readonly wouldBeStatus?: number;
}

/** Everything but `continue` ends the request: it is answered, and not recorded. */
export type Decision =
  | { readonly kind: "continue" }
  /** `response` is the rule's own answer; without one the default page is given. */
  | { readonly kind: "block"; readonly rule: Rule; readonly response: BlockResponse | undefined }
  /** As `block`, for a rate limit; `headers` (flat) tell the client about the limit. */
  | {
      readonly kind: "limit";
      readonly rule: Rule;
      readonly response: BlockResponse | undefined;
      readonly headers: readonly string[];
    }
  /** `counterKey` names the counter that begins anew once the challenge is passed. */
  | { readonly kind: "challenge"; readonly rule: Rule; readonly counterKey?: string }
  | { readonly kind: "redirect"; readonly rule: Rule; readonly status: number; readonly location: string }
  /** A redirect whose computed target could lead anywhere: the request is refused rather than let through. */
  | { readonly kind: "refuse"; readonly rule: Rule };

export type TerminalDecision = Exclude<Decision, { readonly kind: "continue" }>;

export const CONTINUE: Decision = { kind: "continue" };

/** Status of the answer that a decision leads to. */
export function statusOf(decision: TerminalDecision): number {
  switch (decision.kind) {
    case "block":
      return decision.response?.status_code ?? 403;
    case "limit":
      return decision.response?.status_code ?? 429;
    case "challenge":
      return 403;
    case "redirect":
      return decision.status;
    case "refuse":
      return 400;
  }
}
