/** OpenAPI documents as they are uploaded: JSON or YAML, checked against the specification, without a look elsewhere. */
import { Validator } from "@seriousme/openapi-schema-validator";
import { parseDocument } from "yaml";
import { documentOperations } from "../operation/index.ts";
import type { DocumentOperations } from "../operation/index.ts";

export type ReadDocument =
  | ({ readonly kind: "document"; readonly version: string } & DocumentOperations)
  | { readonly kind: "error"; readonly problems: readonly DocumentProblem[] };

/** A reason why a document is refused. */
export interface DocumentProblem {
  /** JSON pointer into the document; `undefined` when it cannot be read at all. */
  readonly pointer?: string;
  readonly reason: string;
}

/** Levels of a document; the deepest of public APIs have about forty. */
const MAX_DEPTH = 100;
/** Arrays, objects and values in them: a document of 8 MiB has about half a million. */
const MAX_VALUES = 2_000_000;
/** Aliases within aliases blow a small file up to any size ("billion laughs"). */
const MAX_ALIASES = 100;
/** Bytes of YAML, which takes ten times as long to read as JSON. */
const MAX_YAML_BYTES = 2_097_152;

const MAX_PROBLEMS = 20;

/** Compiles the specification's own schemas at their first use; documents come one at a time. */
const validator = new Validator();

/** Total: whatever the text, a document or what is wrong with it. */
export async function readOpenApiSource(text: string): Promise<ReadDocument> {
  try {
    return await read(text);
  } catch (error) {
    // A text that is nested too deeply for a parser ends here as well.
    return refused((error as Error).message);
  }
}

async function read(text: string): Promise<ReadDocument> {
  const document = text.trimStart().startsWith("{") ? parseJson(text) : parseYaml(text);
  checkShape(document);
  const version = (document as { readonly openapi?: unknown } | null)?.openapi;
  if (typeof version !== "string" || !/^3\.[01]\.\d+$/.test(version)) {
    return refused(
      `expected an OpenAPI document of version 3.0 or 3.1, found ${typeof version === "string" ? `version \`${version.slice(0, 20)}\`` : "none"}; convert it first`,
    );
  }
  // The validator takes references out of what it is given, and strings for names of files: it gets a copy of its own.
  const result = await validator.validate(structuredClone(document) as Record<string, unknown>);
  if (!result.valid) return { kind: "error", problems: problemsOf(result.errors) };
  return { kind: "document", version, ...documentOperations(document) };
}

function refused(reason: string): ReadDocument {
  return { kind: "error", problems: [{ reason }] };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    // YAML may begin with a brace as well.
    if (text.length > MAX_YAML_BYTES) throw error;
    return parseYaml(text);
  }
}

function parseYaml(text: string): unknown {
  if (Buffer.byteLength(text) > MAX_YAML_BYTES) {
    throw new TypeError(`expected at most ${MAX_YAML_BYTES} bytes of YAML; convert the document to JSON`);
  }
  const document = parseDocument(text, { schema: "core", prettyErrors: true, logLevel: "error" });
  const [error] = document.errors;
  if (error !== undefined) throw new TypeError(error.message.split("\n\n")[0]);
  return document.toJS({ maxAliasCount: MAX_ALIASES });
}

/** Walks without recursion, every alias as often as it is used. */
function checkShape(root: unknown): void {
  let left = MAX_VALUES;
  const pending = [{ value: root, depth: 1 }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { value, depth } = next;
    if (typeof value !== "object" || value === null) continue;
    if (depth > MAX_DEPTH) throw new TypeError(`expected at most ${MAX_DEPTH} levels, found more`);
    for (const [name, member] of Object.entries(value)) {
      if (name === "__proto__") throw new TypeError("expected no member named `__proto__`");
      left -= 1;
      if (left < 0) throw new TypeError(`expected at most ${MAX_VALUES} values, found more`);
      pending.push({ value: member, depth: depth + 1 });
    }
  }
}

type ValidatorErrors = Awaited<ReturnType<Validator["validate"]>>["errors"];

/** Branches of alternatives report what each of them wanted: the deepest place is the one meant. */
function problemsOf(errors: ValidatorErrors): readonly DocumentProblem[] {
  if (errors === undefined || typeof errors === "string") {
    return [{ reason: (errors ?? "it is not valid").replace(/\.$/, "") }];
  }
  const deepest = Math.max(...errors.map(({ instancePath }) => depthOf(instancePath)));
  const seen = new Set<string>();
  return errors
    .filter(({ instancePath }) => depthOf(instancePath) === deepest)
    .map(({ instancePath, message = "it is not valid" }) => ({ pointer: instancePath, reason: message }))
    .filter(({ pointer, reason }) => !seen.has(pointer + reason) && seen.add(pointer + reason))
    .slice(0, MAX_PROBLEMS);
}

const depthOf = (pointer: string): number => pointer.split("/").length;
