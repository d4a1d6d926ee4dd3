/** Static types of the Rules language, written as text: `Bytes`, `Array<Bytes>`, `Map<Array<Int>>`. */
import { MAX_TYPE_NESTING } from "./limits.ts";

export type ScalarType = "Bool" | "Int" | "Bytes" | "Ip";

/** A static type. Two types are the same exactly when their texts are. */
export type Type = ScalarType | `Array<${string}>` | `Map<${string}>`;

/**
 * A type while parsing: `Unknown` stands for a part that already has an error, so that one mistake is
 * reported once. INVARIANT: no checked expression holds it.
 */
export type ParsedType = Type | "Unknown";

const SCALARS: ReadonlySet<string> = new Set<ScalarType>(["Bool", "Int", "Bytes", "Ip"]);

export function isArrayType(type: ParsedType): boolean {
  return type.startsWith("Array<");
}

export function isMapType(type: ParsedType): boolean {
  return type.startsWith("Map<");
}

/** The type of the members of an Array or Map type, `undefined` for any other. */
export function elementType(type: ParsedType): Type | undefined {
  if (isArrayType(type)) {
    return type.slice("Array<".length, -1) as Type;
  }
  // A prefix of a valid type text ends where its matching `>` stands: the last character.
  return isMapType(type) ? (type.slice("Map<".length, -1) as Type) : undefined;
}

export function arrayOf(element: ParsedType): Type {
  return `Array<${element}>`;
}

/**
 * Reads a type from its text.
 *
 * @throws {TypeError} when the text is no type, or nests deeper than {@link MAX_TYPE_NESTING}.
 */
export function parseType(text: string): Type {
  let inner = text;
  for (let depth = 0; depth <= MAX_TYPE_NESTING; depth += 1) {
    if (SCALARS.has(inner)) {
      return text as Type;
    }
    const container = /^(?:Array|Map)<(.+)>$/.exec(inner);
    if (container === null) {
      break;
    }
    inner = container[1] ?? "";
  }
  throw new TypeError(`expected a type such as \`Bytes\` or \`Map<Array<Int>>\`, found \`${text}\``);
}
