/**
 * Entry `stepgate/h3`: h3 2 and Nitro.
 *
 * @module stepgate/h3
 */
export { defineOperations } from "./define-operations.ts";
export type {
  DefinedOperation,
  DefinedOperations,
  OperationDefinition,
  OperationSet,
  OperationText,
  Prohibition,
  Requirement,
} from "./define-operations.ts";
export type { ControlPlaneOptions } from "./control-plane.ts";
export type { Duration, DurationUnit } from "./duration.ts";
export type { NodeStepgateOptions } from "./node-guard.ts";
export { stepgate } from "./h3-middleware.ts";
export type { H3StepgateMiddleware } from "./h3-middleware.ts";
export { operationsFromOpenApi } from "./openapi.ts";
export type { OpenApiOperations, SkippedOperation } from "./openapi.ts";
export type { AdapterProblem, JudgedOperation, KeySetInput, StepgateOptions } from "./options.ts";
export type { RuleInput } from "./rule-input.ts";
export type { SequenceContext } from "./sequence-context.ts";
export type { NamedOperation, SequenceRule } from "./sequence-rule.ts";
export type { WireOperation, WireRuleset, ZoneDocument } from "./zone-document.ts";
export type { CookieScope, EventOutcome, EventPhase, MissingOp, SecurityEvent } from "../engine/index.ts";
export type { Operation, OperationMethod, PrefetchPolicy, RecordPolicy } from "../operation/index.ts";
export type { HitOutcome } from "../phases/index.ts";
export type {
  ActionParameters,
  BlockResponse,
  Phase,
  Ratelimit,
  Rule,
  RuleAction,
  RuleDraft,
  StateErrorPolicy,
} from "../ruleset/index.ts";
