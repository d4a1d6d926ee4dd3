/** Attacks on the control plane (threat rows A1 to A4, T2, T4), each named after what the attacker tries. */
import { createHash } from "node:crypto";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startApi } from "../api/support/server.ts";
import type { RunningApi } from "../api/support/server.ts";

let api: RunningApi;
const lines: string[] = [];
let nowMs = Date.parse("2026-11-21T12:00:00Z");

const note = (facts: object, message: string): void => void lines.push(JSON.stringify({ ...facts, message }));
api = await startApi({ logger: { info: note, error: note }, now: () => nowMs });

beforeAll(async () => {});
afterAll(() => api.close());

interface Raw {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** A request with headers that fetch would not let through. */
function raw(path: string, headers: Record<string, string>, method = "GET"): Promise<Raw> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(`${api.origin}${path}`, { method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      );
    });
    sent.on("error", reject);
    sent.end();
  });
}

const bearer = (): Record<string, string> => ({ authorization: `Bearer ${api.token}` });

const verify = (headers: Record<string, string>) => raw("/client/v4/user/tokens/verify", headers);

const makeToken = async (extra: object): Promise<string> => {
  const groups = (await api.request("GET", "/user/tokens/permission_groups?name=Zone%20Read")).json.result;
  const body = {
    name: "t",
    policies: [
      {
        effect: "allow",
        permission_groups: [{ id: groups[0].id }],
        resources: { "com.cloudflare.api.account.zone.*": "*" },
      },
    ],
    ...extra,
  };
  return (await api.request("POST", "/user/tokens", { body })).json.result.value as string;
};

const statusOf = async (token: string, extra: Record<string, string> = {}): Promise<number> =>
  (await raw("/client/v4/zones", { authorization: `Bearer ${token}`, ...extra })).status;

describe("DNS rebinding", () => {
  test.each([
    "evil.example",
    "evil.example:9443",
    "localhost.evil.example",
    "127.0.0.1.nip.io",
    "[::2]",
    "localhost:9443@evil",
  ])("a Host of %j is refused, also with a good token", async (host) => {
    const answer = await raw("/client/v4/zones", { ...bearer(), host });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.body).not.toContain("shop.example");
  });

  test.each(["localhost", "LOCALHOST:1", "127.0.0.1:9443", "[::1]:9443"])(
    "a Host of %s is answered",
    async (host) => expect((await raw("/client/v4/zones", { ...bearer(), host })).status).toBe(200),
  );

  test.each([
    ["an absolute target of another host", "http://evil.example/client/v4/zones", "Host: localhost", 421],
    ["an absolute target and another Host", "http://localhost/client/v4/zones", "Host: evil.example", 421],
    ["no Host", "/client/v4/zones", "X: y", 400],
    ["an empty Host", "/client/v4/zones", "Host:", 421],
    ["two Hosts", "/client/v4/zones", "Host: localhost\r\nHost: evil.example", 421],
    ["a trailing dot", "/client/v4/zones", "Host: localhost.", 421],
  ])("%s", async (_, target, header, status) => {
    const { hostname, port } = new URL(api.origin);
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(Number(port), hostname, () =>
        socket.end(
          `GET ${target} HTTP/1.1\r\n${header}\r\nAuthorization: Bearer ${api.token}\r\nConnection: close\r\n\r\n`,
        ),
      );
      let text = "";
      socket.on("data", (chunk) => (text += chunk.toString()));
      socket.on("close", () => resolve(text));
    });
    expect(answer).not.toContain("shop.example");
    expect(answer).toContain(`HTTP/1.1 ${status} `);
  });

  test("the reference page and the API document are behind the same check", async () => {
    for (const path of ["/docs", "/openapi.json"]) {
      expect((await raw(path, { host: "evil.example" })).status).toBe(421);
    }
  });
});

