/** Comparisons: a left side, an operator, and a right side read by the type of the left. */
import type { ComparisonNode, IndexNode, Items, Literal, Test } from "../ast.ts";
import { SyntaxFault, type Cursor } from "./cursor.ts";
import { lexIp, lexIpRange } from "./lex-ip.ts";
import { lexInt, lexIntRange } from "./lex-number.ts";
import { lexListName, lexPattern } from "./lex-pattern.ts";
import { lexBytes, lexString } from "./lex-string.ts";
import { acceptComparison, operandTypes, takesOperator, type ComparisonOperator } from "./operators.ts";
import { comparisonHint } from "./hints.ts";
import { parseIndex } from "./index-expression.ts";
import { MAX_REPORTED_ERRORS } from "../limits.ts";
import { isSkipped, skipOperand } from "./skip.ts";
import type { ParseState } from "./state.ts";
import { checkRegex } from "../regex/regex.ts";
import { arrayOf, elementType, type ParsedType } from "../types.ts";
import { checkWildcard } from "../wildcard.ts";

export function parseComparison(state: ParseState): ComparisonNode {
  return parseComparisonOf(state, parseIndex(state));
}

/** The rest of a comparison whose left side has been read. */
export function parseComparisonOf(state: ParseState, left: IndexNode): ComparisonNode {
  const test = parseTest(state, left);
  return {
    kind: "comparison",
    left,
    test: test ?? { kind: "truth" },
    type: comparisonType(left, test),
    span: state.spanFrom(left.span.start),
  };
}

function comparisonType(left: IndexNode, test: Test | undefined): ParsedType {
  if (left.eachCount > 0) {
    return arrayOf("Bool");
  }
  return test?.kind === "truth" ? truthType(left.type) : "Bool";
}

/** A bare Bool is itself, a bare Array or Map of Bool an array of its members. */
function truthType(type: ParsedType): ParsedType {
  return elementType(type) === "Bool" ? arrayOf("Bool") : type;
}

/** `undefined` when there is an operator that the type does not take, which has been reported. */
function parseTest(state: ParseState, left: IndexNode): Test | undefined {
  const { cursor } = state;
  const { type } = left;
  if (type === "Bool") {
    state.bareBoolEnd = cursor.at;
    return { kind: "truth" };
  }
  if (elementType(type) === "Bool") {
    if (left.eachCount > 0) {
      state.report(
        "unsupported_operator",
        `expected values of type \`Bool\` under \`[*]\`, found type \`${type}\``,
        state.spanFrom(cursor.at),
      );
    }
    return { kind: "truth" };
  }
  const afterLeft = cursor.at;
  cursor.skipSpace();
  const operatorStart = cursor.at;
  const operator = acceptComparison(cursor);
  if (operator === undefined) {
    if (type === "Unknown") {
      cursor.at = afterLeft;
      return { kind: "truth" };
    }
    throw cursor.fault(
      "expected_name",
      `expected a comparison operator after a value of type \`${type}\`, found ${cursor.found()}${comparisonHint(state)}`,
    );
  }
  const operatorSpan = state.spanFrom(operatorStart);
  cursor.skipSpace();
  if (takesOperator(type, operator)) {
    return parseOperandOrSkip(state, operator, type as Literal["type"]);
  }
  if (type !== "Unknown") {
    state.report(
      "unsupported_operator",
      `cannot perform this operation on type \`${type}\`: expected ${operandTypes(operator)
        .map((operand) => `\`${operand}\``)
        .join(", ")} on the left of \`${cursor.source.slice(operatorSpan.start, operatorSpan.end)}\``,
      operatorSpan,
    );
  }
  skipOperand(cursor, operator);
  return undefined;
}

const COMPARED_WITH: Readonly<Record<Literal["type"], string>> = {
  Bytes: "text in quotes",
  Int: "a number",
  Ip: "an address without quotes",
};

