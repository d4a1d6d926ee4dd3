import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { normalizeHostTemplate } from "../../src/operation/index.ts";

function outcome(template: string): string {
  const result = normalizeHostTemplate(template);
  return result.kind === "host_template" ? result.host : result.code;
}

describe("normalizeHostTemplate", () => {
  test.each([
    ["www.example.com", "www.example.com"],
    ["WWW.Example.COM.", "www.example.com"],
    ["localhost", "localhost"],
    ["127.0.0.1", "127.0.0.1"],
    ["[0:0::1]", "[::1]"],
    // the documented forms are their own normal form
    ["{hostVar1}.example.com", "{hostVar1}.example.com"],
    ["foo.{hostVar1}.example.com", "foo.{hostVar1}.example.com"],
    ["{hostVar2}.{hostVar1}.example.com", "{hostVar2}.{hostVar1}.example.com"],
    // renumbered from the right
    ["{hostVar1}.{hostVar2}.example.com", "{hostVar2}.{hostVar1}.example.com"],
    ["{tenant}.api.{region}.example.com.", "{hostVar2}.api.{hostVar1}.example.com"],
    ["{any}", "{hostVar1}"],
    // internationalised names
    ["bücher.example", "xn--bcher-kva.example"],
    ["{x}.Bücher.EXAMPLE", "{hostVar1}.xn--bcher-kva.example"],
    ["例え.テスト", "xn--r8jz45g.xn--zckzah"],
  ])("%s → %s", (template, expected) => {
    expect(outcome(template)).toBe(expected);
  });

  test.each([
    ["", "ERR_HOST_TEMPLATE_NAME"],
    [".", "ERR_HOST_TEMPLATE_NAME"],
    ["a..b", "ERR_HOST_TEMPLATE_NAME"],
    ["example.com..", "ERR_HOST_TEMPLATE_NAME"],
    ["user@example.com", "ERR_HOST_TEMPLATE_NAME"],
    ["example.com/a", "ERR_HOST_TEMPLATE_NAME"],
    ["exa mple.com", "ERR_HOST_TEMPLATE_NAME"],
    ["*.example.com", "ERR_HOST_TEMPLATE_NAME"],
    ["a%2eb", "ERR_HOST_TEMPLATE_NAME"],
    [`${"a".repeat(64)}.com`, "ERR_HOST_TEMPLATE_NAME"],
    ["{hostVar1}.[::1]", "ERR_HOST_TEMPLATE_PORT"],
    ["[fe80::1%eth0]", "ERR_HOST_TEMPLATE_NAME"],
    ["[::1].example.com", "ERR_HOST_TEMPLATE_NAME"],
    ["example.com:8443", "ERR_HOST_TEMPLATE_PORT"],
    ["https://example.com", "ERR_HOST_TEMPLATE_PORT"],
    ["foo-{hostVar1}.example.com", "ERR_HOST_TEMPLATE_VARIABLE"],
    ["{hostVar1}x.example.com", "ERR_HOST_TEMPLATE_VARIABLE"],
    ["{}.example.com", "ERR_HOST_TEMPLATE_VARIABLE"],
    ["{a.b}.example.com", "ERR_HOST_TEMPLATE_VARIABLE"],
    // what IDNA would turn into plain ASCII, or into several labels, is not one name but two readings
    ["１２７.example.com", "ERR_HOST_TEMPLATE_NAME"],
    ["shop\u00ad.example.com", "ERR_HOST_TEMPLATE_NAME"],
    ["a。b.example.com", "ERR_HOST_TEMPLATE_NAME"],
    ["ü/x.example.com", "ERR_HOST_TEMPLATE_NAME"],
    ["evil@ü.example.com", "ERR_HOST_TEMPLATE_NAME"],
    ["ü%2e.example.com", "ERR_HOST_TEMPLATE_NAME"],
    ["ü\u00ad.example.com", "ERR_HOST_TEMPLATE_NAME"],
    ["ü@evil.example.com", "ERR_HOST_TEMPLATE_NAME"],
    [`${"a.".repeat(128)}b`, "ERR_HOST_TEMPLATE_LENGTH"],
    [`${"{x}.".repeat(60)}com`, "ERR_HOST_TEMPLATE_LENGTH"],
  ])("%j is refused with %s", (template, code) => {
    expect(outcome(template)).toBe(code);
  });

  test("is idempotent and never throws", () => {
    const pieces = [
      "a",
      "B",
      ".",
      "{x}",
      "{",
      "ü",
      "ß",
      "ſ",
      "-",
      "_",
      "[",
      "]",
      "::1",
      "。",
      "\u00ad",
      "9",
      "@",
      "/",
      " ",
    ];
    const templates = fc.oneof(
      fc.string({ unit: "binary", maxLength: 30 }),
      fc.domain(),
      fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(templates, (template) => {
        const once = normalizeHostTemplate(template);
        if (once.kind === "error") return;
        expect(once.host).toMatch(/^[a-z0-9_.{}V:[\]-]+$/);
        expect(normalizeHostTemplate(once.host)).toEqual(once);
      }),
      { numRuns: 5000 },
    );
  });
});