describe("a page of another site", () => {
  test("is given no permission to read: no CORS header on any answer", async () => {
    for (const [method, path] of [
      ["GET", "/client/v4/zones"],
      ["OPTIONS", "/client/v4/zones"],
      ["GET", "/client/v4/nothing"],
      ["GET", "/openapi.json"],
    ] as const) {
      const answer = await raw(
        path,
        { ...bearer(), origin: "https://evil.example", "access-control-request-method": "PUT" },
        method,
      );
      expect(Object.keys(answer.headers).filter((name) => name.startsWith("access-control-"))).toEqual([]);
    }
  });

  test("cannot use what a browser sends by itself: cookies and basic credentials are nothing", async () => {
    const path = `/client/v4/zones/${api.zone.id}/fraud_detection/sequence_cookies`;
    for (const headers of [
      { cookie: `authorization=Bearer ${api.token}; token=${api.token}` },
      { authorization: `Basic ${Buffer.from(`admin:${api.token}`).toString("base64")}` },
      { authorization: api.token },
      { "x-auth-key": api.token, "x-auth-email": "a@b.example" },
    ]) {
      expect((await raw(path, headers, "PUT")).status).toBeGreaterThanOrEqual(400);
      expect((await raw(path, headers)).status).toBeGreaterThanOrEqual(400);
    }
  });

  test("gets no cookie to send back", async () => {
    expect((await raw("/client/v4/zones", bearer())).headers["set-cookie"]).toBeUndefined();
  });
});

describe("guessing tokens", () => {
  test.each([
    ["none", undefined, 400, 9106],
    ["an empty one", "Bearer ", 400, 6003],
    ["without scheme", "sg_abc", 400, 6003],
    ["two", "Bearer a b", 400, 6003],
    ["control characters", "Bearer a\tb", 400, 6003],
    ["an unknown one", `Bearer sg_${"A".repeat(43)}`, 403, 9109],
    ["the hash of a good one", "hash", 403, 9109],
    ["a good one in another case", "case", 403, 9109],
    ["a very long one", `Bearer ${"a".repeat(8000)}`, 403, 9109],
  ] as const)("%s", async (_, authorization, status, code) => {
    const value =
      authorization === "hash"
        ? `Bearer ${createHash("sha256").update(api.token).digest("hex")}`
        : authorization === "case"
          ? `Bearer ${api.token.toUpperCase()}`
          : authorization;
    const answer = await raw("/client/v4/zones", value === undefined ? {} : { authorization: value });
    expect([answer.status, JSON.parse(answer.body).errors[0].code]).toEqual([status, code]);
    nowMs += 60_000;
  });

  test("verify says what the token is, and nothing of others", async () => {
    const good = JSON.parse((await verify(bearer())).body);
    expect(good).toMatchObject({
      result: { status: "active" },
      success: true,
      messages: [{ code: 10000, message: "This API Token is valid and active", type: null }],
    });
    expect(JSON.parse((await verify({ authorization: "Bearer sg_no" })).body).errors[0].code).toBe(1000);
    const none = await verify({});
    expect([none.status, JSON.parse(none.body).errors[0].code]).toEqual([401, 1001]);
  });

  test("failures are limited per address for a minute; the good token passes all the time", async () => {
    nowMs += 60_000;
    const guess = async (): Promise<number> =>
      (await raw("/client/v4/zones", { authorization: "Bearer no" })).status;
    const statuses: number[] = [];
    for (let attempt = 0; attempt < 25; attempt += 1) statuses.push(await guess());
    expect(statuses.filter((status) => status === 403)).toHaveLength(20);
    expect(statuses.at(-1)).toBe(429);
    expect((await raw("/client/v4/zones", bearer())).status).toBe(200);
    nowMs += 60_000;
    expect(await guess()).toBe(403);
  });

  test("the same answer for a token that is disabled, expired, early or unknown in status", async () => {
    const expiring = await makeToken({ expires_on: new Date(nowMs + 1000).toISOString() });
    const early = await makeToken({ not_before: new Date(nowMs + 3_600_000).toISOString() });
    expect(await statusOf(expiring)).toBe(200);
    nowMs += 1000;
    expect(await statusOf(expiring)).toBe(403);
    expect(await statusOf(early)).toBe(403);
    nowMs += 3_600_000;
    expect(await statusOf(early)).toBe(200);
  });

  test("a token for other addresses is refused from here", async () => {
    const groups = (await api.request("GET", "/user/tokens/permission_groups?name=Zone%20Read")).json.result;
    const create = async (request_ip: object): Promise<string> =>
      (
        await api.request("POST", "/user/tokens", {
          body: {
            name: "t",
            policies: [
              {
                effect: "allow",
                permission_groups: [{ id: groups[0].id }],
                resources: { "com.cloudflare.api.account.zone.*": "*" },
              },
            ],
            condition: { request_ip },
          },
        })
      ).json.result.value;
    expect(await statusOf(await create({ in: ["127.0.0.0/8"] }))).toBe(200);
    expect(await statusOf(await create({ in: ["192.0.2.0/24"] }))).toBe(403);
    expect(await statusOf(await create({ in: ["192.0.2.0/24"] }), { "x-forwarded-for": "192.0.2.1" })).toBe(
      403,
    );
    expect(await statusOf(await create({ not_in: ["127.0.0.1"] }))).toBe(403);
    expect(await statusOf(await create({ in: ["0.0.0.0/0"], not_in: ["127.0.0.2"] }))).toBe(200);
  });
});

