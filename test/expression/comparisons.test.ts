/** Each comparison operator in each shape that has a closure of its own. */
import { describe, expect, test } from "vitest";
import { COMPARISONS, type ComparisonTable } from "../../src/expression/compile/comparisons.ts";
import { evaluate, type Json } from "./support.ts";

type Operator = keyof ComparisonTable;

/** Whether `left op right` holds when left is less than, equal to or greater than right. */
const MEANING: Readonly<Record<Operator, readonly [less: boolean, equal: boolean, greater: boolean]>> = {
  eq: [false, true, false],
  ne: [true, false, true],
  ge: [false, true, true],
  le: [true, true, false],
  gt: [false, false, true],
  lt: [true, false, false],
};

const OPERATORS = Object.keys(MEANING) as readonly Operator[];

interface Shape {
  readonly name: string;
  readonly source: (operator: Operator) => string;
  /** Contexts in which the value is less than, equal to and greater than the literal. */
  readonly contexts: readonly Readonly<Record<string, Json>>[];
}

const SHAPES: readonly Shape[] = [
  {
    name: "Int field",
    source: (operator) => `cf.threat_score ${operator} 10`,
    contexts: [9, 10, 11].map((value) => ({ "cf.threat_score": value })),
  },
  {
    name: "Int field beyond the safe integers",
    source: (operator) => `cf.threat_score ${operator} 9223372036854775806`,
    contexts: ["9223372036854775805", "9223372036854775806", "9223372036854775807"].map((value) => ({
      "cf.threat_score": { $int: value },
    })),
  },
  {
    name: "Int field against a literal of the other representation",
    source: (operator) => `cf.threat_score ${operator} 9007199254740992`,
    contexts: [9007199254740991, { $int: "9007199254740992" }, { $int: "9007199254740993" }].map((value) => ({
      "cf.threat_score": value,
    })),
  },
  {
    name: "Bytes field",
    source: (operator) => `http.host ${operator} "b"`,
    contexts: ["a", "b", "ba"].map((value) => ({ "http.host": value })),
  },
  {
    name: "Bytes field beyond ASCII, by bytes and not by UTF-16",
    // U+FF61 is EF BD A1, U+1F600 is F0 9F 98 80: in UTF-16 the order is the other way round.
    source: (operator) => `http.host ${operator} "\u{ff61}"`,
    contexts: ["\u{e9}", "\u{ff61}", "\u{1f600}"].map((value) => ({ "http.host": value })),
  },
  {
    name: "member of a map",
    source: (operator) => `cf.sequence.msec_since_op["a"] ${operator} 10`,
    contexts: [9, 10, 11].map((value) => ({ "cf.sequence.msec_since_op": { a: value } })),
  },
  {
    name: "member of an array",
    source: (operator) => `cf.sequence.previous_ops[1] ${operator} "b"`,
    contexts: ["a", "b", "c"].map((value) => ({ "cf.sequence.previous_ops": ["x", value] })),
  },
  {
    name: "any of an array field",
    source: (operator) => `any(cf.bot_management.detection_ids[*] ${operator} 10)`,
    contexts: [9, 10, 11].map((value) => ({ "cf.bot_management.detection_ids": [value] })),
  },
  {
    name: "all of an array field",
    source: (operator) => `all(cf.bot_management.detection_ids[*] ${operator} 10)`,
    contexts: [9, 10, 11].map((value) => ({ "cf.bot_management.detection_ids": [value, value] })),
  },
  {
    name: "any of a map field",
    source: (operator) => `any(cf.sequence.msec_since_op[*] ${operator} 10)`,
    contexts: [9, 10, 11].map((value) => ({ "cf.sequence.msec_since_op": { a: value } })),
  },
  {
    name: "element-wise",
    source: (operator) =>
      `any((cf.sequence.previous_ops[*] ${operator} "b") and (http.request.headers.names[*] == "h"))`,
    contexts: ["a", "b", "c"].map((value) => ({
      "cf.sequence.previous_ops": [value],
      "http.request.headers.names": ["h"],
    })),
  },
  {
    name: "result of a function",
    source: (operator) => `len(http.host) ${operator} 2`,
    contexts: ["a", "ab", "abc"].map((value) => ({ "http.host": value })),
  },
  {
    name: "address",
    source: (operator) => `ip.src ${operator} 200.0.0.1`,
    contexts: ["10.0.0.9", "200.0.0.1", "200.0.0.2"].map((value) => ({ "ip.src": value })),
  },
  {
    name: "IPv6 address",
    source: (operator) => `ip.src ${operator} 2001:db8::1`,
    contexts: ["2001:db8::", "2001:db8::1", "fe80::1"].map((value) => ({ "ip.src": value })),
  },
];

