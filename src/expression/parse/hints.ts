/** What people write that the language does not have, and what to write instead. */
import { COMPARISON_WORDS, comparisonFollows, OPERATOR_WORDS } from "./operators.ts";
import type { Fault } from "../errors.ts";
import type { ParseState } from "./state.ts";

/** What stands where a comparison operator is expected. */
const COMPARISON_HINTS: readonly (readonly [text: string, hint: string])[] = [
  ["=>", "write `>=`"],
  ["=<", "write `<=`"],
  ["=", "write `==` or `eq`"],
  ["not in", "write `not` in front of the comparison"],
  ["is ", "write `eq`"],
  ["like", "write `wildcard` or `contains`"],
];

const COMMENT = /^(?:#|\/\/|\/\*)/;

/** The hint for what stands at the cursor in place of a comparison operator, with the `; ` before it. */
export function comparisonHint({ cursor, scheme }: ParseState): string {
  const hint = COMPARISON_HINTS.find(([text]) => cursor.startsWith(text))?.[1];
  if (hint !== undefined) {
    return `; ${hint}`;
  }
  const word = wordAt(cursor.source, cursor.at);
  return scheme.functions.has(word) ? `; \`${word}\` is a function: write \`${word}(field, …)\`` : "";
}

/** The hint for an unknown name, such as an operator in capitals or written like a call. */
export function nameHint(name: string, isCall: boolean): string | undefined {
  const lower = name.toLowerCase();
  if (lower !== name && OPERATOR_WORDS.has(lower)) {
    return lowerCaseHint(lower);
  }
  const last = name.slice(name.lastIndexOf(".") + 1);
  return isCall && COMPARISON_WORDS.has(last)
    ? `; \`${last}\` is an operator: write \`field ${last} …\``
    : undefined;
}

/** A fault that ends parsing, with the hint for what stands there. */
export function withHint(state: ParseState, fault: Fault): Fault {
  const hint = fault.message.includes("; ") ? "" : hintAt(state, fault.start);
  return hint === "" ? fault : { ...fault, message: fault.message + hint };
}

function hintAt(state: ParseState, start: number): string {
  const { cursor } = state;
  cursor.at = start;
  cursor.skipSpace();
  const word = wordAt(cursor.source, cursor.at);
  const lower = word.toLowerCase();
  if (lower !== word && OPERATOR_WORDS.has(lower)) {
    return lowerCaseHint(lower);
  }
  if (COMMENT.test(cursor.source.slice(cursor.at, cursor.at + 2))) {
    return "; the language has no comments";
  }
  const isBehindBool = cursor.source.slice(state.bareBoolEnd, start).trim() === "";
  if (state.bareBoolEnd >= 0 && isBehindBool && comparisonFollows(cursor)) {
    return `; a value of type \`Bool\` stands alone: leave out ${cursor.found()}, or write \`not\` in front`;
  }
  return "";
}

function lowerCaseHint(word: string): string {
  return `; operators are lower case: write \`${word}\``;
}

function wordAt(source: string, at: number): string {
  return /^\w+/.exec(source.slice(at, at + 32))?.[0] ?? "";
}