/** A literal of another type is noted, and stepped over, so that later mistakes are found too. */
function parseOperandOrSkip(
  state: ParseState,
  operator: ComparisonOperator,
  type: Literal["type"],
): Test | undefined {
  const { cursor } = state;
  const start = cursor.at;
  try {
    return parseOperand(state, operator, type);
  } catch (error) {
    cursor.at = start;
    const isEnough = state.faults.length >= MAX_REPORTED_ERRORS;
    if (!(error instanceof SyntaxFault) || isEnough || !isSkipped(cursor, operator)) {
      throw error;
    }
    const { code, message, start: from, end } = error.fault;
    const isExplained = message.includes("; ") || cursor.source.startsWith(",", from);
    const hint = isExplained ? "" : `; a value of type \`${type}\` is compared with ${COMPARED_WITH[type]}`;
    state.report(code, message + hint, { start: from, end });
    return undefined;
  }
}

function parseOperand(state: ParseState, operator: ComparisonOperator, type: Literal["type"]): Test {
  const { cursor } = state;
  switch (operator.kind) {
    case "in":
      return cursor.startsWith("$")
        ? { kind: "list", name: lexListName(cursor), type }
        : { kind: "in", items: lexItems(cursor, type) };
    case "order":
      return { kind: "order", operator: operator.operator, literal: lexLiteral(cursor, type) };
    case "bits":
      return { kind: "bits", mask: lexInt(cursor) };
    case "contains":
      return { kind: "contains", needle: lexBytes(cursor) };
    case "matches":
      return parsePattern(state);
    case "wildcard":
      return parseWildcard(state, operator.strict);
  }
}

function parsePattern(state: ParseState): Test {
  const { pattern, start, end } = lexPattern(state.cursor);
  const problem = checkRegex(pattern);
  if (problem !== undefined) {
    state.report("invalid_regex", `expected a regular expression: ${problem}`, { start, end });
  }
  return { kind: "matches", pattern };
}

function parseWildcard(state: ParseState, strict: boolean): Test {
  const { cursor } = state;
  const start = cursor.at;
  const pattern = lexString(cursor);
  const problem = checkWildcard(pattern);
  if (problem !== undefined) {
    state.report("invalid_wildcard", `expected a wildcard: ${problem}`, state.spanToEnd(start));
  }
  return { kind: "wildcard", strict, pattern };
}

function lexLiteral(cursor: Cursor, type: Literal["type"]): Literal {
  switch (type) {
    case "Bytes":
      return { type, value: lexBytes(cursor) };
    case "Int":
      return { type, value: lexInt(cursor) };
    case "Ip":
      return { type, value: lexIp(cursor) };
  }
}

function lexItems(cursor: Cursor, type: Literal["type"]): Items {
  switch (type) {
    case "Bytes":
      return { type, members: lexBraces(cursor, lexBytes) };
    case "Int":
      return { type, ranges: lexBraces(cursor, lexIntRange) };
    case "Ip":
      return { type, ranges: lexBraces(cursor, lexIpRange) };
  }
}

/** `{…}` with items side by side; white space between them is optional, a comma is an error. */
function lexBraces<T>(cursor: Cursor, lexItem: (cursor: Cursor) => T): readonly T[] {
  const items: T[] = [];
  if (!cursor.accept("{")) {
    throw cursor.fault(
      "expected_literal",
      `expected \`{\` or \`$\`, found ${cursor.found()}; write the items in \`{…}\``,
    );
  }
  cursor.skipSpace();
  while (!cursor.accept("}")) {
    items.push(cursor.startsWith(",") ? refuseComma(cursor, lexItem) : lexItem(cursor));
    cursor.skipSpace();
  }
  return items;
}

/** Reads an item at a comma, which fails in the way of its type; the message says what to write. */
function refuseComma<T>(cursor: Cursor, lexItem: (cursor: Cursor) => T): T {
  try {
    return lexItem(cursor);
  } catch (error) {
    throw error instanceof SyntaxFault
      ? new SyntaxFault({ ...error.fault, message: "expected spaces between the items, found `,`" })
      : error;
  }
}
