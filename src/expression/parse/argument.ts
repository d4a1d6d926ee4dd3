/** Arguments of calls and quantifiers, whose grammar decides by the first characters (language.md section 3). */
import type { Argument, IndexNode, Literal, LiteralNode } from "../ast.ts";
import { lexIp } from "./lex-ip.ts";
import { isHexDigit, lexInt } from "./lex-number.ts";
import { lexBytes, lexString } from "./lex-string.ts";
import { comparisonFollows, quantifierFollows } from "./operators.ts";
import { parseComparisonOf } from "./comparison.ts";
import { isIdentifierUnit, parseIndex } from "./index-expression.ts";
import type { ParseState } from "./state.ts";

export function parseArgument(state: ParseState): Argument {
  const { cursor } = state;
  if (cursor.startsWith('"') || cursor.startsWith('r"') || cursor.startsWith("r#")) {
    return literalNode(state, cursor.at, { type: "Bytes", value: lexString(cursor) });
  }
  if (startsLogical(state)) {
    return state.grammar.logical(state);
  }
  if (startsIdentifier(state)) {
    return parseRest(state, parseIndex(state));
  }
  const attempt = state.attempt(() => parseIndex(state));
  return "value" in attempt ? parseRest(state, attempt.value) : parseLiteral(state, attempt.fault.message);
}

function startsLogical(state: ParseState): boolean {
  const { cursor } = state;
  return ["(", "!", "not"].some((text) => cursor.startsWith(text)) || quantifierFollows(cursor) !== undefined;
}

/**
 * Whether an identifier stands here for sure: one of the first three characters is a letter beyond `f`
 * or `_`, with letters and digits before it. Otherwise it may be a number, an address or hex pairs.
 */
function startsIdentifier({ cursor }: ParseState): boolean {
  for (let at = cursor.at; at < Math.min(cursor.end, cursor.at + 3); at += 1) {
    const unit = cursor.source.charCodeAt(at);
    if (!isIdentifierUnit(unit)) {
      return false;
    }
    if (!isHexDigit(unit)) {
      return true;
    }
  }
  return false;
}

/** One comparison, never a chain, when an operator follows. */
function parseRest(state: ParseState, left: IndexNode): Argument {
  return comparisonFollows(state.cursor) ? parseComparisonOf(state, left) : left;
}

/** Address before number before hex pairs: `61:62` reads as the number 61 (language.md section 3). */
function parseLiteral(state: ParseState, reason: string): LiteralNode {
  const { cursor } = state;
  const start = cursor.at;
  const readers: readonly (() => Literal)[] = [
    () => ({ type: "Ip", value: lexIp(cursor) }),
    () => ({ type: "Int", value: lexInt(cursor) }),
    () => ({ type: "Bytes", value: lexBytes(cursor) }),
  ];
  for (const read of readers) {
    const attempt = state.attempt(read);
    if ("value" in attempt) {
      return literalNode(state, start, attempt.value);
    }
  }
  throw cursor.fault("unrecognised_input", `unrecognised input: expected an argument; ${reason}`);
}

function literalNode(state: ParseState, start: number, literal: LiteralNode["literal"]): LiteralNode {
  return { kind: "literal", literal, type: literal.type, span: state.spanFrom(start) };
}
