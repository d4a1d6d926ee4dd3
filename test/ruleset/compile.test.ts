/** Compiled rules: exact order, and an index that only saves work. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ExpressionError, type FieldValues, type Value } from "../../src/expression/index.ts";
import { compileRules, fieldSlot, RuleCompileError, type CompilableRule } from "../../src/ruleset/index.ts";

const PHASE = "http_request_firewall_custom";

function valuesOf(fields: Readonly<Record<string, Value>>): FieldValues & { readonly asked: number } {
  const bySlot = new Map(Object.entries(fields).map(([name, value]) => [fieldSlot(name), value]));
  let asked = 0;
  return {
    get asked() {
      return asked;
    },
    get(slot) {
      asked += 1;
      return bySlot.get(slot);
    },
  };
}

function rulesOf(...expressions: readonly string[]): readonly CompilableRule[] {
  return expressions.map((expression) => ({ expression, enabled: true }));
}

function longExpression(length: number): string {
  return `http.host eq "${"a".repeat(length - 15)}"`;
}

/** Indexes of the rules that match, in the order they are visited. */
function matching(
  rules: readonly CompilableRule[],
  fields: Readonly<Record<string, Value>>,
  stopAt = Number.POSITIVE_INFINITY,
): readonly number[] {
  const visited: number[] = [];
  const currentOp = fields["cf.sequence.current_op"];
  compileRules(rules, { phase: PHASE }).match(
    valuesOf(fields),
    typeof currentOp === "string" ? currentOp : "",
    ({ index }) => {
      visited.push(index);
      return visited.length >= stopAt;
    },
  );
  return visited;
}

describe("order", () => {
  const rules = rulesOf(
    'cf.sequence.current_op eq "b"',
    "ssl",
    'cf.sequence.current_op in {"a" "b"} and ssl',
    'cf.sequence.current_op eq "a" or cf.sequence.current_op eq "b"',
    "true",
    'not cf.sequence.current_op eq "a"',
    "false",
    'cf.sequence.current_op eq ""',
  );

  test("is that of the rules, indexed or not", () => {
    expect(matching(rules, { "cf.sequence.current_op": "b", ssl: true })).toEqual([0, 1, 2, 3, 4, 5]);
    expect(matching(rules, { "cf.sequence.current_op": "a", ssl: true })).toEqual([1, 2, 3, 4]);
    expect(matching(rules, { "cf.sequence.current_op": "c", ssl: false })).toEqual([4, 5]);
    expect(matching(rules, { "cf.sequence.current_op": "", ssl: false })).toEqual([4, 5, 7]);
  });

  test("ends where the visitor stops", () => {
    expect(matching(rules, { "cf.sequence.current_op": "b", ssl: true }, 3)).toEqual([0, 1, 2]);
    const compiled = compileRules(rules, { phase: PHASE });
    const values = valuesOf({ "cf.sequence.current_op": "b" });
    expect(compiled.match(values, "b", () => true)).toBe(true);
    expect(compiled.match(values, "b", () => false)).toBe(false);
    expect(
      compileRules(rulesOf('cf.sequence.current_op eq "b"'), { phase: PHASE }).match(values, "b", () => true),
    ).toBe(true);
  });

  test("rules that are off are left out, and keep their place in the count", () => {
    const some = rules.map((rule, index) => Object.assign({}, rule, { enabled: index % 2 === 1 }));
    expect(matching(some, { "cf.sequence.current_op": "b", ssl: true })).toEqual([1, 3, 5]);
    expect(compileRules(some, { phase: PHASE }).rules.map(({ index }) => index)).toEqual([1, 3, 5, 7]);
  });

  test("INVARIANT: the index finds just what trying every rule finds", () => {
    const leaf = fc.constantFrom(
      'cf.sequence.current_op eq "a"',
      'cf.sequence.current_op eq "b"',
      'cf.sequence.current_op in {"a" "c"}',
      'cf.sequence.current_op ne "a"',
      "ssl",
    );
    const expression = fc
      .array(fc.tuple(leaf, fc.constantFrom("and", "or", "xor"), fc.constantFrom("", "not ")), {
        minLength: 1,
        maxLength: 4,
      })
      .map((terms) =>
        terms.map(([term, operator, not], at) => `${at === 0 ? "" : `${operator} `}${not}${term}`).join(" "),
      );
    fc.assert(
      fc.property(
        fc.array(expression, { maxLength: 12 }),
        fc.constantFrom("a", "b", "c", ""),
        fc.boolean(),
        (expressions, op, ssl) => {
          const random = rulesOf(...expressions);
          const fields = { "cf.sequence.current_op": op, ssl };
          const each = compileRules(random, { phase: PHASE }).rules.filter(({ matches }) =>
            matches(valuesOf(fields)),
          );
          expect(matching(random, fields)).toEqual(each.map(({ index }) => index));
        },
      ),
    );
  });
});

