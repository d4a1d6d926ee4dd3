/** From a checked expression to closures: done when the configuration changes, never per request. */
import { compileIndex } from "./index-expression.ts";
import { createLogicalCompiler, type LogicalContext } from "./logical.ts";
import type { ListLookup } from "./operand.ts";
import { COMPARISONS, type ComparisonTable } from "./comparisons.ts";
import type { CheckedFilter, CheckedValue } from "../parse/parse.ts";
import type { Predicate, Reader } from "../value.ts";

export interface CompileOptions {
  /**
   * Lists that expressions may name. Asked once per mention, when compiling: a list whose members change
   * has to answer through the same matcher, or the expression be compiled again. No lists unless given.
   */
  readonly lists?: ListLookup;
  /**
   * What `missing != x` gives: `false` by default, as the published documentation says of every
   * comparison with a missing value; `true` is what the open-source engine does.
   */
  readonly missingNotEqual?: boolean;
  /** What the comparison operators mean; for tests that swap them. */
  readonly comparisons?: ComparisonTable;
}

/**
 * Compiles a filter.
 *
 * @throws {ExpressionError} `unknown_list` when the filter names a list that `lists` does not have.
 */
export function compileFilter(filter: CheckedFilter, options: CompileOptions = {}): Predicate {
  return createLogicalCompiler(toContext(filter, options)).predicate(filter.root);
}

/** Compiles a value expression, as {@link compileFilter}. The reader gives `undefined` for missing. */
export function compileValue(value: CheckedValue, options: CompileOptions = {}): Reader {
  return compileIndex(value.root, createLogicalCompiler(toContext(value, options)));
}

export function toContext(
  { source }: CheckedFilter | CheckedValue,
  { lists = () => undefined, missingNotEqual = false, comparisons = COMPARISONS }: CompileOptions,
): LogicalContext {
  return { source, lists, missingNotEqual, comparisons };
}
