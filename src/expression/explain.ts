/** Evaluation that keeps what every part of an expression gave, and why. */
import type { Argument, ComparisonNode, IndexNode, LogicalNode, Subscript } from "./ast.ts";
import { compileIndex, compileMembers, type LogicalCompiler } from "./compile/index-expression.ts";
import { createLogicalCompiler } from "./compile/logical.ts";
import { toContext, type CompileOptions } from "./compile/compile.ts";
import type { CheckedFilter, CheckedValue } from "./parse/parse.ts";
import { arrayOf, type Type } from "./types.ts";
import { isMap, type FieldValues, type Value } from "./value.ts";

/** One part of an expression, what it gave for some request, and its own parts. */
export interface Trace {
  /** The part as it stands in the source. */
  readonly text: string;
  readonly kind: (LogicalNode | Argument)["kind"] | "call" | "field";
  readonly type: Type;
  /**
   * `value`: it has a value. `missing`: it was evaluated and has none. `skipped`: it was not evaluated,
   * because a term before it had decided.
   */
  readonly outcome: "value" | "missing" | "skipped";
  readonly value: Value | undefined;
  /** Why it is missing or was skipped, a clause for a person. */
  readonly reason: string | undefined;
  readonly parts: readonly Trace[];
}

/** Traces the evaluation of one request. The value of the root is what the compiled filter gives. */
export type Explainer = (values: FieldValues) => Trace;

/**
 * Prepares a filter for evaluation with a trace: for people and tests, many times slower than the
 * compiled filter.
 *
 * @throws {ExpressionError} as {@link compileFilter}.
 */
export function explainFilter(filter: CheckedFilter, options: CompileOptions = {}): Explainer {
  const logical = createLogicalCompiler(toContext(filter, options));
  return explainLogical(filter.root, { logical, source: filter.source });
}

/** Prepares a value expression, as {@link explainFilter}. */
export function explainValue(value: CheckedValue, options: CompileOptions = {}): Explainer {
  const logical = createLogicalCompiler(toContext(value, options));
  return explainIndex(value.root, { logical, source: value.source });
}

interface Context {
  readonly logical: LogicalCompiler;
  readonly source: string;
}

type Part = LogicalNode | Argument | IndexNode["target"];

function trace(
  node: Part,
  { source }: Context,
  found: Pick<Trace, "value" | "parts"> & { readonly reason?: string | undefined; readonly type?: Type },
): Trace {
  return {
    text: source.slice(node.span.start, node.span.end),
    kind: node.kind,
    // INVARIANT: a checked expression has no unknown types.
    type: found.type ?? (node.type as Type),
    outcome: found.value === undefined ? "missing" : "value",
    value: found.value,
    reason: found.reason,
    parts: found.parts,
  };
}

function explainLogical(node: LogicalNode, context: Context): Explainer {
  const evaluate = node.type === "Bool" ? context.logical.predicate(node) : context.logical.predicates(node);
  const parts = partsOf(node, context);
  return (values) => trace(node, context, { value: evaluate(values), parts: parts(values) });
}

function partsOf(node: LogicalNode, context: Context): (values: FieldValues) => readonly Trace[] {
  switch (node.kind) {
    case "constant":
      return () => [];
    case "group":
      return all([explainLogical(node.inner, context)]);
    case "not":
      return all([explainLogical(node.term, context)]);
    case "quantifier":
      return all([explainArgument(node.argument, context)]);
    case "comparison":
      return all([explainLeft(node, context)]);
    case "combine": {
      const terms = node.terms.map((term) => explainLogical(term, context));
      return node.type === "Bool" && node.operator !== "xor"
        ? explainTerms(terms, node, context)
        : all(terms);
    }
  }
}

function all(explainers: readonly Explainer[]): (values: FieldValues) => readonly Trace[] {
  return (values) => explainers.map((explain) => explain(values));
}

/** Terms of `and` and `or` up to the one that decides; the others are not evaluated. */
function explainTerms(
  terms: readonly Explainer[],
  node: Extract<LogicalNode, { readonly kind: "combine" }>,
  context: Context,
): (values: FieldValues) => readonly Trace[] {
  const deciding = node.operator === "or";
  return (values) => {
    let isDecided = false;
    return node.terms.map((term, index): Trace => {
      if (isDecided) {
        const reason = `an earlier term of \`${node.operator}\` is ${deciding}`;
        return { ...trace(term, context, { value: undefined, parts: [], reason }), outcome: "skipped" };
      }
      const traced = (terms[index] as Explainer)(values);
      isDecided = traced.value === deciding;
      return traced;
    });
  };
}

function explainArgument(argument: Argument, context: Context): Explainer {
  if (argument.kind === "literal") {
    const { value } = argument.literal;
    return () => trace(argument, context, { value, parts: [] });
  }
  return argument.kind === "index" ? explainIndex(argument, context) : explainLogical(argument, context);
}

function explainLeft({ left }: ComparisonNode, context: Context): Explainer {
  return explainIndex(left, context);
}

function explainIndex(index: IndexNode, context: Context): Explainer {
  const { target, path, eachCount } = index;
  if (path.length === 0) {
    return explainTarget(index, context);
  }
  const read = eachCount > 0 ? compileMembers(index, context.logical) : compileIndex(index, context.logical);
  const type = eachCount > 0 ? arrayOf(index.type) : (index.type as Type);
  const inner = explainTarget({ ...index, path: [], eachCount: 0, type: target.type }, context);
  return (values) => {
    const value = read(values);
    const part = inner(values);
    const reason = value === undefined ? missingStep(part.value, path) : undefined;
    return trace(index, context, { value, parts: [part], reason, type });
  };
}

/** A field or call without subscripts. */
function explainTarget(index: IndexNode, context: Context): Explainer {
  const { target } = index;
  const read = compileIndex({ ...index, path: [] }, context.logical);
  if (target.kind === "field") {
    return (values) => {
      const value = read(values);
      const reason = value === undefined ? "the request has no such value" : undefined;
      return trace(target, context, { value, parts: [], reason });
    };
  }
  const parts = all(target.arguments.map((argument) => explainArgument(argument, context)));
  return (values) => {
    const value = read(values);
    const reason = value === undefined ? "the function has no result for these arguments" : undefined;
    return trace(target, context, { value, parts: parts(values), reason });
  };
}

/** The first subscript for which there is nothing. */
function missingStep(start: Value | undefined, path: readonly Subscript[]): string {
  let value = start;
  for (const step of path) {
    if (value === undefined || step.kind === "each") {
      break;
    }
    const next = isMap(value)
      ? value.get(step.kind === "key" ? step.key : "")
      : (value as readonly Value[])[step.kind === "at" ? step.index : 0];
    if (next === undefined) {
      return step.kind === "key" ? `there is no key \`${step.key}\`` : "the array is shorter";
    }
    value = next;
  }
  return "what it is read from is missing";
}
