import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DEFAULT_PATH_OPTIONS, canonicalTarget, normalizeEndpoint } from "../../src/operation/index.ts";

function outcome(template: string): string {
  const result = normalizeEndpoint(template);
  return result.kind === "endpoint" ? result.endpoint : result.code;
}

describe("normalizeEndpoint", () => {
  test.each([
    ["/", "/"],
    ["/users/{id}/p/{pid}", "/users/{var1}/p/{var2}"],
    ["/{b}/{a}", "/{var1}/{var2}"],
    ["/{var2}/{var1}", "/{var1}/{var2}"],
    ["/{user-id}/{id:[0-9]+}/{same}/{same}", "/{var1}/{var2}/{var3}/{var4}"],
    ["\\users", "ERR_ENDPOINT_FORM"],
    ["/users\\{id}\\x", "/users/{var1}/x"],
    ["//a///b//", "/a/b/"],
    ["/a/./b/../{x}", "/a/{var1}"],
    ["/{gone}/../{kept}", "/{var1}"],
    ["/a/%2e%2E/b", "/b"],
    ["/%61%7e%c3%a9", "/a~%C3%A9"],
    ["/café au lait", "/caf%C3%A9%20au%20lait"],
    ["/💶", "/%F0%9F%92%B6"],
    ["/a|b^c", "/a%7Cb%5Ec"],
    ["/users/@me:batch;v=1", "/users/@me:batch;v=1"],
    ["/a%2fb%5cc%2541", "/a%2Fb%5Cc%2541"],
    ["/%7Bid%7D", "/%7Bid%7D"],
    ["/trailing/", "/trailing/"],
    [`/${"a".repeat(4095)}`, `/${"a".repeat(4095)}`],
  ])("%s → %s", (template, expected) => {
    expect(outcome(template)).toBe(expected);
  });

  test.each([
    ["", "ERR_ENDPOINT_FORM"],
    ["users", "ERR_ENDPOINT_FORM"],
    ["https://shop.example/users", "ERR_ENDPOINT_FORM"],
    ["/a?b", "ERR_ENDPOINT_QUERY"],
    ["/a#b", "ERR_ENDPOINT_QUERY"],
    ["/{id}.json", "ERR_ENDPOINT_VARIABLE"],
    ["/v{n}", "ERR_ENDPOINT_VARIABLE"],
    ["/{a}{b}", "ERR_ENDPOINT_VARIABLE"],
    ["/{}", "ERR_ENDPOINT_VARIABLE"],
    ["/{a", "ERR_ENDPOINT_VARIABLE"],
    ["/a}", "ERR_ENDPOINT_VARIABLE"],
    ["/{{a}}", "ERR_ENDPOINT_VARIABLE"],
    ["/{a/b}", "ERR_ENDPOINT_VARIABLE"],
    ["/a\nb", "ERR_ENDPOINT_CHARACTER"],
    ["/a\u007f", "ERR_ENDPOINT_CHARACTER"],
    ["/\ud800", "ERR_ENDPOINT_CHARACTER"],
    ["/100%", "ERR_ENDPOINT_PATH"],
    ["/%u0041", "ERR_ENDPOINT_PATH"],
    ["/%00", "ERR_ENDPOINT_PATH"],
    ["/%c0%af", "ERR_ENDPOINT_PATH"],
    ["/a/..;/b", "ERR_ENDPOINT_PATH"],
    ["/../a", "ERR_ENDPOINT_PATH"],
    ["/{a}/../../b", "ERR_ENDPOINT_PATH"],
    [`/${"a".repeat(4096)}`, "ERR_ENDPOINT_LENGTH"],
    [`/${"é".repeat(700)}`, "ERR_ENDPOINT_LENGTH"],
  ])("%j is refused with %s", (template, code) => {
    expect(outcome(template)).toBe(code);
  });

  test("errors name value, field and remedy", () => {
    expect(normalizeEndpoint("/users/{id}.json")).toEqual({
      kind: "error",
      code: "ERR_ENDPOINT_VARIABLE",
      field: "endpoint",
      pointer: "/endpoint",
      reason:
        "segment `{id}.json` is not a variable as a whole; write `{name}` between two slashes, or `%7B` for a brace",
      message:
        "'/users/{id}.json' is not a valid value for endpoint because segment `{id}.json` is not a variable as a whole; write `{name}` between two slashes, or `%7B` for a brace",
    });
  });

  test("is idempotent, never throws, and leaves what a request could ask for", () => {
    const pieces = [
      "/",
      "/{id}",
      "/{",
      "}",
      "..",
      "%2e",
      "%7B",
      "%2f",
      "%41",
      "\\",
      "é",
      "\ud83d",
      " ",
      "a",
      ";",
      "~",
      "%c3",
    ];
    const templates = fc.oneof(
      fc.string({ unit: "binary", maxLength: 40 }),
      fc.array(fc.constantFrom(...pieces), { maxLength: 16 }).map((parts) => `/${parts.join("")}`),
    );
    let accepted = 0;
    fc.assert(
      fc.property(templates, (template) => {
        const once = normalizeEndpoint(template);
        if (once.kind === "error") return once.message.includes("is not a valid value for endpoint because");
        accepted++;
        expect(normalizeEndpoint(once.endpoint)).toEqual(once);
        const request = once.endpoint.replace(/\{var\d+\}/g, "x");
        const options = { encodedSlash: "keep", encodedBackslash: "keep", doubleEncoding: "keep" } as const;
        const target = canonicalTarget(request, { ...DEFAULT_PATH_OPTIONS, ...options });
        return target.kind === "path" && target.path === request;
      }),
      { numRuns: 10_000 },
    );
    expect(accepted).toBeGreaterThan(1000);
  });
});
