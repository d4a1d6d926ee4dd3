/** Open redirects and redirect loops (CWE-601; threat T3): what a visitor sends must not choose where others are sent. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toBytes } from "../../src/expression/index.ts";
import { judgeComputedTarget } from "../../src/phases/redirect-target.ts";
import {
  account,
  createVisitor,
  headerOf,
  redirectList,
  rule,
  ruleset,
  startEngine,
  zone,
} from "../support/engine.ts";

const OWN = {
  url: { scheme: "https", host: "shop.example", path: "/go", query: "x=1" },
  authority: "shop.example:8443",
  allowsHost: (host: string) => host === "shop.example" || host === "login.example",
  preserveQuery: false,
};

const judge = (text: string): string => {
  const target = judgeComputedTarget(toBytes(text), OWN);
  return target.kind === "location" ? target.location : target.kind;
};

describe("targets that were computed from a request", () => {
  test.each<[string, string, string]>([
    ["the site itself", "https://shop.example/a", "https://shop.example/a"],
    ["an allowed host", "https://login.example/?next=/a", "https://login.example/?next=/a"],
    ["a path of the site", "/start", "https://shop.example:8443/start"],
    [
      "a path with a URL in its query",
      "/start?u=https://evil.example/",
      "https://shop.example:8443/start?u=https://evil.example/",
    ],
    ["plain http to the site", "http://shop.example/a", "http://shop.example/a"],
    ["letter case of scheme and host", "HTTPS://SHOP.EXAMPLE/a", "https://shop.example/a"],
    ["another script in the path", "/é", "https://shop.example:8443/%C3%A9"],
    [
      "encoded line ends stay encoded",
      "/a?b=%0d%0aSet-Cookie:x=1",
      "https://shop.example:8443/a?b=%0d%0aSet-Cookie:x=1",
    ],
    ["dots in a path", "/a/../../b", "https://shop.example:8443/b"],
    ["two slashes later in a path", "/a//evil.example", "https://shop.example:8443/a//evil.example"],
    ["another host", "https://evil.example/", "unsafe"],
    ["a host with ours in front", "https://shop.example.evil.example/", "unsafe"],
    ["a host with ours behind", "https://evilshop.example/", "unsafe"],
    ["a subdomain of ours", "https://x.shop.example/", "unsafe"],
    ["two slashes", "//evil.example", "unsafe"],
    ["three slashes", "///evil.example", "unsafe"],
    ["slash and backslash", "/\\evil.example", "unsafe"],
    ["two backslashes", "\\\\evil.example", "unsafe"],
    ["a scheme without slashes", "https:evil.example", "unsafe"],
    ["a scheme with one slash", "https:/evil.example", "unsafe"],
    ["a scheme with three slashes", "https:///evil.example", "unsafe"],
    ["a backslash behind the host", "https://shop.example\\@evil.example/", "unsafe"],
    ["a user name that looks like our host", "https://shop.example@evil.example/", "unsafe"],
    ["a user name and our host", "https://evil@shop.example/", "unsafe"],
    ["a password", "https://a:b@shop.example/", "unsafe"],
    ["an empty host", "https:///", "unsafe"],
    ["javascript", "javascript:alert(1)//https://shop.example/", "unsafe"],
    ["javascript in other letters", "JavaScript:alert(1)", "unsafe"],
    ["javascript behind a tab", "\tjavascript:alert(1)", "unsafe"],
    ["data", "data:text/html,<script>alert(1)</script>", "unsafe"],
    ["vbscript", "vbscript:msgbox(1)", "unsafe"],
    ["another protocol", "ftp://shop.example/", "unsafe"],
    ["a line end", "https://shop.example/\r\nSet-Cookie: x=1", "unsafe"],
    ["a line feed in the middle of the scheme", "ht\ntps://evil.example/", "unsafe"],
    ["a tab in the host", "https://evil.\texample/", "unsafe"],
    ["a NUL", "https://shop.example/\0", "unsafe"],
    ["a space in front", " https://evil.example/", "unsafe"],
    ["an encoded slash in the host", "https://evil.example%2f.shop.example/", "unsafe"],
    ["an encoded host", "https://%65vil.example/", "unsafe"],
    ["a full-width full stop in the host", "https://evil。example/", "unsafe"],
    ["a host as a number", "https://2130706433/", "unsafe"],
    ["a port out of range", "https://shop.example:99999/", "unsafe"],
    ["no host in brackets", "https://[evil]/", "unsafe"],
    ["a path without a slash", "start", "unsafe"],
    ["nothing", "", "unsafe"],
    ["a megabyte", `/${"a".repeat(1 << 20)}`, "unsafe"],
    ["the request's own address", "/go?x=1", "loop"],
    ["the same, absolute, with a fragment", "https://shop.example:8443/go?x=1#top", "loop"],
    ["the same path with another query", "/go?x=2", "https://shop.example:8443/go?x=2"],
  ])("%s", (_name, text, expected) => {
    expect(judge(text)).toBe(expected);
  });

  test("bytes that are no UTF-8", () => {
    expect(judgeComputedTarget("/\xff", OWN).kind).toBe("unsafe");
    expect(judgeComputedTarget(undefined, OWN).kind).toBe("unsafe");
  });

  test("property: whatever comes out leads to an allowed host and is one header line", () => {
    const spice = fc.constantFrom(
      "//",
      "\\",
      "@",
      ":",
      "/",
      "https:",
      "evil.example",
      "shop.example",
      "%0d%0a",
      "\r\n",
      "\t",
      "?",
      "#",
      ".",
      "é",
    );
    const text = fc
      .array(fc.oneof(spice, fc.string({ maxLength: 4 })), { maxLength: 8 })
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(text, (value) => {
        const target = judgeComputedTarget(toBytes(value), OWN);
        if (target.kind !== "location") return;
        expect(target.location).toMatch(/^https?:\/\/(?:shop|login)\.example[:/]/);
        expect(target.location).toMatch(/^[\x21-\x7e]*$/);
      }),
      { numRuns: 10_000 },
    );
  });
});

const redirectTo = (expression: string, more: object = {}) =>
  zone({
    rulesets: [
      ruleset(
        [
          rule('http.request.uri.path eq "/go"', {
            action: "redirect",
            action_parameters: { from_value: { target_url: { expression }, status_code: 302, ...more } },
          }),
        ],
        { phase: "http_request_dynamic_redirect" },
      ),
    ],
  });
const visitGo = async (expression: string, query: string, more: object = {}) => {
  const { engine, events } = startEngine([redirectTo(expression, more)]);
  const { status, headers } = await createVisitor(engine).visit({ target: `/go${query}` });
  return { status, location: headerOf(headers, "location"), events };
};

describe("rules", () => {
  test("an argument as the whole target leads nowhere but to the site", async () => {
    const next = 'http.request.uri.args["next"][0]';
    const asText = `concat(${next}, "")`;
    expect(await visitGo(asText, "?next=/cart")).toMatchObject({
      status: 302,
      location: "https://shop.example/cart",
    });
    for (const evil of [
      "//evil.example",
      "https://evil.example",
      "https:evil.example",
      "javascript:alert(1)",
    ]) {
      const { status, location, events } = await visitGo(asText, `?next=${evil}`);
      expect([evil, status, location]).toEqual([evil, 400, undefined]);
      expect(events).toMatchObject([{ action: "redirect", outcome: "failed", status: 400 }]);
      expect(events[0]?.detail).toMatch(/^the target was refused: /);
    }
    // Percent-encoded text stays encoded: it is a path of the site then.
    expect(await visitGo(asText, "?next=/%5Cevil.example%20")).toMatchObject({
      location: "https://shop.example/%5Cevil.example%20",
    });
  });

  test("a host that the rule writes out is allowed, what is glued to it is not", async () => {
    const glued = 'concat("https://login.example", http.request.uri.args["next"][0])';
    expect(await visitGo(glued, "?next=/a")).toMatchObject({ location: "https://login.example/a" });
    expect(await visitGo(glued, "?next=.evil.example/")).toMatchObject({ status: 400 });
    expect(await visitGo(glued, "?next=@evil.example/")).toMatchObject({ status: 400 });
    expect(await visitGo(glued, "?next=:80@evil.example/")).toMatchObject({ status: 400 });
  });

  test("hosts that an operator lists are allowed too", async () => {
    const dynamic = 'concat("https://", http.request.uri.args["shop"][0], ".example/")';
    expect(await visitGo(dynamic, "?shop=blue")).toMatchObject({ status: 400 });
    expect(await visitGo(dynamic, "?shop=blue", { allowed_hosts: ["blue.example"] })).toMatchObject({
      location: "https://blue.example/",
    });
    expect(await visitGo(dynamic, "?shop=red", { allowed_hosts: ["blue.example"] })).toMatchObject({
      status: 400,
    });
  });

  test("a Host field of the visitor's choosing never becomes a target: it has no zone", async () => {
    const { engine } = startEngine([redirectTo('concat("https://", http.host, "/a")')]);
    const { visit } = createVisitor(engine);
    expect((await visit({ target: "/go", authority: "evil.example" })).status).toBe(421);
    expect(headerOf((await visit({ target: "/go" })).headers, "location")).toBe("https://shop.example/a");
  });

  test("a list with include_subdomains does not send the subdomain to itself", async () => {
    const list = redirectList("www", [
      {
        source_url: "shop.example",
        target_url: "https://www.shop.example",
        include_subdomains: true,
        subpath_matching: true,
      },
    ]);
    const root = ruleset(
      [
        rule("http.request.full_uri in $www", {
          action: "redirect",
          action_parameters: { from_list: { name: "www", key: "http.request.full_uri" } },
        }),
      ],
      { kind: "root", phase: "http_request_redirect" },
    );
    const { engine, events } = startEngine(
      [zone({ hosts: ["shop.example", "www.shop.example"] })],
      undefined,
      { accounts: [account({ rulesets: [root], lists: [list] })] },
    );
    const { visit } = createVisitor(engine);
    const first = await visit({ target: "/a" });
    expect(headerOf(first.headers, "location")).toBe("https://www.shop.example/a");
    const second = await visit({ target: "/a", authority: "www.shop.example" });
    expect(second.outcome.kind).toBe("forward");
    expect(events.at(-1)).toMatchObject({ outcome: "failed", status: 200 });
  });
});
