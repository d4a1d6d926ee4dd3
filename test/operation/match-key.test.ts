import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DEFAULT_PATH_OPTIONS, canonicalTarget, matchKey } from "../../src/operation/index.ts";
import type { PathOptions } from "../../src/operation/index.ts";
import { hostilePath, pathOptions } from "./arbitraries.ts";

const key = (path: string, options: Partial<PathOptions> = {}): string =>
  matchKey(path, { ...DEFAULT_PATH_OPTIONS, ...options });

describe("matchKey: by default", () => {
  test.each([
    ["/", "/"],
    ["/Api/V1", "/api/v1"],
    ["/a/", "/a"],
    ["/a;x=1/b;y", "/a/b"],
    ["/a;", "/a"],
    ["/a/;x", "/a"],
    ["/a/;x/b", "/a/b"],
    ["/;", "/"],
    ["/a%3Bx", "/a"],
    ["/users/%40me", "/users/@me"],
    ["/v1/users%3Abatch", "/v1/users:batch"],
    ["/%21%24%26%27%28%29%2A%2B%2C%3D", "/!$&'()*+,="],
    // Everything else keeps its escape.
    ["/a%2Fb%5C%25%20%3F%23%22%7B", "/a%2fb%5c%25%20%3f%23%22%7b"],
    ["/%2526", "/%2526"],
    ["/a.json", "/a.json"],
  ])("%s → %s", (path, expected) => {
    expect(key(path)).toBe(expected);
  });
});

describe("matchKey: options", () => {
  test.each([
    ["/Api/%C3%89", { caseSensitive: true }, "/Api/%C3%89"],
    ["/a/", { trailingSlash: "keep" }, "/a/"],
    ["/a/;x", { trailingSlash: "keep" }, "/a/"],
    ["/a;x/b%3By", { params: "keep" }, "/a;x/b;y"],
    ["/a;x/b%3By", { params: "cut" }, "/a"],
    ["/a/;x", { params: "cut" }, "/a"],
    ["/;x/b", { params: "cut" }, "/"],
    ["/caf%C3%89", {}, "/caf%c3%89"],
    ["/caf%C3%89", { caseFolding: "unicode" }, "/caf%c3%a9"],
    ["/caf%C3%A9", { caseFolding: "unicode" }, "/caf%c3%a9"],
    ["/caf%C3%89", { caseFolding: "unicode", caseSensitive: true }, "/caf%C3%89"],
    ["/transferFund%C5%BF", { caseFolding: "unicode" }, "/transferfunds"],
    ["/%E2%84%AAey", { caseFolding: "unicode" }, "/key"],
    // Letter for letter: no sharp s into two, no ligature apart, no fullwidth forms (that would be NFKC).
    ["/stra%C3%9Fe", { caseFolding: "unicode" }, "/stra%c3%9fe"],
    ["/%EF%AC%81", { caseFolding: "unicode" }, "/%ef%ac%81"],
    ["/%EF%BD%94", { caseFolding: "unicode" }, "/%ef%bd%94"],
    ["/%C4%B0", { caseFolding: "unicode" }, "/%c4%b0"],
  ] as const)("%s with %j → %s", (path, options, expected) => {
    expect(key(path, options)).toBe(expected);
  });
});

test("a key is its own key, and depends on the canonical path alone", () => {
  fc.assert(
    fc.property(hostilePath, pathOptions, (target, options) => {
      const result = canonicalTarget(target, options);
      if (result.kind !== "path") return;
      const once = matchKey(result.path, options);
      expect(once).toMatch(/^\/[!-~]*$/);
      expect(matchKey(once, options)).toBe(once);
    }),
    { numRuns: 5000 },
  );
});
