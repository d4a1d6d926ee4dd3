/**
 * Entry `stepgate/node`: Express 4 and 5, Connect, Fastify, Koa and node:http.
 *
 * @module stepgate/node
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
export { sequenceOf } from "./node-guard.ts";
export type { NodeStepgateOptions } from "./node-guard.ts";
export { fastifyStepgate, koaStepgate, stepgate } from "./node-middleware.ts";
export type {
  FastifyLike,
  FastifyReplyLike,
  FastifyRequestLike,
  KoaContextLike,
  NodeMiddleware,
  NodeNext,
} from "./node-middleware.ts";
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
