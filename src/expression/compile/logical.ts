/** Logical operators, quantifiers and comparisons as fused closures. */
import type { CombineNode, CombineOperator, ComparisonNode, LogicalNode, QuantifierNode } from "../ast.ts";
import { compileArgument, compileIndex, compileMembers, type LogicalCompiler } from "./index-expression.ts";
import { compileTest, type TestContext } from "./operand.ts";
import { isMap, membersOf, type FieldValues, type Predicate, type Predicates, type Value } from "../value.ts";

export interface LogicalContext extends TestContext {
  /** What `missing != x` gives. */
  readonly missingNotEqual: boolean;
}

export function createLogicalCompiler(context: LogicalContext): LogicalCompiler {
  const compiler: LogicalCompiler = {
    predicate: (node) => compilePredicate(node, compiler, context),
    predicates: (node) => compilePredicates(node, compiler, context),
  };
  return compiler;
}

/** A node of type Bool. */
function compilePredicate(node: LogicalNode, compiler: LogicalCompiler, context: LogicalContext): Predicate {
  switch (node.kind) {
    case "constant": {
      const { value } = node;
      return () => value;
    }
    case "group":
      return compiler.predicate(node.inner);
    case "not": {
      const term = compiler.predicate(node.term);
      return (values) => !term(values);
    }
    case "combine":
      return compileCombine(node, compiler, context);
    case "quantifier":
      return compileQuantifier(node, compiler, context);
    case "comparison":
      return compileComparison(node, compiler, context);
  }
}

function compileCombine(
  { operator, terms }: CombineNode,
  compiler: LogicalCompiler,
  context: LogicalContext,
): Predicate {
  const [first, ...others] = terms.map(withoutGroups);
  if (operator === "and" && first?.kind === "comparison") {
    const { left, test } = first;
    const isPlain = left.target.kind === "field" && left.path.length === 0;
    if (isPlain && left.target.kind === "field" && test.kind === "order" && test.literal.type !== "Ip") {
      const fieldAnd = context.comparisons[test.operator].fieldAnd;
      if (fieldAnd !== undefined) {
        return fieldAnd(left.target.slot, test.literal.value, others.map(compiler.predicate));
      }
    }
  }
  return fuse(operator, terms.map(compiler.predicate));
}

/** `and` and `or` stop at the first term that decides; `xor` needs all. */
function fuse(operator: CombineOperator, terms: readonly Predicate[]): Predicate {
  switch (operator) {
    case "and":
      return fuseAnd(terms);
    case "or":
      return fuseOr(terms);
    case "xor":
      return (values) => terms.reduce((odd, term) => term(values) !== odd, false);
  }
}

function fuseAnd(terms: readonly Predicate[]): Predicate {
  const [a, b, c, d] = terms as readonly [Predicate, Predicate, Predicate, Predicate];
  switch (terms.length) {
    case 2:
      return (values) => a(values) && b(values);
    case 3:
      return (values) => a(values) && b(values) && c(values);
    case 4:
      return (values) => a(values) && b(values) && c(values) && d(values);
    default:
      return (values) => terms.every((term) => term(values));
  }
}

function fuseOr(terms: readonly Predicate[]): Predicate {
  const [a, b, c, d] = terms as readonly [Predicate, Predicate, Predicate, Predicate];
  switch (terms.length) {
    case 2:
      return (values) => a(values) || b(values);
    case 3:
      return (values) => a(values) || b(values) || c(values);
    case 4:
      return (values) => a(values) || b(values) || c(values) || d(values);
    default:
      return (values) => terms.some((term) => term(values));
  }
}

function compileComparison(
  node: ComparisonNode,
  compiler: LogicalCompiler,
  context: LogicalContext,
): Predicate {
  const { left, test } = node;
  const whenMissing = context.missingNotEqual && test.kind === "order" && test.operator === "ne";
  const fused = fuseComparison(node, context, whenMissing);
  if (fused !== undefined) {
    return fused;
  }
  const holds = compileTest(node, context);
  const read = compileIndex(left, compiler);
  return (values) => {
    const value = read(values);
    return value === undefined ? whenMissing : holds(value);
  };
}

