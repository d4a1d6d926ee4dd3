/** One case of `stepgate eval`: a line of JSON in, a line of JSON out. */
import {
  compileFilter,
  compileValue,
  explainFilter,
  explainValue,
  ExpressionError,
  parseFilter,
  parseValue,
  type CompileOptions,
  type ErrorCategory,
  type Scheme,
  type Trace,
} from "../expression/index.ts";
import { CaseError, isObject, parseJson, toFieldValues, toJson, toLists, type Json } from "./eval-json.ts";

export interface CaseOptions {
  readonly scheme: Scheme;
  readonly missingNotEqual: boolean;
  /** Adds the trace of the evaluation to each answer. */
  readonly explain: boolean;
}

export interface EvalCase {
  readonly expression: string;
  readonly context: { readonly [key: string]: Json };
  readonly mode: "filter" | "value";
}

/** Categories of the language's errors, and `input` for a line that is no case. */
interface CaseProblem {
  readonly category: ErrorCategory | "input";
  readonly code: string;
  readonly message: string;
  /** Of the expression; for `input`, the number of the line of input. */
  readonly line: number;
  readonly column: number;
  readonly length: number;
}

export type Answer =
  | { readonly id: Json; readonly result: boolean; readonly trace?: Json }
  | { readonly id: Json; readonly value: Json; readonly trace?: Json }
  | { readonly id: Json; readonly error: CaseProblem };

/** Answers one line, whatever is in it. */
export function answerLine(text: string, lineNumber: number, options: CaseOptions): Answer {
  let id: Json = null;
  try {
    const json = parseJson(text);
    if (!isObject(json)) {
      throw new CaseError("expected an object with `id`, `expr` and `ctx`");
    }
    id = toId(json["id"]);
    return { id, ...evaluateCase(toCase(json), options) };
  } catch (error) {
    return { id, error: toProblem(error, lineNumber) };
  }
}

/** The answer to a line that was not kept. */
export function refuseLine(lineNumber: number, maxLineBytes: number): Answer {
  const message = `expected a line of at most ${maxLineBytes} bytes`;
  return { id: null, error: toProblem(new CaseError(message), lineNumber) };
}

function toId(id: Json | undefined): Json {
  return typeof id === "bigint" ? String(id) : (id ?? null);
}

function toCase(json: { readonly [key: string]: Json }): EvalCase {
  const { expr, ctx = {}, mode = "filter" } = json;
  if (typeof expr !== "string") {
    throw new CaseError("expected a string `expr`");
  }
  if (!isObject(ctx)) {
    throw new CaseError("expected an object `ctx`");
  }
  if (mode !== "filter" && mode !== "value") {
    throw new CaseError('expected `mode` to be "filter" or "value"');
  }
  return { expression: expr, context: ctx, mode };
}

type Evaluated =
  | { readonly result: boolean; readonly trace?: Json }
  | { readonly value: Json; readonly trace?: Json };

function evaluateCase(given: EvalCase, { scheme, missingNotEqual, explain }: CaseOptions): Evaluated {
  const { context, expression, mode } = given;
  const compileOptions = { lists: toLists(context), missingNotEqual };
  const run =
    mode === "value"
      ? compileValue(parseValue(expression, scheme), compileOptions)
      : compileFilter(parseFilter(expression, scheme), compileOptions);
  const value = run(toFieldValues(context, scheme));
  const trace = explain ? { trace: toTraceJson(traceCase(given, scheme, compileOptions)) } : {};
  return mode === "value" ? { value: toJson(value), ...trace } : { result: value === true, ...trace };
}

/** The trace of a case. */
export function traceCase(
  { expression, context, mode }: EvalCase,
  scheme: Scheme,
  options: CompileOptions,
): Trace {
  const explain =
    mode === "value"
      ? explainValue(parseValue(expression, scheme), options)
      : explainFilter(parseFilter(expression, scheme), options);
  return explain(toFieldValues(context, scheme));
}

function toTraceJson(trace: Trace): Json {
  return {
    text: trace.text,
    kind: trace.kind,
    type: trace.type,
    outcome: trace.outcome,
    value: toJson(trace.value),
    ...(trace.reason === undefined ? {} : { reason: trace.reason }),
    parts: trace.parts.map(toTraceJson),
  };
}

function toProblem(error: unknown, lineNumber: number): CaseProblem {
  if (error instanceof ExpressionError) {
    const { category, code, message, line, column, length } = error;
    return { category, code, message, line, column, length };
  }
  // JSON that nests too deeply exhausts the stack of its reader: one bad line, like any other.
  const message =
    error instanceof CaseError || error instanceof RangeError
      ? error.message
      : "the case cannot be evaluated";
  return { category: "input", code: "invalid_case", message, line: lineNumber, column: 1, length: 0 };
}
