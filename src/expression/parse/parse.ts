/** From text to a checked expression: the only way to get one. */
import type { IndexNode, LogicalNode } from "../ast.ts";
import { SyntaxFault } from "./cursor.ts";
import { ExpressionError, type Fault } from "../errors.ts";
import { MAX_REPORTED_ERRORS } from "../limits.ts";
import { parseArgument } from "./argument.ts";
import { withHint } from "./hints.ts";
import { parseIndex } from "./index-expression.ts";
import { parseLogical } from "./logical.ts";
import { ParseState, type Grammar } from "./state.ts";
import type { Scheme } from "../scheme.ts";
import type { Type } from "../types.ts";

declare const checked: unique symbol;

/** A filter that names only known fields and whose types fit. Made by {@link parseFilter} only. */
export interface CheckedFilter {
  readonly [checked]: "filter";
  readonly source: string;
  readonly root: LogicalNode;
}

/** A value expression, as in a rewrite or redirect. Made by {@link parseValue} only. */
export interface CheckedValue {
  readonly [checked]: "value";
  readonly source: string;
  readonly root: IndexNode;
  readonly type: Type;
}

export interface ParseOptions {
  /** Longest source, in characters (UTF-16 code units); no limit unless given. */
  readonly maxCharacters?: number;
}

const GRAMMAR: Grammar = { logical: parseLogical, argument: parseArgument };

/**
 * Parses and checks a filter: an expression of type Bool, or `true` or `false` as a whole.
 *
 * @throws {ExpressionError} with every mistake found; the first is the reference engine's.
 */
export function parseFilter(source: string, scheme: Scheme, options: ParseOptions = {}): CheckedFilter {
  const root = parseWhole(source, scheme, { ...options, parse: parseConstant, or: parseFilterRoot });
  return { source, root } as CheckedFilter;
}

/**
 * Parses and checks a value expression: a field or call with its subscripts. A literal is none: write
 * `concat("…", "…")`, or give the text as a static value where the place allows one.
 *
 * @throws {ExpressionError} as {@link parseFilter}.
 */
export function parseValue(source: string, scheme: Scheme, options: ParseOptions = {}): CheckedValue {
  const root = parseWhole(source, scheme, { ...options, parse: () => undefined, or: parseValueRoot });
  return { source, root, type: root.type } as CheckedValue;
}

interface WholeOptions<T> extends ParseOptions {
  readonly parse: (state: ParseState) => T | undefined;
  readonly or: (state: ParseState) => T;
}

function parseWhole<T>(source: string, scheme: Scheme, options: WholeOptions<T>): T {
  const { maxCharacters } = options;
  if (maxCharacters !== undefined && source.length > maxCharacters) {
    const message = `expected at most ${maxCharacters} characters, found ${source.length}`;
    throw new ExpressionError(source, [
      { code: "expression_too_long", message, start: maxCharacters, end: source.length },
    ]);
  }
  const state = new ParseState(source, scheme, GRAMMAR);
  let root: T | undefined;
  let syntax: Fault | undefined;
  try {
    root = options.parse(state) ?? options.or(state);
    expectEnd(state);
  } catch (error) {
    if (!(error instanceof SyntaxFault)) {
      throw error;
    }
    syntax = withHint(state, error.fault);
  }
  // A syntax fault behind another mistake may be that mistake's consequence: it is not shown.
  const faults = state.faults.length === 0 && syntax !== undefined ? [syntax] : state.faults;
  if (faults.length > 0 || root === undefined) {
    throw new ExpressionError(source, faults.slice(0, MAX_REPORTED_ERRORS));
  }
  return root;
}

/** `true` and `false`: what the product's dashboard writes for "all requests". */
function parseConstant({ cursor }: ParseState): LogicalNode | undefined {
  const text = cursor.source.slice(cursor.at, cursor.end);
  if (text !== "true" && text !== "false") {
    return undefined;
  }
  const span = { start: cursor.at, end: cursor.end };
  cursor.at = cursor.end;
  return { kind: "constant", value: text === "true", type: "Bool", span };
}

function parseFilterRoot(state: ParseState): LogicalNode {
  const root = parseLogical(state);
  if (root.type !== "Bool" && root.type !== "Unknown") {
    state.report(
      "type_mismatch",
      `expected value of type \`Bool\`, but got \`${root.type}\`; wrap it in \`any(…)\` or \`all(…)\``,
      state.spanToEnd(state.cursor.at),
    );
  }
  return root;
}

function parseValueRoot(state: ParseState): IndexNode {
  const root = parseIndex(state);
  if (root.eachCount > 0) {
    state.report(
      "type_mismatch",
      `expected value of type \`${root.type}\`, but got \`Array<${root.type}>\`; \`[*]\` stands in an argument`,
      state.spanToEnd(root.span.start),
    );
  }
  return root;
}

function expectEnd({ cursor, faults }: ParseState): void {
  if (!cursor.isAtEnd && faults.length === 0) {
    const { at } = cursor;
    cursor.skipSpace();
    const found = cursor.found();
    throw cursor.fault("unrecognised_input", `unrecognised input: expected the end, found ${found}`, at);
  }
}
