/** Entry `stepgate/h3`: h3 2 and Nitro. */
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
export type { Duration } from "./duration.ts";
export type { NodeStepgateOptions } from "./node-guard.ts";
export { stepgate } from "./h3-middleware.ts";
export { operationsFromOpenApi } from "./openapi.ts";
export type { OpenApiOperations, SkippedOperation } from "./openapi.ts";
export type { AdapterProblem, KeySetInput, StepgateOptions } from "./options.ts";
export type { RuleInput } from "./rule-input.ts";
export type { SequenceContext } from "./sequence-context.ts";
export type { SequenceRule } from "./sequence-rule.ts";
export type { ZoneDocument } from "./zone-document.ts";
