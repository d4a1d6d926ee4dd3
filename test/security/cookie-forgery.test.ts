/** Forged, bent and random cookies (threat model C1, C2): ignored, counted, one and the same outcome. */
import { createCipheriv } from "node:crypto";

import * as fc from "fast-check";
import { CompactEncrypt, base64url } from "jose";
import { describe, expect, test } from "vitest";

import { createKeyRing } from "../../src/cookie/index.ts";
import { openToken } from "../../src/cookie/jwe.ts";
import { openTokenPortable } from "../../src/cookie/portable.ts";
import { encodePayload } from "../../src/sequence/index.ts";
import {
  MASTER,
  NOW,
  OPS,
  ZONE,
  createBytes,
  createProcess,
  nameOf,
  pairOf,
  tokenOf,
} from "../cookie/fixtures.ts";

const [A = "", B = ""] = OPS;
const cookies = createProcess();
const first = pairOf(cookies.write(cookies.read(undefined, NOW), A, NOW)[0]);
const VALID = pairOf(cookies.write(cookies.read(first, NOW + 5), B, NOW + 5)[0]);
const NAME = nameOf(VALID);
const TOKEN = tokenOf(VALID);
const [HEADER = "", , IV = "", CIPHERTEXT = "", TAG = ""] = TOKEN.split(".");
const KEY = createKeyRing([MASTER]).zone(ZONE).sealing(NOW)?.key ?? missing();
const RAW_KEY = Uint8Array.from(KEY.export());
const CIPHERTEXT_IS_EMPTY = /^[\w-]+\.\.[\w-]{16}\.\.[\w-]{22}$/;
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".split("");

const entriesOf = (value: string) => cookies.read(`${NAME}=${value}`, NOW + 10).sequence.entries;
const join = (...parts: readonly string[]) => parts.join(".");
const json = (value: unknown) => base64url.encode(JSON.stringify(value));

/** A token that is sound but for its header: sealed with the right key over that header. */
function sealUnder(header: string, tagBytes = 16, ivBytes = 12): string {
  const iv = Uint8Array.from(createBytes(5)(ivBytes));
  const cipher = createCipheriv("aes-256-gcm", RAW_KEY, iv, { authTagLength: tagBytes });
  cipher.setAAD(Buffer.from(header, "latin1"));
  const plaintext = encodePayload({ sid: 1, genesis: false, entries: [{ op: A, at: NOW }] });
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()]);
  return join(header, "", ...[iv, ciphertext, cipher.getAuthTag()].map((part) => base64url.encode(part)));
}

describe("a valid token", () => {
  test("opens", () => {
    expect(entriesOf(TOKEN)).toHaveLength(2);
    expect(entriesOf(sealUnder(HEADER))).toHaveLength(1);
  });

  test("with any one bit flipped is ignored", () => {
    for (let index = 0; index < TOKEN.length; index += 1) {
      for (let bit = 1; bit < 128; bit <<= 1) {
        const flipped = String.fromCharCode(TOKEN.charCodeAt(index) ^ bit);
        if (flipped === ";") continue;
        const bent = TOKEN.slice(0, index) + flipped + TOKEN.slice(index + 1);
        expect(entriesOf(bent), `bit ${bit} of character ${index}`).toEqual([]);
      }
    }
  });

  test("with any one character replaced by another of the alphabet is ignored: no second spelling", () => {
    for (let index = 0; index < TOKEN.length; index += 1) {
      for (const char of [...ALPHABET, ".", "=", "+", "/", " "]) {
        if (char === TOKEN[index]) continue;
        const bent = TOKEN.slice(0, index) + char + TOKEN.slice(index + 1);
        expect(entriesOf(bent), `${char} for character ${index}`).toEqual([]);
      }
    }
  });

  test("with a character more or less anywhere is ignored", () => {
    for (let index = 0; index <= TOKEN.length; index += 1) {
      expect(entriesOf(TOKEN.slice(0, index) + TOKEN.slice(index + 1)).length).toBe(
        index === TOKEN.length ? 2 : 0,
      );
      for (const char of ["A", ".", "=", " ", "\n", "\0"]) {
        expect(entriesOf(TOKEN.slice(0, index) + char + TOKEN.slice(index)), `${char} at ${index}`).toEqual(
          [],
        );
      }
    }
  });

  test("under any other name of the same hour still opens, under one of another hour it does not", () => {
    const suffix = NAME.slice(-4);
    for (const char of ALPHABET) {
      const state = cookies.read(`__Host-sq.${char}${suffix}=${TOKEN}`, NOW + 10);
      expect(state.sequence.entries, `epoch ${char}`).toHaveLength(char === NAME.at(10) ? 2 : 0);
    }
  });
});

