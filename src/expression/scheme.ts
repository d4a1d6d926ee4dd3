/** Which fields and functions an expression may name. */
import type { FunctionDefinition } from "./functions/definition.ts";
import { FUNCTIONS, REFUSED_FUNCTIONS } from "./functions/functions.ts";
import { nearestName } from "./parse/suggest.ts";
import { parseType, type Type } from "./types.ts";

export interface FieldDefinition {
  readonly name: string;
  readonly type: Type;
  /** Where {@link FieldValues} finds the value; the position in the list of fields unless given. */
  readonly slot?: number;
  /**
   * Why the field cannot be used here. An expression that names it is refused with this text, which
   * completes the sentence "`name` is not available: …".
   */
  readonly unavailable?: string | undefined;
}

export interface SchemeOptions {
  readonly fields: readonly FieldDefinition[];
  /** Functions that cannot be used here, with the reason. All others are available. */
  readonly refusedFunctions?: ReadonlyMap<string, string>;
}

export interface SchemeField {
  readonly name: string;
  readonly type: Type;
  readonly slot: number;
  readonly unavailable: string | undefined;
}

/** Made by {@link createScheme} only. */
export interface Scheme {
  readonly fields: ReadonlyMap<string, SchemeField>;
  readonly functions: ReadonlyMap<string, FunctionDefinition>;
  readonly refusedFunctions: ReadonlyMap<string, string>;
  /** Slot of a field that may be used, `undefined` for any other name. */
  slotOf(name: string): number | undefined;
  /** The name of the same kind that is nearest to an unknown one. */
  nearest(kind: "field" | "function", name: string): string | undefined;
}

/**
 * @throws {TypeError} when two fields share a name, a field has the name of a function, or a type is none.
 */
export function createScheme(options: SchemeOptions): Scheme {
  const fields = new Map<string, SchemeField>();
  for (const [index, { name, type, slot = index, unavailable }] of options.fields.entries()) {
    if (fields.has(name) || FUNCTIONS.has(name)) {
      throw new TypeError(`expected a new name, found \`${name}\` a second time`);
    }
    fields.set(name, { name, type: parseType(type), slot, unavailable });
  }
  const refusedFunctions = new Map([...REFUSED_FUNCTIONS, ...(options.refusedFunctions ?? [])]);
  const functionNames = [...FUNCTIONS.keys(), "any", "all"].filter((name) => !refusedFunctions.has(name));
  return Object.freeze({
    fields,
    functions: FUNCTIONS,
    refusedFunctions,
    slotOf(name: string) {
      const field = fields.get(name);
      return field?.unavailable === undefined ? field?.slot : undefined;
    },
    // Names without data are named too: their own message then says why.
    nearest: (kind: "field" | "function", name: string) =>
      nearestName(name, kind === "field" ? fields.keys() : functionNames),
  });
}
