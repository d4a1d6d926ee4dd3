/** Operations that can be saved, out of what an OpenAPI document describes. */
import { checkOperationInput } from "./operation-input.ts";
import { operationKey } from "./operation-key.ts";
import { describeOpenApi } from "./openapi.ts";
import type { DescribedOperation, SkippedPart } from "./openapi.ts";
import { serverPlaces } from "./openapi-servers.ts";
import type { ServerPlace, ServerPlaces } from "./openapi-servers.ts";
import type { OperationMethod } from "./types.ts";

export interface DocumentOperation {
  /** JSON pointer of the operation object. */
  readonly pointer: string;
  readonly method: OperationMethod;
  /** Normalised; `null` where the document's server is the one that it comes from. */
  readonly host: string | null;
  /** Normalised, the server's base path included. */
  readonly endpoint: string;
}

export interface DocumentOperations {
  /** No two of them are the same operation. */
  readonly operations: readonly DocumentOperation[];
  readonly skipped: readonly SkippedPart[];
}

/** Operations taken from one document, all servers together: what a zone can have. */
const MAX_OPERATIONS = 10_000;
/** Parts that are listed as skipped, longest lists aside. */
const MAX_SKIPPED = 1000;
/** Stands for the host that is not known yet where a whole operation is checked. */
const ANY_HOST = "localhost";

/**
 * Reads a parsed document: every method of every path on every server, normalised.
 *
 * @param document what `JSON.parse` or a YAML parser gave
 * @throws {TypeError} when it is no OpenAPI 3 document, or has more than 10,000 operations
 */
export function documentOperations(document: unknown): DocumentOperations {
  const { operations, servers, skipped } = describeOpenApi(document);
  const common = serverPlaces(servers);
  const reading: Reading = { found: new Map(), skipped: [...common.skipped, ...skipped] };
  const known = new Map<string, ServerPlaces>();
  for (const operation of operations) {
    for (const place of placesOf(operation, common, known, reading).places) {
      readAt(operation, place, reading);
    }
  }
  // Every server has the same to say about an operation that cannot be saved.
  const skippedParts = new Map(reading.skipped.map((part) => [`${part.pointer} ${part.reason}`, part]));
  return {
    operations: [...reading.found.values()],
    skipped: [...skippedParts.values()].slice(0, MAX_SKIPPED),
  };
}

interface Reading {
  /** By key. */
  readonly found: Map<string, DocumentOperation>;
  readonly skipped: SkippedPart[];
}

/** Servers of a path count for all of its methods: what is wrong with them is told once. */
function placesOf(
  { ownServers }: DescribedOperation,
  common: ServerPlaces,
  known: Map<string, ServerPlaces>,
  { skipped }: Reading,
): ServerPlaces {
  if (ownServers === undefined) return common;
  const read = known.get(ownServers.pointer);
  if (read !== undefined) return read;
  const places = serverPlaces(ownServers);
  known.set(ownServers.pointer, places);
  skipped.push(...places.skipped);
  return places;
}

function readAt(
  { pointer, method, path }: DescribedOperation,
  { host, base }: ServerPlace,
  { found, skipped }: Reading,
): void {
  const checked = checkOperationInput({ method, host: host ?? ANY_HOST, endpoint: base + path });
  if (checked.kind === "errors") {
    skipped.push({ pointer, reason: checked.errors.map(({ message }) => message).join("; ") });
    return;
  }
  const operation = {
    pointer,
    method: checked.method,
    host: host === undefined ? null : checked.host,
    endpoint: checked.endpoint,
  };
  const key = operationKey(method, operation.host ?? "", operation.endpoint);
  const same = found.get(key);
  if (same !== undefined) {
    if (same.pointer !== pointer)
      skipped.push({ pointer, reason: `\`${same.pointer}\` is the same operation` });
    return;
  }
  if (found.size >= MAX_OPERATIONS) {
    throw new TypeError(
      `expected at most ${MAX_OPERATIONS} operations, those of all servers together; split the document`,
    );
  }
  found.set(key, operation);
}
