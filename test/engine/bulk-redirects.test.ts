/** Phase `http_request_redirect`, and single redirects: where visitors are sent. */
import { describe, expect, test } from "vitest";
import type { Redirect } from "../../src/ruleset/index.ts";
import {
  account,
  createVisitor,
  headerOf,
  hexId,
  NOON,
  redirectList,
  rule,
  ruleset,
  startEngine,
  zone,
} from "../support/engine.ts";

type Item = Pick<Redirect, "source_url" | "target_url"> & Partial<Redirect>;

/** An engine whose account redirects by `$moved`. */
function startBulk(
  items: readonly Item[],
  expression = "http.request.full_uri in $moved",
  key = "http.request.full_uri",
) {
  const entry = rule(expression, {
    action: "redirect",
    action_parameters: { from_list: { name: "moved", key } },
  });
  const root = ruleset([entry], { kind: "root", phase: "http_request_redirect", id: hexId() });
  return startEngine([zone()], undefined, {
    accounts: [account({ rulesets: [root], lists: [redirectList("moved", items)] })],
  });
}

async function redirected(items: readonly Item[], target: string) {
  const { status, headers } = await createVisitor(startBulk(items).engine).visit({ target });
  return [status, headerOf(headers, "location")];
}

const below = { subpath_matching: true };

const listTo = (target: string) => [
  redirectList("moved", [{ source_url: "shop.example/old", target_url: target }]),
];

