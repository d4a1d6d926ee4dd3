/** jose is the authority: it opens what we seal, and we open what it seals. */
import { createSecretKey } from "node:crypto";
import type { KeyObject } from "node:crypto";

import { CompactEncrypt, compactDecrypt, decodeProtectedHeader } from "jose";
import { describe, expect, test } from "vitest";

import { openToken, sealToken } from "../../src/cookie/jwe.ts";
import { openTokenPortable, sealTokenPortable } from "../../src/cookie/portable.ts";
import { createBytes, createDice } from "./fixtures.ts";

const CASES = 10_000;
const KEYS = 20;

const bytes = createBytes(11);
const dice = createDice(12);

interface KeyPair {
  readonly node: KeyObject;
  readonly web: CryptoKey;
}

async function createKeys(): Promise<readonly KeyPair[]> {
  return Promise.all(
    Array.from({ length: KEYS }, async () => {
      const raw = Uint8Array.from(bytes(32));
      const web = await crypto.subtle.importKey("raw", raw, "AES-GCM", true, ["encrypt", "decrypt"]);
      return { node: createSecretKey(raw), web };
    }),
  );
}

const options = { keyManagementAlgorithms: ["dir"], contentEncryptionAlgorithms: ["A256GCM"] };

const equals = (a: Uint8Array | undefined, b: Uint8Array) => a !== undefined && Buffer.from(a).equals(b);

describe("jose and we", () => {
  test("10,000 random cases, each sealed by one and opened by the other", async () => {
    const keys = await createKeys();
    const differing: number[] = [];
    for (let from = 0; from < CASES; from += 100) {
      const batch = Array.from({ length: 100 }, async (_, index) => {
        const { node, web } = keys[(from + index) % KEYS] ?? (await createKeys())[0] ?? never();
        const plaintext = Uint8Array.from(bytes(Math.floor(dice() ** 2 * 200)));
        const ours = sealToken(node, Uint8Array.from(bytes(12)), plaintext);
        const theirs = await new CompactEncrypt(plaintext)
          .setProtectedHeader({ alg: "dir", enc: "A256GCM" })
          .encrypt(web);
        const opened = await compactDecrypt(ours, web, options);
        const isSame = equals(opened.plaintext, plaintext) && equals(openToken(node, theirs), plaintext);
        if (!isSame || ours.length !== theirs.length) differing.push(from + index);
      });
      await Promise.all(batch);
    }
    expect(differing).toEqual([]);
  });

  test("the header is the one that is documented", async () => {
    const [pair = never()] = await createKeys();
    const token = sealToken(pair.node, bytes(12), bytes(60));
    expect(decodeProtectedHeader(token)).toEqual({ alg: "dir", enc: "A256GCM" });
    expect(token.split(".").map((part) => part.length)).toEqual([39, 0, 16, 80, 22]);
  });

  test("the portable build and the one for Node", async () => {
    const [pair = never()] = await createKeys();
    for (let size = 0; size < 200; size += 1) {
      const plaintext = Uint8Array.from(bytes(size));
      expect(equals(openToken(pair.node, await sealTokenPortable(pair.web, plaintext)), plaintext)).toBe(
        true,
      );
      const sealed = sealToken(pair.node, bytes(12), plaintext);
      expect(equals(await openTokenPortable(pair.web, sealed), plaintext)).toBe(true);
    }
  });

  test("a token that no browser would store is not made", async () => {
    const [pair = never()] = await createKeys();
    expect(() => sealToken(pair.node, bytes(12), new Uint8Array(4_000))).toThrow("at most 4096 bytes");
  });
});

function never(): never {
  throw new Error("no key");
}
