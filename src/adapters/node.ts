/** Entry `stepgate/node`: Express 4 and 5, Connect, Fastify, Koa and node:http. */
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
export { sequenceOf } from "./node-guard.ts";
export type { NodeStepgateOptions } from "./node-guard.ts";
export { fastifyStepgate, koaStepgate, stepgate } from "./node-middleware.ts";
export type { NodeMiddleware } from "./node-middleware.ts";
export { operationsFromOpenApi } from "./openapi.ts";
export type { OpenApiOperations, SkippedOperation } from "./openapi.ts";
export type { AdapterProblem, KeySetInput, StepgateOptions } from "./options.ts";
export type { RuleInput } from "./rule-input.ts";
export type { SequenceContext } from "./sequence-context.ts";
export type { SequenceRule } from "./sequence-rule.ts";
export type { ZoneDocument } from "./zone-document.ts";
