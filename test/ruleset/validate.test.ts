/** What rules are refused for, phase by phase, with the place of each mistake. */
import { describe, expect, test } from "vitest";
import { checkRule, createExpressionChecker } from "../../src/ruleset/index.ts";
import type { ListKind, Phase, RulesetKind } from "../../src/ruleset/index.ts";

const LISTS = new Map<string, ListKind>([
  ["offices", "ip"],
  ["networks", "asn"],
  ["sites", "hostname"],
  ["moved", "redirect"],
]);
const expressions = createExpressionChecker(LISTS);

type Problem = readonly [pointer: string, kind: string];

function problems(rule: unknown, phase: Phase, kind: RulesetKind = "zone"): readonly Problem[] {
  return checkRule(rule, { phase, kind, expressions }, "/r").map((issue) => [issue.pointer, issue.kind]);
}

function expectProblems(rule: unknown, phase: Phase, expected: readonly Problem[], kind?: RulesetKind): void {
  expect(problems(rule, phase, kind)).toEqual(expected);
}

const CUSTOM = "http_request_firewall_custom";
const LIMIT = "http_ratelimit";
const BULK = "http_request_redirect";
const SINGLE = "http_request_dynamic_redirect";
const REQUEST = "http_request_late_transform";
const RESPONSE = "http_response_headers_transform";
const rule = (extra: object): object => ({ action: "log", expression: "ssl", ...extra });

describe("every rule", () => {
  test.each<[string, unknown, readonly Problem[]]>([
    ["that is no object", 7, [["/r", "invalid"]]],
    [
      "without anything",
      {},
      [
        ["/r/expression", "missing"],
        ["/r/action", "missing"],
      ],
    ],
    ["with a blank expression", rule({ expression: " \n" }), [["/r/expression", "blank_expression"]]],
    ["with a syntax error", rule({ expression: "ssl and" }), [["/r/expression", "expression"]]],
    ["with an unknown field", rule({ expression: 'http.hots eq "a"' }), [["/r/expression", "expression"]]],
    ["that is no condition", rule({ expression: "http.host" }), [["/r/expression", "expression"]]],
    ["with an expression of another type", rule({ expression: ["ssl"] }), [["/r/expression", "invalid"]]],
    ["longer than the limit", rule({ expression: `ssl${" ".repeat(4100)}` }), [["/r/expression", "invalid"]]],
    ["with an unknown action", rule({ action: "blok" }), [["/r/action", "not_supported"]]],
    ["with an action of another phase", rule({ action: "rewrite" }), [["/r/action", "not_supported"]]],
    ["with an id that is none", rule({ id: "XYZ" }), [["/r/id", "invalid"]]],
    ["with an empty ref", rule({ ref: "" }), [["/r/ref", "invalid"]]],
    ["with enabled as a text", rule({ enabled: "true" }), [["/r/enabled", "invalid"]]],
    ["with logging of nothing", rule({ logging: {} }), [["/r/logging/enabled", "missing"]]],
    ["with a rate limit in another phase", rule({ ratelimit: {} }), [["/r/ratelimit", "parameters"]]],
    [
      "with parameters for log",
      rule({ action_parameters: { a: 1 } }),
      [["/r/action_parameters/a", "parameters"]],
    ],
    ["with on_state_error", rule({ on_state_error: "block" }), []],
    [
      "with an on_state_error of another kind",
      rule({ on_state_error: "log" }),
      [["/r/on_state_error", "invalid"]],
    ],
    ["with on_state_error as a boolean", rule({ on_state_error: true }), [["/r/on_state_error", "invalid"]]],
    [
      "that skips, with on_state_error: nobody is let off for knowing nothing",
      rule({ action: "skip", action_parameters: { ruleset: "current" }, on_state_error: "block" }),
      [["/r/on_state_error", "parameters"]],
    ],
    ["with unknown members", rule({ note: { any: ["thing"] } }), []],
    ["with empty parameters", rule({ action_parameters: {} }), []],
    ["of a list that fits", rule({ expression: "ip.src in $offices" }), []],
    [
      "of a list of another kind",
      rule({ expression: "ip.src in $sites" }),
      [["/r/expression", "expression"]],
    ],
    [
      "of a redirect list",
      rule({ expression: "http.request.full_uri in $moved" }),
      [["/r/expression", "expression"]],
    ],
  ])("%s", (_, value, expected) => expectProblems(value, CUSTOM, expected));

  test("several mistakes are told at once", () => {
    const found = problems({ id: 1, expression: "", action: "x", enabled: 0, description: [] }, CUSTOM);
    expect(found.map(([pointer]) => pointer)).toEqual([
      "/r/id",
      "/r/description",
      "/r/enabled",
      "/r/expression",
      "/r/action",
    ]);
  });

  test("the place in an expression is given in lines and bytes", () => {
    const [issue] = checkRule(
      { action: "log", expression: 'ssl\nand "é" eq x' },
      { phase: CUSTOM, kind: "zone", expressions },
    );
    expect(issue?.place).toMatchObject({ line: 2, column: 5 });
    expect(issue?.reason).toContain("^");
  });
});

