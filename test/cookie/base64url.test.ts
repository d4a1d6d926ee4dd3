import * as fc from "fast-check";
import { base64url } from "jose";
import { describe, expect, test } from "vitest";

import { decodeBase64url, decodedLength, encodeBase64url } from "../../src/cookie/base64url.ts";

const encode = (bytes: Uint8Array) => {
  const target = Buffer.alloc(Math.ceil((bytes.length * 4) / 3) + 2, "#");
  const end = encodeBase64url(bytes, target, 1);
  return target.toString("latin1", 0, end + 1);
};

function decode(text: string): Uint8Array | undefined {
  const target = new Uint8Array(decodedLength(text.length));
  return decodeBase64url(`(${text})`, 1, text.length + 1, target) ? target : undefined;
}

describe("base64url", () => {
  test("agrees with jose on random bytes, and writes nothing beside them", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
        const text = base64url.encode(bytes);
        expect(encode(bytes)).toBe(`#${text}#`);
        expect(decode(text)).toEqual(bytes);
      }),
      { numRuns: 2_000 },
    );
  });

  test("what decodes has no second spelling", () => {
    const anyText = fc.string({
      unit: fc.constantFrom(..."ABCDQgwz019-_".split(""), "=", "+", "/", " ", "\u0141", "é"),
      maxLength: 9,
    });
    fc.assert(
      fc.property(anyText, (text) => {
        const bytes = decode(text);
        expect(bytes === undefined ? text : base64url.encode(bytes)).toBe(text);
      }),
      { numRuns: 5_000 },
    );
  });

  test.each([
    "A",
    "AAAAA",
    "AAAA=",
    "AA==",
    "AB",
    "AAB",
    "A A",
    "A+AA",
    "A/AA",
    "AAA\n",
    "\u0141AAA",
    "AAA\uFF21",
  ])("`%s` does not decode", (text) => {
    expect(decode(text)).toBeUndefined();
  });
});