describe("tokens that jose would open, or that others issue", () => {
  const PBES2 = json({ alg: "PBES2-HS256+A128KW", enc: "A256GCM", p2s: "AAAAAAAAAAA", p2c: 100_000_000 });

  test.each<[string, string]>([
    ["nothing", ""],
    ["four dots", "...."],
    ["four parts", join(HEADER, "", IV, CIPHERTEXT)],
    ["six parts", `${TOKEN}.`],
    ["a JWS", join(json({ alg: "none" }), json({}), "")],
    ["an encrypted key", join(HEADER, "AAAA", IV, CIPHERTEXT, TAG)],
    ["no IV", join(HEADER, "", "", CIPHERTEXT, TAG)],
    ["no ciphertext", join(HEADER, "", IV, "", TAG)],
    ["no tag", join(HEADER, "", IV, CIPHERTEXT, "")],
    ["a tag of 12 bytes", sealUnder(HEADER, 12)],
    ["a tag of 4 bytes", sealUnder(HEADER, 4)],
    ["an IV of 8 bytes", sealUnder(HEADER, 16, 8)],
    ["an IV of 16 bytes", sealUnder(HEADER, 16, 16)],
    ["a critical extension", sealUnder(json({ alg: "dir", enc: "A256GCM", crit: ["exp"], exp: 1 }))],
    ["compression", sealUnder(json({ alg: "dir", enc: "A256GCM", zip: "DEF" }))],
    ["a lower-case algorithm", sealUnder(json({ alg: "dir", enc: "a256gcm" }))],
    ["an algorithm in an array", sealUnder(json({ alg: ["dir"], enc: "A256GCM" }))],
    ["no algorithm for the content", sealUnder(json({ alg: "dir" }))],
    ["members in another order", sealUnder(json({ enc: "A256GCM", alg: "dir" }))],
    ["a type", sealUnder(json({ alg: "dir", enc: "A256GCM", typ: "JWT" }))],
    ["a key id", sealUnder(json({ alg: "dir", enc: "A256GCM", kid: "1" }))],
    ["a key id that pollutes", sealUnder(json({ alg: "dir", enc: "A256GCM", kid: "__proto__" }))],
    ["a key id that climbs", sealUnder(json({ alg: "dir", enc: "A256GCM", kid: "../../etc/passwd" }))],
    ["a key id that is a number", sealUnder(json({ alg: "dir", enc: "A256GCM", kid: 1 }))],
    ["an unknown member", sealUnder(json({ alg: "dir", enc: "A256GCM", x: 1 }))],
    ["a member twice", sealUnder(base64url.encode('{"alg":"none","alg":"dir","enc":"A256GCM"}'))],
    ["a byte order mark", sealUnder(base64url.encode('\uFEFF{"alg":"dir","enc":"A256GCM"}'))],
    ["spaces", sealUnder(base64url.encode('{"alg": "dir", "enc": "A256GCM"}'))],
    ["a line break behind it", `${TOKEN}\n`],
    ["a password with 100 million rounds", join(PBES2, "AAAA", IV, CIPHERTEXT, TAG)],
    ["general JSON", JSON.stringify({ protected: HEADER, iv: IV, ciphertext: CIPHERTEXT, tag: TAG })],
  ])("%s: ignored, at once", async (_, token) => {
    const from = performance.now();
    const state = cookies.read(`${NAME}=${token}`, NOW + 10);
    const tookMs = performance.now() - from;
    expect(state.sequence.entries).toEqual([]);
    expect(state.names).toEqual([NAME]);
    // An empty ciphertext is of the right form; it fails at the tag.
    expect(state.invalid[CIPHERTEXT_IS_EMPTY.test(token) ? "seal" : "format"]).toBe(1);
    // 100 million rounds of PBKDF2 would take most of a minute.
    expect(tookMs).toBeLessThan(1_000);
    expect(openToken(KEY, token)).toBeUndefined();
    const web = await crypto.subtle.importKey("raw", RAW_KEY, "AES-GCM", false, ["decrypt"]);
    expect(await openTokenPortable(web, token)).toBeUndefined();
  });

  test("the 15 other spellings of the last characters of IV, ciphertext and tag", () => {
    for (const [index, part] of [IV, CIPHERTEXT, TAG].entries()) {
      const spellings = [...ALPHABET]
        .map((char) => part.slice(0, -1) + char)
        .filter((other) => other !== part);
      for (const other of spellings) {
        const parts = [IV, CIPHERTEXT, TAG].with(index, other);
        expect(entriesOf(join(HEADER, "", ...parts))).toEqual([]);
      }
    }
  });

  test("content that we never write, sealed with the right key", async () => {
    for (const text of ["", "{}", '{"seq":[]}', "A", "\u0041\u0000", "x".repeat(2_000)]) {
      const token = await new CompactEncrypt(new TextEncoder().encode(text))
        .setProtectedHeader({ alg: "dir", enc: "A256GCM" })
        .encrypt(RAW_KEY);
      const state = cookies.read(`${NAME}=${token}`, NOW);
      expect(state.sequence.entries).toEqual([]);
      expect(state.invalid.payload + state.invalid.format).toBe(1);
    }
  });
});

