import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { indexRedirects, splitUrl } from "../../src/phases/redirect-list.ts";
import type { Redirect } from "../../src/ruleset/index.ts";

const redirect = (source_url: string, members: Partial<Redirect> = {}): Redirect => ({
  source_url,
  target_url: `https://target.example/${encodeURIComponent(source_url)}`,
  status_code: 301,
  include_subdomains: false,
  subpath_matching: false,
  preserve_query_string: false,
  preserve_path_suffix: true,
  ...members,
});
const sub = { subpath_matching: true };
const domain = { include_subdomains: true };

/** Source of the item that answers for a URL. */
const sourceFor = (items: readonly Redirect[], url: string): string | undefined =>
  indexRedirects(items).find(splitUrl(url))?.redirect.source_url;

describe("matching", () => {
  test.each<[string, Redirect, string, boolean]>([
    ["the same host and path", redirect("example.com/a"), "https://example.com/a", true],
    ["another path", redirect("example.com/a"), "https://example.com/b", false],
    ["a path below, without subpath_matching", redirect("example.com/a"), "https://example.com/a/b", false],
    [
      "a trailing slash, without subpath_matching",
      redirect("example.com/a"),
      "https://example.com/a/",
      false,
    ],
    ["letter case of the path", redirect("example.com/A"), "https://example.com/a", false],
    ["letter case of the host", redirect("Example.COM/a"), "https://example.com/a", true],
    ["no path is the root", redirect("example.com"), "https://example.com/", true],
    ["the root is not everything", redirect("example.com"), "https://example.com/a", false],
    ["no scheme takes http", redirect("example.com/a"), "http://example.com/a", true],
    ["scheme https takes https", redirect("https://example.com/a"), "https://example.com/a", true],
    ["scheme https does not take http", redirect("https://example.com/a"), "http://example.com/a", false],
    ["scheme http does not take https", redirect("http://example.com/a"), "https://example.com/a", false],
    ["the query does not matter", redirect("example.com/a"), "https://example.com/a?x=/b", true],
    ["another host", redirect("example.com/a"), "https://www.example.com/a", false],
    ["a subdomain", redirect("example.com/a", domain), "https://www.example.com/a", true],
    ["a deep subdomain", redirect("example.com/a", domain), "https://a.b.c.example.com/a", true],
    ["the domain itself", redirect("example.com/a", domain), "https://example.com/a", true],
    ["a host that ends alike", redirect("example.com/a", domain), "https://badexample.com/a", false],
    ["subpath: the path itself", redirect("example.com/a", sub), "https://example.com/a", true],
    ["subpath: with a slash", redirect("example.com/a", sub), "https://example.com/a/", true],
    ["subpath: below", redirect("example.com/a", sub), "https://example.com/a/b/c", true],
    [
      "subpath: not in the middle of a segment",
      redirect("example.com/a", sub),
      "https://example.com/ab",
      false,
    ],
    [
      "subpath: a source with a slash at its end",
      redirect("example.com/a/", sub),
      "https://example.com/a/b",
      true,
    ],
    ["subpath: the whole host", redirect("example.com", sub), "https://example.com/a/b", true],
    ["an escape that need not be one", redirect("example.com/%7euser"), "https://example.com/~user", true],
    ["an escape in lower case", redirect("example.com/%c3%a9"), "https://example.com/%C3%A9", true],
    ["a source in another script", redirect("example.com/é"), "https://example.com/%C3%A9", true],
    ["a host in another script", redirect("bücher.example/a"), "https://xn--bcher-kva.example/a", true],
  ])("%s", (_name, item, url, expected) => {
    expect(sourceFor([item], url) === item.source_url).toBe(expected);
  });

  test("the suffix is what lies below the source", () => {
    const index = indexRedirects([redirect("example.com/a/", sub)]);
    expect(index.find(splitUrl("https://example.com/a/b//c"))?.suffix).toBe("/b//c");
    expect(index.find(splitUrl("https://example.com/a"))?.suffix).toBe("");
    expect(index.find(splitUrl("https://example.com/a/"))?.suffix).toBe("/");
  });
});

