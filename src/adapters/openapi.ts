/** Operations out of an OpenAPI document (versions 3.0 and 3.1): paths and methods; schemas are not looked at. */
import { normalizeEndpoint, OPERATION_METHODS, operationKey } from "../operation/index.ts";
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

/** Members of a path item that are methods (OpenAPI 3.1.1 section 4.8.9.1). */
const METHODS: ReadonlySet<string> = new Set(OPERATION_METHODS.map((method) => method.toLowerCase()));

/**
 * Reads a parsed document. The base path of its first server stands before every path, as long as it has no
 * variables; servers of single paths or operations are skipped, because their paths lie elsewhere.
 *
 * @param document what `JSON.parse` or a YAML parser gave
 * @throws {TypeError} when it is no OpenAPI 3 document, or has more than 10,000 operations
 */
export function operationsFromOpenApi(document: unknown): OpenApiOperations {
  const root = asObject(document);
  const version = root?.["openapi"];
  if (root === undefined || typeof version !== "string" || !version.startsWith("3.")) {
    throw new TypeError(
      `expected an OpenAPI document of version 3, found ${typeof version === "string" ? `version \`${version}\`` : "none"}; convert it first`,
    );
  }
  const reading: Reading = { definitions: new Map(), keys: new Map(), skipped: [] };
  const base = readBase(root, reading);
  for (const [path, item] of Object.entries(asObject(root["paths"]) ?? {})) {
    readPath({ path, base, pointer: `/paths/${escape(path)}` }, item, reading);
  }
  if (root["webhooks"] !== undefined) {
    reading.skipped.push({
      pointer: "/webhooks",
      reason: "webhooks are calls that the application makes itself",
    });
  }
  return { definitions: Object.fromEntries(reading.definitions), skipped: reading.skipped };
}

interface Reading {
  readonly definitions: Map<string, OperationText>;
  /** Key of each operation → its name. */
  readonly keys: Map<string, string>;
  readonly skipped: SkippedOperation[];
}

interface Place {
  readonly path: string;
  readonly base: string;
  readonly pointer: string;
}

function readBase(root: Readonly<Record<string, unknown>>, { skipped }: Reading): string {
  const servers: unknown = root["servers"];
  const [first, ...others] = Array.isArray(servers) ? (servers as readonly unknown[]) : [];
  if (others.length > 0)
    skipped.push({ pointer: "/servers/1", reason: "only the first server is looked at" });
  const url = asObject(first)?.["url"];
  if (typeof url !== "string") return "";
  if (url.includes("{")) {
    skipped.push({ pointer: "/servers/0/url", reason: "it has variables; paths are taken without a base" });
    return "";
  }
  const path =
    /^(?:[a-z][a-z0-9+.-]*:)?\/\/[^/?#]*([^?#]*)/i.exec(url)?.[1] ?? (url.startsWith("/") ? url : "");
  return path.replace(/\/+$/, "");
}

function readPath(place: Place, value: unknown, reading: Reading): void {
  const item = asObject(value);
  if (item === undefined || item["$ref"] !== undefined || item["servers"] !== undefined) {
    const reason =
      item?.["$ref"] === undefined
        ? "a path with servers of its own lies elsewhere"
        : "references of whole paths are not followed; bundle the document first";
    reading.skipped.push({
      pointer: place.pointer,
      reason: item === undefined ? "expected an object" : reason,
    });
    return;
  }
  for (const [method, operation] of Object.entries(item)) {
    if (METHODS.has(method)) readOperation(place, method, asObject(operation) ?? {}, reading);
  }
}

function readOperation(
  { path, base, pointer }: Place,
  member: string,
  operation: Readonly<Record<string, unknown>>,
  { definitions, keys, skipped }: Reading,
): void {
  const skip = (reason: string): void => void skipped.push({ pointer: `${pointer}/${member}`, reason });
  const method = member.toUpperCase();
  if (operation["servers"] !== undefined) return skip("an operation with servers of its own lies elsewhere");
  const normalized = normalizeEndpoint(base + path);
  if (normalized.kind === "error") return skip(normalized.message);
  const key = operationKey(method, "", normalized.endpoint);
  const double = keys.get(key);
  if (double !== undefined) return skip(`\`${double}\` is the same operation`);
  const id = operation["operationId"];
  const wanted = typeof id === "string" && id !== "" ? id : `${method} ${path}`;
  const name = definitions.has(wanted) ? `${method} ${path}` : wanted;
  if (definitions.size >= MAX_OPERATIONS) {
    throw new TypeError(`expected at most ${MAX_OPERATIONS} operations; split the document`);
  }
  keys.set(key, name);
  definitions.set(name, `${method} ${normalized.endpoint}` as OperationText);
}

function asObject(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}

function escape(member: string): string {
  return member.replaceAll("~", "~0").replaceAll("/", "~1");
}