/** Conjunctions have closures of their own for two, three, four and more terms. */
const CONJUNCTIONS: readonly Shape[] = [1, 2, 3, 4].flatMap((others): readonly Shape[] => [
  {
    name: `first of ${others + 1} terms`,
    source: (operator) => `http.host ${operator} "b"${" and ssl".repeat(others)}`,
    contexts: ["a", "b", "c"].map((value) => ({ "http.host": value, ssl: true })),
  },
  {
    name: `last of ${others + 1} terms`,
    source: (operator) => `${"ssl and ".repeat(others)}(http.host ${operator} "b")`,
    contexts: ["a", "b", "c"].map((value) => ({ "http.host": value, ssl: true })),
  },
  {
    name: `first of ${others + 1} alternatives`,
    source: (operator) => `http.host ${operator} "b"${" or ssl".repeat(others)}`,
    contexts: ["a", "b", "c"].map((value) => ({ "http.host": value })),
  },
  {
    name: `last of ${others + 1} alternatives`,
    source: (operator) => `${"ssl or ".repeat(others)}http.host ${operator} "b"`,
    contexts: ["a", "b", "c"].map((value) => ({ "http.host": value })),
  },
]);

describe.each(CONJUNCTIONS)("$name", ({ source, contexts }) => {
  test.each(OPERATORS)("%s", (operator) => {
    expect(contexts.map((ctx) => evaluate(source(operator), ctx))).toEqual(MEANING[operator]);
  });
});

describe("every term of a conjunction counts", () => {
  test.each([1, 2, 3, 4])("with %i others, the last false", (others) => {
    const source = `http.host eq "b"${" and ssl".repeat(others - 1)} and cf.client.bot`;
    expect(evaluate(source, { "http.host": "b", ssl: true, "cf.client.bot": false })).toBe(false);
    expect(evaluate(source, { "http.host": "b", ssl: true, "cf.client.bot": true })).toBe(true);
    expect(evaluate(source, { "http.host": "a", ssl: true, "cf.client.bot": true })).toBe(false);
  });
});

describe.each(SHAPES)("$name", ({ source, contexts }) => {
  test.each(OPERATORS)("%s", (operator) => {
    const results = contexts.map((ctx) => evaluate(source(operator), ctx));
    expect(results).toEqual(MEANING[operator]);
  });

  test.each(OPERATORS)("%s of a missing value is false, but for `ne` when that is asked for", (operator) => {
    const isMapped = source(operator).includes("[*]");
    const withoutValue = evaluate(source(operator), {});
    const likeTheEngine = evaluate(source(operator), {}, { missingNotEqual: true });
    const isAll = source(operator).startsWith("all");
    expect(withoutValue).toBe(isAll);
    expect(likeTheEngine).toBe(isAll || (!isMapped && operator === "ne"));
  });
});

test.each(OPERATORS)("%s between the address families: only `ne` holds", (operator) => {
  expect(evaluate(`ip.src ${operator} 1.2.3.4`, { "ip.src": "::ffff:1.2.3.4" })).toBe(operator === "ne");
});

test("the table has just these operators", () => {
  expect(Object.keys(COMPARISONS)).toEqual(OPERATORS);
});
