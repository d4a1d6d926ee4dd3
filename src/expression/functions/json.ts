/** `lookup_json_string` and `lookup_json_integer`: a value by its path in a JSON document. */
import { fromUtf8, toBytes } from "../bytes.ts";
import { parameter, type FunctionDefinition } from "./definition.ts";
import { MAX_INT, MIN_INT, toInt, type Int } from "../int.ts";
import { MAX_JSON_BYTES } from "../limits.ts";
import type { Type } from "../types.ts";
import type { Value } from "../value.ts";

const KEY = parameter("literal", ["Bytes", "Int"], (value) =>
  typeof value !== "string" && (value as Int) < 0 ? "a key or an index from 0" : undefined,
);

function lookupFunction(
  name: string,
  type: Type,
  convert: (found: unknown) => Value | undefined,
): FunctionDefinition {
  return {
    name,
    parameters: [parameter("field", ["Bytes"]), KEY],
    required: 2,
    rest: KEY,
    returns: () => type,
    bind: ([, ...keys]) => {
      const path = keys.map((key) => (typeof key === "string" ? (fromUtf8(key) ?? "") : Number(key)));
      return (source) => (source === undefined ? undefined : convert(lookup(source as string, path)));
    },
  };
}

export const JSON_FUNCTIONS: readonly FunctionDefinition[] = [
  lookupFunction("lookup_json_string", "Bytes", (found) =>
    typeof found === "string" ? toBytes(found) : undefined,
  ),
  lookupFunction("lookup_json_integer", "Int", toPlainInteger),
];

/** What stands at the path; `undefined` when the text is no JSON or has nothing there. */
function lookup(source: string, path: readonly (string | number)[]): unknown {
  const text = source.length > MAX_JSON_BYTES ? undefined : fromUtf8(source);
  if (text === undefined) {
    return undefined;
  }
  let found: unknown;
  try {
    found = JSON.parse(text, keepIntegers);
  } catch {
    return undefined;
  }
  for (const key of path) {
    const fits = typeof key === "number" ? Array.isArray(found) : isObject(found);
    // Own members only: a body must not reach what objects inherit.
    if (!fits || !Object.hasOwn(found as object, key)) {
      return undefined;
    }
    found = (found as Record<string | number, unknown>)[key];
  }
  return found;
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Keeps integers beyond the safe ones exact; a fraction or exponent is no plain integer. */
function keepIntegers(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== "number") {
    return value;
  }
  const source = context?.source ?? String(value);
  return /^-?\d{1,20}$/.test(source) ? BigInt(source) : value;
}

function toPlainInteger(found: unknown): Value | undefined {
  return typeof found === "bigint" && found >= MIN_INT && found <= MAX_INT ? toInt(found) : undefined;
}
