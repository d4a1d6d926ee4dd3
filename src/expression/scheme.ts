/** Which fields and functions an expression may name. */
import type { FunctionDefinition } from "./function-types.ts";
import { FUNCTIONS } from "./functions.ts";
import { nearestName } from "./suggest.ts";
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
  /** The available name of the same kind that is nearest to an unknown one. */
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
  const refusedFunctions = options.refusedFunctions ?? new Map<string, string>();
  return Object.freeze({
    fields,
    functions: FUNCTIONS,
    refusedFunctions,
    slotOf(name: string) {
      const field = fields.get(name);
      return field?.unavailable === undefined ? field?.slot : undefined;
    },
    nearest(kind: "field" | "function", name: string) {
      return kind === "field"
        ? nearestName(name, namesOf(fields.values()))
        : nearestName(
            name,
            [...FUNCTIONS.keys(), "any", "all"].filter((known) => !refusedFunctions.has(known)),
          );
    },
  });
}

function* namesOf(fields: Iterable<SchemeField>): Iterable<string> {
  for (const { name, unavailable } of fields) {
    if (unavailable === undefined) {
      yield name;
    }
  }
}