describe("block", () => {
  const response = { status_code: 403, content_type: "application/json", content: "{}" };
  const block = (parameters: unknown): object => rule({ action: "block", action_parameters: parameters });
  const at = "/r/action_parameters/response";

  test.each<[string, object, readonly Problem[]]>([
    ["alone", rule({ action: "block" }), []],
    ["with a response", block({ response }), []],
    [
      "with half a response",
      block({ response: { status_code: 403 } }),
      [
        [`${at}/content_type`, "missing"],
        [`${at}/content`, "missing"],
      ],
    ],
    ["with 200", block({ response: { ...response, status_code: 200 } }), [[`${at}/status_code`, "invalid"]]],
    ["with 500", block({ response: { ...response, status_code: 500 } }), [[`${at}/status_code`, "invalid"]]],
    [
      "with half a status",
      block({ response: { ...response, status_code: 403.5 } }),
      [[`${at}/status_code`, "invalid"]],
    ],
    [
      "with an image",
      block({ response: { ...response, content_type: "image/png" } }),
      [[`${at}/content_type`, "invalid"]],
    ],
    ["with 2 KB of text", block({ response: { ...response, content: "x".repeat(2048) } }), []],
    [
      "with more",
      block({ response: { ...response, content: "x".repeat(2049) } }),
      [[`${at}/content`, "invalid"]],
    ],
    [
      "with more in bytes",
      block({ response: { ...response, content: "é".repeat(1025) } }),
      [[`${at}/content`, "invalid"]],
    ],
    [
      "with parameters of another action",
      block({ from_value: {} }),
      [["/r/action_parameters/from_value", "parameters"]],
    ],
  ])("%s", (_, value, expected) => expectProblems(value, CUSTOM, expected));

  test("rate limits may answer with 30 KB", () => {
    const limited = {
      ...block({ response: { ...response, status_code: 429, content: "x".repeat(30_720) } }),
      ratelimit: { characteristics: ["cf.colo.id"], period: 10, requests_per_period: 1 },
    };
    expectProblems(limited, LIMIT, []);
  });
});

describe("skip and execute", () => {
  const id = "a".repeat(32);
  const skip = (parameters: unknown): object => rule({ action: "skip", action_parameters: parameters });

  test.each<[string, object, readonly Problem[]]>([
    ["the rest of the ruleset", skip({ ruleset: "current" }), []],
    ["products and phases", skip({ phases: [LIMIT], products: ["waf", "rateLimit"] }), []],
    ["the rest of the phase", skip({ phase: "current", products: ["bic"] }), []],
    ["rulesets and rules", skip({ rulesets: [id], rules: { [id]: [id] } }), []],
    ["nothing at all", rule({ action: "skip" }), [["/r/action_parameters", "parameters"]]],
    ["nothing", skip({}), [["/r/action_parameters", "parameters"]]],
    ["another ruleset", skip({ ruleset: id }), [["/r/action_parameters/ruleset", "invalid"]]],
    ["an unknown product", skip({ products: ["WAF"] }), [["/r/action_parameters/products/0", "invalid"]]],
    ["an empty list", skip({ phases: [] }), [["/r/action_parameters/phases", "invalid"]]],
    [
      "a rule by another id",
      skip({ rules: { [id]: ["1"] } }),
      [[`/r/action_parameters/rules/${id}/0`, "invalid"]],
    ],
  ])("skip %s", (_, value, expected) => expectProblems(value, CUSTOM, expected));

  test("the rest of the phase only in a zone", () => {
    expectProblems(
      skip({ phase: "current" }),
      CUSTOM,
      [["/r/action_parameters/phase", "parameters"]],
      "root",
    );
  });

  test("execute only at the entry point of an account", () => {
    const execute = rule({ action: "execute", action_parameters: { id } });
    expectProblems(execute, CUSTOM, [], "root");
    expectProblems(execute, CUSTOM, [["/r/action", "not_supported"]], "custom");
    expectProblems(execute, CUSTOM, [["/r/action", "not_supported"]]);
    const overrides = rule({ action: "execute", action_parameters: { id, overrides: {} } });
    expectProblems(overrides, CUSTOM, [["/r/action_parameters/overrides", "parameters"]], "root");
  });
});

