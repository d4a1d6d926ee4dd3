/** Project Wycheproof's vectors, run through the functions that seal, open and derive. */
import { createSecretKey } from "node:crypto";

import { describe, expect, test } from "vitest";

import { hkdfSha256 } from "../../src/cookie/derive.ts";
import { decryptA256Gcm, encryptA256Gcm, openToken } from "../../src/cookie/jwe.ts";
import { hkdfSha256Portable, openTokenPortable } from "../../src/cookie/portable.ts";
import aesGcm from "../vectors/wycheproof-aes-gcm.json" with { type: "json" };
import hkdf from "../vectors/wycheproof-hkdf-sha256.json" with { type: "json" };
import jwe from "../vectors/wycheproof-jwe.json" with { type: "json" };

const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex, "hex"));
const hexOf = (bytes: Uint8Array | undefined) =>
  bytes === undefined ? undefined : Buffer.from(bytes).toString("hex");

describe("AES-GCM with 256-bit keys, 96-bit IVs and 128-bit tags", () => {
  const vectors = aesGcm.testGroups
    .filter((group) => group.keySize === 256 && group.ivSize === 96 && group.tagSize === 128)
    .flatMap((group) => group.tests);

  test("66 vectors", () => {
    expect(vectors).toHaveLength(66);
    for (const { tcId, key, iv, aad, msg, ct, tag, result } of vectors) {
      const secret = createSecretKey(bytesOf(key));
      const parts = { iv: bytesOf(iv), ciphertext: bytesOf(ct), tag: bytesOf(tag) };
      const opened = decryptA256Gcm(secret, parts, bytesOf(aad));
      expect(hexOf(opened), `vector ${tcId}`).toBe(result === "valid" ? msg : undefined);
      const sealed = encryptA256Gcm(secret, { iv: bytesOf(iv), aad: bytesOf(aad) }, bytesOf(msg));
      const isSame = hexOf(sealed.ciphertext) === ct && hexOf(sealed.tag) === tag;
      expect(isSame, `vector ${tcId}`).toBe(result === "valid");
    }
  });
});

describe("HKDF with SHA-256", () => {
  const vectors = hkdf.testGroups
    .flatMap((group) => group.tests)
    .map(({ tcId, ikm, salt, info, size, okm, result }) => {
      const input = { ikm: bytesOf(ikm), salt: bytesOf(salt), info: bytesOf(info) };
      return { name: `vector ${tcId}`, input, size, okm, isValid: result === "valid" };
    });
  const valid = vectors.filter((vector) => vector.isValid);
  const invalid = vectors.filter((vector) => !vector.isValid);

  test("86 vectors; the invalid ones ask for more than 255 blocks of output (RFC 5869 section 2.3)", () => {
    expect(vectors).toHaveLength(86);
    expect(invalid.every(({ size }) => size > 255 * 32)).toBe(true);
  });

  test("on Node", () => {
    for (const { name, input, size, okm } of valid) {
      expect(hexOf(hkdfSha256(input, size)), `HKDF ${name}`).toBe(okm);
    }
    for (const { input, size } of invalid) {
      expect(() => hkdfSha256(input, size)).toThrow("Invalid key length");
    }
  });

  test("on WebCrypto", async () => {
    for (const { name, input, size, okm } of valid) {
      expect(hexOf(await hkdfSha256Portable(input, size)), `HKDF ${name}`).toBe(okm);
    }
    for (const { input, size } of invalid) {
      await expect(hkdfSha256Portable(input, size)).rejects.toMatchObject({ name: "OperationError" });
    }
  });
});

describe("JWE", () => {
  const tokens = jwe.testGroups.flatMap((group) => group.tests.map((vector) => ({ ...vector, group })));

  test("139 vectors: none has the one form that we issue, so none opens, whatever the key", async () => {
    expect(tokens).toHaveLength(139);
    for (const { tcId, jwe: token, group } of tokens) {
      const k = "k" in group.private && typeof group.private.k === "string" ? group.private.k : "";
      const secret = Buffer.alloc(32, k === "" ? 1 : Buffer.from(k, "base64url"));
      expect(openToken(createSecretKey(secret), token), `vector ${tcId}`).toBeUndefined();
      const key = await crypto.subtle.importKey("raw", secret, "AES-GCM", false, ["decrypt"]);
      expect(await openTokenPortable(key, token), `vector ${tcId}`).toBeUndefined();
    }
  });
});
