import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DEFAULT_PATH_OPTIONS, canonicalTarget } from "../../src/operation/index.ts";
import type { PathOptions } from "../../src/operation/index.ts";
import { anyTarget, hostilePath, pathOptions } from "./arbitraries.ts";
import { expectLinear } from "../support/cost.ts";

/** The path, or the code of the refusal. */
function outcome(target: string, options: Partial<PathOptions> = {}): string {
  const result = canonicalTarget(target, { ...DEFAULT_PATH_OPTIONS, ...options });
  if (result.kind === "path") return result.path;
  return result.kind === "error" ? result.code : result.kind;
}

describe("canonicalTarget: forms of RFC 9112 section 3.2", () => {
  test.each([
    ["/", { path: "/", query: "", authority: null }],
    ["/a?", { path: "/a", query: "?", authority: null }],
    ["/a?b=/../%zz&c[]={d}|?", { path: "/a", query: "?b=/../%zz&c[]={d}|?", authority: null }],
    ["http://shop.example", { path: "/", query: "", authority: "shop.example" }],
    ["http://shop.example?a", { path: "/", query: "?a", authority: "shop.example" }],
    ["HTTPS://u@Shop.Example:8443/a/../b?c", { path: "/b", query: "?c", authority: "u@Shop.Example:8443" }],
    ["//evil.example/a", { path: "/evil.example/a", query: "", authority: null }],
  ])("%s", (raw, expected) => {
    expect(canonicalTarget(raw)).toEqual({ kind: "path", raw, ...expected });
  });

  test("`*` has a kind of its own, for OPTIONS", () => {
    expect(canonicalTarget("*")).toEqual({ kind: "asterisk", raw: "*" });
  });

  test.each([
    ["", "ERR_TARGET_FORM"],
    ["a/b", "ERR_TARGET_FORM"],
    ["shop.example:443", "ERR_TARGET_FORM"],
    ["ftp://host/a", "ERR_TARGET_FORM"],
    ["http:/a", "ERR_TARGET_FORM"],
    [" /a", "ERR_TARGET_FORM"],
    ["**", "ERR_TARGET_FORM"],
    ["http:///a", "ERR_TARGET_AUTHORITY"],
    ["http://good\\@evil/a", "ERR_TARGET_AUTHORITY"],
    ["http://good#@evil/a", "ERR_TARGET_AUTHORITY"],
    ["http://ev\u00efl/a", "ERR_TARGET_AUTHORITY"],
    ["http://a b/", "ERR_TARGET_AUTHORITY"],
    ["/a?b#c", "ERR_TARGET_RAW_CHARACTER"],
    ["/a?b c", "ERR_TARGET_RAW_CHARACTER"],
    ["/a?\u00e9", "ERR_TARGET_RAW_CHARACTER"],
    ["/a?b\r\nX: y", "ERR_TARGET_RAW_CHARACTER"],
  ])("%j is refused with %s", (target, code) => {
    expect(outcome(target)).toBe(code);
  });

  test("the limit counts the whole target", () => {
    expect(outcome(`/${"a".repeat(8191)}`)).toHaveLength(8192);
    expect(outcome(`/a?${"b".repeat(8190)}`)).toBe("ERR_TARGET_LENGTH");
    expect(outcome("/abc", { maxTargetBytes: 3 })).toBe("ERR_TARGET_LENGTH");
  });
});

