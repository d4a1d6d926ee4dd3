/** Problems of sequence rules as an answer: they word themselves, in the pattern of the catalogue. */
import { API_ERRORS, ApiError } from "./errors.ts";
import { MAX_REPORTED_ERRORS } from "./limits.ts";

export function seqRuleProblems(
  found: readonly { readonly pointer: string; readonly message: string }[],
): ApiError {
  const { code, status } = API_ERRORS.invalid_value;
  return new ApiError(
    status,
    found
      .slice(0, MAX_REPORTED_ERRORS)
      .map(({ pointer, message }) => ({ code, message, source: { pointer } })),
  );
}
