/** Errors that teach: where, what was expected and found, the nearest name, all mistakes at once. */
import { describe, expect, test } from "vitest";
import {
  createScheme,
  ERROR_CATALOGUE,
  ExpressionError,
  parseFilter,
  parseValue,
  compileFilter,
} from "../../src/expression/index.ts";
import { errorOf, SCHEME } from "./support.ts";

describe("message and underlined text", () => {
  test.each([
    [
      'http.hots eq "a"',
      "http.hots",
      "unknown identifier: expected the name of a field, found `http.hots`, did you mean `http.host`?",
    ],
    [
      'cf.sequence.previous_op[0] eq "a"',
      "cf.sequence.previous_op",
      "did you mean `cf.sequence.previous_ops`?",
    ],
    ['lowercase(http.host) eq "a"', "lowercase", "did you mean `lower`?"],
    ['Any(cf.sequence.previous_ops[*] == "a")', "Any", "did you mean `any`?"],
    [
      "quite.different eq 1",
      "quite.different",
      "unknown identifier: expected the name of a field, found `quite.different`",
    ],
    ["ssl and true", "true", "`true` stands alone as a whole expression"],
    ['http.host = "a"', '= "a"', "write `==` or `eq`"],
    ['http.host => "a"', '=> "a"', "write `>=`"],
    ['http.host =< "a"', '=< "a"', "write `<=`"],
    ['http.host is "a"', 'is "a"', "write `eq`"],
    ['http.host like "a"', 'like "a"', "write `wildcard` or `contains`"],
    ['http.host not in {"a"}', 'not in {"a"}', "write `not` in front of the comparison"],
    ['http.host ends_with "a"', 'ends_with "a"', "`ends_with` is a function: write `ends_with(field, …)`"],
    ["http.host eq 'a'", "'a", "expected double quotes around the text, found `'`"],
    ['http.host in {"a", "b"}', ", ", "expected spaces between the items, found `,`"],
    ["cf.threat_score in {1, 2}", ", 2}", "expected spaces between the items, found `,`"],
    ["ip.src == 10.0.0.0/8", "10.0.0.0/8", "a CIDR stands inside `{}`"],
    ["ip.src in {10.0.0.1/8}", "10.0.0.1", "all host bits zero"],
    [
      "cf.threat_score == 99999999999999999999999999999999",
      "99999999999999999999999999999999",
      "expected a 64-bit integer, found `999999999999999999999999…`",
    ],
    ["cf.threat_score == 09", "09", "expected octal digits, found `09`"],
    ["cf.threat_score in {9..1}", "9..1", "expected a range from low to high"],
    ['http.host == "\\n"', "n", 'expected `"`, `\\`, xHH or OOO after `\\`, found `n`'],
    ['http.host == "a', "a", 'expected `"` at the end of the string'],
    ['http.host == r#"a"', '#"a"', 'expected `"#` at the end of the string'],
    [
      'cf.threat_score contains "5"',
      "contains",
      "cannot perform this operation on type `Int`: expected `Bytes` on the left of `contains`",
    ],
    ['cf.sequence.previous_ops eq "a"', "eq", "cannot perform this operation on type `Array<Bytes>`"],
    ['http.host[0] eq "a"', "[0]", "expected no subscript on type `Bytes`"],
    ['http.request.headers[0] eq "a"', "[0]", 'expected `["key"]` or `[*]` on type `Map<Array<Bytes>>`'],
    ['cf.sequence.previous_ops["a"] eq "a"', '["a"]', "expected `[0]` or `[*]` on type `Array<Bytes>`"],
    ['cf.sequence.previous_ops[*] eq "a"', "", "wrap it in `any(…)` or `all(…)`"],
    ['ssl and cf.sequence.previous_ops[*] == "a"', "", "wrap the array in `any(…)` or `all(…)`"],
    ["any(ssl)", "ssl", "expected value of type `Array<Bool>` in `any(…)`"],
    ["len(http.host, ssl) == 1", "ssl) == 1", "expected 1 argument of `len`, found 2"],
    ['concat(http.host) == "a"', ') == "a"', "expected at least 2 arguments of `concat`, found 1"],
    ['substring(http.host) == "a"', ') == "a"', "expected 2 to 3 arguments of `substring`, found 1"],
    ['concat(http.host, 5) == "a"', "5", "expected type `Bytes` as argument 2 of `concat`, found type `Int`"],
    [
      'split(http.host, ",", 200)[0] == "a"',
      "200",
      "expected a limit from 1 to 128 as argument 3 of `split`, found `200`",
    ],
    ['split(http.host, "", 2)[0] == "a"', '""', "expected a separator that is not empty"],
    ['split(http.host, http.host, 2)[0] == "a"', "http.host", "expected a literal as argument 2 of `split`"],
    ['encode_base64(http.host, "uu") == "a"', '"uu"', "expected flags out of `u` and `p`"],
    ['regex_replace(http.host, "a", "${9}") == "a"', '"${9}"', "expected groups from `${1}` to `${8}`"],
    ['regex_replace(http.host, "(", "") == "a"', '"("', "a regular expression (unclosed group"],
    ['regex_replace(http.host, "\\xff", "") == "a"', '"\\xff"', "not valid UTF-8"],
    ['wildcard_replace(http.host, "*", "", "i") == "a"', '"i"', 'expected the flag `"s"`'],
    ['lookup_json_string(http.host, -1) == "a"', "-1", "expected a key or an index from 0"],
    ["bit_slice(http.host, 1, 2) == 1", "bit_slice", "`bit_slice` is not available: it reads packets"],
    ['is_jwt_valid("x")', "is_jwt_valid", "is not available: it needs the token validation"],
    ['http.host matches "(?=a)"', "(?=a)", "expected a regular expression: look-around is not supported"],
    ['http.host wildcard "a**"', '"a**"', "expected a wildcard: expected at most one `*` in a row"],
    [
      'lower(cf.nope) == "a"',
      'cf.nope) == "a"',
      "unknown identifier: expected the name of a field, found `cf.nope`",
    ],
    ["ip.src in $Office", "Office", "expected a list name after `$`"],
    ["ip.src in $.a", ".a", "neither starts nor ends with `.`"],
    ["ssl)", ")", "unrecognised input: expected the end, found `)`"],
    ["ssl eq true", " eq true", "a value of type `Bool` stands alone: leave out `eq`"],
    ["(ssl == 1)", "== 1)", "a value of type `Bool` stands alone: leave out `==`"],
    ['starts_with(http.host, "a") eq true and ssl', " eq true and ssl", "stands alone: leave out `eq`"],
    ['http.host eq "a" AND ssl', " AND ssl", "operators are lower case: write `and`"],
    ['http.host EQ "a"', 'EQ "a"', "operators are lower case: write `eq`"],
    ['NOT http.host eq "a"', "NOT", "operators are lower case: write `not`"],
    ['http.host eq "a" # x', " # x", "the language has no comments"],
    ['http.host eq "a" // x', " // x", "the language has no comments"],
    ['http.host\teq "a"', '\teq "a"', "found a tab, which does not separate words: write a space"],
    ["ssl\tand ssl", "\tand ssl", "found a tab, which does not separate words: write a space"],
    ['http.host eq\u00a0"a"', '\u00a0"', "found U+00A0, which does not separate words: write a space"],
    ["http.host eq \u201ca\u201d", "\u201ca", 'expected straight quotes `"` around the text, found `\u201c`'],
    ['contains(http.host, "a") eq 1', "contains", "`contains` is an operator: write `field contains …`"],
    ["ip.src in 10.0.0.0/8", "10.0.0.0/8", "expected `{` or `$`, found `10.0.0.0/8`"],
    ["(ssl", "", "expected `)`, found the end of the expression"],
  ])("%s", (source, underlined, message) => {
    const error = errorOf(source);
    expect(error.message).toContain(message);
    const from = error.column - 1;
    expect(
      Buffer.from(source)
        .subarray(from, from + error.length)
        .toString(),
    ).toBe(underlined);
    expect(error.message).toMatch(/^[^A-Z].*[^.]$/s);
  });
});

