import { createHash } from "node:crypto";
import { CompactSign, SignJWT, base64url, exportJWK, generateKeyPair } from "jose";
import type { CryptoKey, JWTPayload } from "jose";
import { beforeAll, describe, expect, test } from "vitest";

import { checkTokenKeys, createTokenValidator } from "../../src/cookie/index.ts";
import type { TokenValidatorOptions } from "../../src/cookie/index.ts";

const NOW_SECONDS = 1_790_000_000;
const NOW = NOW_SECONDS * 1000;
const ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"] as const;

interface Pair {
  readonly alg: string;
  readonly privateKey: CryptoKey | Uint8Array;
  readonly jwk: Readonly<Record<string, unknown>>;
}

async function makePair(alg: string, kid = `key-${alg}`): Promise<Pair> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return { alg, privateKey, jwk: { ...(await exportJWK(publicKey)), alg, kid } };
}

function makeSecret(alg: string, bytes: number): Pair {
  const secret = Uint8Array.from({ length: bytes }, (_, index) => index + 1);
  return {
    alg,
    privateKey: secret,
    jwk: { kty: "oct", k: base64url.encode(secret), alg, kid: `key-${alg}` },
  };
}

interface TokenParts {
  readonly claims?: JWTPayload;
  readonly header?: Readonly<Record<string, unknown>>;
  readonly expires?: number | null;
}

function sign(
  { alg, privateKey, jwk }: Pair,
  { claims = {}, header = {}, expires }: TokenParts = {},
): Promise<string> {
  const jwt = new SignJWT({ sub: "u1", ...claims }).setProtectedHeader({
    alg,
    kid: jwk["kid"] as string,
    ...header,
  });
  if (expires !== null) jwt.setExpirationTime(expires ?? NOW_SECONDS + 60);
  return jwt.sign(privateKey);
}

const verify = (pair: Pair, token: string, options: TokenValidatorOptions = {}, nowMs = NOW) =>
  createTokenValidator([pair.jwk], options).verify(token, nowMs);

let rsa: Pair;
let ec: Pair;
beforeAll(async () => {
  [rsa, ec] = await Promise.all([makePair("RS256"), makePair("ES256")]);
});

/** One part of a token. */
function part(value: unknown): string {
  return base64url.encode(JSON.stringify(value));
}

describe("valid tokens", () => {
  test.each(ALGORITHMS)("%s", async (alg) => {
    const pair = await makePair(alg);
    expect(await checkTokenKeys([pair.jwk])).toEqual([]);
    expect(await verify(pair, await sign(pair))).toMatchObject({ sub: "u1" });
  });

  test.each([
    ["HS256", 32],
    ["HS384", 48],
    ["HS512", 64],
  ])("%s", async (alg, bytes) => {
    const pair = makeSecret(alg, bytes);
    expect(await checkTokenKeys([pair.jwk])).toEqual([]);
    expect(await verify(pair, await sign(pair))).toMatchObject({ sub: "u1" });
  });

  test("the key is found by its id, and without one by its algorithm", async () => {
    const other = await makePair("ES256", "other");
    const validator = createTokenValidator([other.jwk, rsa.jwk, ec.jwk]);
    expect(await validator.verify(await sign(ec), NOW)).toMatchObject({ sub: "u1" });
    const anonymous = await new SignJWT({ sub: "u2" })
      .setProtectedHeader({ alg: "ES256" })
      .sign(ec.privateKey);
    expect(await validator.verify(anonymous, NOW)).toMatchObject({ sub: "u2" });
    expect(await validator.verify(await sign(ec, { header: { kid: "other" } }), NOW)).toBeUndefined();
    expect(await validator.verify(await sign(ec, { header: { kid: "nobody" } }), NOW)).toBeUndefined();
  });
});

describe("times, on the clock that is given", () => {
  test.each<[string, JWTPayload, number | null, boolean]>([
    ["expired within the tolerance", {}, NOW_SECONDS - 4, true],
    ["expired", {}, NOW_SECONDS - 6, false],
    ["not yet valid within the tolerance", { nbf: NOW_SECONDS + 4 }, NOW_SECONDS + 60, true],
    ["not yet valid", { nbf: NOW_SECONDS + 6 }, NOW_SECONDS + 60, false],
    ["without an end", {}, null, true],
    ["with an end that is no number", { exp: "never" as unknown as number }, null, false],
  ])("%s", async (_, claims, expires, isValid) => {
    const claimsFound = await verify(ec, await sign(ec, { claims, expires }));
    expect(claimsFound !== undefined).toBe(isValid);
  });

  test("an end can be required", async () => {
    const token = await sign(ec, { expires: null });
    expect(await verify(ec, token, { requireExpiry: true })).toBeUndefined();
  });

  test("the tolerance can be configured", async () => {
    const token = await sign(ec, { expires: NOW_SECONDS - 30 });
    expect(await verify(ec, token, { clockToleranceMs: 60_000 })).toBeDefined();
    expect(
      await verify(ec, await sign(ec, { expires: NOW_SECONDS - 1 }), { clockToleranceMs: 0 }),
    ).toBeUndefined();
  });
});

