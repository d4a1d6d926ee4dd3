/** The conformance set: 744 cases whose answers the reference engine gave. */
import { describe, expect, test } from "vitest";
import {
  explainFilter,
  explainValue,
  parseFilter,
  parseValue,
  printExpression,
  type ErrorCode,
} from "../../src/expression/index.ts";
import { COMPARISONS, type ComparisonTable } from "../../src/expression/compile/comparisons.ts";
import {
  DIFFERENCES,
  isValueVector,
  runVector,
  SCHEME,
  toJson,
  toLists,
  VECTORS,
  valuesOf,
  withoutSpans,
  type Outcome,
  type Vector,
} from "./support.ts";

type Verdict = "exact" | "category only by `alt`" | "wrong";

/** How an outcome compares with what the vector expects. */
function judge(vector: Vector, outcome: Outcome): Verdict {
  const { expect: expected } = vector;
  if (typeof expected === "object") {
    if (!("error" in outcome)) {
      return "wrong";
    }
    const { category } = outcome.error;
    if (category === expected.error) {
      return "exact";
    }
    return (expected.alt ?? []).includes(category) ? "category only by `alt`" : "wrong";
  }
  const isRight = isValueVector(vector)
    ? "value" in outcome && JSON.stringify(outcome.value) === JSON.stringify(vector.value)
    : "result" in outcome && outcome.result === expected;
  return isRight ? "exact" : "wrong";
}

function describeOutcome(vector: Vector): string {
  const outcome = runVector(vector);
  const found = "error" in outcome ? outcome.error.render() : JSON.stringify(outcome);
  return `${vector.id}: expected ${JSON.stringify(vector.expect ?? vector.value)}, found ${found}\n  ${vector.expr.slice(0, 200)}`;
}

const VALID = VECTORS.filter(({ expect: expected }) => typeof expected !== "object");
const INVALID = VECTORS.filter(({ expect: expected }) => typeof expected === "object");

describe("conformance", () => {
  const verdicts = new Map(VECTORS.map((vector) => [vector.id, judge(vector, runVector(vector))]));
  const listed = new Set(DIFFERENCES.map(({ id }) => id));

  test("has all 744 cases, each once", () => {
    expect(verdicts.size).toBe(744);
  });

  test("every case passes that is not listed as a difference", () => {
    const failing = VECTORS.filter(({ id }) => verdicts.get(id) === "wrong" && !listed.has(id));
    expect(failing.map(describeOutcome)).toEqual([]);
  });

  test("every listed difference is one, and gives its reason", () => {
    const stale = DIFFERENCES.filter(({ id }) => verdicts.get(id) !== "wrong");
    expect(stale).toEqual([]);
    expect(DIFFERENCES.every(({ reason }) => reason.length > 20)).toBe(true);
  });

  test("at least 95 % of the errors have the very category of the reference engine", () => {
    const exact = INVALID.filter(({ id }) => verdicts.get(id) === "exact");
    expect(exact.length / INVALID.length).toBeGreaterThanOrEqual(0.95);
  });
});

/** Kinds of errors of the reference engine, and the code that stands for each here. */
const CODES: Readonly<Record<string, readonly ErrorCode[]>> = {
  ExpectedName: ["expected_name"],
  ExpectedLiteral: ["expected_literal"],
  ParseInt: ["invalid_integer"],
  ParseNetwork: ["invalid_address"],
  IncompatibleRangeBounds: ["invalid_range"],
  InvalidCharacterEscape: ["invalid_escape"],
  InvalidRawStringHashCount: ["invalid_raw_string"],
  MissingEndingQuote: ["missing_quote"],
  CountMismatch: ["too_few_characters"],
  InvalidListName: ["invalid_list_name"],
  EOF: ["unrecognised_input"],
  UnknownIdentifier: ["unknown_field", "unknown_function"],
  UnsupportedOp: ["unsupported_operator"],
  TypeMismatch: ["type_mismatch"],
  InvalidIndexAccess: ["invalid_index"],
  InvalidArgumentType: ["argument_type"],
  InvalidMapEachAccess: ["mapped_argument"],
  InvalidArgumentsCount: ["argument_count"],
  InvalidArgumentKind: ["argument_kind"],
  InvalidArgumentValue: ["argument_value"],
  ParseRegex: ["invalid_regex"],
  ParseWildcard: ["invalid_wildcard"],
  NestingLimitExceeded: ["nesting_too_deep"],
};

test("at least 90 % of the errors stand where the reference engine puts them, with its kind", () => {
  const located = INVALID.filter(({ diag }) => diag !== undefined);
  const agreeing = located.filter((vector) => {
    const outcome = runVector(vector);
    const { diag } = vector;
    if (!("error" in outcome) || diag === undefined) {
      return false;
    }
    const { code, line, column, length } = outcome.error;
    const isThere = line === diag.line && column === diag.col && length === diag.len;
    return isThere && (CODES[diag.kind] ?? []).includes(code);
  });
  expect(located).toHaveLength(272);
  expect(agreeing.length / located.length).toBeGreaterThanOrEqual(0.9);
});

describe("print", () => {
  test.each(VALID)("$id: parse(print(tree)) is the same tree", (vector) => {
    const parse = (source: string) =>
      isValueVector(vector) ? parseValue(source, SCHEME) : parseFilter(source, SCHEME);
    const checked = parse(vector.expr);
    const printed = printExpression(checked);
    const again = parse(printed);
    expect(withoutSpans(again.root)).toEqual(withoutSpans(checked.root));
    expect(printExpression(again)).toBe(printed);
  });
});

test("explain gives what evaluation gives, for every case", () => {
  const differing = VALID.filter((vector) => {
    const options = { lists: toLists(vector.ctx) };
    const explain = isValueVector(vector)
      ? explainValue(parseValue(vector.expr, SCHEME), options)
      : explainFilter(parseFilter(vector.expr, SCHEME), options);
    const { value } = explain(valuesOf(vector.ctx));
    const outcome = runVector(vector);
    const evaluated = "result" in outcome ? outcome.result : "value" in outcome ? outcome.value : undefined;
    return JSON.stringify(toJson(value)) !== JSON.stringify(evaluated);
  });
  expect(differing.map(describeOutcome)).toEqual([]);
});

describe("the vectors notice a mutated comparison table", () => {
  const rows = Object.keys(COMPARISONS) as (keyof ComparisonTable)[];
  const ordered = VALID.filter((vector) => {
    const { root } = isValueVector(vector)
      ? parseValue(vector.expr, SCHEME)
      : parseFilter(vector.expr, SCHEME);
    return JSON.stringify(root, (_, value: unknown) => (typeof value === "bigint" ? "" : value)).includes(
      '"kind":"order"',
    );
  });

  function failuresWith(comparisons: ComparisonTable): number {
    return ordered.filter((vector) => judge(vector, runVector(vector, { comparisons })) === "wrong").length;
  }

  test("as it is, none fails", () => {
    expect(failuresWith({ ...COMPARISONS })).toBe(0);
  });

  test.each(rows.flatMap((row) => rows.filter((other) => other !== row).map((other) => ({ row, other }))))(
    "$row behaves as $other",
    ({ row, other }) => {
      expect(failuresWith({ ...COMPARISONS, [row]: COMPARISONS[other] })).toBeGreaterThan(0);
    },
  );
});
