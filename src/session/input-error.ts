/** Errors of what an operator writes, in the words of the API's error catalogue. */
import { MAX_QUOTED_LENGTH } from "./limits.ts";

/** Why a session identifier or token source cannot be used. */
export type SessionInputErrorCode =
  | "ERR_AUTH_ID_TYPE"
  | "ERR_AUTH_ID_COUNT"
  | "ERR_AUTH_ID_DUPLICATE"
  | "ERR_AUTH_ID_NAME"
  | "ERR_AUTH_ID_TOKEN_CONFIG"
  | "ERR_AUTH_ID_CLAIM_PATH"
  | "ERR_TOKEN_SOURCE";

/** One thing to correct. */
export interface SessionInputError {
  readonly code: SessionInputErrorCode;
  /** JSON pointer of the faulty value (RFC 6901). */
  readonly pointer: string;
  /** `'<value>' is not a valid value for <field> because <reason>`; long values are shortened. */
  readonly message: string;
}

/** @param pointer its last step names the field in the message; with an index there, the step before it does */
export function inputError(
  code: SessionInputErrorCode,
  pointer: string,
  value: unknown,
  reason: string,
): SessionInputError {
  const field = pointer.split("/").findLast((step) => step !== "" && !/^\d+$/.test(step)) ?? "body";
  return {
    code,
    pointer,
    message: `'${quoted(value)}' is not a valid value for ${field} because ${reason}`,
  };
}

/** A value in a message: short, and without characters that could forge a log line. */
function quoted(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  const short = text.length > MAX_QUOTED_LENGTH ? `${text.slice(0, MAX_QUOTED_LENGTH)}…` : text;
  return short.replace(
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
