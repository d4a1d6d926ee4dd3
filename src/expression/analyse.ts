/** What can be said of an expression without evaluating it. */
import type { Argument, ComparisonNode, IndexNode, LogicalNode } from "./ast.ts";
import type { CheckedFilter, CheckedValue } from "./parse/parse.ts";

/**
 * Values of a Bytes field of which one is a necessary condition: when the field has none of them, the
 * filter is false. `undefined` when there is no such set; an empty set when the filter is never true.
 * The values are binary strings.
 */
export function necessaryValues(filter: CheckedFilter, fieldName: string): ReadonlySet<string> | undefined {
  return necessaryOf(filter.root, fieldName);
}

function necessaryOf(node: LogicalNode, fieldName: string): ReadonlySet<string> | undefined {
  switch (node.kind) {
    case "constant":
      return node.value ? undefined : new Set();
    case "group":
      return necessaryOf(node.inner, fieldName);
    case "comparison":
      return necessaryOfComparison(node, fieldName);
    case "combine":
      return necessaryOfCombine(node, fieldName);
    case "not":
    case "quantifier":
      return undefined;
  }
}

function necessaryOfComparison(
  { left, test }: ComparisonNode,
  fieldName: string,
): ReadonlySet<string> | undefined {
  if (left.target.kind !== "field" || left.target.name !== fieldName || left.path.length > 0) {
    return undefined;
  }
  if (test.kind === "order" && test.operator === "eq" && test.literal.type === "Bytes") {
    return new Set([test.literal.value]);
  }
  return test.kind === "in" && test.items.type === "Bytes" ? new Set(test.items.members) : undefined;
}

function necessaryOfCombine(
  { operator, terms }: Extract<LogicalNode, { readonly kind: "combine" }>,
  fieldName: string,
): ReadonlySet<string> | undefined {
  const sets = terms.map((term) => necessaryOf(term, fieldName));
  const known = sets.filter((set) => set !== undefined);
  if (operator === "and" && known.length > 0) {
    return known.reduce((left, right) => left.intersection(right));
  }
  if (operator === "or" && known.length === sets.length) {
    return known.reduce((left, right) => left.union(right));
  }
  return undefined;
}

/** Names of the fields an expression reads. */
export function referencedFields({ root }: CheckedFilter | CheckedValue): ReadonlySet<string> {
  return readsOf(root);
}

/** Names of the fields that one part of an expression reads. */
export function readsOf(node: LogicalNode | IndexNode): ReadonlySet<string> {
  const names = new Set<string>();
  visit(node, names);
  return names;
}

function visit(node: LogicalNode | IndexNode | Argument, names: Set<string>): void {
  switch (node.kind) {
    case "constant":
    case "literal":
      return;
    case "group":
      return visit(node.inner, names);
    case "not":
      return visit(node.term, names);
    case "comparison":
      return visit(node.left, names);
    case "quantifier":
      return visit(node.argument, names);
    case "combine":
      return node.terms.forEach((term) => visit(term, names));
    case "index":
      if (node.target.kind === "field") {
        names.add(node.target.name);
      } else {
        node.target.arguments.forEach((argument) => visit(argument, names));
      }
  }
}