describe("canonicalTarget: the path", () => {
  test.each([
    // escapes
    ["/%61%2D%2e%5f%7E", "/a-._~"],
    ["/%c3%a9%3a%3A", "/%C3%A9%3A%3A"],
    ["/a%20b%26", "/a%20b%26"],
    ["/%25", "/%25"],
    ["/100%25-off", "/100%25-off"],
    // what RFC 3986 forbids raw and browsers send
    ['/"<>[]^`{|}', "/%22%3C%3E%5B%5D%5E%60%7B%7C%7D"],
    ["/!$&'()*+,;=:@", "/!$&'()*+,;=:@"],
    // dot segments and slashes
    ["/a/b/../../c", "/c"],
    ["/a/./b/.", "/a/b/"],
    ["/a/b/..", "/a/"],
    ["/a/..", "/"],
    ["/.", "/"],
    ["//", "/"],
    ["/a//.//b///", "/a/b/"],
    ["/a//../b", "/a/b"],
    ["/...", "/..."],
    ["/.a/..b/c..", "/.a/..b/c.."],
    ["/x;y/..", "/"],
  ])("%s → %s", (target, expected) => {
    expect(outcome(target)).toBe(expected);
  });

  test.each([
    ["/%", "ERR_TARGET_PERCENT"],
    ["/%4", "ERR_TARGET_PERCENT"],
    ["/%4g", "ERR_TARGET_PERCENT"],
    ["/%u0041", "ERR_TARGET_PERCENT"],
    ["/%%34%31", "ERR_TARGET_PERCENT"],
    ["/a\tb", "ERR_TARGET_RAW_CHARACTER"],
    ["/a\u00a0", "ERR_TARGET_RAW_CHARACTER"],
    ["/%7f", "ERR_TARGET_ENCODED_CONTROL"],
    ["/%1F", "ERR_TARGET_ENCODED_CONTROL"],
    ["/%c0%af", "ERR_TARGET_UTF8"],
    ["/%e2%84", "ERR_TARGET_UTF8"],
    ["/%e2%84/%aa", "ERR_TARGET_UTF8"],
    ["/%e2a%84%aa", "ERR_TARGET_UTF8"],
    ["/%ed%a0%80", "ERR_TARGET_UTF8"],
    ["/%f4%90%80%80", "ERR_TARGET_UTF8"],
    ["/..", "ERR_TARGET_ABOVE_ROOT"],
    ["/a/../..", "ERR_TARGET_ABOVE_ROOT"],
    ["/%2e%2e/a", "ERR_TARGET_ABOVE_ROOT"],
    ["/.;/a", "ERR_TARGET_DOT_SEGMENT"],
    ["/a/..;x=1", "ERR_TARGET_DOT_SEGMENT"],
    ["/a/%2e.%3b/b", "ERR_TARGET_DOT_SEGMENT"],
  ])("%s is refused with %s", (target, code) => {
    expect(outcome(target)).toBe(code);
  });

  test("messages name the place and the remedy", () => {
    expect(canonicalTarget("/ab%zz")).toMatchObject({
      message:
        "expected two hexadecimal digits after `%` at byte 3 of the path; write a literal `%` as `%25`",
    });
    expect(canonicalTarget("/a\nb")).toMatchObject({
      message: "expected a path of printable ASCII, found 0x0a at byte 2 of the path; percent-encode it",
    });
    expect(canonicalTarget("/a/b/..;x")).toMatchObject({
      message:
        "expected no dot segment with a parameter or an encoded separator, found `/..;` in segment 3 of the path; remove it",
    });
    expect(canonicalTarget("/a?b#")).toMatchObject({
      message: "expected a query of printable ASCII, found `#` at byte 1 of the query; percent-encode it",
    });
  });
});

