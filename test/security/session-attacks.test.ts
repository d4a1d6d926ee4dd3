/** Attacks on whose session a request is, over TLS through a real gateway, on HTTP/1.1 and HTTP/2. */
import type { ClientHttp2Session } from "node:http2";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import type { CryptoKey } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { DEFAULT_SEQUENCE_SETTINGS } from "../../src/engine/index.ts";
import type { AuthIdCharacteristic, SequenceSettings, TokenConfig } from "../../src/engine/index.ts";
import { rule, ruleset } from "../support/engine.ts";
import {
  openHttp2,
  requestHttp1,
  requestHttp2,
  startGateway,
  startOrigin,
  zoneAt,
} from "../support/gateway.ts";
import type { ClientRequest, TestGateway, TestOrigin } from "../support/gateway.ts";

const CONFIG_ID = "11111111-2222-4333-8444-555555555555";
const REFUSES_A = 'cf.sequence.current_op eq "bbbbbbbb" and any(cf.sequence.previous_ops[*] == "aaaaaaaa")';
const NEEDS_A = 'cf.sequence.current_op eq "bbbbbbbb" and not any(cf.sequence.previous_ops[*] == "aaaaaaaa")';

let origin: TestOrigin;
let gateway: TestGateway;
let http2: ClientHttp2Session;
let privateKey: CryptoKey;
let tokenConfig: TokenConfig;

beforeAll(async () => {
  origin = await startOrigin();
  gateway = await startGateway({ zones: [zoneAt(origin)] });
  http2 = await openHttp2(gateway.port);
  const pair = await generateKeyPair("ES256", { extractable: true });
  privateKey = pair.privateKey;
  tokenConfig = {
    id: CONFIG_ID,
    title: "",
    description: "",
    tokenSources: ['http.request.headers["authorization"][0]'],
    keys: [{ ...(await exportJWK(pair.publicKey)), alg: "ES256", kid: "k1" }],
    audience: ["app"],
    issuer: "",
    createdAt: 0,
    lastUpdatedAt: 0,
  };
});
afterAll(async () => {
  http2.destroy();
  await gateway.close();
  await origin.close();
});

/** Puts a zone with these identifiers in force, with nobody's past. */
function identifyBy(
  authIdCharacteristics: readonly AuthIdCharacteristic[],
  expression: string,
  sequence: Partial<SequenceSettings> = { tracking: "session" },
): void {
  const base = zoneAt(origin);
  gateway.source.set([
    {
      ...base,
      rulesets: [ruleset([rule(expression)])],
      settings: {
        ...base.settings,
        authIdCharacteristics,
        tokenConfigs: [tokenConfig],
        sequence: { ...DEFAULT_SEQUENCE_SETTINGS, ...sequence },
      },
    },
  ]);
}

type Headers = NonNullable<ClientRequest["headers"]>;
const one = async (request: ClientRequest): Promise<number> =>
  (await requestHttp1(gateway.port, request)).status;
const two = async (request: ClientRequest): Promise<number> => (await requestHttp2(http2, request)).status;
const doA = (headers: Headers, send = one): Promise<number> => send({ path: "/a", headers });
const doB = (headers: Headers, send = one): Promise<number> => send({ method: "POST", path: "/b", headers });

let count = 0;
let who = "";
beforeEach(() => {
  count += 1;
  who = `mara-${count}`;
});

const bearer = (token: string): Headers => ({ authorization: `Bearer ${token}` });
const sign = (
  claims: object = {},
  header: object = {},
  key: CryptoKey | Uint8Array = privateKey,
): Promise<string> =>
  new SignJWT({ sub: who, aud: "app", exp: Math.floor(Date.now() / 1000) + 60, ...claims })
    .setProtectedHeader({ alg: "ES256", kid: "k1", ...header })
    .sign(key);
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

describe("forged tokens are nobody's session", () => {
  /** Tokens that claim to be those of `who`. */
  const FORGED: Readonly<Record<string, () => Promise<string>>> = {
    "alg none": async () => `${part({ alg: "none" })}.${part({ sub: who, aud: "app" })}.`,
    "alg none with a signature": async () =>
      `${part({ alg: "None", kid: "k1" })}.${part({ sub: who, aud: "app" })}.AAAA`,
    "the public key as a secret": () =>
      sign({}, { alg: "HS256" }, new TextEncoder().encode(JSON.stringify(tokenConfig.keys[0]))),
    "another's key with our id": async () => sign({}, {}, (await generateKeyPair("ES256")).privateKey),
    "a key id that is not ours": () => sign({}, { kid: "k2" }),
    expired: () => sign({ exp: Math.floor(Date.now() / 1000) - 60 }),
    "not valid yet": () => sign({ nbf: Math.floor(Date.now() / 1000) + 60 }),
    "for another audience": () => sign({ aud: "other" }),
    "for no audience": () => sign({ aud: undefined }),
    "with other claims": async () => {
      const [header, , signature] = (await sign({ sub: "jonas" })).split(".");
      return `${header}.${part({ sub: who, aud: "app" })}.${signature}`;
    },
    "with a subject that is no text": () => sign({ sub: { toString: who } as unknown as string }),
    "padded in its base64url": async () => `${await sign()}==`,
    "twelve kilobytes of nothing": async () => `${"A".repeat(6000)}.${"A".repeat(6000)}.AAAA`,
  };

  test.each(Object.entries(FORGED))("%s", async (_, forge) => {
    identifyBy([{ type: "jwt", name: `${CONFIG_ID}:$.sub` }], NEEDS_A);
    const own = bearer(await sign());
    expect(await doA(own)).toBe(200);
    const forged = bearer(await forge());
    expect([await doB(forged), await doB(forged, two)]).toEqual([403, 403]);
    // Nor does it write into the session of whom it claims to be.
    expect(await doA(forged)).toBe(200);
    expect(await doB(own)).toBe(200);
  });

  test("a long token of the application's own is a token", async () => {
    identifyBy([{ type: "jwt", name: `${CONFIG_ID}:$.sub` }], REFUSES_A);
    const long = bearer(await sign({ roles: Array.from({ length: 700 }, (_, index) => `role-${index}`) }));
    expect(String(long["authorization"]).length).toBeGreaterThan(8192);
    expect([await doA(long), await doB(long), await doB(bearer(await sign()))]).toEqual([200, 403, 403]);
  });

  test("a token of another spelling is the same claim", async () => {
    identifyBy([{ type: "jwt", name: `${CONFIG_ID}:$.sub` }], REFUSES_A);
    await doA(bearer(await sign()));
    const token = await sign({ jti: "another" });
    for (const authorization of [`Bearer ${token}`, `bearer  ${token}`, `BEARER ${token}`, token]) {
      expect(await doB({ authorization })).toBe(403);
      expect(await doB({ authorization }, two)).toBe(403);
    }
  });
});

