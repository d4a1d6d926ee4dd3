import { createHmac } from "node:crypto";

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { identityText, sessionKey, sourceOf } from "../../src/session/index.ts";
import type { AuthIdCharacteristic } from "../../src/session/index.ts";

const ZONE = "0123456789abcdef0123456789abcdef";
const hmac = (text: string): string =>
  createHmac("sha256", "key of a test").update(text).digest("base64url").slice(0, 22);
const present = (type: AuthIdCharacteristic["type"], name: string, value: string) =>
  ({ kind: "present", characteristic: { type, name }, value }) as const;

describe("the name of a session", () => {
  test("is printable, bounded, and does not show the identifier", () => {
    const key = sessionKey(ZONE, present("header", "authorization", "Bearer secret\n".repeat(500)), hmac);
    expect(key).toMatch(/^[0-9a-f]{32}:s:[\w-]{22}$/);
    expect(key).not.toContain("secret");
  });

  test("differs by zone, type, name, value and key", () => {
    const base = present("header", "a", "x");
    const keys = [
      sessionKey(ZONE, base, hmac),
      sessionKey(ZONE.replace("0", "1"), base, hmac),
      sessionKey(ZONE, present("cookie", "a", "x"), hmac),
      sessionKey(ZONE, present("header", "b", "x"), hmac),
      sessionKey(ZONE, present("header", "a", "y"), hmac),
      sessionKey(ZONE, present("header", "a", "x"), (text) => hmac(`${text}other key`)),
    ];
    expect(new Set(keys).size).toBe(keys.length);
    expect(sessionKey(ZONE, present("header", "a", "x"), hmac)).toBe(keys[0]);
  });

  test("property: no two identities have the same text", () => {
    const name = fc.string({ unit: fc.constantFrom("a", "b"), minLength: 1, maxLength: 2 });
    const value = fc.string({ unit: fc.constantFrom("a", "b", "\n"), maxLength: 3 });
    const identity = fc.tuple(fc.constantFrom("header" as const, "cookie" as const), name, value);
    fc.assert(
      fc.property(identity, identity, (left, right) => {
        const isSame = left.every((part, index) => part === right[index]);
        expect(identityText(present(...left)) === identityText(present(...right))).toBe(isSame);
      }),
    );
  });
});

describe("who stands behind an address", () => {
  test.each([
    ["192.0.2.7", "192.0.2.7"],
    ["::ffff:192.0.2.7", "192.0.2.7"],
    ["0:0:0:0:0:FFFF:192.0.2.7", "192.0.2.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:0DB8:0001:0002::1", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["::", "0:0:0:0::/64"],
    ["fe80::", "fe80:0:0:0::/64"],
    ["1:2:3:4:5:6:7::", "1:2:3:4::/64"],
    ["", ""],
    ["unknown", "unknown"],
  ])("%j is %j", (address, source) => {
    expect(sourceOf(address)).toBe(source);
  });

  test("addresses of one /64 are one source, those of another are not", () => {
    expect(sourceOf("2001:db8:1:2::1")).toBe(sourceOf("2001:db8:1:2:ffff:ffff:ffff:ffff"));
    expect(sourceOf("2001:db8:1:2::1")).not.toBe(sourceOf("2001:db8:1:3::1"));
  });
});