describe("canonicalTarget: options", () => {
  test.each([
    ["/a%2fb", { encodedSlash: "keep" }, "/a%2Fb"],
    ["/a%2fb", { encodedSlash: "decode" }, "/a/b"],
    ["/a%2f%2fb/..%2Fc", { encodedSlash: "decode" }, "/a/c"],
    ["/a%5cb", { encodedBackslash: "keep" }, "/a%5Cb"],
    ["/a%5c..%5cb", { encodedBackslash: "decode" }, "/b"],
    ["/a\\b", { encodedBackslash: "decode" }, "ERR_TARGET_RAW_CHARACTER"],
    ["/a%5cb", { encodedSlash: "decode" }, "ERR_TARGET_ENCODED_BACKSLASH"],
    ["/a%2fb", { encodedBackslash: "decode" }, "ERR_TARGET_ENCODED_SLASH"],
    ["/%252e%252e/a", { doubleEncoding: "keep" }, "/%252e%252e/a"],
    ["/a/..%2fb", { encodedSlash: "keep" }, "ERR_TARGET_DOT_SEGMENT"],
    ["/a%2f..", { encodedSlash: "keep" }, "ERR_TARGET_DOT_SEGMENT"],
    ["/a%2f.%2fb", { encodedSlash: "keep" }, "ERR_TARGET_DOT_SEGMENT"],
    ["/a%5c..;/b", { encodedBackslash: "keep" }, "ERR_TARGET_DOT_SEGMENT"],
    ["/a%2f...%2fb", { encodedSlash: "keep" }, "/a%2F...%2Fb"],
  ] as const)("%s with %j → %s", (target, options, expected) => {
    expect(outcome(target, options)).toBe(expected);
  });

  test.each(["/%2574", "/%25%374", "/%257%34", "/%25%37%34", "/%25%41a", "/%25%66%46", "/%2525"])(
    "%s is double encoding, however the digits are spelled",
    (target) => {
      expect(outcome(target)).toBe("ERR_TARGET_DOUBLE_ENCODING");
    },
  );
});

describe("canonicalTarget: properties", () => {
  test("canon(canon(x)) = canon(x), in the alphabet of RFC 3986", () => {
    let accepted = 0;
    fc.assert(
      fc.property(hostilePath, pathOptions, (target, options) => {
        const once = canonicalTarget(target, options);
        if (once.kind !== "path") return;
        accepted++;
        expect(once.path).toMatch(/^\/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-F]{2})*$/);
        expect(once.path).not.toMatch(/\/\/|\/\.\.?(?:\/|$)/);
        const twice = canonicalTarget(once.path, options);
        expect(twice).toMatchObject({ kind: "path", path: once.path, query: "" });
      }),
      { numRuns: 10_000 },
    );
    expect(accepted).toBeGreaterThan(500);
  });

  test("never throws, whatever the bytes, and always says what was wrong", () => {
    const codes = new Set<string>();
    fc.assert(
      fc.property(anyTarget, pathOptions, (target, options) => {
        const result = canonicalTarget(target, options);
        if (result.kind === "error") codes.add(result.code);
        return result.kind === "error"
          ? /^ERR_TARGET_[A-Z0-9_]+$/.test(result.code) && /^expected [^\n\r]*; [a-z]/.test(result.message)
          : result.raw === target;
      }),
      { numRuns: 10_000 },
    );
    // Every cause but the length, which nothing so short can have.
    expect(codes.size).toBe(11);
  });

  test("agrees with the WHATWG URL parser where both accept the path", () => {
    let compared = 0;
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("/", "/..", "/.", "/%2e%2E", "/%2e", "/a", "b", ";c", "%2B", "%C3%A9"), {
          maxLength: 12,
        }),
        (pieces) => {
          const target = `/x${pieces.join("")}`;
          const result = canonicalTarget(target);
          if (result.kind !== "path") return;
          compared++;
          const browser = new URL(`http://host${target}`).pathname;
          // It keeps empty segments, and escapes of dots that are no dot segment.
          expect(result.path).toBe(browser.replace(/\/{2,}/g, "/").replace(/%2e/gi, "."));
        },
      ),
      { numRuns: 2000 },
    );
    expect(compared).toBeGreaterThan(500);
  });

  test.each(["/..", "/a/..", "/%2e%2e", "%25", "/%25%3", "/;", "%c3%a9", "%2f..", "{", "/a%2f"])(
    "8 KiB of %s take time in proportion",
    (piece) => {
      const options = { ...DEFAULT_PATH_OPTIONS, encodedSlash: "keep", doubleEncoding: "keep" } as const;
      const targetOf = (bytes: number): string => `/${piece.repeat(bytes)}`.slice(0, bytes);
      expectLinear(8192, targetOf, (target) => {
        for (let round = 0; round < 10; round++) canonicalTarget(target, options);
      });
    },
  );
});