describe("more than one identifier", () => {
  const header: AuthIdCharacteristic = { type: "header", name: "x-session" };
  const cookie: AuthIdCharacteristic = { type: "cookie", name: "sid" };

  test("duplicate headers that differ are refused before anything is recorded; equal ones are one", async () => {
    identifyBy([header], REFUSES_A);
    const both: Headers = { "x-session": [who, "fresh"] };
    for (const send of [one, two]) {
      expect(await doA(both, send)).toBe(400);
      expect(await doB({ "x-session": who }, send)).toBe(200);
    }
    expect(await doA({ "x-session": [who, who] })).toBe(200);
    expect(await doB({ "X-SESSION": who })).toBe(403);
  });

  test("an identifier in any letter case, with spaces around it, is one session", async () => {
    identifyBy([header], REFUSES_A);
    await doA({ "X-Session": who });
    for (const name of ["x-session", "X-SESSION", "x-SeSSion"])
      expect(await doB({ [name]: ` ${who} ` })).toBe(403);
    expect(await doB({ "x-session": who }, two)).toBe(403);
  });

  test("cookies in quotes, encoded, repeated or split over HTTP/2 fields are one session", async () => {
    identifyBy([cookie], REFUSES_A);
    await doA({ cookie: `sid=${who}` });
    const encoded = `%${who.charCodeAt(0).toString(16)}${who.slice(1)}`;
    for (const value of [
      `sid="${who}"`,
      `sid=${encoded}`,
      `a=1; sid=${who}; b=2`,
      `sid=${who}; sid="${who}"`,
    ]) {
      expect(await doB({ cookie: value })).toBe(403);
      expect(await doB({ cookie: value }, two)).toBe(403);
    }
    expect(await doB({ cookie: ["a=1", `sid=${who}`] }, two)).toBe(403);
    expect(await doB({ cookie: `sid=fresh; sid=${who}` })).toBe(400);
    expect(await doB({ cookie: [`sid=${who}`, "sid=fresh"] }, two)).toBe(400);
  });

  test("the first in configured order counts, whatever else is sent along", async () => {
    identifyBy([cookie, header], REFUSES_A);
    await doA({ cookie: `sid=${who}` });
    expect(await doB({ cookie: `sid=${who}`, "x-session": "fresh" })).toBe(403);
    expect(await doB({ "x-session": who })).toBe(200);
    // A value that is empty is none; the next one counts.
    expect(await doB({ cookie: "sid=", "x-session": who })).toBe(200);
  });

  test("a value as long as a header section allows is somebody of their own, not nobody", async () => {
    identifyBy([header, cookie], REFUSES_A);
    const long = who.padEnd(12_000, "x");
    for (const send of [one, two]) expect(await doA({ "x-session": long }, send)).toBe(200);
    expect(await doB({ "x-session": long })).toBe(403);
    expect(await doB({ "x-session": `${long}y` })).toBe(200);
    // Not passed over for the next identifier.
    await doA({ cookie: `sid=${who}` });
    expect(await doB({ "x-session": `${long}z`, cookie: `sid=${who}` })).toBe(200);
  });

  test("megabytes are refused as they come, and the gateway lives on", async () => {
    identifyBy([header], REFUSES_A);
    const huge = "x".repeat(2 * 2 ** 20);
    const status = await doA({ "x-session": huge }).catch(() => 431);
    expect(status).toBe(431);
    const session = await openHttp2(gateway.port);
    session.on("error", () => undefined);
    const overHttp2 = await requestHttp2(session, { path: "/a", headers: { "x-session": huge } }).catch(
      () => undefined,
    );
    expect(overHttp2?.status ?? 431).not.toBe(200);
    session.destroy();
    expect(await doA({ "x-session": who })).toBe(200);
  });
});

test("fixation: cookies and an identifier that a victim is made to carry do not lend a past", async () => {
  identifyBy([{ type: "header", name: "x-session" }], NEEDS_A, { tracking: "both" });
  const planted = await requestHttp1(gateway.port, { path: "/a" });
  const cookies = [planted.headers["set-cookie"] ?? []].flat().map((line) => line.split(";", 1)[0]);
  expect(cookies).not.toEqual([]);
  const cookie = cookies.join("; ");
  // The attacker's cookies are good for the attacker, and for nobody who has a session.
  expect(await doB({ cookie, "x-session": who })).toBe(403);
  expect(await doB({ cookie })).toBe(200);
  // What a session did is not in the cookies either, once its identifier is left out.
  await doA({ "x-session": who });
  expect(await doB({})).toBe(403);
  expect(await doB({ cookie, "x-session": who })).toBe(200);
});
