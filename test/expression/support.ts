/** The conformance vectors, and how they are run. */
import { readFileSync } from "node:fs";
import { toFieldValues, toJson, toLists, type Json } from "../../src/cli/eval-json.ts";
import {
  compileFilter,
  compileValue,
  createScheme,
  ExpressionError,
  parseFilter,
  parseType,
  parseValue,
  type CompileOptions,
  type FieldValues,
  type Scheme,
} from "../../src/expression/index.ts";

export { toJson, toLists };
export type { Json };

export interface Vector {
  readonly id: string;
  readonly expr: string;
  readonly ctx: Readonly<Record<string, Json>>;
  readonly expect?: boolean | { readonly error: string; readonly alt?: readonly string[] };
  readonly value?: Json;
  readonly mode?: "value";
  readonly diag?: {
    readonly kind: string;
    readonly line: number;
    readonly col: number;
    readonly len: number;
  };
  readonly cat: string;
}

/** The files are part of the repository; their form is what the interfaces above say. */
function readVectorFile(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../vectors/${name}`, import.meta.url), "utf8"));
}

export const VECTORS = readVectorFile("language.json") as readonly Vector[];
export const FIELD_TYPES = readVectorFile("language-fields.json") as Readonly<Record<string, string>>;
export const DIFFERENCES = readVectorFile("language-differences.json") as readonly {
  readonly id: string;
  readonly reason: string;
}[];

export const SCHEME: Scheme = createScheme({
  fields: Object.entries(FIELD_TYPES).map(([name, type]) => ({ name, type: parseType(type) })),
});

export function valuesOf(ctx: Readonly<Record<string, Json>>): FieldValues {
  return toFieldValues(ctx, SCHEME);
}

export function isValueVector(vector: Vector): boolean {
  return vector.mode === "value" || "value" in vector;
}

export type Outcome =
  | { readonly result: boolean }
  | { readonly value: Json }
  | { readonly error: ExpressionError };

/** Runs a vector as the conformance set means it. */
export function runVector(vector: Vector, options: CompileOptions = {}): Outcome {
  const compileOptions = { lists: toLists(vector.ctx), ...options };
  const values = valuesOf(vector.ctx);
  try {
    return isValueVector(vector)
      ? { value: toJson(compileValue(parseValue(vector.expr, SCHEME), compileOptions)(values)) }
      : { result: compileFilter(parseFilter(vector.expr, SCHEME), compileOptions)(values) };
  } catch (error) {
    if (error instanceof ExpressionError) {
      return { error };
    }
    throw error;
  }
}

/** The error of an expression that has one. */
export function errorOf(source: string, scheme = SCHEME): ExpressionError {
  try {
    parseFilter(source, scheme);
  } catch (error) {
    if (error instanceof ExpressionError) {
      return error;
    }
    throw error;
  }
  throw new Error(`expected \`${source.slice(0, 80)}\` to have an error`);
}

/** Whether a filter holds. */
export function evaluate(
  source: string,
  ctx: Readonly<Record<string, Json>> = {},
  options: CompileOptions = {},
): boolean {
  return compileFilter(parseFilter(source, SCHEME), { lists: toLists(ctx), ...options })(valuesOf(ctx));
}

/** What a value expression gives, as JSON. */
export function evaluateValue(source: string, ctx: Readonly<Record<string, Json>> = {}): Json {
  return toJson(compileValue(parseValue(source, SCHEME), { lists: toLists(ctx) })(valuesOf(ctx)));
}

/** A tree without the places of its parts. */
export function withoutSpans(node: unknown): unknown {
  if (Array.isArray(node)) {
    return node.map(withoutSpans);
  }
  if (typeof node === "object" && node !== null) {
    return Object.fromEntries(
      Object.entries(node)
        .filter(([key]) => key !== "span")
        .map(([key, member]) => [key, withoutSpans(member)]),
    );
  }
  return node;
}
