/**
 * What would have had to be there for a filter to be false: the members of a collection whose absence a filter asks
 * for. For telling a person why a filter was true; never for deciding.
 */
import type { Argument, ComparisonNode, IndexNode, LogicalNode, Test } from "./ast.ts";
import type { Int } from "./int.ts";
import type { CheckedFilter } from "./parse/parse.ts";

/** A member that the filter asks a collection for. */
export interface Requirement {
  /** Name of the field. */
  readonly field: string;
  /** Element of an array, or key of a map; a binary string. */
  readonly member: string;
  /** Where in the array it has to stand; anywhere unless given. */
  readonly position?: number;
  /** Bounds of the map's value, inclusive. */
  readonly atLeast?: Int;
  readonly atMost?: Int;
}

/**
 * The members whose presence would have made some part of a true filter false: under `not` what is asked for, outside
 * it what is excluded. Each once, in the order of the text.
 */
export function requirementsOf(filter: CheckedFilter): readonly Requirement[] {
  const found = new Map<string, Requirement>();
  const add = (requirement: Requirement): void => {
    const { field, member, position, atLeast, atMost } = requirement;
    found.set([field, member, position, atLeast, atMost].join(" "), requirement);
  };
  visit(filter.root, false, add);
  return [...found.values()];
}

type Add = (requirement: Requirement) => void;

/** @param negated whether the node stands under an odd number of `not` */
function visit(node: LogicalNode | Argument, negated: boolean, add: Add): void {
  switch (node.kind) {
    case "group":
      return visit(node.inner, negated, add);
    case "not":
      return visit(node.term, !negated, add);
    case "combine":
      return node.terms.forEach((term) => visit(term, negated, add));
    case "quantifier":
      // `not any(…)` and `all(…)` say something of every member; `any(…)` and `not all(…)` miss nothing.
      return negated === (node.quantifier === "any") ? visit(node.argument, negated, add) : undefined;
    case "comparison":
      return ofComparison(node, negated).forEach(add);
    case "index":
    case "literal":
    case "constant":
      return;
  }
}

function ofComparison({ left, test }: ComparisonNode, negated: boolean): readonly Requirement[] {
  if (left.target.kind === "call") return test.kind === "truth" && negated ? ofCall(left) : [];
  const [step, further] = left.path;
  if (step === undefined || further !== undefined) return [];
  const field = left.target.name;
  if (step.kind === "key") return ofMapValue({ field, member: step.key }, test, negated);
  const members = membersAskedFor(test, negated);
  return step.kind === "at"
    ? members.map((member) => ({ field, member, position: step.index }))
    : members.map((member) => ({ field, member }));
}

/** `has_key(map, "x")` and `has_value(array, "x")`. */
function ofCall({ target }: IndexNode): readonly Requirement[] {
  if (target.kind !== "call" || (target.name !== "has_key" && target.name !== "has_value")) return [];
  const [collection, wanted] = target.arguments;
  if (collection?.kind !== "index" || collection.target.kind !== "field" || wanted?.kind !== "literal")
    return [];
  const { literal } = wanted;
  return literal.type === "Bytes" ? [{ field: collection.target.name, member: literal.value }] : [];
}

/** An element is asked for by `not … ==`, and by `… !=`. */
function membersAskedFor(test: Test, negated: boolean): readonly string[] {
  if (test.kind === "in" && test.items.type === "Bytes") return negated ? test.items.members : [];
  if (test.kind !== "order" || test.literal.type !== "Bytes") return [];
  const asks = negated ? test.operator === "eq" : test.operator === "ne";
  return asks ? [test.literal.value] : [];
}

/** Operators turned round: `not x ge 5` is asked for what `x lt 5` excludes. */
const EXCLUDED = { lt: "ge", le: "gt", gt: "le", ge: "lt", eq: "ne", ne: "eq" } as const;

function ofMapValue(
  place: Pick<Requirement, "field" | "member">,
  test: Test,
  negated: boolean,
): readonly Requirement[] {
  if (test.kind !== "order" || test.literal.type !== "Int") return [];
  const { value } = test.literal;
  switch (negated ? test.operator : EXCLUDED[test.operator]) {
    case "ge":
      return [{ ...place, atLeast: value }];
    case "gt":
      return [{ ...place, atLeast: next(value, 1) }];
    case "le":
      return [{ ...place, atMost: value }];
    case "lt":
      return [{ ...place, atMost: next(value, -1) }];
    case "eq":
      return [{ ...place, atLeast: value, atMost: value }];
    case "ne":
      return [];
  }
}

function next(value: Int, step: 1 | -1): Int {
  return typeof value === "bigint" ? value + BigInt(step) : value + step;
}