const ids = async (...names: readonly string[]): Promise<{ id: string }[]> => {
  const groups = (await api.request("GET", "/user/tokens/permission_groups")).json.result as {
    id: string;
    name: string;
  }[];
  return names.map((name) => ({ id: groups.find((group) => group.name === name)?.id ?? "" }));
};
const zones = (id: string): object => ({ [`com.cloudflare.api.account.zone.${id}`]: "*" });

async function tokenWith(policies: readonly object[]): Promise<{ token: string; id: string }> {
  const { json } = await api.request("POST", "/user/tokens", { body: { name: "t", policies } });
  return { token: json.result.value as string, id: json.result.id as string };
}
const as = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

describe("climbing from a small token to a big one", () => {
  test("a token that may make tokens makes none with more than it has, and rolls none that has more", async () => {
    const user = {
      effect: "allow",
      permission_groups: await ids("API Tokens Write"),
      resources: { "com.cloudflare.api.user.*": "*" },
    };
    const waf = {
      effect: "allow",
      permission_groups: await ids("Zone WAF Write"),
      resources: zones(api.zone.id),
    };
    const { token, id } = await tokenWith([user, waf]);
    const make = async (...policies: readonly object[]): Promise<number> =>
      (await api.request("POST", "/user/tokens", { ...as(token), body: { name: "u", policies } })).status;
    expect(await make(waf)).toBe(200);
    expect(await make({ ...waf, permission_groups: await ids("Zone WAF Read") })).toBe(200);
    expect(await make(user, waf)).toBe(200);
    expect(await make({ ...waf, resources: zones("*") })).toBe(403);
    expect(await make({ ...waf, permission_groups: await ids("API Gateway Read") })).toBe(403);
    const admin = (await api.request("GET", "/user/tokens/verify")).json.result.id as string;
    for (const [method, path] of [
      ["PUT", `/user/tokens/${admin}/value`],
      ["DELETE", `/user/tokens/${admin}`],
    ] as const) {
      expect((await api.request(method, path, as(token))).status).toBe(403);
    }
    const raised = { name: "t", policies: [user, { ...waf, resources: zones("*") }] };
    expect((await api.request("PUT", `/user/tokens/${id}`, { ...as(token), body: raised })).status).toBe(403);
    expect((await api.request("PUT", `/user/tokens/${id}/value`, as(token))).status).toBe(200);
  });

  test("what is denied stays denied, and cannot be shed by making a token", async () => {
    const user = {
      effect: "allow",
      permission_groups: await ids("API Tokens Write"),
      resources: { "com.cloudflare.api.user.*": "*" },
    };
    const all = { effect: "allow", permission_groups: await ids("API Gateway Write"), resources: zones("*") };
    const but = {
      effect: "deny",
      permission_groups: await ids("API Gateway Write"),
      resources: zones(api.zone.id),
    };
    const { token } = await tokenWith([user, all, but]);
    const path = `/zones/${api.zone.id}/api_gateway/operations`;
    expect((await api.request("GET", path, as(token))).status).toBe(200);
    const body = { method: "GET", host: "a.example", endpoint: "/" };
    expect((await api.request("POST", `${path}/item`, { ...as(token), body })).status).toBe(403);
    const make = async (policies: readonly object[]): Promise<number> =>
      (await api.request("POST", "/user/tokens", { ...as(token), body: { name: "u", policies } })).status;
    expect(await make([all])).toBe(403);
    expect(await make([all, but])).toBe(200);
  });

  test("every route asks for a permission: a token without any gets nothing but what is its own", async () => {
    const { token } = await tokenWith([
      {
        effect: "allow",
        permission_groups: await ids("Account Settings Read"),
        resources: { "com.cloudflare.api.account.*": "*" },
      },
    ]);
    const document = (await (await fetch(`${api.origin}/openapi.json`)).json()) as {
      paths: Record<string, object>;
    };
    const open = new Set([
      "GET /zones",
      "GET /accounts",
      "GET /user/tokens/verify",
      "GET /accounts/{account_id}",
      "GET /accounts/{account_id}/audit_logs",
    ]);
    let checked = 0;
    for (const [path, item] of Object.entries(document.paths)) {
      for (const method of Object.keys(item)) {
        const name = `${method.toUpperCase()} ${path}`;
        if (open.has(name) || path.endsWith("/verify")) continue;
        const filled = path
          .replace("{zone_id}", api.zone.id)
          .replace("{account_id}", api.store.defaultAccountId)
          .replace("{phase}", path.startsWith("/zones") ? "http_ratelimit" : "http_request_redirect")
          .replaceAll(/\{\w+\}/g, "0".repeat(32));
        const answer = await api.request(method.toUpperCase(), filled, {
          ...as(token),
          ...(method === "get"
            ? {}
            : {
                body: {
                  name: "x.example",
                  kind: path.startsWith("/zones") ? "zone" : "root",
                  phase: path.startsWith("/zones") ? "http_ratelimit" : "http_request_redirect",
                },
              }),
        });
        expect([name, answer.status]).toEqual([name, 403]);
        checked += 1;
      }
    }
    expect(checked).toBeGreaterThan(60);
  });
});

