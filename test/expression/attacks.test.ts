/** Hostile expressions and hostile values: no crash, no hang, no reach into JavaScript's own objects. */
import { describe, expect, test } from "vitest";
import { compileFilter, parseFilter, parseValue } from "../../src/expression/index.ts";
import { errorOf, evaluate, evaluateValue, SCHEME, valuesOf } from "./support.ts";

function nest(count: number, open: string, close: string, inner = "ssl"): string {
  return open.repeat(count) + inner + close.repeat(count);
}

function calls(count: number): string {
  return `${nest(count, "lower(", ")", "http.host")} eq "a"`;
}

function quantified(count: number): string {
  return nest(count, "(", ")", 'any(cf.sequence.previous_ops[*] == "a")');
}

describe("nesting", () => {
  test.each([
    ["(", ")"],
    ["!", ""],
    ["not ", ""],
    ["not(", ")"],
  ])("128 levels of %s are fine, 129 are refused", (open, close) => {
    const levels = open === "not(" ? 64 : 128;
    expect(() => parseFilter(nest(levels, open, close), SCHEME)).not.toThrow();
    expect(errorOf(nest(levels + 1, open, close)).code).toBe("nesting_too_deep");
  });

  test("calls and quantifiers count too", () => {
    expect(() => parseFilter(calls(128), SCHEME)).not.toThrow();
    expect(errorOf(calls(129)).code).toBe("nesting_too_deep");
    expect(() => parseFilter(quantified(127), SCHEME)).not.toThrow();
    expect(errorOf(quantified(128)).code).toBe("nesting_too_deep");
  });

  test.each([
    "(",
    "!",
    "not ",
    "any(",
    "lower(",
    "concat(",
    "decode_base64(",
    "{",
    "[",
    '"',
    "r#",
    "ssl[",
    "\\",
  ])("100,000 times %s is a clean error", (text) => {
    const start = performance.now();
    expect(errorOf(text.repeat(100_000)).errors.length).toBeGreaterThan(0);
    expect(performance.now() - start).toBeLessThan(2000);
  });

  test("flat chains are free: 20,000 terms evaluate", () => {
    const chain = Array.from({ length: 20_000 }, () => "ssl").join(" and ");
    expect(compileFilter(parseFilter(chain, SCHEME))(valuesOf({ ssl: true }))).toBe(true);
    const mixed = Array.from({ length: 5000 }, () => "ssl and ssl xor ssl or ssl").join(" or ");
    expect(evaluate(mixed, { ssl: true })).toBe(true);
  });
});

describe("names of JavaScript's own", () => {
  test.each(["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf", "prototype"])(
    "%s",
    (name) => {
      expect(errorOf(`${name} eq "a"`).code).toBe("unknown_field");
      expect(errorOf(`${name}("a")`).code).toBe("unknown_function");
      expect(
        evaluate(`cf.sequence.msec_since_op["${name}"] ge 0`, { "cf.sequence.msec_since_op": { a: 1 } }),
      ).toBe(false);
      expect(evaluate(`http.request.headers["${name}"][0] eq "x"`, { "http.request.headers": {} })).toBe(
        false,
      );
      expect(evaluate(`http.host in {"${name}"}`, { "http.host": name })).toBe(true);
      expect(evaluate(`http.host in $names`, { "http.host": name, $names: ["other"] })).toBe(false);
    },
  );

  test("own keys of such names are ordinary", () => {
    const ctx = JSON.parse('{"cf.sequence.msec_since_op":{"__proto__":5,"constructor":6}}') as Record<
      string,
      never
    >;
    expect(evaluate('cf.sequence.msec_since_op["__proto__"] eq 5', ctx)).toBe(true);
    expect(evaluate("any(cf.sequence.msec_since_op[*] eq 6)", ctx)).toBe(true);
  });
});

describe("sizes", () => {
  test("a megabyte of value is searched in no time", () => {
    const value = `${"ab".repeat(500_000)}c`;
    const start = performance.now();
    expect(
      evaluate('http.host contains "bc" and http.host wildcard "*b*b*b*c" and not http.host contains "ca"', {
        "http.host": value,
      }),
    ).toBe(true);
    expect(evaluateValue("len(url_decode(lower(http.host)))", { "http.host": value })).toBe(1_000_001);
    expect(performance.now() - start).toBeLessThan(1000);
  });

  test("wildcards with many stars take no exponential time", () => {
    const pattern = `${"*a".repeat(2000)}*b`;
    const start = performance.now();
    expect(evaluate(`http.host wildcard "${pattern}"`, { "http.host": "a".repeat(100_000) })).toBe(false);
    expect(performance.now() - start).toBeLessThan(500);
  });

  test("long literals, sets and names", () => {
    expect(evaluate(`http.host eq "${"é".repeat(100_000)}"`, { "http.host": "é".repeat(100_000) })).toBe(
      true,
    );
    const set = Array.from({ length: 20_000 }, (_, index) => `"h${index}"`).join(" ");
    expect(evaluate(`http.host in {${set}}`, { "http.host": "h19999" })).toBe(true);
    expect(errorOf(`${"a".repeat(1_000_000)} eq 1`).message.length).toBeLessThan(200);
    expect(errorOf(`cf.threat_score eq ${"0".repeat(100_000)}9`).code).toBe("invalid_integer");
    expect(evaluate(`cf.threat_score eq ${"0".repeat(100_000)}7`, { "cf.threat_score": 7 })).toBe(true);
  });

  test("decoding again and again has an end", () => {
    const value = `%${"25".repeat(1000)}41`;
    expect(evaluateValue('len(url_decode(http.host, "r"))', { "http.host": value })).toBe(2003 - 2 * 10);
  });
});

test("lone surrogates and every odd character are errors, not crashes", () => {
  for (const text of ["\ud800", "\udfff", "\u0000", "\ufeff", "\u2028", "😀", "\u0301"]) {
    expect(errorOf(`ssl ${text} ssl`).errors.length).toBeGreaterThan(0);
    expect(errorOf(`http.host eq ${text}`).errors.length).toBeGreaterThan(0);
    expect(() => parseFilter(`http.host eq "${text}"`, SCHEME)).not.toThrow();
    expect(() => parseValue(`concat(http.host, "${text}")`, SCHEME)).not.toThrow();
  }
});
