/** Logical operators, parentheses, `not`, `any` and `all`. */
import type { Argument, CombineOperator, LogicalNode, QuantifierNode } from "../ast.ts";
import { acceptCombine, acceptNot, PRECEDENCE, quantifierFollows } from "./operators.ts";
import { parseComparison } from "./comparison.ts";
import type { ParseState } from "./state.ts";
import { isArrayType, type ParsedType } from "../types.ts";

/** An operator seen and stepped over, waiting for its right side. */
interface Pending {
  operator: CombineOperator | undefined;
}

export function parseLogical(state: ParseState): LogicalNode {
  const first = parseUnit(state);
  return parseChain(state, first, { pending: { operator: acceptCombine(state.cursor) }, least: 0 });
}

/**
 * Precedence climbing: takes operators that bind at least as tightly as `least`. On return, `pending` has
 * the operator that ended the chain, already stepped over.
 */
function parseChain(
  state: ParseState,
  first: LogicalNode,
  { pending, least }: { readonly pending: Pending; readonly least: number },
): LogicalNode {
  let left = first;
  while (pending.operator !== undefined && PRECEDENCE[pending.operator] >= least) {
    const { operator } = pending;
    let right = parseUnit(state);
    pending.operator = acceptCombine(state.cursor);
    while (pending.operator !== undefined && PRECEDENCE[pending.operator] > PRECEDENCE[operator]) {
      right = parseChain(state, right, { pending, least: PRECEDENCE[pending.operator] });
    }
    checkOperands(state, left, right);
    left = combine(operator, left, right);
  }
  return left;
}

/** `a and b and c` is one node with three terms: flat chains cost no depth. */
function combine(operator: CombineOperator, left: LogicalNode, right: LogicalNode): LogicalNode {
  const terms =
    left.kind === "combine" && left.operator === operator ? (left.terms as LogicalNode[]) : [left];
  const span = { start: left.span.start, end: right.span.end };
  const type = left.type === "Unknown" ? right.type : left.type;
  // The list is this function's own until parsing ends; copying it per term would cost quadratic time.
  terms.push(right);
  return { kind: "combine", operator, terms, type, span };
}

function checkOperands(state: ParseState, left: LogicalNode, right: LogicalNode): void {
  if (left.type === "Unknown" || right.type === "Unknown") {
    return;
  }
  const areAlike =
    left.type === "Bool" ? right.type === "Bool" : isArrayType(left.type) && isArrayType(right.type);
  if (!areAlike) {
    state.report(
      "type_mismatch",
      `expected value of type \`${left.type}\`, but got \`${right.type}\`; wrap the array in \`any(…)\` or \`all(…)\``,
      state.spanToEnd(state.cursor.at),
    );
  }
}

function parseUnit(state: ParseState): LogicalNode {
  const { cursor } = state;
  const start = cursor.at;
  if (cursor.startsWith("(")) {
    return state.nested(() => parseGroup(state, start));
  }
  if (cursor.startsWith("not") || cursor.startsWith("!")) {
    return state.nested(() => {
      acceptNot(cursor);
      cursor.skipSpace();
      const term = parseUnit(state);
      return { kind: "not", term, type: term.type, span: state.spanFrom(start) };
    });
  }
  const quantifier = quantifierFollows(cursor);
  return quantifier === undefined
    ? parseComparison(state)
    : state.nested(() => parseQuantifier(state, quantifier, start));
}

function parseGroup(state: ParseState, start: number): LogicalNode {
  const { cursor } = state;
  cursor.expect("(");
  cursor.skipSpace();
  const inner = parseLogical(state);
  cursor.skipSpace();
  cursor.expect(")");
  return { kind: "group", inner, type: inner.type, span: state.spanFrom(start) };
}

function parseQuantifier(state: ParseState, quantifier: "any" | "all", start: number): QuantifierNode {
  const { cursor } = state;
  cursor.accept(quantifier);
  cursor.skipSpace();
  cursor.expect("(");
  cursor.skipSpace();
  const argumentStart = cursor.at;
  const argument = state.grammar.argument(state);
  checkQuantified(state, quantifier, { argument, start: argumentStart });
  cursor.skipSpace();
  cursor.expect(")");
  return { kind: "quantifier", quantifier, argument, type: "Bool", span: state.spanFrom(start) };
}

function checkQuantified(
  state: ParseState,
  quantifier: string,
  { argument, start }: { readonly argument: Argument; readonly start: number },
): void {
  const type: ParsedType = argument.type;
  if (type !== "Array<Bool>" && type !== "Unknown") {
    state.report(
      "type_mismatch",
      `expected value of type \`Array<Bool>\` in \`${quantifier}(…)\`, such as \`field[*] == "…"\`, but got \`${type}\``,
      state.spanFrom(start),
    );
  }
}