describe("precedence", () => {
  const items = [
    redirect("example.com", { ...sub, ...domain }),
    redirect("example.com/a", { ...sub, ...domain }),
    redirect("example.com/a/b", sub),
    redirect("https://example.com/a/b", sub),
    redirect("www.example.com/a", sub),
    redirect("www.example.com", { ...sub, ...domain }),
    redirect("example.com/a/b/c"),
  ];
  test.each([
    ["the more specific path", "https://example.com/a/x", "example.com/a"],
    ["an explicit scheme before none", "https://example.com/a/b/x", "https://example.com/a/b"],
    ["none where the explicit one does not fit", "http://example.com/a/b/x", "example.com/a/b"],
    ["the whole path before a path above", "https://example.com/a/b/c", "example.com/a/b/c"],
    ["the exact host before include_subdomains", "https://www.example.com/a/x", "www.example.com/a"],
    ["a more specific domain", "https://x.www.example.com/y", "www.example.com"],
    ["the path before the domain", "https://x.www.example.com/a/y", "example.com/a"],
    ["the domain when nothing else fits", "https://other.example.com/z", "example.com"],
  ])("%s", (_name, url, expected) => {
    expect(sourceFor(items, url)).toBe(expected);
    expect(sourceFor(items.toReversed(), url)).toBe(expected);
  });
});

/** What the index promises, said plainly: every item tried, the best one kept. */
function slowFind(items: readonly Redirect[], text: string): Redirect | undefined {
  const url = splitUrl(text);
  const ranked = items
    .map((item) => {
      const [, scheme = "", host = "", path = ""] = /^(?:(https?):\/\/)?([^/]*)(.*)$/.exec(item.source_url)!;
      const exactHost = host === url.host;
      const inDomain = item.include_subdomains && url.host.endsWith(`.${host}`);
      const trimmed = (path || "/").replace(/\/$/, "");
      const below = item.subpath_matching && (url.path === trimmed || url.path.startsWith(`${trimmed}/`));
      const fits =
        (scheme === "" || scheme === url.scheme) &&
        (exactHost || inDomain) &&
        (item.subpath_matching ? below : url.path === (path || "/"));
      const specific = item.subpath_matching ? trimmed.length : (path || "/").length;
      return { item, fits, key: [specific, Number(exactHost), host.length, Number(scheme !== "")] };
    })
    .filter(({ fits }) => fits)
    .toSorted((a, b) => {
      const at = a.key.findIndex((value, index) => value !== b.key[index]);
      return at === -1 ? 0 : (b.key[at] as number) - (a.key[at] as number);
    });
  return ranked[0]?.item;
}

test("property: the index finds what trying every item finds", () => {
  const segment = fc.constantFrom("a", "b", "c");
  const path = fc
    .array(segment, { maxLength: 4 })
    .map((segments) => segments.map((part) => `/${part}`).join(""));
  const host = fc.constantFrom("example.com", "www.example.com", "x.www.example.com", "other.test");
  const scheme = fc.constantFrom("", "http://", "https://");
  const item = fc
    .tuple(scheme, host, path, fc.boolean(), fc.boolean())
    .map(([s, h, p, subpath_matching, include_subdomains]) =>
      redirect(`${s}${h}${p}`, { subpath_matching, include_subdomains }),
    );
  fc.assert(
    fc.property(
      fc.uniqueArray(item, { selector: ({ source_url }) => source_url, maxLength: 12 }),
      fc.constantFrom("http", "https"),
      host,
      path,
      (items, s, h, p) => {
        const url = `${s}://${h}${p === "" ? "/" : p}`;
        expect(indexRedirects(items).find(splitUrl(url))?.redirect).toBe(slowFind(items, url));
      },
    ),
    { numRuns: 3_000 },
  );
});

const longList = (count: number): readonly Redirect[] =>
  Array.from({ length: count }, (_, index) => redirect(`example.com/p/${index}`, sub));
const probes = (count: number): readonly string[] =>
  Array.from({ length: 1_000 }, (_, index) => `https://example.com/p/${(index * 97) % count}/x/y/z`);

test("100,000 items are found as fast as ten", () => {
  let lookUps = 0;
  class CountingMap<K, V> extends Map<K, V> {
    override get(key: K): V | undefined {
      lookUps += 1;
      return super.get(key);
    }
  }
  const original = globalThis.Map;
  const countLookups = (count: number): number => {
    globalThis.Map = CountingMap;
    try {
      const index = indexRedirects(longList(count));
      lookUps = 0;
      for (const url of probes(count)) expect(index.find(splitUrl(url))).toBeDefined();
      return lookUps;
    } finally {
      globalThis.Map = original;
    }
  };
  expect(countLookups(100_000)).toBe(countLookups(10));
});

test("a hostile path or host costs no more than the limits", () => {
  const index = indexRedirects([redirect("example.com", { ...sub, ...domain })]);
  const deep = `https://${"a.".repeat(100_000)}example.org${"/x".repeat(100_000)}`;
  const before = performance.now();
  expect(index.find(splitUrl(deep))).toBeUndefined();
  expect(performance.now() - before).toBeLessThan(50);
});