const limit = (extra: object): object => ({
  action: "block",
  expression: "ssl",
  ratelimit: { characteristics: ["ip.src", "cf.colo.id"], period: 60, requests_per_period: 10, ...extra },
});

describe("rate limits", () => {
  const at = "/r/ratelimit";

  test.each<[string, object, readonly Problem[]]>([
    [
      "as documented",
      limit({ mitigation_timeout: 600, requests_to_origin: true, counting_expression: "" }),
      [],
    ],
    ["counting by the response", limit({ counting_expression: "http.response.code eq 401" }), []],
    ["missing", { action: "block", expression: "ssl" }, [[at, "missing"]]],
    [
      "without the data centre",
      limit({ characteristics: ["ip.src"] }),
      [[`${at}/characteristics`, "missing"]],
    ],
    ["without characteristics", limit({ characteristics: [] }), [[`${at}/characteristics`, "invalid"]]],
    [
      "with one twice",
      limit({ characteristics: ["cf.colo.id", "ip.src", "ip.src"] }),
      [[`${at}/characteristics/2`, "duplicate"]],
    ],
    [
      "by headers, cookies and arguments",
      limit({
        characteristics: [
          "cf.colo.id",
          'http.request.headers["x-id"]',
          'http.request.cookies["s"]',
          'http.request.uri.args["q"]',
          "http.host",
        ],
      }),
      [],
    ],
    [
      "by a header in upper case",
      limit({ characteristics: ["cf.colo.id", 'http.request.headers["X-Id"]'] }),
      [[`${at}/characteristics/1`, "invalid"]],
    ],
    [
      "by an unknown field",
      limit({ characteristics: ["cf.colo.id", "cf.nonsense"] }),
      [[`${at}/characteristics/1`, "not_supported"]],
    ],
    [
      "by the visitor cookie",
      limit({ characteristics: ["cf.colo.id", "cf.unique_visitor_id"] }),
      [[`${at}/characteristics/1`, "not_supported"]],
    ],
    ["with period 0", limit({ period: 0 }), [[`${at}/period`, "invalid"]]],
    ["with a period of text", limit({ period: "60" }), [[`${at}/period`, "invalid"]]],
    ["of 0 requests", limit({ requests_per_period: 0 }), [[`${at}/requests_per_period`, "invalid"]]],
    ["of nothing", limit({ requests_per_period: undefined }), [[`${at}/requests_per_period`, "missing"]]],
    [
      "of a score",
      limit({ requests_per_period: undefined, score_per_period: 5, score_response_header_name: "x-score" }),
      [],
    ],
    [
      "of a score without a header",
      limit({ requests_per_period: undefined, score_per_period: 5 }),
      [[`${at}/score_response_header_name`, "missing"]],
    ],
    [
      "of both",
      limit({ score_per_period: 5, score_response_header_name: "x-score" }),
      [[`${at}/score_per_period`, "parameters"]],
    ],
    [
      "counting nonsense",
      limit({ counting_expression: "ssl or" }),
      [[`${at}/counting_expression`, "expression"]],
    ],
    [
      "acting on the response",
      { ...limit({}), expression: "http.response.code eq 401" },
      [["/r/expression", "expression"]],
    ],
  ])("%s", (_, value, expected) => expectProblems(value, LIMIT, expected));
});