describe("100,000 random cookies", () => {
  const READS_PER_RUN = 50;
  const anyName = fc.oneof(
    fc.constant(NAME),
    fc
      .string({ unit: fc.constantFrom(...ALPHABET), minLength: 5, maxLength: 5 })
      .map((text) => `__Host-sq.${text}`),
    fc.string({ maxLength: 20 }),
  );
  const segment = fc.oneof(
    fc.constantFrom(HEADER, "", IV, CIPHERTEXT, TAG, ".", "..", "="),
    fc.string({ unit: fc.constantFrom(...ALPHABET), maxLength: 40 }),
  );
  const anyValue = fc.oneof(
    fc.string({ unit: "binary", maxLength: 120 }),
    fc.array(segment, { maxLength: 7 }).map((parts) => parts.join(".")),
    fc.array(segment, { maxLength: 3 }).map((parts) => `${HEADER}..${IV}.${parts.join("")}.${TAG}`),
    fc
      .tuple(fc.nat({ max: TOKEN.length - 1 }), fc.constantFrom(...ALPHABET, "", "."))
      .map(([at, char]) => TOKEN.slice(0, at) + char + TOKEN.slice(at + 1)),
  );
  const anyCookie = fc.tuple(anyName, anyValue).map(([name, value]) => `${name}=${value}`);

  test("never throw, and are counted or foreign", () => {
    let read = 0;
    fc.assert(
      fc.property(fc.array(anyCookie, { minLength: READS_PER_RUN, maxLength: READS_PER_RUN }), (list) => {
        for (const cookie of list) {
          read += 1;
          const state = cookies.read(cookie, NOW + 10);
          const ignored = Object.values(state.invalid).reduce((sum, count) => sum + count, 0);
          // The unchanged token is among the mutations: a character may be replaced by itself.
          const isWhole = cookie.endsWith(`=${TOKEN}`) && state.sequence.entries.length === 2;
          expect(state.sequence.entries).toHaveLength(isWhole ? 2 : 0);
          expect(ignored).toBe(isWhole ? 0 : state.names.length);
          cookies.strip(cookie);
        }
      }),
      { numRuns: 100_000 / READS_PER_RUN },
    );
    expect(read).toBe(100_000);
  });

  test("together in one header beside a good one, they take nothing from it", () => {
    const junk = anyCookie.map((cookie) => cookie.replaceAll(/[;\s]/g, "x"));
    fc.assert(
      fc.property(fc.array(junk, { maxLength: 50 }), (list) => {
        const state = cookies.read([...list, VALID].join("; "), NOW + 10);
        expect(state.sequence.entries.map((entry) => entry.op)).toEqual([B, A]);
      }),
      { numRuns: 200 },
    );
  });
});

describe("what an attacker can make the server do", () => {
  test("64 cookies that fail at the last step cost what 64 openings cost, once", () => {
    const bent = TOKEN.slice(0, -1) + (TOKEN.endsWith("A") ? "Q" : "A");
    const header = Array.from(
      { length: 180 },
      (_, index) => `${NAME.slice(0, -3)}${String(index).padStart(3, "0")}=${bent}`,
    );
    const state = cookies.read(header.join("; "), NOW);
    expect(state.invalid.seal).toBe(64);
    const times = Array.from({ length: 10 }, () => {
      const from = performance.now();
      cookies.read(header.join("; "), NOW);
      return performance.now() - from;
    });
    expect(Math.min(...times)).toBeLessThan(10);
  });
});

function missing(): never {
  throw new Error("expected a key");
}
