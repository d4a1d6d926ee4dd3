/** The bank's mobile app: signing in, and what a token lets see. */
import { createLocalJWKSet, jwtVerify, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { APP_AUDIENCE, APP_ISSUER, LOGIN_PATH, startBank } from "../../src/demo/index.ts";
import type { Bank } from "../../src/demo/index.ts";

const NOW = 1_800_000_000_000;
let now = NOW;
let bank: Bank;
beforeAll(async () => {
  bank = await startBank({ now: () => now });
});
afterAll(() => bank.close());

const call = (path: string, token?: string, body?: unknown): Promise<Response> =>
  fetch(`${bank.origin}${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

async function signIn(userId = "mara", pin = "2580"): Promise<string> {
  const response = await call(LOGIN_PATH, undefined, { user_id: userId, pin });
  return ((await response.json()) as { access_token: string }).access_token;
}

describe("signing in", () => {
  test("gives a token that the bank's public key verifies", async () => {
    const response = await call(LOGIN_PATH, undefined, { user_id: "mara", pin: "2580" });
    expect(response.headers.get("cache-control")).toBe("no-store");
    const { access_token: token, ...rest } = (await response.json()) as { access_token: string };
    expect(rest).toEqual({ token_type: "Bearer", expires_in: 14_400 });
    expect(bank.tokenKeys.map(({ alg, use, d }) => [alg, use, d])).toEqual([["ES256", "sig", undefined]]);
    const { payload } = await jwtVerify(token, createLocalJWKSet({ keys: [...bank.tokenKeys] }), {
      currentDate: new Date(NOW),
    });
    expect(payload).toEqual({
      sub: "mara",
      iss: APP_ISSUER,
      aud: APP_AUDIENCE,
      iat: NOW / 1000,
      exp: NOW / 1000 + 14_400,
    });
  });

  test("gives the token alone to whoever asks for one, so that a shell can keep it", async () => {
    const response = await fetch(`${bank.origin}${LOGIN_PATH}`, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/jwt" },
      body: '{"user_id":"jonas","pin":"1470"}',
    });
    expect(response.headers.get("content-type")).toBe("application/jwt");
    expect(await response.text()).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
  });

  test.each([
    [{ user_id: "mara", pin: "0000" }, 401],
    [{ user_id: "nobody", pin: "2580" }, 401],
    [{ user_id: "mara" }, 401],
    [{ user_id: ["mara"], pin: ["2580"] }, 401],
    ["mara", 401],
    [null, 401],
  ])("%j: %i", async (body, status) => {
    expect((await call(LOGIN_PATH, undefined, body)).status).toBe(status);
  });

  test("only with POST, only as JSON, only a little of it", async () => {
    expect((await call(LOGIN_PATH)).status).toBe(405);
    const form = await fetch(`${bank.origin}${LOGIN_PATH}`, {
      method: "POST",
      body: new URLSearchParams({ user_id: "mara", pin: "2580" }),
    });
    expect(form.status).toBe(415);
    expect((await call(LOGIN_PATH, undefined, { pin: "x".repeat(5000) })).status).toBe(413);
  });
});

describe("with a token", () => {
  test("a customer's own things, and nobody else's", async () => {
    const token = await signIn();
    const transfer = (from: string, to: string) =>
      call("/api/v1/transferFunds", token, { from, to, amount: 1 });
    const statuses = await Promise.all([
      call("/api/v1/users/mara/accounts", token),
      call("/api/v1/users/jonas/accounts", token),
      call("/api/v1/users/jonas/profile", token),
      call("/api/v1/users/nobody/profile", token),
      call("/api/v1/accounts/40021001/balance", token),
      call("/api/v1/accounts/40030001/balance", token),
      call("/api/v1/accounts/99999999/balance", token),
      transfer("40021001", "40030001"),
      transfer("40030001", "40021001"),
      transfer("99999999", "40021001"),
    ]);
    expect(statuses.map(({ status }) => status)).toEqual([200, 403, 403, 404, 200, 403, 404, 200, 403, 422]);
  });

  test("that is not valid: 401, not the page's rights", async () => {
    const token = await signIn();
    const own = await new SignJWT({ sub: "mara", iss: APP_ISSUER, aud: APP_AUDIENCE, exp: NOW / 1000 + 60 })
      .setProtectedHeader({ alg: "HS256" })
      .sign(new TextEncoder().encode(JSON.stringify(bank.tokenKeys[0])));
    for (const bad of [own, `${token}x`, token.slice(0, -4), "", "a.b.c", "null"]) {
      const response = await call("/api/v1/accounts/40021001/balance", bad);
      expect(response.status).toBe(401);
      expect(response.headers.get("www-authenticate")).toContain('error="invalid_token"');
    }
    now = NOW + 14_401_000;
    expect((await call("/api/v1/accounts/40021001/balance", token)).status).toBe(401);
    now = NOW;
    expect((await call("/api/v1/accounts/40021001/balance", token)).status).toBe(200);
  });

  test("of another opening of the bank", async () => {
    const other = await startBank({ now: () => now });
    const token = await signIn();
    const response = await fetch(`${other.origin}/api/v1/users/mara/accounts`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(response.status).toBe(401);
    await other.close();
  });
});