const bulk = (
  expression: string,
  from: object = { name: "moved", key: "http.request.full_uri" },
): object => ({
  action: "redirect",
  expression,
  action_parameters: { from_list: from },
});

describe("bulk redirects", () => {
  const name = "/r/action_parameters/from_list/name";

  test.each<[string, object, readonly Problem[]]>([
    ["alone", bulk("http.request.full_uri in $moved"), []],
    [
      "with the sequence",
      bulk('http.request.full_uri in $moved and cf.sequence.current_op eq "bbbbbbbb"'),
      [],
    ],
    ["in parentheses", bulk('(http.host eq "a") and (http.request.full_uri in $moved)'), []],
    ["of another field than the key", bulk("raw.http.request.full_uri in $moved"), [[name, "parameters"]]],
    ["of no list", bulk("ssl"), [[name, "parameters"]]],
    ["or something else", bulk("http.request.full_uri in $moved or ssl"), [[name, "parameters"]]],
    ["negated", bulk("not http.request.full_uri in $moved"), [[name, "parameters"]]],
    ["through a function", bulk("lower(http.request.full_uri) in $moved"), [[name, "parameters"]]],
    [
      "with another key",
      bulk("http.request.full_uri in $moved", { name: "moved", key: "http.host" }),
      [["/r/action_parameters/from_list/key", "invalid"]],
    ],
    [
      "with a target of its own",
      { ...bulk("http.request.full_uri in $moved"), action_parameters: { from_value: {} } },
      [
        ["/r/action_parameters/from_value", "parameters"],
        ["/r/action_parameters/from_list", "missing"],
      ],
    ],
  ])("%s", (_, value, expected) => expectProblems(value, BULK, expected, "root"));
});

const to = (target: object, extra: object = {}): object => ({
  action: "redirect",
  expression: "ssl",
  action_parameters: { from_value: { target_url: target, ...extra } },
});

describe("single redirects", () => {
  const at = "/r/action_parameters/from_value/target_url";

  test.each(["https://example.com/a?b=c#d", "http://[::1]:8080/", "/start", "/a//b", "HTTPS://Example.com"])(
    "to %s",
    (value) => expectProblems(to({ value }), SINGLE, []),
  );

  test.each([
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https:evil.example",
    "https:/evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "ftp://example.com/",
    "https://user:secret@example.com/",
    "https://example.com/\r\nset-cookie: a=b",
    "https://exa mple.com/",
    "https://",
    "start",
    " https://example.com",
  ])("never to %j", (value) => expectProblems(to({ value }), SINGLE, [[`${at}/value`, "invalid"]]));

  test.each<[string, object, readonly Problem[]]>([
    ["by expression", to({ expression: 'concat("https://", http.host, http.request.uri.path)' }), []],
    [
      "by an expression without the sequence",
      to({ expression: "cf.sequence.current_op" }),
      [[`${at}/expression`, "expression"]],
    ],
    ["by an expression of another type", to({ expression: "ip.src" }), [[`${at}/expression`, "invalid"]]],
    ["to both", to({ value: "/a", expression: "http.host" }), [[at, "parameters"]]],
    ["to nothing", to({}), [[at, "parameters"]]],
    ["with 303", to({ value: "/a" }, { status_code: 303, preserve_query_string: true }), []],
    [
      "with 200",
      to({ value: "/a" }, { status_code: 200 }),
      [["/r/action_parameters/from_value/status_code", "invalid"]],
    ],
    [
      "without parameters",
      { action: "redirect", expression: "ssl" },
      [["/r/action_parameters", "parameters"]],
    ],
  ])("%s", (_, value, expected) => expectProblems(value, SINGLE, expected));
});

const rewrite = (headers: unknown): object => ({
  action: "rewrite",
  expression: "ssl",
  action_parameters: { headers },
});

