/** Which members an expression asks an array for, when that is all it asks. */
import type { Argument, ComparisonNode, LogicalNode } from "./ast.ts";
import { readsOf } from "./analyse.ts";
import type { CheckedFilter } from "./parse/parse.ts";

/**
 * The members of an array field that a filter asks for, when it asks for nothing else of the field: `any(f[*] == "x")`,
 * `any(f[*] in {"x" "y"})`, `all(f[*] != "x")` and `has_value(f, "x")`. The filter then depends on the field through
 * nothing but which of these are in it, not on their places, their number, or others.
 *
 * @returns binary strings, none when the filter does not read the field; `undefined` when it asks for more
 */
export function membershipsOf(filter: CheckedFilter, fieldName: string): ReadonlySet<string> | undefined {
  const members = new Set<string>();
  return visit(filter.root, { fieldName, members }) ? members : undefined;
}

interface Search {
  readonly fieldName: string;
  readonly members: Set<string>;
}

/** @returns whether everything that the node asks of the field is membership */
function visit(node: LogicalNode | Argument, search: Search): boolean {
  if (node.kind === "literal" || !readsOf(node).has(search.fieldName)) return true;
  switch (node.kind) {
    case "group":
      return visit(node.inner, search);
    case "not":
      return visit(node.term, search);
    case "combine":
      return node.terms.every((term) => visit(term, search));
    case "quantifier":
      return node.argument.kind === "comparison" && takeElements(node.argument, node.quantifier, search);
    case "comparison":
      return takeCall(node, search);
    case "index":
    case "constant":
      return false;
  }
}

/** A quantifier over the elements of the field. */
function takeElements({ left, test }: ComparisonNode, quantifier: "any" | "all", search: Search): boolean {
  const { target, path } = left;
  const isEach = path.length === 1 && path[0]?.kind === "each";
  if (target.kind !== "field" || target.name !== search.fieldName || !isEach) return false;
  if (quantifier === "any" && test.kind === "in" && test.items.type === "Bytes") {
    for (const member of test.items.members) search.members.add(member);
    return true;
  }
  if (test.kind !== "order" || test.literal.type !== "Bytes") return false;
  if (test.operator !== (quantifier === "any" ? "eq" : "ne")) return false;
  search.members.add(test.literal.value);
  return true;
}

/** `has_value(field, "x")`. */
function takeCall({ left, test }: ComparisonNode, search: Search): boolean {
  const { target, path } = left;
  if (test.kind !== "truth" || target.kind !== "call" || target.name !== "has_value" || path.length > 0)
    return false;
  const [collection, wanted] = target.arguments;
  if (collection?.kind !== "index" || collection.path.length > 0 || collection.target.kind !== "field")
    return false;
  if (collection.target.name !== search.fieldName || wanted?.kind !== "literal") return false;
  if (wanted.literal.type !== "Bytes") return false;
  search.members.add(wanted.literal.value);
  return true;
}
