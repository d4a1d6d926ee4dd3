/** The right side of a comparison as a function of a value that is there. */
import type { ComparisonNode, IntRange, Items, Test } from "../ast.ts";
import { compareIp, type ComparisonTable, type ValueTest } from "./comparisons.ts";
import { ExpressionError } from "../errors.ts";
import type { Span } from "../position.ts";
import { sharesBits, type Int } from "../int.ts";
import type { Ip, IpRange } from "../ip.ts";
import { compileRegex } from "../regex/regex.ts";
import { compileWildcard } from "../wildcard.ts";

/** Whether a value is in a list of the host. */
export type ListMatcher = ValueTest;

/** Finds a list by name for values of one type; `undefined` when there is none. */
export type ListLookup = (name: string, type: "Bytes" | "Int" | "Ip") => ListMatcher | undefined;

export interface TestContext {
  readonly comparisons: ComparisonTable;
  readonly lists: ListLookup;
  readonly source: string;
}

/** @throws {ExpressionError} when the comparison names a list that does not exist. */
export function compileTest({ test, span }: ComparisonNode, context: TestContext): ValueTest {
  switch (test.kind) {
    case "truth":
      return (value) => value === true;
    case "order":
      return compileOrder(test, context.comparisons);
    case "bits": {
      const { mask } = test;
      return (value) => sharesBits(value as Int, mask);
    }
    case "contains": {
      const { needle } = test;
      return (value) => (value as string).includes(needle);
    }
    case "matches":
      return compileMatches(test.pattern, span, context.source);
    case "wildcard": {
      const match = compileWildcard(test.pattern, test.strict);
      return (value) => match(value as string);
    }
    case "in":
      return compileItems(test.items);
    case "list": {
      const matcher = context.lists(test.name, test.type);
      if (matcher === undefined) {
        const message = `expected the name of a list of type \`${test.type}\`, found \`$${test.name}\``;
        throw new ExpressionError(context.source, [{ code: "unknown_list", message, ...span }]);
      }
      return matcher;
    }
  }
}

function compileOrder(
  { operator, literal }: Extract<Test, { readonly kind: "order" }>,
  comparisons: ComparisonTable,
): ValueTest {
  const row = comparisons[operator];
  return literal.type === "Ip"
    ? compareIp(row, literal.value, operator === "ne")
    : (row.value(literal.value) as ValueTest);
}

function compileMatches(pattern: string, span: Span, source: string): ValueTest {
  const regex = compileRegex(pattern);
  if ("problem" in regex) {
    const message = `expected a regular expression: ${regex.problem}`;
    throw new ExpressionError(source, [{ code: "invalid_regex", message, start: span.start, end: span.end }]);
  }
  return (value) => regex.test(value as string);
}

function compileItems(items: Items): ValueTest {
  switch (items.type) {
    case "Bytes": {
      const members = new Set(items.members);
      return (value) => members.has(value as string);
    }
    case "Int":
      return compileIntRanges(items.ranges);
    case "Ip":
      return compileIpRanges(items.ranges);
  }
}

function compileIntRanges(ranges: readonly IntRange[]): ValueTest {
  if (ranges.every(({ first, last }) => first === last)) {
    const members = new Set(ranges.map(({ first }) => first));
    return (value) => members.has(value as Int);
  }
  const search = rangeSearch<Int>(ranges);
  return (value) => search(value as Int);
}

/** A matcher of address ranges, each within its own family. */
export function compileIpRanges(ranges: readonly IpRange[]): ValueTest {
  const ofFamily = (length: number) =>
    rangeSearch<string>(
      ranges
        .filter(({ first }) => first.bytes.length === length)
        .map(({ first, last }) => ({ first: first.bytes, last: last.bytes })),
    );
  const v4 = ofFamily(4);
  const v6 = ofFamily(16);
  return (value) => {
    const { bytes } = value as Ip;
    return bytes.length === 4 ? v4(bytes) : v6(bytes);
  };
}

interface Bounds<T> {
  readonly first: T;
  readonly last: T;
}

/** Binary search in the union of inclusive ranges, which may overlap and come in any order. */
function rangeSearch<T extends Int | string>(ranges: readonly Bounds<T>[]): (value: T) => boolean {
  const firsts: T[] = [];
  const lasts: T[] = [];
  for (const { first, last } of ranges.toSorted((left, right) => (left.first < right.first ? -1 : 1))) {
    const previous = lasts.at(-1);
    if (previous !== undefined && first <= previous) {
      lasts[lasts.length - 1] = last > previous ? last : previous;
    } else {
      firsts.push(first);
      lasts.push(last);
    }
  }
  return (value) => {
    let low = 0;
    let high = firsts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((firsts[middle] as T) <= value) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low > 0 && value <= (lasts[low - 1] as T);
  };
}