describe("headers", () => {
  const at = "/r/action_parameters/headers";
  const set = { operation: "set", value: "x" };

  test("the documented example", () => {
    const headers = {
      "X-Seq": { operation: "set", value: "static" },
      "X-Op": { operation: "set", expression: "cf.sequence.current_op" },
      "X-Old": { operation: "remove" },
    };
    expectProblems(rewrite(headers), REQUEST, []);
  });

  test.each([
    "Host",
    "host",
    "Connection",
    "Transfer-Encoding",
    "TE",
    "Trailer",
    "Upgrade",
    "Content-Length",
    "Keep-Alive",
    "X-Forwarded-For",
    "x-forwarded-proto",
    "X-Real-IP",
    "True-Client-IP",
    "Cookie",
    "CF-Ray",
    "X-CF-Anything",
    "Accept-Encoding",
    "Via",
  ])("%s cannot be set on requests", (name) =>
    expectProblems(rewrite({ [name]: set }), REQUEST, [[`${at}/${name}`, "invalid"]]),
  );

  test.each(["Cookie", "cf-connecting-ip", "User-Agent", "Referer"])(
    "%s can be removed from requests",
    (name) => expectProblems(rewrite({ [name]: { operation: "remove" } }), REQUEST, []),
  );

  test.each(["Host", "X-Forwarded-For", "CF-Ray"])("%s cannot be removed from requests", (name) =>
    expectProblems(rewrite({ [name]: { operation: "remove" } }), REQUEST, [[`${at}/${name}`, "invalid"]]),
  );

  test.each(["Server", "Connection", "Content-Length", "Transfer-Encoding", "cf-cache-status"])(
    "%s cannot be set on responses",
    (name) => expectProblems(rewrite({ [name]: set }), RESPONSE, [[`${at}/${name}`, "invalid"]]),
  );

  test.each<[string, unknown, Phase, readonly Problem[]]>([
    ["added to a response", { "X-A": { operation: "add", value: "1" } }, RESPONSE, []],
    [
      "added to a request",
      { "X-A": { operation: "add", value: "1" } },
      REQUEST,
      [[`${at}/X-A/operation`, "invalid"]],
    ],
    [
      "with CR and LF",
      { "X-A": { operation: "set", value: "a\r\nx: y" } },
      REQUEST,
      [[`${at}/X-A/value`, "invalid"]],
    ],
    [
      "with NUL",
      { "X-A": { operation: "set", value: "a\u0000" } },
      REQUEST,
      [[`${at}/X-A/value`, "invalid"]],
    ],
    [
      "with letters outside ASCII",
      { "X-A": { operation: "set", value: "é" } },
      REQUEST,
      [[`${at}/X-A/value`, "invalid"]],
    ],
    ["with a name outside the letters", { "X A": set }, REQUEST, [[`${at}/X A`, "invalid"]]],
    ["with a name that ends a line", { "X\r\nY": set }, REQUEST, [[`${at}/X\r\nY`, "invalid"]]],
    [
      "with value and expression",
      { "X-A": { operation: "set", value: "1", expression: "http.host" } },
      REQUEST,
      [[`${at}/X-A`, "parameters"]],
    ],
    ["with neither", { "X-A": { operation: "set" } }, REQUEST, [[`${at}/X-A`, "parameters"]]],
    [
      "removed with a value",
      { "X-A": { operation: "remove", value: "1" } },
      REQUEST,
      [[`${at}/X-A/value`, "parameters"]],
    ],
    ["twice in two spellings", { "X-A": set, "x-a": set }, REQUEST, [[`${at}/x-a`, "duplicate"]]],
    ["none at all", {}, REQUEST, [[at, "invalid"]]],
    [
      "with a response field in a request",
      { "X-A": { operation: "set", expression: 'http.response.headers["a"][0]' } },
      REQUEST,
      [[`${at}/X-A/expression`, "expression"]],
    ],
    [
      "with a response field in a response",
      { "X-A": { operation: "set", expression: 'http.response.headers["a"][0]' } },
      RESPONSE,
      [],
    ],
    ["of a hostile name", JSON.parse('{"__proto__":{"operation":"set","value":"1"}}'), REQUEST, []],
  ])("%s", (_, headers, phase, expected) => expectProblems(rewrite(headers), phase, expected));

  test("URL rewrites belong to a phase that Stepgate does not run", () => {
    const uri = {
      action: "rewrite",
      expression: "ssl",
      action_parameters: { uri: { path: { value: "/x" } } },
    };
    expect(problems(uri, REQUEST)).toContainEqual(["/r/action_parameters/uri", "not_supported"]);
  });
});
