/** Which spelling rules see and which one the origin receives, by `url_normalization`. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  canonicalTarget,
  createMatcher,
  DEFAULT_PATH_OPTIONS,
  pathForms,
} from "../../src/operation/index.ts";
import type { CanonicalPath, PathForms, UrlNormalization } from "../../src/operation/index.ts";
import { hostilePath, operation } from "./arbitraries.ts";

const HOST = "shop.example";
const saved = [
  operation("GET", HOST, "/cart/confirm", 1),
  operation("GET", HOST, "/cart/{var1}", 2),
  operation("GET", HOST, "/cart/{var1}/items", 3),
  operation("GET", HOST, "/files/{var1}/{var2}", 4),
];
const matcher = createMatcher(saved);
const shortIdOf = (path: string): string | undefined => matcher.match("GET", HOST, path)?.shortId;

function canonical(target: string): CanonicalPath {
  const result = canonicalTarget(target);
  if (result.kind !== "path") throw new Error(`no path: ${target}`);
  return result;
}

function formsOf(target: string, normalization: UrlNormalization): PathForms {
  return pathForms(canonical(target), {
    normalization,
    pathOptions: DEFAULT_PATH_OPTIONS,
    match: shortIdOf,
  });
}

const SETTINGS = (["incoming", "both", "none"] as const).flatMap((scope) =>
  (["cloudflare", "rfc3986"] as const).map((type) => ({ scope, type })),
);

describe("rules and the origin get", () => {
  // target, then for each setting: what rules see, what the origin receives
  const SENT = "/%7Ejane//%61[1]";
  const MERGED = "/~jane/a%5B1%5D";
  const RFC = "/~jane//a%5B1%5D";
  test.each([
    ["both", "cloudflare", MERGED, MERGED],
    ["both", "rfc3986", RFC, RFC],
    ["incoming", "cloudflare", MERGED, SENT],
    ["incoming", "rfc3986", RFC, SENT],
    ["none", "cloudflare", SENT, SENT],
    ["none", "rfc3986", SENT, SENT],
  ] as const)("scope %s, type %s", (scope, type, rules, origin) => {
    expect(formsOf(SENT, { scope, type })).toEqual({ rules, origin });
    expect(formsOf(`http://${HOST}${SENT}?q=//%61`, { scope, type })).toEqual({ rules, origin });
  });

  test("an ordinary path as it is, whatever the setting", () => {
    for (const setting of SETTINGS)
      expect(formsOf("/cart/7?a=b", setting)).toEqual({ rules: "/cart/7", origin: "/cart/7" });
    expect(formsOf(`http://${HOST}?q`, { scope: "none", type: "rfc3986" })).toEqual({
      rules: "/",
      origin: "/",
    });
  });

  test("RFC 3986 removes dot segments and leaves empty ones", () => {
    const setting = { scope: "both", type: "rfc3986" } as const;
    for (const [sent, form] of [
      ["/a/./b//c", "/a/b//c"],
      ["/a//../b//", "/a/b//"],
      ["/x//y/.", "/x//y/"],
      ["/x//y/%2e%2E", "/x//"],
    ] as const)
      expect([sent, formsOf(sent, setting)]).toEqual([sent, { rules: form, origin: form }]);
  });
});

describe("both get the canonical form where the origin could read another operation", () => {
  test.each([
    ["dot segments", "/cart/confirm/../7", "/cart/7"],
    ["dot segments that are no operation", "/cart/confirm/../../nothing", "/nothing"],
    ["encoded dot segments", "/cart/confirm/%2e%2e/7", "/cart/7"],
    ["a literal that undecoded is a variable", "/cart/%63onfirm", "/cart/confirm"],
    ["an empty segment that a variable may be", "/files//confirm", "/files/confirm"],
    ["an empty segment before the end", "/cart//", "/cart/"],
    ["an operation that others do not see for its slashes", "//cart/7", "/cart/7"],
  ])("%s", (_, sent, path) => {
    for (const setting of SETTINGS.filter(({ scope }) => scope !== "both"))
      expect(formsOf(sent, setting)).toEqual({ rules: path, origin: path });
  });
});

/** How origins are known to read a path before they route. */
const decode = (path: string): string =>
  path.replace(/%([0-9a-f]{2})/gi, (escape, hex: string) => {
    const char = String.fromCharCode(Number.parseInt(hex, 16));
    return /[\w\-.~]/.test(char) ? char : escape.toUpperCase();
  });
const merge = (path: string): string => path.replace(/\/{2,}/g, "/");
const resolve = (path: string): string => new URL(`http://h${path}`).pathname;
const READINGS: readonly ((path: string) => string)[] = [
  (path) => path,
  decode,
  merge,
  resolve,
  (path) => merge(decode(path)),
  (path) => decode(merge(path)),
  (path) => resolve(merge(decode(path))),
  (path) => merge(resolve(decode(path))),
  // A router whose variables may be empty.
  (path) => path.replace(/\/(?=\/)/g, "/-"),
];

const spelled = fc
  .constantFrom("/cart/confirm", "/cart/7", "/cart/confirm/items", "/files/a/b", "/other/a/b")
  .chain((path) =>
    fc.tuple(
      ...Array.from(path, (char) =>
        fc.oneof(
          { weight: 8, arbitrary: fc.constant(char) },
          {
            weight: 1,
            arbitrary:
              char === "/"
                ? fc.constantFrom("//", "/./", "/x/../", "/%2e/", "/confirm/../", "/x//")
                : fc.constant(`%${char.charCodeAt(0).toString(16)}`),
          },
        ),
      ),
    ),
  )
  .map((pieces) => pieces.join(""));

test("no setting lets an origin run another operation than the one that was judged", () => {
  let kept = 0;
  fc.assert(
    fc.property(
      fc.oneof(spelled, hostilePath),
      fc.constantFrom(...SETTINGS),
      fc.constantFrom(...READINGS),
      (sent, setting, read) => {
        const target = canonicalTarget(sent);
        if (target.kind !== "path") return true;
        const { origin } = formsOf(sent, setting);
        if (origin === target.path) return true;
        kept += 1;
        return shortIdOf(read(origin)) === shortIdOf(target.path);
      },
    ),
    { numRuns: 20_000 },
  );
  expect(kept).toBeGreaterThan(1_000);
});

test("what is forwarded always has the canonical form that was matched", () => {
  fc.assert(
    fc.property(fc.oneof(spelled, hostilePath), fc.constantFrom(...SETTINGS), (sent, setting) => {
      const target = canonicalTarget(sent);
      if (target.kind !== "path") return true;
      const forms = formsOf(sent, setting);
      return [forms.rules, forms.origin].every((form) => canonical(form).path === target.path);
    }),
    { numRuns: 5_000 },
  );
});