describe("audience and issuer", () => {
  test.each<[JWTPayload, TokenValidatorOptions, boolean]>([
    [{ aud: "api" }, { audience: "api" }, true],
    [{ aud: ["x", "api"] }, { audience: ["api", "y"] }, true],
    [{ aud: "other" }, { audience: "api" }, false],
    [{}, { audience: "api" }, false],
    [{ aud: "anything" }, {}, true],
    [{ iss: "https://id" }, { issuer: "https://id" }, true],
    [{ iss: "https://evil" }, { issuer: "https://id" }, false],
  ])("%j with %j", async (claims, options, isValid) => {
    expect((await verify(ec, await sign(ec, { claims }), options)) !== undefined).toBe(isValid);
  });
});

describe("attacks", () => {
  const claims = { sub: "victim", exp: NOW_SECONDS + 60 };

  test("alg none, in several spellings", async () => {
    for (const alg of ["none", "None", "NONE", "nOnE", ""]) {
      expect(await verify(ec, `${part({ alg, kid: "key-ES256" })}.${part(claims)}.`)).toBeUndefined();
    }
  });

  test("a public key as the secret of an HMAC", async () => {
    const secret = new TextEncoder().encode(JSON.stringify(rsa.jwk));
    const token = await new SignJWT(claims)
      .setProtectedHeader({ alg: "HS256", kid: "key-RS256" })
      .sign(secret);
    expect(await verify(rsa, token)).toBeUndefined();
  });

  test("another algorithm of the same key", async () => {
    const { publicKey, privateKey } = await generateKeyPair("PS256", { extractable: true });
    const pinned = {
      alg: "RS256",
      privateKey,
      jwk: { ...(await exportJWK(publicKey)), alg: "RS256", kid: "k" },
    };
    const token = await new SignJWT(claims).setProtectedHeader({ alg: "PS256", kid: "k" }).sign(privateKey);
    expect(await verify(pinned, token)).toBeUndefined();
  });

  test("a key of the attacker's own, inside the token or at an address in it", async () => {
    const own = await makePair("ES256");
    for (const header of [
      { jwk: own.jwk },
      { jku: "https://evil.example/keys" },
      { x5u: "https://evil.example/c" },
    ]) {
      const token = await sign({ ...own, jwk: { ...own.jwk, kid: "key-ES256" } }, { header });
      expect(await verify(ec, token)).toBeUndefined();
    }
  });

  test("each part changed, cut or added", async () => {
    const token = await sign(ec);
    const [header = "", payload = "", signature = ""] = token.split(".");
    const changed = [
      `${header}.${part(claims)}.${signature}`,
      `${header}.${payload}.${signature.slice(0, -2)}`,
      `${header}.${payload}.`,
      `${header}.${payload}`,
      `${token}.${signature}`,
      ` ${token}`,
      `${token}\n`,
      `${part({ alg: "ES256", kid: "key-ES256", crit: ["x"], x: 1 })}.${payload}.${signature}`,
      "",
      "..",
      "a.b.c",
      "\u0000",
      "é".repeat(10),
      `${"A".repeat(9000)}.${payload}.${signature}`,
    ];
    for (const text of changed) expect(await verify(ec, text)).toBeUndefined();
    expect(await verify(ec, token)).toBeDefined();
  });

  test("headers whose members have the wrong type", async () => {
    for (const header of [
      { alg: ["ES256"] },
      { alg: "ES256", kid: 5 },
      { alg: "ES256", kid: { toString: "x" } },
      [],
      null,
      5,
    ]) {
      expect(await verify(ec, `${part(header)}.${part(claims)}.AAAA`)).toBeUndefined();
    }
  });

  test("claims that are no object", async () => {
    const text = new TextEncoder().encode('"just text"');
    const token = await new CompactSign(text)
      .setProtectedHeader({ alg: "ES256", kid: "key-ES256" })
      .sign(ec.privateKey);
    expect(await verify(ec, token)).toBeUndefined();
  });
});

