/** What is wrong with a body: collected, worded in one pattern, pointed at. */
import type { z } from "zod";
import { API_ERRORS, ApiError } from "./errors.ts";
import type { ApiErrorName, ErrorItem } from "./errors.ts";
import { MAX_QUOTED_CHARACTERS, MAX_REPORTED_ERRORS } from "./limits.ts";

/** One thing to correct. */
export interface Issue {
  readonly name: ApiErrorName;
  readonly pointer: string;
  /** The value as it was sent. */
  readonly value: unknown;
  /** Name of the field in the message; the last part of the pointer unless given. */
  readonly field?: string;
  /** Completes "'<value>' is not a valid value for <field> because …". */
  readonly reason: string;
  readonly expression?: ErrorItem["expression"];
}

/** Ends a request with everything that is wrong with it. */
export function invalid(issues: readonly Issue[]): ApiError {
  const items = issues.slice(0, MAX_REPORTED_ERRORS).map(toItem);
  return new ApiError(400, items);
}

/** {@link invalid} with one issue. */
export function invalidValue(
  pointer: string,
  value: unknown,
  reason: string,
  name: ApiErrorName = "invalid_value",
): ApiError {
  return invalid([{ name, pointer, value, reason }]);
}

function toItem(issue: Issue): ErrorItem {
  const field = issue.field ?? fieldOf(issue.pointer);
  return {
    code: API_ERRORS[issue.name].code,
    message: `'${quoteValue(issue.value)}' is not a valid value for ${field} because ${issue.reason}`,
    source: { pointer: issue.pointer },
    ...(issue.expression === undefined ? {} : { expression: issue.expression }),
  };
}

/** The nearest name in a pointer: `/rules/0/expression` is about `expression`, `/sequence/1` about `sequence`. */
function fieldOf(pointer: string): string {
  const names = pointer.split("/").slice(1);
  const name = names.findLast((part) => !/^\d+$/.test(part)) ?? "body";
  return unescapePointer(name);
}

/** Values are shortened; controls cannot forge a line of a log. */
function quoteValue(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  const short = text.length > MAX_QUOTED_CHARACTERS ? `${text.slice(0, MAX_QUOTED_CHARACTERS)}…` : text;
  return short.toWellFormed();
}

/** Appends a member name or index to a JSON pointer (RFC 6901). */
export function pointerTo(base: string, ...parts: readonly PropertyKey[]): string {
  return parts.reduce<string>(
    (pointer, part) => `${pointer}/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`,
    base,
  );
}

function unescapePointer(part: string): string {
  return part.replaceAll("~1", "/").replaceAll("~0", "~");
}

/**
 * Checks the shape of a body or query.
 *
 * @throws {ApiError} with every mistake that the schema finds
 */
export function parseShape<Shape extends z.ZodType>(schema: Shape, value: unknown): z.output<Shape> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalid(parsed.error.issues.flatMap((issue) => shapeIssues(issue, value, [])));
}

function shapeIssues(issue: z.core.$ZodIssue, body: unknown, base: readonly PropertyKey[]): readonly Issue[] {
  const path = [...base, ...issue.path];
  if (issue.code === "invalid_union" && issue.errors.length > 0) {
    // The alternative that got furthest is the one that was meant.
    const nearest = issue.errors.toSorted((left, right) => depthOf(right) - depthOf(left))[0] ?? [];
    if (depthOf(nearest) > 0) return nearest.flatMap((inner) => shapeIssues(inner, body, path));
  }
  if (issue.code === "invalid_key" || issue.code === "invalid_element") {
    return issue.issues.flatMap((inner) => shapeIssues(inner, body, path));
  }
  const value = valueAt(body, path);
  return [
    {
      name: value === undefined ? "missing_value" : "invalid_value",
      pointer: pointerTo("", ...path),
      value: value === undefined ? "" : value,
      reason: reasonOf(issue, value),
    },
  ];
}

const depthOf = (issues: readonly z.core.$ZodIssue[]): number =>
  issues.reduce((depth, issue) => Math.max(depth, issue.path.length), 0);

function valueAt(body: unknown, path: readonly PropertyKey[]): unknown {
  let value = body;
  for (const part of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Readonly<Record<PropertyKey, unknown>>)[part];
  }
  return value;
}

/** Reasons by the code of zod's issue; messages that a schema gives itself are used as they are. */
function reasonOf(issue: z.core.$ZodIssue, value: unknown): string {
  switch (issue.code) {
    case "invalid_type":
      return value === undefined
        ? `it is required; expected ${article(issue.expected)}`
        : `expected ${article(issue.expected)}, found ${article(typeName(value))}`;
    case "invalid_value":
      return issue.values.length === 1
        ? `it must be \`${String(issue.values[0])}\``
        : `it must be one of ${issue.values.map((known) => `\`${String(known)}\``).join(", ")}`;
    case "too_big":
      return `it must ${sizeVerb(issue.origin)} at most ${issue.maximum}${unitOf(issue.origin)}`;
    case "too_small":
      return `it must ${sizeVerb(issue.origin)} at least ${issue.minimum}${unitOf(issue.origin)}`;
    case "invalid_union":
      return issue.message === "Invalid input" ? "it has none of the expected forms" : issue.message;
    case "unrecognized_keys":
      return `it has unknown members: ${issue.keys.map(quoteValue).join(", ")}`;
    case "invalid_format":
    case "not_multiple_of":
    case "custom":
    case "invalid_key":
    case "invalid_element":
      return issue.message;
  }
}

function typeName(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

const article = (type: string): string => {
  const name = type === "int" ? "integer" : type;
  if (name === "null" || name === "undefined") return name;
  return `${/^[aeiou]/.test(name) ? "an" : "a"} ${name}`;
};

const sizeVerb = (origin: string): string =>
  origin === "string" || origin === "array" || origin === "object" ? "have" : "be";

const unitOf = (origin: string): string =>
  origin === "string" ? " characters" : origin === "array" ? " items" : "";
