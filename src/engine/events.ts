/** What a rule did to a request, for logs, audits and the person who asks why they were blocked. */
import type { Phase, RuleAction } from "../ruleset/index.ts";

export interface SecurityEvent {
  readonly rayId: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly zoneId: string;
  readonly zoneName: string;
  readonly phase: Phase;
  readonly rulesetId: string;
  readonly ruleId: string;
  readonly ruleRef: string;
  readonly ruleVersion: string;
  readonly ruleDescription: string;
  readonly action: RuleAction;
  readonly method: string;
  readonly host: string;
  /** Canonical path, without the query. */
  readonly path: string;
  readonly clientAddress: string;
  readonly userAgent: string;
  /** Short id of the operation this request is, or empty. */
  readonly currentOp: string;
  /** Earlier operations, newest first, with their ages. */
  readonly previousOps: readonly { readonly op: string; readonly ageMs: number }[];
}
