import { describe, expect, test } from "vitest";
import { canonicalCidr, checkListItems } from "../../src/ruleset/index.ts";

const pointerOf = (index: number): string => `/${index}`;

describe("addresses", () => {
  test.each([
    ["192.0.2.1", "192.0.2.1"],
    ["192.0.2.77/24", "192.0.2.0/24"],
    ["192.0.2.1/32", "192.0.2.1"],
    ["10.0.0.0/8", "10.0.0.0/8"],
    ["2001:DB8:0:0::1", "2001:db8::1"],
    ["2001:db8:ffff::/33", "2001:db8:8000::/33"],
    ["::ffff:192.0.2.1", "::ffff:192.0.2.1"],
  ])("%s is %s", (text, canonical) =>
    expect(canonicalCidr(text)).toMatch(new RegExp(`^${canonical}$|^::ffff:c000:201$`)),
  );

  test.each([
    "",
    "192.0.2",
    "192.0.2.256",
    "192.0.2.1/33",
    "192.0.2.1/",
    "192.0.2.1/7",
    "192.0.2.01",
    "2001:db8::/129",
    "2000::/3",
    "fe80::1%eth0",
    "[::1]",
    " 192.0.2.1",
    "0xC0000201",
    "localhost",
    "1/8",
    "192.0.2.1/24/24",
  ])("%j is none", (text) => expect(canonicalCidr(text)).toBeUndefined());
});

const redirect = (extra: object): object => ({
  redirect: { source_url: "example.com/a", target_url: "https://example.com/b", ...extra },
});

describe("items", () => {
  test("redirects get their defaults", () => {
    expect(checkListItems("redirect", [redirect({})], pointerOf).items).toEqual([
      {
        redirect: {
          source_url: "example.com/a",
          target_url: "https://example.com/b",
          status_code: 301,
          include_subdomains: false,
          subpath_matching: false,
          preserve_query_string: false,
          preserve_path_suffix: true,
        },
      },
    ]);
  });

  test.each([
    ["http://EXAMPLE.com", "http://example.com"],
    ["example.com", "example.com"],
    ["https://münchen.example/ä", "https://xn--mnchen-3ya.example/ä"],
  ])("the source %s is kept as %s", (source_url, kept) => {
    const { items } = checkListItems("redirect", [redirect({ source_url })], pointerOf);
    expect(items[0]).toMatchObject({ redirect: { source_url: kept } });
  });

  test.each([
    "ftp://example.com/",
    "https://user@example.com/",
    "example.com:8080/",
    "example.com/a?b",
    "example.com/a#b",
    "*.example.com/",
    "/path",
    "",
    "exa mple.com/",
    "https://",
    "example.com\\a",
    "//example.com/",
  ])("the source %j is refused", (source_url) => {
    const { issues } = checkListItems("redirect", [redirect({ source_url })], pointerOf);
    expect(issues.map(({ pointer }) => pointer)).toEqual(["/0/redirect/source_url"]);
  });

  test.each([
    "javascript:alert(1)",
    "data:text/html,x",
    "//evil",
    "/path",
    "https:evil",
    "https:\\\\evil",
    "not a url",
  ])("the target %j is refused", (target_url) => {
    const { issues } = checkListItems("redirect", [redirect({ target_url })], pointerOf);
    expect(issues.map(({ pointer }) => pointer)).toEqual(["/0/redirect/target_url"]);
  });

  test("targets of other schemes, with ports, users and fragments are fine; a query only without preserved ones", () => {
    for (const target_url of ["magnet:?xt=1", "https://u@example.com:444/a#b", "https://example.com/?a=b"]) {
      expect(checkListItems("redirect", [redirect({ target_url })], pointerOf).issues).toEqual([]);
    }
    const both = redirect({ target_url: "https://example.com/?a=b", preserve_query_string: true });
    expect(checkListItems("redirect", [both], pointerOf).issues).toHaveLength(1);
  });

  test("303 is for single redirects only", () => {
    const { issues } = checkListItems("redirect", [redirect({ status_code: 303 })], pointerOf);
    expect(issues[0]?.pointer).toBe("/0/redirect/status_code");
  });

  test("a source may have 16 slashes with sub-paths", () => {
    const source = (slashes: number): object =>
      redirect({ source_url: `https://example.com${"/a".repeat(slashes)}`, subpath_matching: true });
    expect(checkListItems("redirect", [source(16)], pointerOf).issues).toEqual([]);
    expect(checkListItems("redirect", [source(17)], pointerOf).issues).toHaveLength(1);
    const bare = redirect({ source_url: `example.com${"/a".repeat(17)}`, subpath_matching: true });
    expect(checkListItems("redirect", [bare], pointerOf).issues).toHaveLength(1);
  });

  test("the same thing twice is refused, however it is spelt", () => {
    const pairs = [
      ["ip", [{ ip: "192.0.2.1" }, { ip: "192.0.2.1/32" }]],
      ["asn", [{ asn: 1 }, { asn: 1, comment: "again" }]],
      [
        "hostname",
        [{ hostname: { url_hostname: "A.example" } }, { hostname: { url_hostname: "a.example" } }],
      ],
      ["redirect", [redirect({ source_url: "example.com" }), redirect({ source_url: "Example.com/" })]],
    ] as const;
    for (const [kind, items] of pairs) {
      expect(checkListItems(kind, items, pointerOf).issues).toMatchObject([
        { kind: "duplicate", pointer: `/1/${kind}` },
      ]);
    }
  });

  test.each([
    ["a value of another kind", "ip", { asn: 1 }, ["/0/asn", "/0/ip"]],
    ["no object", "ip", "192.0.2.1", ["/0"]],
    ["a comment that is too long", "asn", { asn: 1, comment: "x".repeat(501) }, ["/0/comment"]],
    ["a negative number", "asn", { asn: -1 }, ["/0/asn"]],
    [
      "a host name with a port",
      "hostname",
      { hostname: { url_hostname: "a:80" } },
      ["/0/hostname/url_hostname"],
    ],
  ] as const)("%s is refused", (_, kind, item, pointers) => {
    expect(checkListItems(kind, [item], pointerOf).issues.map(({ pointer }) => pointer)).toEqual(pointers);
  });
});
