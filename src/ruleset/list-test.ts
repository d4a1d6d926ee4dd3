/** Which lists an expression requires its value to be in. */
import { ExpressionError, parseFilter } from "../expression/index.ts";
import type { CheckedFilter } from "../expression/index.ts";
import { schemeFor } from "./fields.ts";

/** `field in $list`, the field alone on the left. */
export interface ListTest {
  readonly field: string;
  readonly list: string;
}

/**
 * The list tests that have to hold for a bulk redirect's expression to be true: the whole expression, or terms that
 * are and-ed. None when the expression cannot be parsed.
 */
export function necessaryListTests(source: string): readonly ListTest[] {
  try {
    return [...listTests(parseFilter(source, schemeFor("http_request_redirect")).root)];
  } catch (error) {
    if (error instanceof ExpressionError) return [];
    throw error;
  }
}

function* listTests(node: CheckedFilter["root"]): Iterable<ListTest> {
  if (node.kind === "group") yield* listTests(node.inner);
  if (node.kind === "combine" && node.operator === "and") {
    for (const term of node.terms) yield* listTests(term);
  }
  if (node.kind !== "comparison" || node.test.kind !== "list") return;
  const { target, path } = node.left;
  if (target.kind === "field" && path.length === 0) yield { field: target.name, list: node.test.name };
}
