import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalHost } from "../../src/operation/index.ts";
import { binaryString } from "./arbitraries.ts";

const LONG_LABEL = "a".repeat(63);
const LONG_NAME = `${`${"a".repeat(62)}.`.repeat(4)}b`;

describe("canonicalHost: one spelling for each host (threat H1)", () => {
  test.each([
    ["a plain name", "shop.example", "shop.example", null],
    ["upper case", "SHOP.Example", "shop.example", null],
    ["a final dot", "shop.example.", "shop.example", null],
    ["a final dot before a port", "shop.example.:8443", "shop.example", 8443],
    ["the default port", "shop.example:443", "shop.example", null],
    ["the default port with zeros", "shop.example:00443", "shop.example", null],
    ["another port", "shop.example:8443", "shop.example", 8443],
    ["the default port of the other scheme", "shop.example:80", "shop.example", 80],
    ["an empty port, which RFC 3986 allows", "shop.example:", "shop.example", null],
    ["an A-label", "XN--BCHER-KVA.example", "xn--bcher-kva.example", null],
    ["an underscore", "my_service", "my_service", null],
    ["a single label", "localhost", "localhost", null],
    ["an IPv4 address", "127.0.0.1:8443", "127.0.0.1", 8443],
    ["an IPv6 address", "[::1]", "[::1]", null],
    ["a long IPv6 address", "[2001:0DB8:0:0:0:0:0:1]:8443", "[2001:db8::1]", 8443],
    ["an IPv4-mapped address", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", null],
    ["the longest label", LONG_LABEL, LONG_LABEL, null],
    ["the longest name", `${LONG_NAME}.:65535`, LONG_NAME, 65_535],
  ])("%s: %s", (_what, text, host, port) => {
    expect(canonicalHost(text)).toEqual({ kind: "host", host, port });
  });

  test.each([
    ["empty", "", "ERR_HOST_EMPTY"],
    ["a port alone", ":443", "ERR_HOST_EMPTY"],
    ["a dot alone", ".", "ERR_HOST_EMPTY"],
    ["two final dots", "shop.example..", "ERR_HOST_EMPTY"],
    ["an empty label", "shop..example", "ERR_HOST_EMPTY"],
    ["a leading dot", ".shop.example", "ERR_HOST_EMPTY"],
    ["userinfo", "user@shop.example", "ERR_HOST_CHARACTER"],
    ["userinfo with password", "user:pass@shop.example", "ERR_HOST_PORT"],
    ["a slash", "shop.example/evil", "ERR_HOST_CHARACTER"],
    ["a backslash", "shop.example\\evil", "ERR_HOST_CHARACTER"],
    ["a question mark", "shop.example?evil", "ERR_HOST_CHARACTER"],
    ["a number sign", "shop.example#evil", "ERR_HOST_CHARACTER"],
    ["two hosts in one header", "shop.example, evil.example", "ERR_HOST_CHARACTER"],
    ["a space", "shop.example ", "ERR_HOST_CHARACTER"],
    ["a line break", "shop.example\r\nx: y", "ERR_HOST_CHARACTER"],
    ["a NUL", "shop.example\0", "ERR_HOST_CHARACTER"],
    ["percent-encoding", "shop%2eexample", "ERR_HOST_CHARACTER"],
    ["a wildcard", "*.example", "ERR_HOST_CHARACTER"],
    ["a host variable", "{hostVar1}.example", "ERR_HOST_CHARACTER"],
    ["a U-label in UTF-8 bytes", "b\u00c3\u00bccher.example", "ERR_HOST_NON_ASCII"],
    ["a soft hyphen, which IDNA would drop", "shop\u00ad.example", "ERR_HOST_NON_ASCII"],
    ["an ordinal that IDNA would map to a letter", "sh\u00bap.example", "ERR_HOST_NON_ASCII"],
    ["the Kelvin sign, which lower-cases to k", "\u212aelvin.example", "ERR_HOST_NON_ASCII"],
    ["a label of 64", `a${LONG_LABEL}`, "ERR_HOST_LABEL"],
    ["a name of 254", `${LONG_NAME}c`, "ERR_HOST_LENGTH"],
    ["a megabyte", "a".repeat(1_000_000), "ERR_HOST_LENGTH"],
    ["a port out of range", "shop.example:65536", "ERR_HOST_PORT"],
    ["a port of a megabyte", `shop.example:${"0".repeat(1_000_000)}`, "ERR_HOST_LENGTH"],
    ["port zero", "shop.example:0", "ERR_HOST_PORT"],
    ["a port that is no number", "shop.example:8x", "ERR_HOST_PORT"],
    ["a negative port", "shop.example:-1", "ERR_HOST_PORT"],
    ["two ports", "shop.example:1:2", "ERR_HOST_PORT"],
    ["IPv6 without brackets", "2001:db8::1", "ERR_HOST_PORT"],
    ["the shortest IPv6 without brackets", "::", "ERR_HOST_EMPTY"],
    ["IPv6 with a zone", "[fe80::1%25eth0]", "ERR_HOST_IPV6"],
    ["IPv6 that is none", "[1:2:3]", "ERR_HOST_IPV6"],
    ["empty brackets", "[]", "ERR_HOST_IPV6"],
    ["a name in brackets", "[shop.example]", "ERR_HOST_IPV6"],
    ["an open bracket", "[::1", "ERR_HOST_CHARACTER"],
    ["text after the bracket", "[::1]evil", "ERR_HOST_CHARACTER"],
    ["IPvFuture", "[v1.a]", "ERR_HOST_IPV6"],
  ])("%s is refused: %j", (_what, text, code) => {
    expect(canonicalHost(text)).toMatchObject({ kind: "error", code });
  });

  test("the scheme decides which port is the default", () => {
    expect(canonicalHost("shop.example:80", "http")).toEqual({
      kind: "host",
      host: "shop.example",
      port: null,
    });
    expect(canonicalHost("shop.example:443", "http")).toMatchObject({ port: 443 });
  });

  test("messages quote little and control characters never raw", () => {
    const result = canonicalHost(`evil\n${"x".repeat(120)}`);
    expect(result).toMatchObject({ message: expect.stringContaining("`evil\\u000axxx") });
    expect((result as { message: string }).message.length).toBeLessThan(250);
  });

  test("a canonical host is its own canonical form, and nothing makes it throw", () => {
    const hosts = fc.oneof(
      binaryString,
      fc.domain(),
      fc.ipV6().map((address) => `[${address}]`),
      fc
        .array(fc.constantFrom(...Array.from("aA9-_.:[]@/%xn ")), { maxLength: 20 })
        .map((chars) => chars.join("")),
    );
    fc.assert(
      fc.property(hosts, (text) => {
        const once = canonicalHost(text);
        if (once.kind === "error") return;
        expect(once.host).toMatch(/^(?:[a-z0-9_.-]+|\[[0-9a-f:]+\])$/);
        expect(canonicalHost(once.host)).toEqual({ ...once, port: null });
      }),
      { numRuns: 5000 },
    );
  });
});
