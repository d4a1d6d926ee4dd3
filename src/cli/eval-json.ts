/** JSON ↔ values of the Rules language, as `stepgate eval` reads and writes them. */
import {
  compileIpRanges,
  elementType,
  fromUtf8,
  ipToText,
  isArrayType,
  parseIp,
  parseIpRange,
  toBytes,
  toInt,
  type FieldValues,
  type ListLookup,
  type ListMatcher,
  type Scheme,
  type Type,
  type Value,
} from "../expression/index.ts";

/** A case that cannot be evaluated for another reason than its expression. */
export class CaseError extends Error {}

/** JSON as it was read; integers beyond the safe ones are bigints. */
export type Json =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

/** @throws {CaseError} when the text is no JSON. */
export function parseJson(text: string): Json {
  try {
    return JSON.parse(text, keepIntegers) as Json;
  } catch (error) {
    throw new CaseError(`expected JSON: ${(error as Error).message}`);
  }
}

function keepIntegers(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const isUnsafe = typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value);
  return isUnsafe && /^-?\d+$/.test(context?.source ?? "") ? BigInt(context?.source ?? 0) : value;
}

/** Text for output; bigints only occur inside `{"$int"}`, as text. */
export function toJson(value: Value | undefined): Json {
  if (value === undefined) {
    return null;
  }
  if (typeof value === "string") {
    return fromUtf8(value) ?? { $hex: toHex(value) };
  }
  if (typeof value === "bigint") {
    return { $int: String(value) };
  }
  if (typeof value !== "object") {
    return value;
  }
  if (value instanceof Map) {
    const members = [...(value as ReadonlyMap<string, Value>)];
    return Object.fromEntries(members.map(([key, member]) => [fromUtf8(key) ?? toHex(key), toJson(member)]));
  }
  return "kind" in value ? ipToText(value) : (value as readonly Value[]).map(toJson);
}

function toHex(bytes: string): string {
  return Array.from(bytes, (byte) => byte.charCodeAt(0).toString(16).padStart(2, "0")).join("");
}

/** @throws {CaseError} when the JSON is no value of the type. `place` is named in the message. */
function fromJson(json: Json, type: Type, place: string): Value {
  const value = isArrayType(type)
    ? toArray(json, type, place)
    : elementType(type) === undefined
      ? toScalar(json, type)
      : toMap(json, type, place);
  if (value === undefined) {
    throw new CaseError(`expected a value of type \`${type}\` for ${place}, found ${describe(json)}`);
  }
  return value;
}

function toArray(json: Json, type: Type, place: string): Value | undefined {
  const element = elementType(type);
  return Array.isArray(json) && element !== undefined
    ? (json as readonly Json[]).map((member) => fromJson(member, element, place))
    : undefined;
}

function toMap(json: Json, type: Type, place: string): Value | undefined {
  const element = elementType(type);
  if (!isObject(json) || element === undefined) {
    return undefined;
  }
  return new Map(
    Object.entries(json).map(([key, member]) => [toBytes(key), fromJson(member, element, place)]),
  );
}

function toScalar(json: Json, type: Type): Value | undefined {
  switch (type) {
    case "Bool":
      return typeof json === "boolean" ? json : undefined;
    case "Int":
      return toInteger(json);
    case "Ip":
      return typeof json === "string" ? parseIp(json) : undefined;
    case "Bytes":
      return toByteString(json);
    default:
      return undefined;
  }
}

const INT_LIMIT = 2n ** 63n;

function toInteger(json: Json): Value | undefined {
  const given = isObject(json) ? json["$int"] : json;
  const isInteger =
    typeof given === "bigint" ||
    (typeof given === "number" && Number.isSafeInteger(given)) ||
    (typeof given === "string" && isObject(json) && /^-?\d{1,20}$/.test(given));
  if (!isInteger) {
    return undefined;
  }
  const value = BigInt(given);
  return value >= -INT_LIMIT && value < INT_LIMIT ? toInt(value) : undefined;
}

function toByteString(json: Json): Value | undefined {
  if (typeof json === "string") {
    return toBytes(json);
  }
  const hex = isObject(json) ? json["$hex"] : undefined;
  return typeof hex === "string" && /^(?:[\da-f]{2})*$/i.test(hex)
    ? hex.replaceAll(/../g, (pair) => String.fromCharCode(Number.parseInt(pair, 16)))
    : undefined;
}

export function isObject(json: Json | undefined): json is { readonly [key: string]: Json } {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

function describe(json: Json): string {
  const text = typeof json === "bigint" ? String(json) : JSON.stringify(json, bigintText);
  return `\`${text.length > 60 ? `${text.slice(0, 60)}…` : text}\``;
}

function bigintText(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}

/**
 * Field values out of a context. Names that no field has are passed over: a context may serve several
 * expressions.
 *
 * @throws {CaseError} when a value has not its field's type.
 */
export function toFieldValues(context: { readonly [key: string]: Json }, scheme: Scheme): FieldValues {
  const bySlot = new Map<number, Value>();
  for (const [name, json] of Object.entries(context)) {
    const field = scheme.fields.get(name);
    if (field !== undefined && json !== null) {
      bySlot.set(field.slot, fromJson(json, field.type, `field \`${name}\``));
    }
  }
  return { get: (slot) => bySlot.get(slot) };
}

/** Lists out of the `$name` members of a context; a list that is not there is empty. */
export function toLists(context: { readonly [key: string]: Json }): ListLookup {
  return (name, type) => {
    const key = `$${name}`;
    const members = Object.hasOwn(context, key) ? context[key] : [];
    if (!Array.isArray(members)) {
      throw new CaseError(`expected an array of members for list \`${key}\``);
    }
    return type === "Ip"
      ? toIpMatcher(members as readonly Json[], key)
      : toMatcher(members as readonly Json[], type, key);
  };
}

function toIpMatcher(members: readonly Json[], key: string): ListMatcher {
  return compileIpRanges(
    members.map((member) => {
      const range = typeof member === "string" ? parseIpRange(member) : undefined;
      if (range === undefined) {
        throw new CaseError(`expected an address or CIDR in list \`${key}\`, found ${describe(member)}`);
      }
      return range;
    }),
  );
}

function toMatcher(members: readonly Json[], type: Type, key: string): ListMatcher {
  const set = new Set(members.map((member) => fromJson(member, type, `list \`${key}\``)));
  return (value) => set.has(value);
}
