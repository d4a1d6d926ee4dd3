/** For the other folders; programs import the entry of their framework. */
export { defineOperations } from "./define-operations.ts";
export type { DefinedOperations, OperationSet } from "./define-operations.ts";
export { toMilliseconds } from "./duration.ts";
export type { Duration } from "./duration.ts";
export { stepgate as stepgateFetch } from "./fetch-middleware.ts";
export type { FetchStepgateOptions } from "./fetch-middleware.ts";
export type { ZoneDocument } from "./zone-document.ts";