describe("bulk redirects", () => {
  test.each<[string, Item, string, string | undefined]>([
    [
      "a path",
      { source_url: "shop.example/old", target_url: "https://new.example/a" },
      "/old",
      "https://new.example/a",
    ],
    [
      "another path",
      { source_url: "shop.example/old", target_url: "https://new.example/a" },
      "/old/",
      undefined,
    ],
    [
      "the query is dropped by default",
      { source_url: "shop.example/old", target_url: "https://new.example/a" },
      "/old?q=1",
      "https://new.example/a",
    ],
    [
      "the query is kept",
      { source_url: "shop.example/old", target_url: "https://new.example/a", preserve_query_string: true },
      "/old?q=1&r",
      "https://new.example/a?q=1&r",
    ],
    [
      "no query is added where there is none",
      { source_url: "shop.example/old", target_url: "https://new.example/a", preserve_query_string: true },
      "/old",
      "https://new.example/a",
    ],
    [
      "the target's own query stays",
      { source_url: "shop.example/old", target_url: "https://new.example/a?x=1" },
      "/old?q=1",
      "https://new.example/a?x=1",
    ],
    [
      "the fragment stays",
      {
        source_url: "shop.example/old",
        target_url: "https://new.example/a#top",
        preserve_query_string: true,
      },
      "/old?q=1",
      "https://new.example/a?q=1#top",
    ],
    [
      "a suffix is kept by default",
      { source_url: "shop.example/old", target_url: "https://new.example/a", ...below },
      "/old/b/c",
      "https://new.example/a/b/c",
    ],
    [
      "a suffix to a target with a slash",
      { source_url: "shop.example/old/", target_url: "https://new.example/a/", ...below },
      "/old/b",
      "https://new.example/a/b",
    ],
    [
      "a suffix is dropped",
      {
        source_url: "shop.example/old",
        target_url: "https://new.example/a",
        ...below,
        preserve_path_suffix: false,
      },
      "/old/b/c",
      "https://new.example/a",
    ],
    [
      "suffix and query",
      {
        source_url: "shop.example/old",
        target_url: "https://new.example/a",
        ...below,
        preserve_query_string: true,
      },
      "/old/b?q=1",
      "https://new.example/a/b?q=1",
    ],
    [
      "the port and user of the target",
      { source_url: "shop.example/old", target_url: "https://u:p@new.example:8443/a" },
      "/old",
      "https://u:p@new.example:8443/a",
    ],
    [
      "a magnet link",
      { source_url: "shop.example/old", target_url: "magnet:?xt=urn:btih:x" },
      "/old",
      "magnet:?xt=urn:btih:x",
    ],
    [
      "a spelling that the path folds to",
      { source_url: "shop.example/old", target_url: "https://new.example/a" },
      "//x/../%6fld",
      "https://new.example/a",
    ],
    [
      "a suffix that looks like a host",
      { source_url: "shop.example/old", target_url: "https://new.example", ...below },
      "/old//evil.example",
      "https://new.example/evil.example",
    ],
  ])("%s", async (_name, item, target, expected) => {
    expect(await redirected([item], target)).toEqual(
      expected === undefined ? [200, undefined] : [301, expected],
    );
  });

  test.each([301, 302, 307, 308] as const)("status %i", async (status_code) => {
    const item = { source_url: "shop.example/old", target_url: "https://new.example/a", status_code };
    expect(await redirected([item], "/old")).toEqual([status_code, "https://new.example/a"]);
  });

  test("a target that would run something is refused, not sent", async () => {
    for (const target_url of ["javascript:alert(1)", "data:text/html,x", "no url"]) {
      expect(await redirected([{ source_url: "shop.example/old", target_url }], "/old")).toEqual([
        400,
        undefined,
      ]);
    }
  });

  test("joined with a sequence: who has not called A is sent to the start, and B is not recorded", async () => {
    const guard =
      'http.request.full_uri in $moved and cf.sequence.current_op eq "bbbbbbbb" and not any(cf.sequence.previous_ops[*] == "aaaaaaaa")';
    const { engine, events } = startBulk(
      [{ source_url: "shop.example/b", target_url: "https://shop.example/a", status_code: 302 }],
      guard,
    );
    const { visit, jar } = createVisitor(engine);
    const early = await visit({ method: "POST", target: "/b", at: NOON });
    expect([early.status, headerOf(early.headers, "location")]).toEqual([302, "https://shop.example/a"]);
    expect(headerOf(early.headers, "cache-control")).toContain("no-store");
    expect(jar.size).toBe(0);
    await visit({ target: "/a", at: NOON + 10 });
    expect((await visit({ method: "POST", target: "/b", at: NOON + 20 })).status).toBe(200);
    expect(events).toMatchObject([
      {
        action: "redirect",
        phase: "http_request_redirect",
        outcome: "applied",
        status: 302,
        detail: "https://shop.example/a",
        missing: [{ op: "aaaaaaaa" }],
      },
    ]);
  });

  test("the raw key looks at the address as it arrived", async () => {
    const items = [{ source_url: "shop.example/old", target_url: "https://new.example/a" }];
    const raw = "raw.http.request.full_uri";
    const { visit } = createVisitor(startBulk(items, `${raw} in $moved`, raw).engine);
    expect((await visit({ target: "/old" })).status).toBe(301);
    expect((await visit({ target: "//old" })).status).toBe(200);
  });

  test("a changed list is in force at once; rules about it need not change", async () => {
    const entry = rule("http.request.full_uri in $moved", {
      action: "redirect",
      action_parameters: { from_list: { name: "moved", key: "http.request.full_uri" } },
    });
    const root = ruleset([entry], { kind: "root", phase: "http_request_redirect" });
    const extras = { accounts: [account({ rulesets: [root], lists: listTo("https://one.example/") })] };
    const { engine, source } = startEngine([zone()], undefined, extras);
    const { visit } = createVisitor(engine);
    expect(headerOf((await visit({ target: "/old" })).headers, "location")).toBe("https://one.example/");
    source.set([zone()], [account({ rulesets: [root], lists: listTo("https://two.example/") })]);
    expect(headerOf((await visit({ target: "/old" })).headers, "location")).toBe("https://two.example/");
  });
});

const visitBy = async (expression: string, input: object = {}) => {
  const item = { created_on: "2026-11-21T12:00:00Z", modified_on: "2026-11-21T12:00:00Z" };
  const lists = [
    {
      id: hexId(),
      name: "nets",
      kind: "ip",
      items: [
        { id: hexId(), ip: "192.0.2.0/24", ...item },
        { id: hexId(), ip: "2001:db8::/32", ...item },
      ],
    },
    {
      id: hexId(),
      name: "hosts",
      kind: "hostname",
      items: [
        { id: hexId(), hostname: { url_hostname: "*.shop.example" }, ...item },
        {
          id: hexId(),
          hostname: { url_hostname: "*.both.example", exclude_exact_hostname: false },
          ...item,
        },
      ],
    },
  ] as const;
  const hosts = ["shop.example", "www.shop.example", "both.example"];
  const { engine } = startEngine([zone({ hosts, rulesets: [ruleset([rule(expression)])] })], undefined, {
    accounts: [account({ lists })],
  });
  return (await createVisitor(engine).visit({ target: "/", ...input })).status;
};

