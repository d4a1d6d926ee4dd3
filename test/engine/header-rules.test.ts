/** Phases `http_request_late_transform` and `http_response_headers_transform`. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { applyHeaderEdits, toHeaderValue } from "../../src/phases/header-edits.ts";
import type { HeaderEdit } from "../../src/phases/header-edits.ts";
import { toBytes } from "../../src/expression/index.ts";
import type { Rule } from "../../src/ruleset/index.ts";
import { A, B, createVisitor, headerOf, NOON, rule, ruleset, startEngine, zone } from "../support/engine.ts";

type Headers = Readonly<Record<string, { operation: string; value?: string; expression?: string }>>;
const rewrite = (headers: Headers, expression = "true", members: Partial<Rule> = {}): Rule =>
  rule(expression, { action: "rewrite", action_parameters: { headers }, ...members });
const requestZone = (...rules: readonly Rule[]) =>
  zone({ rulesets: [ruleset(rules, { phase: "http_request_late_transform" })] });
const responseZone = (...rules: readonly Rule[]) =>
  zone({ rulesets: [ruleset(rules, { phase: "http_response_headers_transform" })] });

describe("edits of a list", () => {
  test.each<[string, readonly HeaderEdit[], readonly string[]]>([
    [
      "set replaces every value, whatever its letters",
      [{ operation: "set", name: "X-A", value: "9" }],
      ["b", "2", "X-A", "9"],
    ],
    [
      "set adds what is not there",
      [{ operation: "set", name: "c", value: "3" }],
      ["x-a", "1", "b", "2", "X-A", "4", "c", "3"],
    ],
    [
      "add leaves the others",
      [{ operation: "add", name: "b", value: "5" }],
      ["x-a", "1", "b", "2", "X-A", "4", "b", "5"],
    ],
    ["remove drops every value", [{ operation: "remove", name: "x-A" }], ["b", "2"]],
    [
      "later edits win",
      [
        { operation: "set", name: "b", value: "6" },
        { operation: "remove", name: "B" },
      ],
      ["x-a", "1", "X-A", "4"],
    ],
    ["none", [], ["x-a", "1", "b", "2", "X-A", "4"]],
  ])("%s", (_name, edits, expected) => {
    expect(applyHeaderEdits(["x-a", "1", "b", "2", "X-A", "4"], edits)).toEqual(expected);
  });

  test("property: no text becomes a value that ends a header line", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const value = toHeaderValue(toBytes(text));
        if (value === undefined) return;
        expect(value).not.toMatch(/[^\t\x20-\x7e\x80-\xff]/);
        expect(value).toBe(value.replace(/^[\t ]+|[\t ]+$/g, ""));
      }),
      { numRuns: 10_000 },
    );
    for (const evil of ["a\r\nb: c", "a\nb", "a\rb", "a\0b", "\x7f", "\x1b[0m"])
      expect(toHeaderValue(evil)).toBeUndefined();
  });
});

const sent = async (
  rules: readonly Rule[],
  headers: Readonly<Record<string, string>> = {},
  target = "/other",
) => {
  const { engine, events } = startEngine([requestZone(...rules)]);
  const result = await createVisitor(engine).visit({ target, headers });
  return { events, get: (name: string) => headerOf(result.sent, name), ...result };
};

describe("request headers", () => {
  test("static and computed values, and removal", async () => {
    const { get } = await sent(
      [
        rewrite({
          "X-Static": { operation: "set", value: "one, two" },
          "X-Path": { operation: "set", expression: "http.request.uri.path" },
          "x-drop": { operation: "remove" },
        }),
      ],
      { "X-Drop": "1", "x-path": "forged" },
    );
    expect([get("x-static"), get("x-path"), get("x-drop")]).toEqual(["one, two", "/other", undefined]);
  });

  test("the origin learns the operation and what came before, and a visitor cannot forge it", async () => {
    const rules = [
      rewrite({
        "X-Op": { operation: "set", expression: "cf.sequence.current_op" },
        "X-Previous": { operation: "set", expression: 'join(cf.sequence.previous_ops, ",")' },
      }),
    ];
    const { engine } = startEngine([requestZone(...rules)]);
    const { visit } = createVisitor(engine);
    await visit({ target: "/a", at: NOON });
    const { sent: list } = await visit({
      method: "POST",
      target: "/b",
      at: NOON + 5,
      headers: { "X-Op": "forged", "X-Previous": "forged" },
    });
    expect([headerOf(list, "x-op"), headerOf(list, "x-previous")]).toEqual([B.shortId, A.shortId]);
    // No operation, no value: the header is removed, so that a forged one does not stay either.
    const other = await visit({ target: "/other", at: NOON + 9, headers: { "X-Op": "forged" } });
    expect(headerOf(other.sent, "x-op")).toBeUndefined();
  });

  test("rules see the values of the phase's start; the later one wins", async () => {
    const { get } = await sent(
      [
        rewrite({ "x-a": { operation: "set", value: "changed" } }),
        rewrite({ "x-b": { operation: "set", expression: 'http.request.headers["x-a"][0]' } }),
        rewrite({ "x-c": { operation: "set", value: "first" } }),
        rewrite({ "X-C": { operation: "set", value: "second" } }),
      ],
      { "x-a": "original" },
    );
    expect([get("x-a"), get("x-b"), get("x-c")]).toEqual(["changed", "original", "second"]);
  });

  test.each([
    ["CR LF", "a%0D%0AX-Evil:%201"],
    ["LF", "a%0Ab"],
    ["CR", "a%0Db"],
    ["NUL", "a%00b"],
    ["ESC", "a%1Bb"],
    ["DEL", "a%7Fb"],
  ])(
    "header injection by %s: the header is removed, the failure is logged, the request goes on",
    async (_name, value) => {
      const { get, events, status } = await sent(
        [rewrite({ "x-arg": { operation: "set", expression: 'url_decode(http.request.uri.args["v"][0])' } })],
        { "x-arg": "forged" },
        `/other?v=${value}`,
      );
      expect(status).toBe(200);
      expect(get("x-arg")).toBeUndefined();
      expect(get("x-evil")).toBeUndefined();
      expect(events).toMatchObject([
        { outcome: "failed", detail: "`x-arg`: the value has a control character" },
      ]);
    },
  );

  test("a value beyond the limit is none", async () => {
    const { get, events } = await sent(
      [rewrite({ "x-arg": { operation: "set", expression: "http.user_agent" } })],
      { "x-arg": "forged", "user-agent": "a".repeat(8193) },
    );
    expect(get("x-arg")).toBeUndefined();
    expect(events).toMatchObject([{ outcome: "failed" }]);
  });

  test("bytes beyond ASCII pass unchanged", async () => {
    const { get } = await sent(
      [rewrite({ "x-agent": { operation: "set", expression: "http.user_agent" } })],
      {
        "user-agent": "caf\xc3\xa9",
      },
    );
    expect(get("x-agent")).toBe("caf\xc3\xa9");
  });

  test("each rule that fires leaves one event, unless its logging is off", async () => {
    const silent = rewrite({ "x-b": { operation: "set", value: "1" } }, "true", {
      logging: { enabled: false },
    });
    const { events } = await sent([rewrite({ "x-a": { operation: "set", value: "1" } }), silent]);
    expect(events).toMatchObject([
      { action: "rewrite", outcome: "applied", phase: "http_request_late_transform" },
    ]);
  });

  test("a name that is no token is refused when the configuration is loaded", () => {
    const evil = rewrite({ "x-a\r\nx-b": { operation: "set", value: "1" } });
    expect(() => startEngine([requestZone(evil)])).toThrow("expected a header name");
  });
});

const seen = async (
  rules: readonly Rule[],
  origin: { status?: number; headers?: string[] },
  target = "/other",
) => {
  const { engine, events } = startEngine([responseZone(...rules)]);
  const result = await createVisitor(engine).visit({ target }, origin);
  return { events, get: (name: string) => headerOf(result.headers, name), ...result };
};

describe("response headers", () => {
  test("set, add and remove; rules may ask for the response", async () => {
    const { get } = await seen(
      [
        rewrite(
          {
            "X-Frame-Options": { operation: "set", value: "DENY" },
            Vary: { operation: "add", value: "Cookie" },
            Server: { operation: "remove" },
            "X-Type": { operation: "set", expression: "http.response.content_type.media_type" },
            "X-Code": { operation: "set", expression: "to_string(http.response.code)" },
          },
          'http.response.code in {200 404} and http.response.headers["x-from"][0] eq "origin"',
        ),
      ],
      {
        status: 404,
        headers: [
          "X-From",
          "origin",
          "vary",
          "Accept",
          "Content-Type",
          "Text/HTML; charset=utf-8",
          "x-frame-options",
          "SAMEORIGIN",
        ],
      },
    );
    expect([get("x-frame-options"), get("vary"), get("x-type"), get("x-code")]).toEqual([
      "DENY",
      "Accept, Cookie",
      "text/html",
      "404",
    ]);
  });

  test("the request's headers are those that the origin got, raw ones those that arrived", async () => {
    const rules = [
      rewrite({
        "x-edited": { operation: "set", expression: 'http.request.headers["x-a"][0]' },
        "x-raw": { operation: "set", expression: 'raw.http.request.headers["x-a"][0]' },
        "x-agent": { operation: "set", expression: "http.user_agent" },
      }),
    ];
    const both = zone({
      rulesets: [
        ruleset(
          [
            rewrite({
              "x-a": { operation: "set", value: "edited" },
              "user-agent": { operation: "set", value: "masked" },
            }),
          ],
          {
            phase: "http_request_late_transform",
          },
        ),
        ruleset(rules, { id: "5".repeat(32), phase: "http_response_headers_transform" }),
      ],
    });
    const { engine } = startEngine([both]);
    const { headers } = await createVisitor(engine).visit({
      target: "/other",
      headers: { "x-a": "arrived", "user-agent": "probe" },
    });
    expect(["x-edited", "x-raw", "x-agent"].map((name) => headerOf(headers, name))).toEqual([
      "edited",
      "arrived",
      "masked",
    ]);
  });

  test("the gateway's own pages are edited too", async () => {
    const block = ruleset([rule('http.request.uri.path eq "/blocked"')]);
    const { engine } = startEngine([
      zone({
        rulesets: [
          block,
          ruleset(
            [rewrite({ "x-code": { operation: "set", expression: "to_string(http.response.code)" } })],
            {
              id: "5".repeat(32),
              phase: "http_response_headers_transform",
            },
          ),
        ],
      }),
    ]);
    const { headers, status } = await createVisitor(engine).visit({ target: "/blocked" });
    expect([status, headerOf(headers, "x-code")]).toEqual([403, "403"]);
  });

  test("the sequence cookie survives a rule that replaces or removes all cookies", async () => {
    for (const headers of [
      { "Set-Cookie": { operation: "set", value: "a=1" } },
      { "Set-Cookie": { operation: "remove" } },
    ]) {
      const { engine } = startEngine([responseZone(rewrite(headers))]);
      const visitor = createVisitor(engine);
      await visitor.visit({ target: "/a" }, { headers: ["set-cookie", "b=2"] });
      expect([...visitor.jar.keys()].filter((name) => name.startsWith("__Host-sq."))).toHaveLength(1);
      expect(visitor.jar.has("b")).toBe(false);
    }
  });

  test.each(["__Host-sq.AAAAA=x", "__Host-sg_clearance=x; Path=/"])(
    "a rule cannot set the cookie %s of ours",
    async (value) => {
      const { get } = await seen([rewrite({ "Set-Cookie": { operation: "add", value } })], {});
      expect(get("set-cookie")).toBeUndefined();
    },
  );

  test("response splitting through a response header that is made of the request", async () => {
    const { get, events } = await seen(
      [rewrite({ "x-echo": { operation: "set", expression: "url_decode(http.request.uri.query)" } })],
      { headers: ["x-echo", "from the origin"] },
      "/other?a%0d%0aset-cookie:%20evil=1",
    );
    expect(get("x-echo")).toBeUndefined();
    expect(get("set-cookie")).toBeUndefined();
    expect(events).toMatchObject([{ outcome: "failed" }]);
  });
});
