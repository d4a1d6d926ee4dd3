/** Integers, bytes, literals and the printer, by properties. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  fromBytes,
  fromUtf8,
  parseFilter,
  printExpression,
  toBytes,
  toInt,
} from "../../src/expression/index.ts";
import { bytesFromArray, bytesToArray, utf8Length } from "../../src/expression/bytes.ts";
import { sharesBits } from "../../src/expression/int.ts";
import { membersOf, sameValue } from "../../src/expression/value.ts";
import { quote } from "../../src/expression/print.ts";
import { errorOf, evaluate, SCHEME, withoutSpans } from "./support.ts";

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const bytes = fc.uint8Array({ maxLength: 40 }).map(bytesFromArray);

describe("Int", () => {
  test("comparison and `&` are exact in 64 bits", () => {
    fc.assert(
      fc.property(int64, int64, (left, right) => {
        const ctx = { "cf.threat_score": { $int: String(left) } };
        expect(evaluate(`cf.threat_score eq ${right}`, ctx)).toBe(left === right);
        expect(evaluate(`cf.threat_score ne ${right}`, ctx)).toBe(left !== right);
        expect(evaluate(`cf.threat_score lt ${right}`, ctx)).toBe(left < right);
        expect(evaluate(`cf.threat_score ge ${right}`, ctx)).toBe(left >= right);
        expect(evaluate(`cf.threat_score in {${right}}`, ctx)).toBe(left === right);
        expect(evaluate(`cf.threat_score eq ${left}`, ctx)).toBe(true);
        expect(evaluate(`cf.threat_score & ${right}`, ctx)).toBe((left & right) !== 0n);
      }),
    );
  });

  test("ranges hold what lies between", () => {
    fc.assert(
      fc.property(int64, fc.array(fc.tuple(int64, int64), { maxLength: 6 }), (value, pairs) => {
        const ranges = pairs.map(([a, b]): readonly [bigint, bigint] => (a < b ? [a, b] : [b, a]));
        const source = `cf.threat_score in {${ranges.map(([low, high]) => `${low}..${high}`).join(" ")}}`;
        const isIn = ranges.some(([low, high]) => low <= value && value <= high);
        expect(evaluate(source, { "cf.threat_score": { $int: String(value) } })).toBe(isIn);
      }),
    );
  });

  test("has one form: number while safe, bigint beyond; no negative zero", () => {
    expect(toInt(5n)).toBe(5);
    expect(toInt(-0)).toBe(0);
    expect(Object.is(toInt(-0), 0)).toBe(true);
    expect(toInt(2n ** 53n - 1n)).toBe(Number.MAX_SAFE_INTEGER);
    expect(toInt(2n ** 53n)).toBe(2n ** 53n);
    expect(toInt(-(2n ** 53n))).toBe(-(2n ** 53n));
  });

  test("`&` with and without the fast path", () => {
    expect(sharesBits(6, 2)).toBe(true);
    expect(sharesBits(4, 2)).toBe(false);
    expect(sharesBits(-1, 2 ** 40)).toBe(true);
    expect(sharesBits(2 ** 40, 2 ** 40)).toBe(true);
    expect(sharesBits(2 ** 32, 1)).toBe(false);
    expect(sharesBits(0x7fffffff, 0x80000000)).toBe(false);
  });
});

describe("Bytes", () => {
  test("UTF-8 there and back", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const encoded = Buffer.from(text, "utf8").toString("latin1");
        expect(toBytes(text)).toBe(encoded);
        expect(utf8Length(text)).toBe(encoded.length);
        expect(fromBytes(encoded)).toBe(text.toWellFormed());
        expect(fromUtf8(encoded)).toBe(text.toWellFormed());
      }),
    );
  });

  test("bytes that are no UTF-8", () => {
    expect(fromUtf8("\xff")).toBeUndefined();
    expect(fromBytes("a\xff")).toBe("a\ufffd");
    expect(fromUtf8("\xef\xbb\xbfa")).toBe("\ufeffa");
  });

  test("large arrays", () => {
    const array = new Uint8Array(100_000).map((_, index) => index % 256);
    expect(bytesToArray(bytesFromArray(array))).toEqual(array);
  });

  test("order is that of the bytes", () => {
    fc.assert(
      fc.property(bytes, bytes, (left, right) => {
        const order = Buffer.compare(bytesToArray(left), bytesToArray(right));
        const hex = Buffer.from(left, "latin1").toString("hex");
        const ctx = { "http.host": { $hex: hex } };
        expect(evaluate(`http.host lt ${quote(right)}`, ctx)).toBe(order < 0);
        expect(evaluate(`http.host ge ${quote(right)}`, ctx)).toBe(order >= 0);
        expect(evaluate(`http.host eq ${quote(right)}`, ctx)).toBe(order === 0);
      }),
    );
  });

  test("any bytes survive printing and parsing", () => {
    fc.assert(
      fc.property(bytes, (value) => {
        const filter = parseFilter(`http.host eq ${quote(value)}`, SCHEME);
        expect(
          evaluate(printExpression(filter), {
            "http.host": { $hex: Buffer.from(value, "latin1").toString("hex") },
          }),
        ).toBe(true);
      }),
    );
  });
});

describe("print", () => {
  test.each([
    ["(ssl&&!ssl)||ssl^^ssl", "(ssl and not ssl) or ssl xor ssl"],
    ['http.host=="a"', 'http.host eq "a"'],
    ["http.host in{61:62}", 'http.host in {"ab"}'],
    ["cf.threat_score in {010 0x10 1..3}", "cf.threat_score in {8 16 1..3}"],
    [
      "ip.src in {10/8 1.1.1.1..1.1.1.2 ::/0 1.1.1.1}",
      "ip.src in {10.0.0.0/8 1.1.1.1..1.1.1.2 ::/0 1.1.1.1}",
    ],
    ['http.host ~ "a\\"b"', 'http.host matches r#"a"b"#'],
    ['http.host matches r"a\\d"', 'http.host matches "a\\d"'],
    ['http.host matches r##"a"#b"##', 'http.host matches r##"a"#b"##'],
    ['http.host matches "[\\"]"', 'http.host matches r#"[\\"]"#'],
    ['http.host strict wildcard "*\\x41"', 'http.host strict wildcard "*A"'],
    ["cf.threat_score bitwise_and 0x5", "cf.threat_score & 5"],
    ["http.host in $a.b", "http.host in $a.b"],
    ['http.request.headers["a\\"b"][0] eq "x"', 'http.request.headers["a\\"b"][0] eq "x"'],
    ['any( cf.sequence.previous_ops[ * ]=="a" )', 'any(cf.sequence.previous_ops[*] eq "a")'],
    ["cidr( ip.src , 24,24 )==1.2.3.0", "cidr(ip.src, 24, 24) eq 1.2.3.0"],
    [" true ", "true"],
    ['http.host eq "\\x00\\xff\\xc3\\xa9"', 'http.host eq "\\x00\\xff\\xc3\\xa9"'],
    ['http.host eq "\\xc3\\xa9\\x7f"', 'http.host eq "é\\x7f"'],
  ])("%s → %s", (source, printed) => {
    const filter = parseFilter(source, SCHEME);
    expect(printExpression(filter)).toBe(printed);
    expect(withoutSpans(parseFilter(printed, SCHEME).root)).toEqual(withoutSpans(filter.root));
  });
});

describe("values of one type are compared by value", () => {
  test.each([
    [1, 1, true],
    [1, 2n ** 60n, false],
    ["a", "a", true],
    [["a", ["b"]], ["a", ["b"]], true],
    [["a"], ["a", "b"], false],
    [["a", "b"], ["a", "c"], false],
    [new Map([["a", 1]]), new Map([["a", 1]]), true],
    [new Map([["a", 1]]), new Map([["b", 1]]), false],
    [new Map([["a", 1]]), new Map(), false],
    [
      { kind: "ip", bytes: "\x01\x02\x03\x04" } as const,
      { kind: "ip", bytes: "\x01\x02\x03\x04" } as const,
      true,
    ],
    [{ kind: "ip", bytes: "\x01\x02\x03\x04" } as const, ["a"], false],
  ])("pair %#", (left, right, same) => {
    expect(sameValue(left, right)).toBe(same);
  });

  test("members of a map come in the byte order of its keys", () => {
    const map = new Map([
      ["\xff", 3],
      ["10", 1],
      ["9", 2],
    ]);
    expect(membersOf(map)).toEqual([1, 2, 3]);
    expect(membersOf(new Map([["a", 1]]))).toEqual([1]);
  });
});

describe("literals at their edges", () => {
  test.each([
    ["cf.threat_score eq 9223372036854775808", "invalid_integer"],
    ["cf.threat_score eq 01000000000000000000000", "invalid_integer"],
    ['cf.sequence.previous_ops[4294967296] eq "a"', "expected_literal"],
    ['cf.sequence.previous_ops[-1] eq "a"', "expected_literal"],
    ['http.request.headers["\\xff"][0] eq "a"', "expected_literal"],
    ['http.request.headers["\\q"][0] eq "a"', "expected_literal"],
    ['http.request.headers[r"a"][0] eq "a"', "expected_literal"],
    [`http.host eq r${"#".repeat(256)}"a"${"#".repeat(256)}`, "invalid_raw_string"],
    ['http.host eq "\\xg0"', "invalid_integer"],
    ['http.host eq "\\0"', "too_few_characters"],
    ['http.host eq "\\08"', "invalid_integer"],
    ['http.host eq "\\089"', "invalid_integer"],
    ["http.host eq r#a", "expected_name"],
    ["http.host matches", "unrecognised_input"],
    ["http.host wildcard", "unrecognised_input"],
    ["http.host eq 61", "too_few_characters"],
    ["http.host eq 61;62", "expected_name"],
  ])("%s: %s", (source, code) => {
    expect(errorOf(source).code).toBe(code);
  });

  test.each([
    "cf.threat_score eq 9223372036854775807",
    "cf.threat_score eq -9223372036854775808",
    "cf.threat_score eq 0777777777777777777777",
    'cf.sequence.previous_ops[4294967295] eq "a"',
    `http.host eq r${"#".repeat(255)}"a"${"#".repeat(255)}`,
  ])("%s is fine", (source) => {
    expect(() => parseFilter(source, SCHEME)).not.toThrow();
  });
});
