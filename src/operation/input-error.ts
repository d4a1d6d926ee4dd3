/** Errors of what an operator writes, in the words of the API's error catalogue. */
import { quoted } from "./quote.ts";

export type OperationField = "method" | "host" | "endpoint";

/** Why a method, host or endpoint cannot be saved. */
export type OperationInputErrorCode =
  | "ERR_OPERATION_TYPE"
  | "ERR_OPERATION_METHOD"
  | "ERR_ENDPOINT_LENGTH"
  | "ERR_ENDPOINT_FORM"
  | "ERR_ENDPOINT_QUERY"
  | "ERR_ENDPOINT_VARIABLE"
  | "ERR_ENDPOINT_CHARACTER"
  | "ERR_ENDPOINT_PATH"
  | "ERR_HOST_TEMPLATE_LENGTH"
  | "ERR_HOST_TEMPLATE_VARIABLE"
  | "ERR_HOST_TEMPLATE_PORT"
  | "ERR_HOST_TEMPLATE_NAME";

/** One thing to correct. */
export interface OperationInputError {
  readonly kind: "error";
  readonly code: OperationInputErrorCode;
  readonly field: OperationField;
  /** JSON pointer of the field in an operation object (RFC 6901). */
  readonly pointer: `/${OperationField}`;
  /** What is wrong and what to write instead, without the value. */
  readonly reason: string;
  /** `'<value>' is not a valid value for <field> because <reason>`; long values are shortened. */
  readonly message: string;
}

/** Builds the error of one field. `value` is the text as the operator wrote it. */
export function inputError(
  field: OperationField,
  code: OperationInputErrorCode,
  value: string,
  reason: string,
): OperationInputError {
  return {
    kind: "error",
    code,
    field,
    pointer: `/${field}`,
    reason,
    message: `'${quoted(value)}' is not a valid value for ${field} because ${reason}`,
  };
}
