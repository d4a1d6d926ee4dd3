/** Necessary values and referenced fields. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  compileFilter,
  necessaryValues,
  parseFilter,
  parseValue,
  referencedFields,
} from "../../src/expression/index.ts";
import { SCHEME, valuesOf } from "./support.ts";

const FIELD = "cf.sequence.current_op";

function necessary(source: string): readonly string[] | undefined {
  const values = necessaryValues(parseFilter(source, SCHEME), FIELD);
  return values === undefined ? undefined : [...values].toSorted();
}

describe("values of which one is needed", () => {
  test.each([
    [`${FIELD} eq "a"`, ["a"]],
    [`${FIELD} == "a" and ssl`, ["a"]],
    [`ssl and (${FIELD} eq "a")`, ["a"]],
    [`${FIELD} in {"a" "b"}`, ["a", "b"]],
    [`${FIELD} in {}`, []],
    [`${FIELD} eq "a" or ${FIELD} eq "b" and ssl`, ["a", "b"]],
    [`${FIELD} in {"a" "b"} and ${FIELD} in {"b" "c"}`, ["b"]],
    [`${FIELD} eq "a" and ${FIELD} eq "b"`, []],
    [`${FIELD} eq "é"`, ["\xc3\xa9"]],
    ["false", []],
    [`${FIELD} eq "a" and (ssl or http.host eq "x")`, ["a"]],
    [`(${FIELD} eq "a" or ${FIELD} eq "b") and not ssl`, ["a", "b"]],
  ])("%s", (source, values) => {
    expect(necessary(source)).toEqual(values);
  });

  test.each([
    "true",
    "ssl",
    `${FIELD} ne "a"`,
    `not ${FIELD} eq "a"`,
    `not ${FIELD} ne "a"`,
    `${FIELD} eq "a" or ssl`,
    `${FIELD} eq "a" xor ssl`,
    `lower(${FIELD}) eq "a"`,
    `${FIELD} contains "a"`,
    `${FIELD} ge "a"`,
    `${FIELD} in $list`,
    `${FIELD} matches "^a$"`,
    `http.host eq "a"`,
    `cf.sequence.previous_ops[0] eq "a"`,
    `any(cf.sequence.previous_ops[*] eq "a")`,
  ])("none for %s", (source) => {
    expect(necessary(source)).toBeUndefined();
  });

  test("INVARIANT: with another value the filter is false", () => {
    const leaf = fc.constantFrom(
      `${FIELD} eq "a"`,
      `${FIELD} eq "b"`,
      `${FIELD} in {"b" "c"}`,
      `${FIELD} ne "a"`,
      "ssl",
      `http.host eq "x"`,
    );
    const { expression } = fc.letrec<{ expression: string }>((tie) => ({
      expression: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc
          .tuple(tie("expression"), fc.constantFrom("and", "or", "xor"), tie("expression"))
          .map(([left, operator, right]) => `(${left} ${operator} ${right})`),
        tie("expression").map((inner) => `not (${inner})`),
      ),
    }));
    fc.assert(
      fc.property(
        expression,
        fc.constantFrom("a", "b", "c", "d"),
        fc.boolean(),
        fc.constantFrom("x", "y"),
        (source, op, ssl, host) => {
          const filter = parseFilter(source, SCHEME);
          const values = necessaryValues(filter, FIELD);
          const holds = compileFilter(filter)(valuesOf({ [FIELD]: op, ssl, "http.host": host }));
          expect(holds && values !== undefined && !values.has(op)).toBe(false);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("fields that are read", () => {
  test("in every corner of a filter", () => {
    const source = `not (ssl xor any(lower(http.request.headers["a"][*])[*] in {"b"})) or has_value(cf.sequence.previous_ops, concat(http.host, "x")) and all((http.request.headers.names[*] == "a") or (http.request.headers.values[*] == "b"))`;
    expect([...referencedFields(parseFilter(source, SCHEME))].toSorted()).toEqual([
      "cf.sequence.previous_ops",
      "http.host",
      "http.request.headers",
      "http.request.headers.names",
      "http.request.headers.values",
      "ssl",
    ]);
  });

  test("of a value and of a constant", () => {
    expect([...referencedFields(parseValue("concat(http.host, http.cookie)", SCHEME))]).toEqual([
      "http.host",
      "http.cookie",
    ]);
    expect(referencedFields(parseFilter("true", SCHEME)).size).toBe(0);
  });
});