describe("work", () => {
  test("of ten thousand rules, those of the operation are asked", () => {
    const rules = rulesOf(
      ...Array.from({ length: 10_000 }, (_, index) => `cf.sequence.current_op eq "op${index}" and ssl`),
    );
    const compiled = compileRules(rules, { phase: PHASE });
    const values = valuesOf({ "cf.sequence.current_op": "op7777", ssl: true });
    const visited: number[] = [];
    compiled.match(values, "op7777", ({ index }) => {
      visited.push(index);
      return false;
    });
    expect(visited).toEqual([7777]);
    expect(values.asked).toBe(2);
  });

  test("no field is read for a request whose operation no rule asks for", () => {
    const values = valuesOf({});
    compileRules(rulesOf('cf.sequence.current_op eq "a" and ssl'), { phase: PHASE }).match(
      values,
      "b",
      () => false,
    );
    expect(values.asked).toBe(0);
  });
});

describe("what the rules read", () => {
  test("is known, of those that are on", () => {
    const rules = [
      ...rulesOf('http.host eq "a" and ssl'),
      { expression: 'http.cookie eq "a"', enabled: false },
    ];
    expect([...compileRules(rules, { phase: PHASE }).fields].toSorted()).toEqual(["http.host", "ssl"]);
  });
});

describe("mistakes", () => {
  test("carry the rule's index, also of one that is off", () => {
    const rules = [...rulesOf("ssl", "true"), { expression: "nope", enabled: false }];
    expect(() => compileRules(rules, { phase: PHASE })).toThrow(RuleCompileError);
    expect(() => compileRules(rules, { phase: PHASE })).toThrow(
      expect.objectContaining({ index: 2, cause: expect.any(ExpressionError) as unknown }),
    );
    expect(() => compileRules(rules, { phase: PHASE })).toThrow(/^rule 3: unknown identifier/);
  });

  test("expressions beyond 4,096 characters are refused", () => {
    expect(longExpression(4096)).toHaveLength(4096);
    expect(() => compileRules(rulesOf(longExpression(4096)), { phase: PHASE })).not.toThrow();
    expect(() => compileRules(rulesOf(longExpression(4097)), { phase: PHASE })).toThrow(
      "at most 4096 characters",
    );
  });

  test("unknown lists are, known ones are asked", () => {
    expect(() => compileRules(rulesOf("ip.src in $office"), { phase: PHASE })).toThrow("`$office`");
    const compiled = compileRules(rulesOf("http.host in $hosts"), {
      phase: PHASE,
      lists: (name, type) => (name === "hosts" && type === "Bytes" ? (value) => value === "a" : undefined),
    });
    expect(compiled.match(valuesOf({ "http.host": "a" }), "", () => true)).toBe(true);
    expect(compiled.match(valuesOf({ "http.host": "b" }), "", () => true)).toBe(false);
  });

  test("what `missing !=` gives is an option", () => {
    const rules = rulesOf('http.host ne "a"');
    expect(compileRules(rules, { phase: PHASE }).match(valuesOf({}), "", () => true)).toBe(false);
    expect(
      compileRules(rules, { phase: PHASE, missingNotEqual: true }).match(valuesOf({}), "", () => true),
    ).toBe(true);
  });
});
