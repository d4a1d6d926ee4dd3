import { describe, expect, test } from "vitest";

import { checkCookieScope } from "../../src/cookie/index.ts";
import type { SequenceCookieScope } from "../../src/cookie/index.ts";

const BASE: SequenceCookieScope = { sameSite: "Lax", partitioned: false, domain: null };
const HOSTS = ["www.shop.example", "shop.example", "pay.shop.example"];

describe("scopes that work", () => {
  test.each<[string, Partial<SequenceCookieScope>]>([
    ["the default", {}],
    ["Strict", { sameSite: "Strict" }],
    ["None, for a payment provider's cross-site POST", { sameSite: "None" }],
    ["partitioned, for frames of other sites", { sameSite: "None", partitioned: true }],
    ["a domain that all hosts share", { domain: "shop.example" }],
    [
      "everything",
      { sameSite: "None", partitioned: true, domain: "shop.example", maxAgeSeconds: 34_560_000 },
    ],
    ["a second", { maxAgeSeconds: 1 }],
  ])("%s", (_, scope) => {
    expect(checkCookieScope({ ...BASE, ...scope }, HOSTS)).toEqual([]);
  });

  test.each(["shop.co.uk", "co.example", "web.de", "net.de", "id.me", "com.shop.example", "my.github.io"])(
    "the domain `%s`, which is nobody else's",
    (domain) => {
      expect(checkCookieScope({ ...BASE, domain }, [domain, `www.${domain}`])).toEqual([]);
    },
  );

  test("localhost and addresses, bound to the host", () => {
    expect(checkCookieScope(BASE, ["localhost", "127.0.0.1", "::1"])).toEqual([]);
  });
});

describe("scopes that no browser would accept", () => {
  test.each<
    [string, Partial<SequenceCookieScope>, readonly string[], readonly [pointer: string, message: string]]
  >([
    ["a leading dot", { domain: ".shop.example" }, HOSTS, ["/domain", "write `shop.example`"]],
    [
      "a host that is not below it",
      { domain: "www.shop.example" },
      HOSTS,
      ["/domain", "`shop.example` is not below"],
    ],
    [
      "a look-alike",
      { domain: "shop.example" },
      ["myshop.example"],
      ["/domain", "`myshop.example` is not below"],
    ],
    ["capitals", { domain: "Shop.example" }, HOSTS, ["/domain", "expected a host name in lower case"]],
    [
      "an injected attribute",
      { domain: "shop.example; HttpOnly" },
      HOSTS,
      ["/domain", "expected a host name"],
    ],
    ["nothing", { domain: "" }, HOSTS, ["/domain", "expected a host name"]],
    ["a single label", { domain: "localhost" }, ["localhost"], ["/domain", "two labels or more"]],
    ["an address", { domain: "127.0.0.1" }, ["127.0.0.1"], ["/domain", "found the address"]],
    [
      "a registry's suffix",
      { domain: "co.uk" },
      ["shop.co.uk"],
      ["/domain", "found the public suffix `co.uk`"],
    ],
    ["a hoster's suffix", { domain: "github.io" }, ["me.github.io"], ["/domain", "found the public suffix"]],
    ["a top-level domain", { domain: "example" }, HOSTS, ["/domain", "two labels or more"]],
    ["partitioned but Lax", { partitioned: true }, HOSTS, ["/partitioned", "expected `SameSite=None`"]],
    ["a life of nothing", { maxAgeSeconds: 0 }, HOSTS, ["/maxAgeSeconds", "found `0`"]],
    ["401 days", { maxAgeSeconds: 34_646_400 }, HOSTS, ["/maxAgeSeconds", "expected 1 to 34560000 seconds"]],
    ["half a second", { maxAgeSeconds: 0.5 }, HOSTS, ["/maxAgeSeconds", "found `0.5`"]],
  ])("%s", (_, scope, hosts, [pointer, message]) => {
    expect(checkCookieScope({ ...BASE, ...scope }, hosts)).toEqual([
      { pointer, message: expect.stringContaining(message) },
    ]);
  });

  test.each(["co.uk", "com.br", "ac.jp", "or.jp", "web.za", "vercel.app", "up.railway.app"])(
    "the public suffix `%s`",
    (domain) => {
      expect(checkCookieScope({ ...BASE, domain }, [`shop.${domain}`])).toHaveLength(1);
    },
  );

  test("a value that the types do not allow", () => {
    const scope = { ...BASE, ...JSON.parse('{"sameSite":"lax"}') };
    expect(checkCookieScope(scope, HOSTS)[0]).toEqual({
      pointer: "/sameSite",
      message: "expected `Lax`, `Strict` or `None`, found `lax`",
    });
  });

  test("all problems at once", () => {
    const scope: SequenceCookieScope = {
      sameSite: "Lax",
      partitioned: true,
      domain: "com",
      maxAgeSeconds: -1,
    };
    expect(checkCookieScope(scope, HOSTS).map(({ pointer }) => pointer)).toEqual([
      "/partitioned",
      "/maxAgeSeconds",
      "/domain",
    ]);
  });
});
