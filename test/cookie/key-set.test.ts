import { describe, expect, test } from "vitest";

import {
  KeySetError,
  createKeyRing,
  createRandomSource,
  exportKeySet,
  generateMasterKey,
  importKeySet,
} from "../../src/cookie/index.ts";
import { MASTER, NOW, SECOND_MASTER, createBytes } from "./fixtures.ts";

const K = Buffer.from(MASTER.secret).toString("base64url");
const K2 = Buffer.from(SECOND_MASTER.secret).toString("base64url");
const jwk = (more: Readonly<Record<string, unknown>> = {}) => ({ kty: "oct", kid: "a", k: K, ...more });
const set = (...keys: readonly unknown[]) => ({ keys });

describe("key sets", () => {
  test("what is exported is imported again, as text or as an object", async () => {
    const masters = [MASTER, { ...SECOND_MASTER, activeFrom: 1_790_000_000_000 }];
    const keySet = await exportKeySet(masters);
    expect(keySet).toEqual({
      keys: [
        { kty: "oct", kid: "first", use: "enc", k: K },
        { kty: "oct", kid: "second", use: "enc", k: K2, nbf: 1_790_000_000 },
      ],
    });
    for (const source of [keySet, JSON.stringify(keySet)]) {
      expect(await importKeySet(source)).toEqual(masters);
    }
  });

  test("an activation is never earlier than asked for", async () => {
    const { keys } = await exportKeySet([{ ...MASTER, activeFrom: 1_500 }]);
    expect(keys[0]).toMatchObject({ nbf: 2 });
  });

  test("a new key", async () => {
    const random = createRandomSource();
    const one = generateMasterKey(random);
    const other = generateMasterKey(random, NOW);
    expect(one.id).toMatch(/^[0-9a-f]{8}$/);
    expect(one.secret).toHaveLength(32);
    expect(one).not.toHaveProperty("activeFrom");
    expect(other.activeFrom).toBe(NOW);
    expect(Buffer.from(one.secret).equals(other.secret)).toBe(false);
    expect(await importKeySet(await exportKeySet([one, other]))).toEqual([one, other]);
    expect(() => createKeyRing([one, other])).not.toThrow();
  });

  test("a new key is a copy: its source may be used again", () => {
    const pool = createBytes(1)(64);
    const key = generateMasterKey((size) => pool.subarray(0, size));
    const before = [...key.secret];
    pool.fill(0);
    expect([...key.secret]).toEqual(before);
  });
});

describe("key sets that are refused", () => {
  /** What it is, the source, code, pointer, part of the message. */
  test.each<[string, unknown, string, readonly [pointer: string, message: string]]>([
    ["no JSON", "{keys", "key_set_syntax", ["", "expected a JWK set in JSON"]],
    [
      "a text of 20 KB",
      `{"keys":[]}${" ".repeat(20_000)}`,
      "key_set_too_large",
      ["", "at most 16384 bytes, found 20011"],
    ],
    ["null", null, "key_set_syntax", ["", "an object with an array `keys`"]],
    ["an array", [jwk()], "key_set_syntax", ["", "an object with an array `keys`"]],
    ["a single key", jwk(), "key_set_syntax", ["", "an object with an array `keys`"]],
    ["keys that are no array", { keys: jwk() }, "key_set_syntax", ["", "an object with an array `keys`"]],
    ["no key", set(), "key_set_empty", ["/keys", "expected at least one key"]],
    [
      "nine keys",
      set(...Array.from({ length: 9 }, () => jwk())),
      "key_set_too_large",
      ["/keys", "at most 8 keys, found 9"],
    ],
    ["a key that is null", set(null), "key_invalid", ["/keys/0", "expected a JWK"]],
    ["another kind of key", set(jwk({ kty: "RSA" })), "key_invalid", ["/keys/0/kty", "expected `oct`"]],
    ["no kind", set({ kid: "a", k: K }), "key_invalid", ["/keys/0/kty", "expected `oct`"]],
    ["no id", set({ kty: "oct", k: K }), "key_invalid", ["/keys/0/kid", "expected a string"]],
    [
      "an id with a slash",
      set(jwk({ kid: "a/b" })),
      "key_invalid",
      ["/keys/0/kid", "expected 1 to 64 letters"],
    ],
    [
      "an id twice",
      set(jwk(), jwk({ k: K2 })),
      "key_invalid",
      ["/keys/1/kid", "no other key has, found `a` again"],
    ],
    ["a key twice", set(jwk(), jwk({ kid: "b" })), "key_invalid", ["/keys/1/k", "expected a key of its own"]],
    [
      "no key bytes",
      set({ kty: "oct", kid: "a" }),
      "key_invalid",
      ["/keys/0/k", "expected 32 bytes in base64url"],
    ],
    ["16 bytes", set(jwk({ k: K.slice(0, 22) })), "key_invalid", ["/keys/0/k", "43 characters"]],
    ["padding", set(jwk({ k: `${K}=` })), "key_invalid", ["/keys/0/k", "without padding"]],
    ["plain base64", set(jwk({ k: `+${K.slice(1)}` })), "key_invalid", ["/keys/0/k", "in base64url"]],
    [
      "unused bits that are set",
      set(jwk({ k: `${K.slice(0, 42)}B` })),
      "key_invalid",
      ["/keys/0/k", "43 characters"],
    ],
    ["zeros", set(jwk({ k: "A".repeat(43) })), "key_invalid", ["/keys/0/k", "one byte repeated"]],
    ["a key for signatures", set(jwk({ use: "sig" })), "key_invalid", ["/keys/0/use", "expected `enc`"]],
    [
      "a time in a string",
      set(jwk({ nbf: "1790000000" })),
      "key_invalid",
      ["/keys/0/nbf", "in seconds since 1970"],
    ],
    ["a time before 1970", set(jwk({ nbf: -1 })), "key_invalid", ["/keys/0/nbf", "in seconds since 1970"]],
    ["a misspelt member", set(jwk(), jwk({ nfb: 1 })), "key_invalid", ["/keys/1/nfb", "correct its name"]],
    [
      "a member with a slash",
      set(jwk({ "a/~b": 1 })),
      "key_invalid",
      ["/keys/0/a~1~0b", "remove this member"],
    ],
  ])("%s", async (_, source, code, [pointer, message]) => {
    const refused = importKeySet(source);
    await expect(refused).rejects.toBeInstanceOf(KeySetError);
    await expect(refused).rejects.toMatchObject({ code, pointer, message: expect.stringContaining(message) });
    await expect(refused).rejects.toMatchObject({ message: expect.not.stringContaining(K.slice(0, 20)) });
    await expect(refused).rejects.toThrow(pointer === "" ? "expected" : `\`${pointer}\`: `);
  });
});

describe("random bytes", () => {
  test("are never handed out twice, and earlier ones do not change", () => {
    const random = createRandomSource();
    const slices = Array.from({ length: 2_000 }, () => random(12));
    const copies = slices.map((slice) => Buffer.from(slice).toString("hex"));
    for (let index = 0; index < 2_000; index += 1) random(12);
    expect(slices.map((slice) => Buffer.from(slice).toString("hex"))).toEqual(copies);
    expect(new Set(copies).size).toBe(2_000);
    expect(random(100_000)).toHaveLength(100_000);
  });
});