describe("keys that are refused, with a pointer and without their material", () => {
  test.each<[string, (jwk: Readonly<Record<string, unknown>>) => unknown, string]>([
    ["no object", () => "x", "/credentials/keys/0"],
    ["no algorithm", (jwk) => ({ ...jwk, alg: undefined }), "/credentials/keys/0/alg"],
    ["an unknown algorithm", (jwk) => ({ ...jwk, alg: "none" }), "/credentials/keys/0/alg"],
    ["an algorithm of another type", (jwk) => ({ ...jwk, alg: "RS256" }), "/credentials/keys/0/kty"],
    ["an algorithm of another curve", (jwk) => ({ ...jwk, alg: "ES384" }), "/credentials/keys/0/crv"],
    ["no id", (jwk) => ({ ...jwk, kid: undefined }), "/credentials/keys/0/kid"],
    ["an encryption key", (jwk) => ({ ...jwk, use: "enc" }), "/credentials/keys/0/use"],
    ["a private key", (jwk) => ({ ...jwk, d: "c2VjcmV0" }), "/credentials/keys/0/d"],
    ["a coordinate that is no base64url", (jwk) => ({ ...jwk, x: "a+b" }), "/credentials/keys/0/x"],
    [
      "a point that is not on the curve",
      (jwk) => ({ ...jwk, x: jwk["y"], y: jwk["x"] }),
      "/credentials/keys/0",
    ],
  ])("%s", async (_, change, pointer) => {
    const problems = await checkTokenKeys([change(ec.jwk)]);
    expect(problems.map((problem) => problem.pointer)).toEqual([pointer]);
    expect(problems[0]?.message).not.toContain(ec.jwk["x"]);
    expect(problems[0]?.message).not.toContain("c2VjcmV0");
  });

  test("an RSA key whose exponent is 1, with which anybody can sign", async () => {
    const { jwk } = rsa;
    const e1 = { ...jwk, e: "AQ" };
    const input = `${part({ alg: "RS256", kid: jwk["kid"] })}.${part({ sub: "victim" })}`;
    const digest = createHash("sha256").update(input).digest("hex");
    // EMSA-PKCS1-v1_5 (RFC 8017 section 9.2): to the power of 1 it is its own signature.
    const info = `3031300d060960864801650304020105000420${digest}`;
    const padded = `0001${"ff".repeat(256 - 3 - info.length / 2)}00${info}`;
    const forged = `${input}.${Buffer.from(padded, "hex").toString("base64url")}`;
    expect((await checkTokenKeys([e1])).map(({ pointer }) => pointer)).toEqual(["/credentials/keys/0/e"]);
    expect(() => createTokenValidator([e1])).toThrow(TypeError);
    expect(await verify(rsa, forged)).toBeUndefined();
  });

  test.each([
    ["0", "AA", "e"],
    ["1 with zeros in front", "AAAAAQ", "e"],
    ["2", "Ag", "e"],
    ["3", "Aw", "e"],
    ["an even number", "AQAA", "e"],
    ["as long as the modulus", "n", "e"],
  ])("an RSA key whose exponent is %s", async (_, e, member) => {
    const { jwk } = rsa;
    const problems = await checkTokenKeys([{ ...jwk, e: e === "n" ? jwk["n"] : e }]);
    expect(problems.map(({ pointer }) => pointer)).toEqual([`/credentials/keys/0/${member}`]);
  });

  test("an RSA key whose modulus is even, and a key that is not for verifying", async () => {
    const { jwk } = rsa;
    const modulus = Buffer.from(jwk["n"] as string, "base64url");
    modulus[modulus.length - 1] = (modulus.at(-1) ?? 0) & 0xfe;
    const even = { ...jwk, n: modulus.toString("base64url") };
    expect((await checkTokenKeys([even]))[0]?.pointer).toBe("/credentials/keys/0/n");
    for (const key_ops of [["encrypt"], [], "verify", null]) {
      expect((await checkTokenKeys([{ ...jwk, key_ops }]))[0]?.pointer).toBe("/credentials/keys/0/key_ops");
    }
    expect(await checkTokenKeys([{ ...jwk, key_ops: ["verify"] }])).toEqual([]);
  });

  test("short secrets and short RSA keys", async () => {
    expect((await checkTokenKeys([makeSecret("HS256", 31).jwk]))[0]?.pointer).toBe("/credentials/keys/0/k");
    const short = {
      kty: "RSA",
      alg: "RS256",
      kid: "k",
      e: "AQAB",
      n: base64url.encode(new Uint8Array(128).fill(255)),
    };
    expect((await checkTokenKeys([short]))[0]?.pointer).toBe("/credentials/keys/0");
  });

  test("the same id twice, no keys, too many", async () => {
    expect((await checkTokenKeys([ec.jwk, { ...rsa.jwk, kid: ec.jwk["kid"] }]))[0]?.pointer).toBe(
      "/credentials/keys/1/kid",
    );
    expect(await checkTokenKeys([])).toHaveLength(1);
    expect(await checkTokenKeys("x")).toHaveLength(1);
    expect(await checkTokenKeys(Array.from({ length: 17 }, () => ec.jwk))).toHaveLength(1);
  });

  test("a validator is not made of them", () => {
    expect(() => createTokenValidator([{ ...ec.jwk, alg: "none" }])).toThrow(TypeError);
  });
});
