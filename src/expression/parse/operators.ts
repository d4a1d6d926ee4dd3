/** Spellings of operators, and which types take them: the tables the parser works by. */
import type { CombineOperator, OrderOperator } from "../ast.ts";
import type { Cursor } from "./cursor.ts";
import type { ParsedType } from "../types.ts";

export type ComparisonOperator =
  | { readonly kind: "in" }
  | { readonly kind: "order"; readonly operator: OrderOperator }
  | { readonly kind: "bits" }
  | { readonly kind: "contains" }
  | { readonly kind: "matches" }
  | { readonly kind: "wildcard"; readonly strict: boolean };

interface Spelling<T> {
  readonly text: string;
  readonly operator: T;
}

const order = (operator: OrderOperator, symbol: string): readonly Spelling<ComparisonOperator>[] => [
  { text: operator, operator: { kind: "order", operator } },
  { text: symbol, operator: { kind: "order", operator } },
];

/** Tried in this order, as plain prefixes: `gt-5` is `gt -5` (language.md section 2). */
const COMPARISON_SPELLINGS: readonly Spelling<ComparisonOperator>[] = [
  { text: "in", operator: { kind: "in" } },
  ...order("eq", "=="),
  ...order("ne", "!="),
  ...order("ge", ">="),
  ...order("le", "<="),
  ...order("gt", ">"),
  ...order("lt", "<"),
  { text: "&", operator: { kind: "bits" } },
  { text: "bitwise_and", operator: { kind: "bits" } },
  { text: "contains", operator: { kind: "contains" } },
  { text: "~", operator: { kind: "matches" } },
  { text: "matches", operator: { kind: "matches" } },
  { text: "wildcard", operator: { kind: "wildcard", strict: false } },
  { text: "strict wildcard", operator: { kind: "wildcard", strict: true } },
];

const COMBINE_SPELLINGS: readonly Spelling<CombineOperator>[] = [
  { text: "or", operator: "or" },
  { text: "||", operator: "or" },
  { text: "xor", operator: "xor" },
  { text: "^^", operator: "xor" },
  { text: "and", operator: "and" },
  { text: "&&", operator: "and" },
];

/** The operators that are words: `contains`, `in`, … */
export const COMPARISON_WORDS: ReadonlySet<string> = wordsOf(COMPARISON_SPELLINGS);

/** All operators that are words, `and` and `not` too. */
export const OPERATOR_WORDS: ReadonlySet<string> = new Set([
  ...COMPARISON_WORDS,
  ...wordsOf(COMBINE_SPELLINGS),
  "not",
]);

function wordsOf(spellings: readonly Spelling<unknown>[]): ReadonlySet<string> {
  return new Set(spellings.map(({ text }) => text).filter((text) => /^\w+$/.test(text)));
}

/** Binding strength; `not` binds tighter than all. */
export const PRECEDENCE: Readonly<Record<CombineOperator, number>> = { or: 1, xor: 2, and: 3 };

const ORDERED: ReadonlySet<ParsedType> = new Set<ParsedType>(["Bytes", "Int", "Ip"]);
const INT_ONLY: ReadonlySet<ParsedType> = new Set<ParsedType>(["Int"]);
const BYTES_ONLY: ReadonlySet<ParsedType> = new Set<ParsedType>(["Bytes"]);

/** Left-hand types per operator (language.md section 4). */
const OPERAND_TYPES: Readonly<Record<ComparisonOperator["kind"], ReadonlySet<ParsedType>>> = {
  in: ORDERED,
  order: ORDERED,
  bits: INT_ONLY,
  contains: BYTES_ONLY,
  matches: BYTES_ONLY,
  wildcard: BYTES_ONLY,
};

export function takesOperator(type: ParsedType, operator: ComparisonOperator): boolean {
  return OPERAND_TYPES[operator.kind].has(type);
}

/** The types that take an operator, for messages. */
export function operandTypes(operator: ComparisonOperator): readonly string[] {
  return [...OPERAND_TYPES[operator.kind]];
}

/** Steps over a comparison operator, if one stands here. */
export function acceptComparison(cursor: Cursor): ComparisonOperator | undefined {
  return COMPARISON_SPELLINGS.find(({ text }) => cursor.accept(text))?.operator;
}

/** Whether a comparison operator follows, after any space. */
export function comparisonFollows(cursor: Cursor): boolean {
  const start = cursor.at;
  cursor.skipSpace();
  const follows = COMPARISON_SPELLINGS.some(({ text }) => cursor.startsWith(text));
  cursor.at = start;
  return follows;
}

/** Steps over space, a logical operator and the space behind it; stays when no operator follows. */
export function acceptCombine(cursor: Cursor): CombineOperator | undefined {
  const start = cursor.at;
  cursor.skipSpace();
  const operator = COMBINE_SPELLINGS.find(({ text }) => cursor.accept(text))?.operator;
  if (operator === undefined) {
    cursor.at = start;
  } else {
    cursor.skipSpace();
  }
  return operator;
}

/** Steps over `not` or `!`. */
export function acceptNot(cursor: Cursor): boolean {
  return cursor.accept("not") || cursor.accept("!");
}

/** `any` or `all` when a parenthesis follows it; otherwise the word is an identifier. */
export function quantifierFollows(cursor: Cursor): "any" | "all" | undefined {
  const word = cursor.startsWith("any") ? "any" : cursor.startsWith("all") ? "all" : undefined;
  if (word === undefined) {
    return undefined;
  }
  const start = cursor.at;
  cursor.at += word.length;
  cursor.skipSpace();
  const follows = cursor.startsWith("(");
  cursor.at = start;
  return follows ? word : undefined;
}