describe("the form of the reference engine", () => {
  test("position, line, carets", () => {
    expect(errorOf('ssl\nand http.hots eq "a"').render()).toBe(
      [
        "Filter parsing error (2:5):",
        'and http.hots eq "a"',
        "    ^^^^^^^^^ unknown identifier: expected the name of a field, found `http.hots`, did you mean `http.host`?",
      ].join("\n"),
    );
  });

  test("column and length count bytes, carets count the cells of a terminal", () => {
    const error = errorOf('http.host == "é😀" and hé');
    expect(error).toMatchObject({ line: 1, column: 27, length: 1 });
    expect(error.render().split("\n").at(-1)).toMatch(/^ {23}\^ /);
    const wide = errorOf('http.host == "日本e\u0301" and nope');
    expect(wide.render().split("\n").at(-1)).toMatch(/^ {25}\^{4} /);
  });

  test("tabs, CRLF and control characters do not move the carets, nor reach a terminal", () => {
    expect(errorOf('http.host == "\t\u001b[2J" and\r\nnope or ssl\r\n').render()).toBe(
      [
        "Filter parsing error (2:1):",
        "nope or ssl",
        "^^^^ unknown identifier: expected the name of a field, found `nope`",
      ].join("\n"),
    );
    expect(errorOf('http.host == "\t\u001b[2J"\rand nope').render().split("\n").slice(1)).toEqual([
      'http.host == " \ufffd[2J" and nope',
      expect.stringMatching(/^ {25}\^{4} unknown/),
    ]);
  });

  test("an empty span has one caret", () => {
    expect(errorOf("ssl and").render().split("\n").at(-1)).toMatch(/^ {7}\^ expected a field or function/);
  });

  test("leading white space counts", () => {
    expect(errorOf("\t\u00a0nope")).toMatchObject({ line: 1, column: 4, length: 4 });
    expect(errorOf("\n\n  nope")).toMatchObject({ line: 3, column: 3, length: 4 });
  });

  test("an error at a line's end stays on that line", () => {
    expect(errorOf('http.host ==\n"a')).toMatchObject({ line: 2, column: 2, length: 1 });
    expect(errorOf("ssl x\nssl")).toMatchObject({ line: 1, column: 4, length: 2 });
  });
});

