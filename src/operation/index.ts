export { OPERATION_METHODS } from "./types.ts";
export type { Operation, OperationMethod, PrefetchPolicy, RecordPolicy } from "./types.ts";
