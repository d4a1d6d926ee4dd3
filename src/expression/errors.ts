/** Everything that can be wrong with an expression: one table of codes, one error class. */
import { describePosition, renderPosition } from "./position.ts";

/** Kind of mistake, the `category` of `stepgate eval`. */
export type ErrorCategory =
  | "parse"
  | "unknown_field"
  | "unknown_function"
  | "type"
  | "arity"
  | "arg_kind"
  | "arg_value"
  | "regex"
  | "wildcard"
  | "limit"
  | "list";

interface CatalogueEntry {
  readonly category: ErrorCategory;
  /** One sentence for the reference in the README. */
  readonly meaning: string;
}

/** Every code, stable once released. The README's reference is kept equal to it by a test. */
export const ERROR_CATALOGUE = {
  expected_name: {
    category: "parse",
    meaning: "a word, operator, digit or literal has to stand here, and something else does",
  },
  expected_literal: {
    category: "parse",
    meaning: "one particular piece of text, such as `)` or `{`, has to stand here",
  },
  invalid_integer: {
    category: "parse",
    meaning: "digits do not make a 64-bit integer of their base, or a byte",
  },
  invalid_address: { category: "parse", meaning: "text is no IP address, CIDR or address range" },
  invalid_range: { category: "parse", meaning: "a range ends before it starts, or mixes IPv4 and IPv6" },
  invalid_escape: {
    category: "parse",
    meaning: 'a quoted string has a `\\` that is not followed by `"`, `\\`, xHH or OOO',
  },
  invalid_raw_string: { category: "parse", meaning: "a raw string has more than 255 `#`" },
  missing_quote: { category: "parse", meaning: "a string does not end" },
  too_few_characters: {
    category: "parse",
    meaning: "the input ends inside an escape or a byte literal",
  },
  invalid_list_name: {
    category: "parse",
    meaning:
      "a list name is empty, has other characters than a-z, 0-9, `_` and `.`, or starts or ends with `.`",
  },
  unrecognised_input: {
    category: "parse",
    meaning: "the input ends too early, or goes on where the expression is complete",
  },
  unknown_field: { category: "unknown_field", meaning: "no field has this name" },
  unavailable_field: {
    category: "unknown_field",
    meaning: "the field exists, but not in this phase, or Stepgate lacks the data to fill it",
  },
  unknown_function: { category: "unknown_function", meaning: "no function has this name" },
  unavailable_function: {
    category: "unknown_function",
    meaning: "the function exists, but not here, or Stepgate does not have it",
  },
  unsupported_operator: { category: "type", meaning: "the type on the left does not take this operator" },
  type_mismatch: { category: "type", meaning: "a part has another type than the place asks for" },
  invalid_index: {
    category: "type",
    meaning: 'a subscript does not fit: `[0]` is for arrays, `["key"]` for maps, `[*]` for both',
  },
  argument_type: { category: "type", meaning: "an argument has a type that the function does not take" },
  mapped_argument: { category: "type", meaning: "`[*]` stands in another argument than the first" },
  argument_count: { category: "arity", meaning: "a call has too few or too many arguments" },
  argument_kind: {
    category: "arg_kind",
    meaning: "an argument has to be a literal, or must not be one",
  },
  argument_value: { category: "arg_value", meaning: "a literal argument is outside what the function takes" },
  invalid_regex: {
    category: "regex",
    meaning: "a regular expression is malformed, too large, or uses what Stepgate does not support",
  },
  invalid_wildcard: {
    category: "wildcard",
    meaning: "a wildcard has two stars in a row, or a `\\` before something else than `*` and `\\`",
  },
  nesting_too_deep: {
    category: "limit",
    meaning: "parentheses, `not` and calls nest deeper than 128 levels",
  },
  expression_too_long: { category: "limit", meaning: "the expression is longer than its place allows" },
  unknown_list: { category: "list", meaning: "no list of this type has this name" },
} as const satisfies Readonly<Record<string, CatalogueEntry>>;

export type ErrorCode = keyof typeof ERROR_CATALOGUE;

/** A mistake by offsets into the source, as the parser knows it. */
export interface Fault {
  readonly code: ErrorCode;
  readonly message: string;
  /** Offsets in UTF-16 code units; `end` is exclusive. */
  readonly start: number;
  readonly end: number;
}

/** A mistake as it is shown. */
export interface ExpressionIssue {
  readonly code: ErrorCode;
  readonly category: ErrorCategory;
  readonly message: string;
  /** 1-based. */
  readonly line: number;
  /** 1-based, in bytes of UTF-8 from the start of the line. */
  readonly column: number;
  /** In bytes, not beyond the end of the line; 0 at the end of the input. */
  readonly length: number;
}

/**
 * An expression that cannot be used. `errors` has every mistake found, in order; the error's own members
 * are those of the first, which is the one the reference engine reports.
 */
export class ExpressionError extends Error implements ExpressionIssue {
  override readonly name = "ExpressionError";
  readonly code: ErrorCode;
  readonly category: ErrorCategory;
  readonly line: number;
  readonly column: number;
  readonly length: number;
  readonly source: string;
  readonly errors: readonly ExpressionIssue[];
  readonly #faults: readonly Fault[];

  /** @throws {TypeError} when `faults` is empty. */
  constructor(source: string, faults: readonly Fault[]) {
    const issues = faults.map((fault) => toIssue(source, fault));
    const first = issues[0];
    if (first === undefined) {
      throw new TypeError("expected at least one fault");
    }
    super(first.message);
    this.code = first.code;
    this.category = first.category;
    this.line = first.line;
    this.column = first.column;
    this.length = first.length;
    this.source = source;
    this.errors = issues;
    this.#faults = faults;
  }

  /**
   * All mistakes as text for a person: for each the position, the line, and carets with the message, as
   * the reference engine prints them.
   */
  render(): string {
    return this.#faults.map((fault) => renderPosition(this.source, fault)).join("\n");
  }
}

function toIssue(source: string, fault: Fault): ExpressionIssue {
  const { line, column, length } = describePosition(source, fault);
  return {
    code: fault.code,
    category: ERROR_CATALOGUE[fault.code].category,
    message: fault.message,
    line,
    column,
    length,
  };
}
