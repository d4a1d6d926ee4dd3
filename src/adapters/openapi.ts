/** Operations out of an OpenAPI document (versions 3.0 and 3.1): paths and methods; schemas are not looked at. */
import { describeOpenApi, normalizeEndpoint, operationKey } from "../operation/index.ts";
import type { DescribedOperation, DescribedServers } from "../operation/index.ts";
import type { OperationText } from "./define-operations.ts";

/** What could not be made an operation, and why. */
export interface SkippedOperation {
  /** JSON pointer (RFC 6901) into the document. */
  readonly pointer: string;
  /** Why, as a clause. */
  readonly reason: string;
}

/** What a document gave. */
export interface OpenApiOperations {
  /** For `defineOperations`: by `operationId`, or by method and path where there is none. */
  readonly definitions: Readonly<Record<string, OperationText>>;
  /** What the document has beside these. */
  readonly skipped: readonly SkippedOperation[];
}

/** Operations taken from one document; documents of public APIs have a few thousand. */
const MAX_OPERATIONS = 10_000;

/**
 * Reads a parsed document. The base path of its first server stands before every path, as long as it has no
 * variables; servers of single paths or operations are skipped, because their paths lie elsewhere.
 *
 * @param document what `JSON.parse` or a YAML parser gave
 * @throws {TypeError} when it is no OpenAPI 3 document, or has more than 10,000 operations
 */
export function operationsFromOpenApi(document: unknown): OpenApiOperations {
  const { operations, servers, skipped } = describeOpenApi(document);
  const reading: Reading = { definitions: new Map(), keys: new Map(), skipped: [] };
  const base = readBase(servers, reading);
  for (const operation of operations) readOperation(operation, base, reading);
  return { definitions: Object.fromEntries(reading.definitions), skipped: [...reading.skipped, ...skipped] };
}

interface Reading {
  readonly definitions: Map<string, OperationText>;
  /** Key of each operation → its name. */
  readonly keys: Map<string, string>;
  readonly skipped: SkippedOperation[];
}

function readBase({ list }: DescribedServers, { skipped }: Reading): string {
  const [first, ...others] = Array.isArray(list) ? (list as readonly unknown[]) : [];
  if (others.length > 0)
    skipped.push({ pointer: "/servers/1", reason: "only the first server is looked at" });
  const url = typeof first === "object" && first !== null && "url" in first ? first.url : undefined;
  if (typeof url !== "string") return "";
  if (url.includes("{")) {
    skipped.push({ pointer: "/servers/0/url", reason: "it has variables; paths are taken without a base" });
    return "";
  }
  const path =
    /^(?:[a-z][a-z0-9+.-]*:)?\/\/[^/?#]*([^?#]*)/i.exec(url)?.[1] ?? (url.startsWith("/") ? url : "");
  return path.replace(/\/+$/, "");
}

function readOperation(
  { pointer, method, path, operationId, ownServers }: DescribedOperation,
  base: string,
  { definitions, keys, skipped }: Reading,
): void {
  const skip = (reason: string): void => void skipped.push({ pointer, reason });
  if (ownServers !== undefined) return skip("an operation with servers of its own lies elsewhere");
  const normalized = normalizeEndpoint(base + path);
  if (normalized.kind === "error") return skip(normalized.message);
  const key = operationKey(method, "", normalized.endpoint);
  const double = keys.get(key);
  if (double !== undefined) return skip(`\`${double}\` is the same operation`);
  const wanted = operationId ?? `${method} ${path}`;
  const name = definitions.has(wanted) ? `${method} ${path}` : wanted;
  if (definitions.size >= MAX_OPERATIONS) {
    throw new TypeError(`expected at most ${MAX_OPERATIONS} operations; split the document`);
  }
  keys.set(key, name);
  definitions.set(name, `${method} ${normalized.endpoint}` as OperationText);
}
