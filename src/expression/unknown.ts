/** What can be said of a filter while the values of some of its fields are not known. */
import type { LogicalNode } from "./ast.ts";
import { readsOf } from "./analyse.ts";
import type { CheckedFilter } from "./parse/parse.ts";

/**
 * The filter that is true wherever some values of the unknown fields could make `filter` true. All that it says of
 * other fields stays: `ip.src in $staff and not any(x[*] == "a")` with an unknown `x` is `ip.src in $staff`.
 *
 * @param unknown names of fields
 * @returns `filter` itself when it reads none of them
 */
export function couldBeTrue(filter: CheckedFilter, unknown: ReadonlySet<string>): CheckedFilter {
  return isDecided(filter.root, unknown) ? filter : { ...filter, root: assume(filter.root, true, unknown) };
}

/** Puts `value` in the place of each test that cannot be made, turned round under `not`. */
function assume(node: LogicalNode, value: boolean, unknown: ReadonlySet<string>): LogicalNode {
  if (isDecided(node, unknown)) return node;
  switch (node.kind) {
    case "group":
      return { ...node, inner: assume(node.inner, value, unknown) };
    case "not":
      return { ...node, term: assume(node.term, !value, unknown) };
    case "combine":
      // Whatever the other terms are, one unknown term makes an exclusive or come out either way.
      if (node.operator === "xor") break;
      return { ...node, terms: node.terms.map((term) => assume(term, value, unknown)) };
    case "comparison":
    case "quantifier":
    case "constant":
      break;
  }
  return { kind: "constant", value, span: node.span, type: node.type };
}

function isDecided(node: LogicalNode, unknown: ReadonlySet<string>): boolean {
  return readsOf(node).isDisjointFrom(unknown);
}