/** The shapes that have a closure of their own: a field, or one member of it, against a literal. */
function fuseComparison(
  { left, test }: ComparisonNode,
  { comparisons }: LogicalContext,
  whenMissing: boolean,
): Predicate | undefined {
  if (test.kind !== "order" || test.literal.type === "Ip" || left.target.kind !== "field") {
    return undefined;
  }
  const row = comparisons[test.operator];
  const { slot } = left.target;
  const [step, further] = left.path;
  if (step === undefined) {
    return row.field(slot, test.literal.value, whenMissing);
  }
  if (further !== undefined || step.kind === "each") {
    return undefined;
  }
  return step.kind === "key"
    ? row.key({ slot, key: step.key }, test.literal.value, whenMissing)
    : row.at({ slot, index: step.index }, test.literal.value, whenMissing);
}

function compileQuantifier(
  { quantifier, argument }: QuantifierNode,
  compiler: LogicalCompiler,
  context: LogicalContext,
): Predicate {
  const isAny = quantifier === "any";
  if (argument.kind === "literal" || argument.kind === "index") {
    const read = compileArgument(argument, compiler);
    return (values) => {
      const members = read(values) as readonly Value[] | undefined;
      // A missing value satisfies neither quantifier (language.md section 5.1).
      return members !== undefined && (isAny ? members.includes(true) : !members.includes(false));
    };
  }
  const inner = withoutGroups(argument);
  if (inner.kind === "comparison" && inner.left.eachCount > 0) {
    return quantifyMembers(inner, { isAny, compiler, context });
  }
  const results = compiler.predicates(inner);
  return isAny ? (values) => results(values).includes(true) : (values) => !results(values).includes(false);
}

function withoutGroups(node: LogicalNode): LogicalNode {
  return node.kind === "group" ? withoutGroups(node.inner) : node;
}

interface QuantifyOptions {
  readonly isAny: boolean;
  readonly compiler: LogicalCompiler;
  readonly context: LogicalContext;
}

/** `any(field[*] op x)`, without a list of the results. */
function quantifyMembers(node: ComparisonNode, { isAny, compiler, context }: QuantifyOptions): Predicate {
  const { left, test } = node;
  const isPlainArray =
    left.target.kind === "field" && left.path.length === 1 && left.target.type.startsWith("Array<");
  if (
    isAny &&
    isPlainArray &&
    left.target.kind === "field" &&
    test.kind === "order" &&
    test.literal.type !== "Ip"
  ) {
    return context.comparisons[test.operator].anyOf(left.target.slot, test.literal.value);
  }
  const members = compileMembers(left, compiler);
  const holds = compileTest(node, context);
  return isAny
    ? (values) => members(values)?.some(holds) ?? false
    : (values) => members(values)?.every(holds) ?? true;
}

/** A node of type Array<Bool>. */
function compilePredicates(
  node: LogicalNode,
  compiler: LogicalCompiler,
  context: LogicalContext,
): Predicates {
  switch (node.kind) {
    case "group":
      return compiler.predicates(node.inner);
    case "not": {
      const term = compiler.predicates(node.term);
      return (values) => term(values).map((result) => !result);
    }
    case "combine":
      return zip(node, node.terms.map(compiler.predicates));
    case "comparison":
      return compileElements(node, compiler, context);
    case "constant":
    case "quantifier":
      // INVARIANT: these have type Bool.
      throw new TypeError(`expected a node of type \`Array<Bool>\`, found \`${node.kind}\``);
  }
}

const ELEMENTWISE: Readonly<Record<CombineOperator, (left: boolean, right: boolean) => boolean>> = {
  and: (left, right) => left && right,
  or: (left, right) => left || right,
  xor: (left, right) => left !== right,
};

/** Element by element, to the length of the shortest operand. */
function zip({ operator }: CombineNode, terms: readonly Predicates[]): Predicates {
  const join = ELEMENTWISE[operator];
  return (values) =>
    terms
      .map((term) => term(values))
      .reduce((left, right) =>
        left.slice(0, right.length).map((result, index) => join(result, right[index] ?? false)),
      );
}

function compileElements(
  node: ComparisonNode,
  compiler: LogicalCompiler,
  context: LogicalContext,
): Predicates {
  const holds = compileTest(node, context);
  if (node.left.eachCount > 0) {
    const members = compileMembers(node.left, compiler);
    return (values) => members(values)?.map(holds) ?? [];
  }
  const read = compileIndex(node.left, compiler);
  return (values: FieldValues) => {
    const value = read(values);
    if (value === undefined) {
      return [];
    }
    return isMap(value) ? membersOf(value).map(holds) : (value as readonly boolean[]);
  };
}
