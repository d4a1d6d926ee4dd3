/** What an operator writes, checked as a whole: every error at once, each with its JSON pointer. */
import { normalizeEndpoint } from "./endpoint.ts";
import { normalizeHostTemplate } from "./host-template.ts";
import { inputError } from "./input-error.ts";
import type { OperationField, OperationInputError } from "./input-error.ts";
import { OPERATION_METHODS } from "./types.ts";
import type { OperationMethod } from "./types.ts";

/** An operation as it arrives: nothing is known of its fields yet. */
export interface OperationInput {
  readonly method?: unknown;
  readonly host?: unknown;
  readonly endpoint?: unknown;
}

/** Ready to be saved. */
export interface CheckedOperationInput {
  readonly kind: "operation_input";
  readonly method: OperationMethod;
  /** From `normalizeHostTemplate`. */
  readonly host: string;
  /** From `normalizeEndpoint`. */
  readonly endpoint: string;
}

export interface OperationInputErrors {
  readonly kind: "errors";
  /** At least one; at most one for each field, in the order method, host, endpoint. */
  readonly errors: readonly OperationInputError[];
}

/**
 * Checks and normalises the method, host and endpoint of an operation.
 *
 * @param input - fields of any type; a missing or non-string field is an error of that field.
 */
export function checkOperationInput(input: OperationInput): CheckedOperationInput | OperationInputErrors {
  const method = checkField("method", input.method, checkMethod);
  const host = checkField("host", input.host, normalizeHostTemplate);
  const endpoint = checkField("endpoint", input.endpoint, normalizeEndpoint);
  if (method.kind === "error" || host.kind === "error" || endpoint.kind === "error") {
    return { kind: "errors", errors: [method, host, endpoint].filter((result) => result.kind === "error") };
  }
  return {
    kind: "operation_input",
    method: method.method,
    host: host.host,
    endpoint: endpoint.endpoint,
  };
}

function checkField<Checked>(
  field: OperationField,
  value: unknown,
  check: (text: string) => Checked | OperationInputError,
): Checked | OperationInputError {
  if (typeof value === "string") return check(value);
  const found = value === undefined ? "it is missing" : "it is not a string";
  return inputError(field, "ERR_OPERATION_TYPE", typeNameOf(value), `${found}; write a string`);
}

function checkMethod(
  text: string,
): { readonly kind: "method"; readonly method: OperationMethod } | OperationInputError {
  const method = OPERATION_METHODS.find((known) => known === text);
  return method === undefined
    ? inputError(
        "method",
        "ERR_OPERATION_METHOD",
        text,
        `it is not one of ${OPERATION_METHODS.join(", ")}; write the method in upper case`,
      )
    : { kind: "method", method };
}

function typeNameOf(value: unknown): string {
  if (value === undefined) return "";
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}