describe("lists in other rules", () => {
  test.each([
    ["ip.src in $nets", {}, 403],
    ["not ip.src in $nets", {}, 200],
    ["http.host in $hosts", {}, 200],
    ["http.host in $hosts", { authority: "www.shop.example" }, 403],
    ["http.host in $hosts", { authority: "both.example" }, 403],
  ])("%s", async (expression, input, status) => {
    expect(await visitBy(expression, input)).toBe(status);
  });

  test("a list that does not exist is refused when the configuration is loaded", async () => {
    await expect(visitBy("ip.src in $none")).rejects.toThrow("$none");
  });
});

const single = (from_value: object, expression = 'http.request.uri.path eq "/old"') =>
  zone({
    rulesets: [
      ruleset([rule(expression, { action: "redirect", action_parameters: { from_value } })], {
        phase: "http_request_dynamic_redirect",
      }),
    ],
  });

const go = async (from_value: object, target = "/old") => {
  const { status, headers } = await createVisitor(startEngine([single(from_value)]).engine).visit({
    target,
  });
  return [status, headerOf(headers, "location")];
};

describe("single redirects", () => {
  test.each<[string, object, string, readonly [number, string]]>([
    [
      "a static target",
      { target_url: { value: "https://new.example/a" } },
      "/old",
      [301, "https://new.example/a"],
    ],
    [
      "a static path",
      { target_url: { value: "/new" }, status_code: 308 },
      "/old",
      [308, "https://shop.example/new"],
    ],
    ["303", { target_url: { value: "/new" }, status_code: 303 }, "/old", [303, "https://shop.example/new"]],
    [
      "the query kept",
      { target_url: { value: "/new?x=1" }, preserve_query_string: true },
      "/old?q=1",
      [301, "https://shop.example/new?q=1"],
    ],
    [
      "the query dropped",
      { target_url: { value: "/new?x=1" } },
      "/old?q=1",
      [301, "https://shop.example/new?x=1"],
    ],
    [
      "an expression",
      {
        target_url: { expression: 'concat("https://new.example", http.request.uri.path)' },
        status_code: 302,
      },
      "/old",
      [302, "https://new.example/old"],
    ],
    [
      "an expression, the query kept",
      {
        target_url: { expression: 'regex_replace(http.request.uri.path, "^/o", "/g")' },
        preserve_query_string: true,
      },
      "/old?a=b",
      [301, "https://shop.example/gld?a=b"],
    ],
    [
      "a wildcard replacement",
      {
        target_url: {
          expression: 'wildcard_replace(http.request.full_uri, "https://*/old*", "https://${1}/new${2}")',
        },
      },
      "/old",
      [301, "https://shop.example/new"],
    ],
  ])("%s", async (_name, from_value, target, expected) => {
    expect(await go(from_value, target)).toEqual(expected);
  });

  test("come before the operation is known: the request is not recorded, and no rule of a later phase is asked", async () => {
    const redirecting = single({ target_url: { value: "/new" } }, 'http.request.uri.path eq "/a"');
    const { engine, events } = startEngine([
      {
        ...redirecting,
        rulesets: [...redirecting.rulesets, ruleset([rule("true", { action: "log" })], { id: hexId() })],
      },
    ]);
    const { visit, jar } = createVisitor(engine);
    expect((await visit({ target: "/a" })).status).toBe(301);
    expect(jar.size).toBe(0);
    expect(events.map(({ action }) => action)).toEqual(["redirect"]);
  });

  test("a rule that would ask for the sequence is refused when the configuration is loaded", () => {
    expect(() =>
      startEngine([single({ target_url: { value: "/x" } }, 'cf.sequence.current_op eq "aaaaaaaa"')]),
    ).toThrow("phase `http_request_dynamic_redirect` does not have it");
  });
});