describe("all mistakes at once", () => {
  test("of names and types, in order; the first is the reference engine's", () => {
    const { errors } = errorOf(
      'nope eq 1 and cf.threat_score contains "5" and any(ssl) and lower(ssl) eq "a" or http.host matches "(" or len(gone) in {1 2}',
    );
    expect(errors.map(({ code }) => code)).toEqual([
      "unknown_field",
      "unsupported_operator",
      "type_mismatch",
      "argument_type",
      "invalid_regex",
      "unknown_field",
    ]);
    expect(errors.map(({ column }) => column)).toEqual([1, 31, 52, 67, 101, 111]);
  });

  test("a part with an error causes no second one", () => {
    expect(
      errorOf('any(nope[0]["a"][*] contains "x") and any(nope[*] in {"a" r"b" 1.2.3.4/8}) and len(nope) > 1')
        .errors,
    ).toHaveLength(3);
    expect(
      errorOf('nope matches r"(" or nope wildcard "**" or nope in $list or nope & 5 or not nope').errors,
    ).toHaveLength(5);
    expect(errorOf('gone(nope, ssl) and concat(nope, "a") eq "b"').errors.map(({ code }) => code)).toEqual([
      "unknown_function",
      "unknown_field",
      "unknown_field",
    ]);
  });

  test("literals of another type than the left side's", () => {
    const source =
      'cf.threat_score eq "5" and http.host contains 5 and ip.src eq "::1" and nope eq 1 and cf.threat_score in {"a" 1} or http.host eq 1.2.3.4';
    const { errors } = errorOf(source);
    expect(errors.map(({ column, code }) => [column, code])).toEqual([
      [20, "expected_name"],
      [47, "invalid_integer"],
      [63, "expected_name"],
      [73, "unknown_field"],
      [107, "expected_name"],
      [130, "invalid_integer"],
    ]);
    expect(errors[0]).toMatchObject({ length: source.length - 19 });
    expect(errors[0]?.message).toContain("`Int`");
  });

  test("what cannot be read ends the search, and is not shown behind another mistake", () => {
    expect(errorOf("nope eq 1 and ssl ssl").errors.map(({ code }) => code)).toEqual(["unknown_field"]);
    expect(errorOf("nope in {1").errors.map(({ code }) => code)).toEqual(["unknown_field"]);
    expect(errorOf("nope eq ,").errors.map(({ code }) => code)).toEqual(["unknown_field"]);
    expect(errorOf("ssl ssl and nope").errors.map(({ code }) => code)).toEqual(["unrecognised_input"]);
  });

  test("not more than twenty", () => {
    expect(errorOf(Array.from({ length: 50 }, () => "nope").join(" or ")).errors).toHaveLength(20);
    expect(errorOf("http.host eq 5 and ".repeat(50) + "ssl").errors).toHaveLength(20);
  });

  test("too many arguments are one mistake, however many", () => {
    expect(errorOf("len(http.host, ssl, ssl, ssl) eq 1").errors).toHaveLength(1);
  });

  test("render shows each", () => {
    expect(
      errorOf("nope and gone")
        .render()
        .match(/Filter parsing error/g),
    ).toHaveLength(2);
  });
});

