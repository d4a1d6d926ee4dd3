/** Language vectors: their form, and how their values become values of the language. */
import { readFileSync } from "node:fs";
import {
  compileFilter,
  compileIpRanges,
  compileValue,
  createScheme,
  ExpressionError,
  fromBytes,
  ipToText,
  parseFilter,
  parseIp,
  parseType,
  parseValue,
  toBytes,
  toInt,
  type FieldValues,
  type ListMatcher,
  type Scheme,
  type Type,
  type Value,
} from "../../src/expression/index.ts";
import { networkOf } from "../../src/expression/ip.ts";
import { elementType } from "../../src/expression/types.ts";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

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

export const VECTOR_SCHEME: Scheme = createScheme({
  fields: Object.entries(FIELD_TYPES).map(([name, type]) => ({ name, type: parseType(type) })),
});

/** A value of the language out of its JSON form. */
export function fromJson(json: Json, type: Type): Value {
  const element = elementType(type);
  if (element !== undefined) {
    return Array.isArray(json)
      ? json.map((member) => fromJson(member, element))
      : new Map(
          Object.entries(json as Record<string, Json>).map(([key, member]) => [
            toBytes(key),
            fromJson(member, element),
          ]),
        );
  }
  if (typeof json === "object" && json !== null && !Array.isArray(json)) {
    const { $hex, $int } = json as { readonly $hex?: string; readonly $int?: string };
    return $int === undefined
      ? ($hex ?? "").replaceAll(/../g, (pair) => String.fromCharCode(Number.parseInt(pair, 16)))
      : toInt(BigInt($int));
  }
  if (type === "Ip") {
    const ip = parseIp(String(json));
    if (ip === undefined) {
      throw new TypeError(`expected an address, found ${JSON.stringify(json)}`);
    }
    return ip;
  }
  return typeof json === "string" ? toBytes(json) : (json as number | boolean);
}

/** The JSON form of a value; `null` for missing. */
export function toJson(value: Value | undefined): Json {
  if (value === undefined) {
    return null;
  }
  if (typeof value === "string") {
    return fromBytes(value);
  }
  if (typeof value === "bigint") {
    return { $int: String(value) };
  }
  if (typeof value !== "object") {
    return value;
  }
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([key, member]) => [fromBytes(key), toJson(member)]));
  }
  return "kind" in value ? ipToText(value) : (value as readonly Value[]).map(toJson);
}

export function valuesOf(ctx: Readonly<Record<string, Json>>, scheme = VECTOR_SCHEME): FieldValues {
  const bySlot = new Map<number, Value>();
  for (const [name, json] of Object.entries(ctx)) {
    const field = scheme.fields.get(name);
    if (field !== undefined) {
      bySlot.set(field.slot, fromJson(json, field.type));
    }
  }
  return { get: (slot) => bySlot.get(slot) };
}

export function listsOf(ctx: Readonly<Record<string, Json>>) {
  return (name: string, type: "Bytes" | "Int" | "Ip"): ListMatcher => {
    const members = (ctx[`$${name}`] ?? []) as readonly Json[];
    if (type === "Ip") {
      return compileIpRanges(
        members.map((member) => {
          const [address = "", bits] = (member as string).split("/");
          const ip = fromJson(address, "Ip") as NonNullable<ReturnType<typeof parseIp>>;
          return networkOf(ip, bits === undefined ? 128 : Number(bits));
        }),
      );
    }
    const set = new Set(members.map((member) => fromJson(member, type)));
    return (value) => set.has(value);
  };
}

export type Outcome =
  | { readonly result: boolean }
  | { readonly value: Json }
  | { readonly error: ExpressionError };

/** Runs a vector as the conformance set means it. */
export function runVector(vector: Vector): Outcome {
  const isValue = vector.mode === "value" || "value" in vector;
  const options = { lists: listsOf(vector.ctx) };
  const values = valuesOf(vector.ctx);
  try {
    return isValue
      ? { value: toJson(compileValue(parseValue(vector.expr, VECTOR_SCHEME), options)(values)) }
      : { result: compileFilter(parseFilter(vector.expr, VECTOR_SCHEME), options)(values) };
  } catch (error) {
    if (error instanceof ExpressionError) {
      return { error };
    }
    throw error;
  }
}