const settings = async (origin: string): Promise<number> => {
  const zone = (
    await api.request("POST", "/zones", {
      body: { name: `z${Math.random().toString(36).slice(2)}.example` },
    })
  ).json.result;
  return (await api.request("PATCH", `/zones/${zone.id}/stepgate/settings`, { body: { origin } })).status;
};

describe("server-side request forgery through a zone", () => {
  test.each([
    "http://169.254.169.254",
    "http://[fd00:ec2::254]",
    "http://10.0.0.1",
    "http://192.168.0.1:8080",
    "http://localhost",
    "http://example.com",
    "http://127.0.0.1.nip.io",
    "http://0.0.0.0",
    "http://[::ffff:10.0.0.1]",
    "file:///etc/passwd",
    "http://user@127.0.0.1",
    "http://127.0.0.1/path",
    "http://127.0.0.1?x",
    "gopher://127.0.0.1",
    "//127.0.0.1",
    "127.0.0.1:80",
    "http://",
  ])("%s is no origin", async (origin) => expect(await settings(origin)).toBe(400));

  test.each([
    "http://127.0.0.1:3000",
    "https://127.0.0.2",
    "http://[::1]:3000",
    "http://127.1:9",
    "http://2130706433",
  ])("%s, a loopback address, is one", async (origin) => expect(await settings(origin)).toBe(200));

  test("what the configuration file says of its zones stays what it says", async () => {
    const body = { origin: "http://127.0.0.1:1", hosts: ["evil.example"] };
    const answer = await api.request("PATCH", `/zones/${api.zone.id}/stepgate/settings`, { body });
    expect(answer.status).toBe(400);
    expect(answer.json.errors.map((error: { code: number }) => error.code)).toEqual([20104, 20104]);
    expect((await api.request("DELETE", `/zones/${api.zone.id}`)).status).toBe(400);
  });

  test("the operator can allow others, by name and port", async () => {
    const other = await startApi({ allowedOrigins: ["http://backend.internal", "https://10.0.0.5:8443"] });
    const zone = (await other.request("POST", "/zones", { body: { name: "z.example" } })).json.result;
    const set = async (origin: string) =>
      (await other.request("PATCH", `/zones/${zone.id}/stepgate/settings`, { body: { origin } })).status;
    expect(await set("http://backend.internal:3000")).toBe(200);
    expect(await set("https://10.0.0.5:8443")).toBe(200);
    expect(await set("https://10.0.0.5")).toBe(400);
    expect(await set("http://127.0.0.1:3000")).toBe(400);
    await other.close();
  });
});

const cookiesPath = (): string => `/zones/${api.zone.id}/fraud_detection/sequence_cookies`;

const put = (rawBody: string | Uint8Array, headers = {}) =>
  api.request("PUT", cookiesPath(), { rawBody, headers });

