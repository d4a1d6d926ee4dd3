/** What a function of the language declares: its parameters, its result, and how it runs. */
import type { ParsedType, Type } from "../types.ts";
import type { Value } from "../value.ts";

/** Literal only, field or sub-expression only, or both (language.md section 6: L, F, B). */
export type ParameterKind = "literal" | "field" | "both";

export interface Parameter {
  readonly kind: ParameterKind;
  /** Types the parameter takes, for messages. */
  readonly expected: string;
  /** `first` is the type of the call's first argument. */
  readonly accepts: (type: ParsedType, first: ParsedType) => boolean;
  /** For literals: what is wrong with the value, `undefined` when nothing is. */
  readonly refuses?: (value: Value) => string | undefined;
}

/** Missing arguments arrive as `undefined`; so does what was not given. `undefined` means missing. */
export type Implementation = (...values: readonly (Value | undefined)[]) => Value | undefined;

export interface FunctionDefinition {
  readonly name: string;
  /** Required and optional parameters, in order. */
  readonly parameters: readonly Parameter[];
  readonly required: number;
  /** Parameter of any further arguments; without it there may be none. */
  readonly rest?: Parameter;
  readonly returns: (types: readonly ParsedType[]) => ParsedType;
  /**
   * Prepares a call when it is compiled. `literals` has the value of each literal argument, `undefined`
   * for the others; patterns are compiled here, once.
   */
  readonly bind: (literals: readonly (Value | undefined)[]) => Implementation;
}

/** A parameter that takes one of some types. */
export function parameter(
  kind: ParameterKind,
  types: readonly Type[],
  refuses?: (value: Value) => string | undefined,
): Parameter {
  return {
    kind,
    expected: types.map((type) => `\`${type}\``).join(" or "),
    accepts: (type) => type === "Unknown" || (types as readonly ParsedType[]).includes(type),
    ...(refuses === undefined ? {} : { refuses }),
  };
}
