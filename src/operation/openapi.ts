/** The operations that an OpenAPI document (versions 3.0 and 3.1) describes; schemas are not looked at. */
import { OPERATION_METHODS } from "./types.ts";
import type { OperationMethod } from "./types.ts";

/** A part of a document that stands for no operation, or for one that cannot be saved. */
export interface SkippedPart {
  /** JSON pointer (RFC 6901) into the document. */
  readonly pointer: string;
  readonly reason: string;
}

/** An operation as the document has it: nothing is normalised. */
export interface DescribedOperation {
  /** JSON pointer of the operation object, below the path that names it. */
  readonly pointer: string;
  readonly method: OperationMethod;
  /** Member of `paths`, `/users/{id}`. */
  readonly path: string;
  readonly operationId: string | undefined;
  /** Servers of the operation or of its path, which stand in the place of the document's. */
  readonly ownServers: DescribedServers | undefined;
}

export interface DescribedServers {
  /** JSON pointer of the list. */
  readonly pointer: string;
  /** As it stands in the document: anything. */
  readonly list: unknown;
}

export interface OpenApiDescription {
  readonly operations: readonly DescribedOperation[];
  /** The document's; `list` is `undefined` where it names none. */
  readonly servers: DescribedServers;
  readonly skipped: readonly SkippedPart[];
}

type Members = Readonly<Record<string, unknown>>;

/** Members of a path item that are methods (OpenAPI 3.1.1 section 4.8.9.1). */
const METHODS: ReadonlyMap<string, OperationMethod> = new Map(
  OPERATION_METHODS.map((method) => [method.toLowerCase(), method]),
);

/** References that lead from one to the next. */
const MAX_REFERENCES = 16;

/**
 * Reads a parsed document. References of whole paths are followed inside of the document and nowhere else.
 *
 * @param document what `JSON.parse` or a YAML parser gave
 * @throws {TypeError} when it is no OpenAPI document of version 3
 */
export function describeOpenApi(document: unknown): OpenApiDescription {
  const root = asMembers(document);
  const version = root?.["openapi"];
  if (root === undefined || typeof version !== "string" || !version.startsWith("3.")) {
    throw new TypeError(
      `expected an OpenAPI document of version 3, found ${typeof version === "string" ? `version \`${version}\`` : "none"}; convert it first`,
    );
  }
  const operations: DescribedOperation[] = [];
  const skipped: SkippedPart[] = [];
  for (const [path, value] of Object.entries(asMembers(root["paths"]) ?? {})) {
    // Extensions may stand between the paths (section 4.8.8.1).
    if (path.startsWith("x-")) continue;
    const pointer = `/paths/${escapeMember(path)}`;
    const item = resolvePathItem(root, value);
    if (typeof item === "string") skipped.push({ pointer, reason: item });
    else operations.push(...operationsOf(path, item, pointer));
  }
  if (root["webhooks"] !== undefined) {
    skipped.push({ pointer: "/webhooks", reason: "webhooks are calls that the application makes itself" });
  }
  return { operations, servers: { pointer: "/servers", list: root["servers"] }, skipped };
}

function operationsOf(path: string, item: Members, pointer: string): DescribedOperation[] {
  return Object.entries(item).flatMap(([member, value]) => {
    const method = METHODS.get(member);
    if (method === undefined) return [];
    const operation = asMembers(value) ?? {};
    const id = operation["operationId"];
    const at = `${pointer}/${member}`;
    return {
      pointer: at,
      method,
      path,
      operationId: typeof id === "string" && id !== "" ? id : undefined,
      ownServers: serversOf(operation, at) ?? serversOf(item, pointer),
    };
  });
}

function serversOf(members: Members, pointer: string): DescribedServers | undefined {
  const list = members["servers"];
  return list === undefined ? undefined : { pointer: `${pointer}/servers`, list };
}

/** A path item with what its reference adds, or the reason why there is none. */
function resolvePathItem(root: Members, value: unknown): Members | string {
  let item = asMembers(value);
  const parts: Members[] = [];
  while (item !== undefined) {
    const { $ref: reference, ...own } = item;
    parts.unshift(own);
    if (reference === undefined) return Object.assign({}, ...parts) as Members;
    if (parts.length > MAX_REFERENCES) return "its references lead in a circle, or too far";
    if (typeof reference !== "string" || !reference.startsWith("#/")) {
      return "references of whole paths are only followed inside of the document; bundle the document first";
    }
    item = asMembers(valueAt(root, reference));
  }
  return "expected an object";
}

/** @param reference `#/components/pathItems/users`, a JSON pointer as the fragment of a URL (RFC 6901 section 6) */
function valueAt(root: Members, reference: string): unknown {
  let value: unknown = root;
  for (const part of reference.slice(2).split("/")) {
    const member = decodeFragment(part).replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, member)) return undefined;
    value = (value as Members)[member];
  }
  return value;
}

function decodeFragment(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A member's name as a part of a JSON pointer. */
function escapeMember(member: string): string {
  return member.replaceAll("~", "~0").replaceAll("/", "~1");
}

function asMembers(value: unknown): Members | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Members)
    : undefined;
}
