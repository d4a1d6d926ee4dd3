/** Entry `stepgate/fetch`: Hono, Deno, Bun, Workers and every other handler of a `Request`. */
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
export { stepgate } from "./fetch-middleware.ts";
export type { FetchMiddleware, FetchNext, FetchStepgateOptions } from "./fetch-middleware.ts";
export { operationsFromOpenApi } from "./openapi.ts";
export type { OpenApiOperations, SkippedOperation } from "./openapi.ts";
export type { AdapterProblem, KeySetInput, StepgateOptions } from "./options.ts";
export type { RuleInput } from "./rule-input.ts";
export type { SequenceContext } from "./sequence-context.ts";
export type { SequenceRule } from "./sequence-rule.ts";
export type { ZoneDocument } from "./zone-document.ts";
