/** When two saved operations are the same one, and when a request spells its operation exactly. */
import { matchKey } from "./match-key.ts";
import { DEFAULT_PATH_OPTIONS } from "./options.ts";
import type { PathOptions } from "./options.ts";
import type { Operation } from "./types.ts";

const VARIABLE_NAME = /\{[^{}/]*\}/g;

/**
 * The key that has to be unique within a zone: two operations with one key would catch the same requests.
 *
 * @param method - as saved, upper case.
 * @param host - from `normalizeHostTemplate`.
 * @param endpoint - from `normalizeEndpoint`.
 * @param options - of the zone: under `caseSensitive: false`, `/A` and `/a` have one key.
 */
export function operationKey(
  method: string,
  host: string,
  endpoint: string,
  options: PathOptions = DEFAULT_PATH_OPTIONS,
): string {
  return `${method} ${host}${matchKey(endpoint, options)}`.replace(VARIABLE_NAME, "{}");
}

/** Whether two operations catch the same requests, whatever their ids and policies. */
export function sameOperation(
  one: Pick<Operation, "method" | "host" | "endpoint">,
  other: Pick<Operation, "method" | "host" | "endpoint">,
  options: PathOptions = DEFAULT_PATH_OPTIONS,
): boolean {
  return (
    operationKey(one.method, one.host, one.endpoint, options) ===
    operationKey(other.method, other.host, other.endpoint, options)
  );
}

/**
 * Whether a request is the operation to the letter: same method, and a path that spells the template without help
 * from the folding of case, slash, parameters, suffix or path info.
 *
 * Matching is broad so that no spelling dodges a rule. Recording should be strict: a request that only matched by
 * folding may have been a 404 at the origin, so it counts as done only if the origin answered below 400 (threat P1).
 *
 * @param operation - what `match` returned for the request.
 * @param path - from `canonicalTarget`.
 */
export function isExactRequest(operation: Operation, method: string, path: string): boolean {
  if (operation.method !== method) return false;
  const { endpoint } = operation;
  let at = 0;
  let index = 0;
  while (index < endpoint.length && at < path.length) {
    if (endpoint.charCodeAt(index) === 0x7b) {
      const end = path.indexOf("/", at);
      const next = end === -1 ? path.length : end;
      if (next === at) return false;
      at = next;
      index = endpoint.indexOf("}", index) + 1;
    } else if (endpoint.charCodeAt(index++) !== path.charCodeAt(at++)) return false;
  }
  return index === endpoint.length && at === path.length;
}