describe("fields and functions that are known but not available", () => {
  const scheme = createScheme({
    fields: [
      { name: "ssl", type: "Bool" },
      { name: "ip.src.country", type: "Bytes", unavailable: "it needs a map of the world" },
    ],
    refusedFunctions: new Map([["lower", "this phase has no text"]]),
  });

  test("are refused by name, with the reason, and still checked", () => {
    const { errors } = errorOf('ip.src.country contains 5 or lower(ip.src.country) eq "x"', scheme);
    expect(errors[0]).toMatchObject({
      code: "unavailable_field",
      category: "unknown_field",
      message: "`ip.src.country` is not available: it needs a map of the world",
    });
    const again = errorOf('lower(ip.src.country) eq "x"', scheme).errors;
    expect(again.map(({ code }) => code)).toEqual(["unavailable_function", "unavailable_field"]);
  });

  test("have no slot", () => {
    expect(scheme.slotOf("ip.src.country")).toBeUndefined();
    expect(scheme.slotOf("nope")).toBeUndefined();
    expect(scheme.slotOf("ssl")).toBe(0);
  });
});

describe("programmers' mistakes are TypeErrors", () => {
  test.each([
    [
      [
        { name: "a", type: "Bool" as const },
        { name: "a", type: "Int" as const },
      ],
      "a second time",
    ],
    [[{ name: "lower", type: "Bool" as const }], "a second time"],
    [[{ name: "a", type: "Map<Text>" as const }], "expected a type such as"],
    [
      [{ name: "a", type: `${"Array<".repeat(40)}Int${">".repeat(40)}` as "Array<Int>" }],
      "expected a type such as",
    ],
  ])("scheme %#", (fields, message) => {
    expect(() => createScheme({ fields })).toThrow(TypeError);
    expect(() => createScheme({ fields })).toThrow(message);
  });

  test("an error without a fault", () => {
    expect(() => new ExpressionError("", [])).toThrow(TypeError);
  });
});

test("a list that does not exist is found when compiling, with its place", () => {
  const filter = parseFilter("ssl and ip.src in $office", SCHEME);
  expect(() => compileFilter(filter)).toThrow(ExpressionError);
  expect(() => compileFilter(filter)).toThrow(
    expect.objectContaining({ code: "unknown_list", category: "list", column: 9, length: 17 }),
  );
});

test("the length limit is the host's", () => {
  const source = `http.host eq "${"a".repeat(100)}"`;
  expect(() => parseFilter(source, SCHEME, { maxCharacters: 50 })).toThrow("expected at most 50 characters");
  expect(() => parseValue(source, SCHEME, { maxCharacters: 50 })).toThrow("expected at most 50 characters");
  expect(() => parseFilter(source, SCHEME, { maxCharacters: source.length })).not.toThrow();
});

test("every code has a category and a sentence", () => {
  for (const [code, { category, meaning }] of Object.entries(ERROR_CATALOGUE)) {
    expect(code).toMatch(/^[a-z_]+$/);
    expect(category).toMatch(/^[a-z_]+$/);
    expect(meaning).toMatch(/^[^A-Z].*[^.]$/);
  }
});
