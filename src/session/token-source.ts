/**
 * Where a token configuration finds its tokens. Of the Rules language only two forms are known here:
 * `http.request.headers["authorization"][0]` and `http.request.cookies["token"][0]`.
 */
import type { SessionInputError } from "./input-error.ts";
import { inputError } from "./input-error.ts";
import { MAX_NAME_LENGTH, MAX_TOKEN_SOURCES } from "./limits.ts";

/** A header (name in lower case) or a cookie. */
export interface TokenSource {
  readonly type: "header" | "cookie";
  readonly name: string;
}

/** A field name of HTTP and a cookie name have the same characters: `token` (RFC 9110 section 5.6.2). */
export const TOKEN_CHARACTERS = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

const SOURCE = /^http\.request\.(?<map>headers|cookies)\["(?<name>[^"\\\]]{1,128})"\]\[0\]$/;

/** @returns `undefined` for any other expression */
function parseTokenSource(expression: string): TokenSource | undefined {
  const { map, name = "" } = SOURCE.exec(expression.trim())?.groups ?? {};
  if (map === undefined || name.length > MAX_NAME_LENGTH || !TOKEN_CHARACTERS.test(name)) return undefined;
  return map === "headers" ? { type: "header", name: name.toLowerCase() } : { type: "cookie", name };
}

/**
 * Checks the member `token_sources` of a token configuration.
 *
 * @param value as it was sent
 * @param pointer of the member
 */
export function checkTokenSources(
  value: unknown,
  pointer = "/token_sources",
): { readonly sources: readonly TokenSource[]; readonly errors: readonly SessionInputError[] } {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_TOKEN_SOURCES) {
    const reason = `it must be a list of 1 to ${MAX_TOKEN_SOURCES} sources`;
    return { sources: [], errors: [inputError("ERR_TOKEN_SOURCE", pointer, value, reason)] };
  }
  const sources: TokenSource[] = [];
  const errors: SessionInputError[] = [];
  for (const [index, item] of (value as readonly unknown[]).entries()) {
    const source = typeof item === "string" ? parseTokenSource(item) : undefined;
    if (source !== undefined) sources.push(source);
    else {
      const reason =
        'a source must be `http.request.headers["<name>"][0]` or `http.request.cookies["<name>"][0]`';
      errors.push(inputError("ERR_TOKEN_SOURCE", `${pointer}/${index}`, item, reason));
    }
  }
  return { sources, errors };
}
