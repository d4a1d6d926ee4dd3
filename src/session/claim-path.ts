/**
 * Paths to a claim: the part of JSONPath (RFC 9535) that names exactly one value, literal member names and indexes.
 * `$.sub`, `$.user.id`, `$["https://example.com/id"]`, `$.groups[0]`.
 */
import { MAX_CLAIM_LENGTH, MAX_PATH_STEPS } from "./limits.ts";
import type { TokenClaims } from "./types.ts";

/** Member names and indexes, from the claims inwards; at least one. */
export type ClaimPath = readonly (string | number)[];

/** One step at the place where the last one ended: `.name`, `[0]`, `['name']` or `["name"]`. */
const STEP =
  /(?:\.(?<member>[^\s.[\]'"*?@$(),:]+)|\[(?<index>0|[1-9][0-9]{0,5})\]|\['(?<single>[^'\\\u0000-\u001f]+)'\]|\["(?<double>[^"\\\u0000-\u001f]+)"\])/uy;

/**
 * @param text `$` and the steps
 * @returns the path, or the reason for which it is none
 */
export function parseClaimPath(
  text: string,
): { readonly kind: "path"; readonly path: ClaimPath } | { readonly kind: "error"; readonly reason: string } {
  if (!text.startsWith("$"))
    return { kind: "error", reason: "a claim path begins with `$`, such as `$.sub`" };
  const path: (string | number)[] = [];
  let offset = 1;
  while (offset < text.length && path.length < MAX_PATH_STEPS) {
    STEP.lastIndex = offset;
    const groups = STEP.exec(text)?.groups;
    if (groups === undefined) {
      const reason = `only literal names and indexes may follow, such as \`$.user.id\` or \`$["user id"][0]\`; see character ${offset + 1} of the path`;
      return { kind: "error", reason };
    }
    offset = STEP.lastIndex;
    const { member, index, single, double } = groups;
    path.push(index === undefined ? (member ?? single ?? double ?? "") : Number(index));
  }
  if (offset < text.length)
    return { kind: "error", reason: `a claim path has at most ${MAX_PATH_STEPS} steps` };
  if (path.length === 0) return { kind: "error", reason: "the path names no claim; write `$.sub`" };
  return { kind: "path", path };
}

/**
 * The claim as text.
 *
 * @returns `undefined` unless the path leads to one text, number or truth value that is not empty: anything else
 *   would not tell one user from another
 */
export function readClaim(claims: TokenClaims, path: ClaimPath): string | undefined {
  let value: unknown = claims;
  for (const step of path) {
    // Own members only: a token must not reach what objects inherit. Indexes are for arrays, names are not.
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
    if (Array.isArray(value) !== (typeof step === "number")) return undefined;
    value = (value as Readonly<Record<string | number, unknown>>)[step];
  }
  if (typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value)))
    return String(value);
  return typeof value === "string" && value !== "" && value.length <= MAX_CLAIM_LENGTH ? value : undefined;
}
