/** What is wrong with a ruleset or a list, for whoever words it. */

/**
 * - `invalid`: wrong type, form or size; `missing`: has to be there;
 * - `duplicate`: has to be unique; `unknown_reference`: names something that does not exist;
 * - `parameters`: action and parameters do not fit each other;
 * - `blank_expression`, `expression`: cannot be parsed;
 * - `limit`: too many; `not_supported`: the original has it, Stepgate does not.
 */
export type RulesetIssueKind =
  | "invalid"
  | "missing"
  | "duplicate"
  | "unknown_reference"
  | "parameters"
  | "blank_expression"
  | "expression"
  | "limit"
  | "not_supported";

export interface RulesetIssue {
  readonly kind: RulesetIssueKind;
  /** JSON pointer (RFC 6901) in what was checked. */
  readonly pointer: string;
  readonly value: unknown;
  /** Completes "… is not a valid value for … because". */
  readonly reason: string;
  /** Place of the first mistake in an expression, 1-based; column and length in bytes of UTF-8. */
  readonly place?: {
    readonly line: number;
    readonly column: number;
    readonly length: number;
    readonly code: string;
  };
}