describe("bodies", () => {
  test.each<[string, string | Uint8Array, number]>([
    ["empty", "", 400],
    ["cut off", '{"enabled":', 400],
    ["not UTF-8", new Uint8Array([0x22, 0xff, 0x22]), 400],
    ["deep", `${"[".repeat(500_000)}${"]".repeat(500_000)}`, 400],
    ["deep objects", `${'{"a":'.repeat(100)}1${"}".repeat(100)}`, 400],
    ["a prototype", '{"__proto__":{"enabled":true}}', 400],
    ["a prototype inside", '{"enabled":true,"x":[{"__proto__":1}]}', 400],
    ["half a surrogate pair", '{"enabled":true,"x":"\\ud800"}', 400],
    ["too large", `{"enabled":true,"x":"${"a".repeat(1_048_577)}"}`, 413],
    ["another type", '"true"', 400],
    ["the right one with more in it", '{"enabled":true,"constructor":{"x":1}}', 200],
  ])("%s", async (_, rawBody, status) => {
    const answer = await put(rawBody);
    expect(answer.status).toBe(status);
    expect(answer.json.success).toBe(status === 200);
  });

  test("a body whose size is not announced is cut off at the limit", async () => {
    const stream = new ReadableStream({
      pull(controller) {
        controller.enqueue(new Uint8Array(65_536));
      },
    });
    const outcome = await fetch(`${api.baseUrl}${cookiesPath()}`, {
      method: "PUT",
      headers: bearer(),
      body: stream,
      duplex: "half",
    } as RequestInit).then(
      (response) => response.status,
      () => "cut",
    );
    expect([413, "cut"]).toContain(outcome);
    expect((await api.request("GET", cookiesPath())).status).toBe(200);
  });

  test("the content type does not matter, as the documented command sends none that fits", async () => {
    for (const type of [
      "application/x-www-form-urlencoded",
      "text/plain",
      "application/json; charset=latin1",
    ]) {
      expect((await put('{"enabled": false}', { "content-type": type })).status).toBe(200);
    }
  });

  test("members that belong to the store cannot be assigned", async () => {
    const body = {
      method: "GET",
      host: "mass.example",
      endpoint: "/",
      operation_id: "00000000-0000-4000-8000-000000000000",
      short_id: "00000000",
      last_updated: "1970-01-01T00:00:00Z",
      zoneId: "x",
    };
    const { json } = await api.request("POST", `/zones/${api.zone.id}/api_gateway/operations/item`, { body });
    expect(json.result.operation_id).not.toBe(body.operation_id);
    expect(Object.keys(json.result).toSorted()).toEqual([
      "endpoint",
      "host",
      "last_updated",
      "method",
      "operation_id",
      "prefetch",
      "record",
      "short_id",
    ]);
  });
});

describe("paths", () => {
  test.each([
    "/client/v4/zones/%zz",
    "/client/v4/zones/%00",
    "/client/v4/zones/..%2f..%2fuser%2ftokens",
    "/client/v4//zones/x/y",
    "/client/v4/zones/__proto__",
    "/client/v4/constructor",
    "/client/v4/zones/a%2fb",
    "/client/v4/accounts/%F0%9F%92%A9",
    `/client/v4/zones/${"a".repeat(4000)}`,
    "/client/v4",
    "/",
    "/client/v5/zones",
    "/metrics",
    "/docs/../../package.json",
    "/docs/swagger-ui.css.map",
  ])("%s is no route or no object, never a failure", async (path) => {
    const answer = await raw(path, bearer());
    expect([400, 404]).toContain(answer.status);
    expect(JSON.parse(answer.body)).toMatchObject({ success: false, result: null });
  });

  test.each(["TRACE", "PROPFIND", "QUERY"])("%s is answered with 4xx", async (method) => {
    expect((await raw("/client/v4/zones", bearer(), method)).status).toBeGreaterThanOrEqual(400);
  });
});

test("no token, hash or body ever reaches the log", async () => {
  const secret = "sg_SECRET-in-the-wrong-place-0123456789abcdefghijk";
  await raw("/client/v4/zones", { authorization: `Bearer ${secret}` });
  await api.request("PUT", `/zones/${api.zone.id}/fraud_detection/sequence_cookies`, {
    rawBody: `{"enabled":"${secret}"}`,
  });
  const all = lines.join("\n");
  expect(lines.length).toBeGreaterThan(50);
  for (const text of [api.token, secret, createHash("sha256").update(api.token).digest("hex")]) {
    expect(all).not.toContain(text);
  }
  expect(all).toContain('"token_id"');
});

test("a defect tells the client nothing and the log everything", async () => {
  const broken: RunningApi = await startApi({
    logger: { info: () => undefined, error: (facts) => void lines.push(JSON.stringify(facts)) },
    random: () => {
      throw new Error("the source of randomness is broken");
    },
  });
  const body = { method: "GET", host: "a.example", endpoint: "/" };
  const answer = await broken.request("POST", `/zones/${broken.zone.id}/api_gateway/operations/item`, {
    body,
  });
  expect(answer.status).toBe(500);
  expect(JSON.stringify(answer.json)).not.toContain("randomness");
  expect(lines.at(-1)).toContain("randomness");
  expect(broken.store.count("operations", broken.zone.id)).toBe(0);
  await broken.close();
});
