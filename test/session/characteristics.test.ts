import { describe, expect, test } from "vitest";

import { checkCharacteristics, checkTokenSources } from "../../src/session/index.ts";

const CONFIG = "4a7ee8d3-dd63-4ceb-9d5f-c27831854ce7";
const configs = new Set([CONFIG]);
const check = (input: unknown) => checkCharacteristics(input, configs);

/** `<pointer> <message>` of everything that is refused. */
function problems(input: unknown): readonly string[] {
  const checked = check(input);
  return checked.kind === "errors"
    ? checked.errors.map(({ pointer, message }) => `${pointer} ${message}`)
    : [];
}

describe("accepted", () => {
  test("the three types of the documentation, header names in lower case", () => {
    const input = [
      { type: "header", name: "Authorization" },
      { type: "cookie", name: "Session" },
      { type: "jwt", name: `${CONFIG}:$.sub` },
    ];
    expect(check(input)).toEqual({
      kind: "valid",
      characteristics: [{ type: "header", name: "authorization" }, input[1], input[2]],
    });
  });

  test("none", () => {
    expect(check([])).toEqual({ kind: "valid", characteristics: [] });
  });

  test.each([
    "$.sub",
    "$.user.id",
    '$["https://example.com/id"]',
    "$['a b'].c[0]",
    "$.user-id",
    "$[0]",
    "$.a.$b".replace("$b", "b"),
  ])("the claim path %s", (path) => {
    expect(problems([{ type: "jwt", name: `${CONFIG}:${path}` }])).toEqual([]);
  });
});

describe("refused, with a pointer to it", () => {
  test.each<[unknown, string]>([
    [
      {},
      "/auth_id_characteristics '{}' is not a valid value for auth_id_characteristics because it must be a list",
    ],
    [null, "/auth_id_characteristics "],
    [[5], "/auth_id_characteristics/0 '5' is not a valid value for auth_id_characteristics because"],
    [[{ name: "x" }], "/auth_id_characteristics/0/type "],
    [
      [{ type: "query", name: "x" }],
      "/auth_id_characteristics/0/type 'query' is not a valid value for type because the type must be one of header, cookie, jwt",
    ],
    [[{ type: "header" }], "/auth_id_characteristics/0/name "],
    [[{ type: "header", name: "" }], "/auth_id_characteristics/0/name "],
    [[{ type: "header", name: "x".repeat(129) }], "/auth_id_characteristics/0/name "],
    [
      [{ type: "header", name: "a b" }],
      "/auth_id_characteristics/0/name 'a b' is not a valid value for name because it is no name of a header",
    ],
    [[{ type: "header", name: "x\r\ny" }], "/auth_id_characteristics/0/name 'x\\u000d\\u000ay'"],
    [[{ type: "header", name: "Cookie" }], "/auth_id_characteristics/0/name "],
    [[{ type: "header", name: "host" }], "/auth_id_characteristics/0/name "],
    [[{ type: "cookie", name: "a;b" }], "/auth_id_characteristics/0/name "],
    [[{ type: "cookie", name: "__Host-sq.0AAAA" }], "/auth_id_characteristics/0/name "],
    [[{ type: "jwt", name: "$.sub" }], "/auth_id_characteristics/0/name "],
    [[{ type: "jwt", name: `${CONFIG}$.sub` }], "/auth_id_characteristics/0/name "],
    [[{ type: "jwt", name: `${"0".repeat(32)}:$.sub` }], "/auth_id_characteristics/0/name "],
  ])("%j", (input, expected) => {
    const found = problems(input);
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(expected);
  });

  test.each([
    "$",
    "$.",
    "$..sub",
    "$.*",
    "$[*]",
    "$[?(@.a)]",
    "$.a[0:2]",
    "$[-1]",
    "$[01]",
    "$.a b",
    "$['a",
    '$["a"',
    "$.a.",
    "$[]",
    "$['']",
    `$${".a".repeat(17)}`,
  ])("the claim path %s, which names no value or more than one", (path) => {
    const found = problems([{ type: "jwt", name: `${CONFIG}:${path}` }]);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(/^\/auth_id_characteristics\/0\/name /);
  });

  test("more than ten", () => {
    const input = Array.from({ length: 11 }, (_, index) => ({ type: "header", name: `x-${index}` }));
    expect(problems(input)[0]).toContain("at most 10 session identifiers, and these are 11");
    expect(problems(input.slice(1))).toEqual([]);
  });

  test("the same twice: header names regardless of case, cookie names not", () => {
    const header = [
      { type: "header", name: "X-Key" },
      { type: "header", name: "x-key" },
    ];
    expect(problems(header)[0]).toMatch(/^\/auth_id_characteristics\/1\/name /);
    const cookie = [
      { type: "cookie", name: "Sid" },
      { type: "cookie", name: "sid" },
    ];
    expect(problems(cookie)).toEqual([]);
  });

  test("everything at once", () => {
    expect(
      problems([
        { type: "x", name: "a" },
        { type: "header", name: "" },
      ]),
    ).toHaveLength(2);
  });
});

describe("token sources", () => {
  test("headers and cookies, with the first value", () => {
    expect(
      checkTokenSources(['http.request.headers["X-Auth"][0]', ' http.request.cookies["Authorization"][0] ']),
    ).toEqual({
      sources: [
        { type: "header", name: "x-auth" },
        { type: "cookie", name: "Authorization" },
      ],
      errors: [],
    });
  });

  test.each([
    'http.request.headers["a"][1]',
    'http.request.headers["a"][*]',
    'http.request.headers["a"]',
    "http.request.headers['a'][0]",
    'http.request.headers["a b"][0]',
    'http.request.headers["a\\"b"][0]',
    'http.request.headers["a"][0] or true',
    'lower(http.request.headers["a"][0])',
    'http.request.uri.args["a"][0]',
    'http.request.headers[""][0]',
    `http.request.headers["${"a".repeat(129)}"][0]`,
    "",
    5,
  ])("refuses %j", (source) => {
    const { errors } = checkTokenSources(['http.request.headers["x"][0]', source]);
    expect(errors.map(({ pointer }) => pointer)).toEqual(["/token_sources/1"]);
  });

  test.each([null, [], {}, Array.from({ length: 9 }, () => 'http.request.headers["x"][0]')])(
    "refuses the list %j",
    (value) => {
      expect(checkTokenSources(value).errors).toHaveLength(1);
    },
  );
});
