/** Header rows of the threat model: what a client claims, what it hides, and what a bad origin sends. */
import { createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { createProxyTrust } from "../../src/gateway/trust.ts";
import type { GatewayOptions } from "../../src/gateway/index.ts";
import { operation, rule, ruleset } from "../support/engine.ts";
import {
  openHttp2,
  requestHttp1,
  requestHttp2,
  startGateway,
  startOrigin,
  zoneAt,
} from "../support/gateway.ts";
import type { ClientRequest, TestGateway, TestOrigin } from "../support/gateway.ts";

const cleanups: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function start(
  gatewayOptions: Partial<GatewayOptions> = {},
  members: Parameters<typeof zoneAt>[1] = {},
): Promise<{ origin: TestOrigin; gateway: TestGateway }> {
  const origin = await startOrigin();
  cleanups.push(() => origin.close());
  const gateway = await startGateway({ zones: [zoneAt(origin, members)], gateway: gatewayOptions });
  cleanups.push(() => gateway.close());
  return { origin, gateway };
}

/** What the origin was told of a request with these headers. */
async function headersAtOrigin(
  headers: NonNullable<ClientRequest["headers"]>,
  options: Partial<GatewayOptions> = {},
): Promise<Readonly<Record<string, unknown>>> {
  const { origin, gateway } = await start(options);
  await requestHttp1(gateway.port, { path: "/x", headers });
  expect(origin.seen).toHaveLength(1);
  return origin.seen[0]?.headers ?? {};
}

const CLAIMS = {
  "x-forwarded-for": "1.2.3.4",
  "x-forwarded-proto": "http",
  "x-forwarded-host": "evil.example",
  forwarded: "for=1.2.3.4",
  "x-real-ip": "1.2.3.4",
  "true-client-ip": "1.2.3.4",
  "cf-connecting-ip": "1.2.3.4",
  "x-original-url": "/admin",
};

describe("claims about the client (X2)", () => {
  test("a visitor's own are removed, under HTTP/1.1 and HTTP/2 alike", async () => {
    const { origin, gateway } = await start();
    await requestHttp1(gateway.port, { path: "/x", headers: CLAIMS });
    const session = await openHttp2(gateway.port);
    await requestHttp2(session, { path: "/x", headers: CLAIMS });
    session.close();
    expect(origin.seen).toHaveLength(2);
    for (const { headers } of origin.seen) {
      expect(headers).toMatchObject({
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-proto": "https",
        "x-forwarded-host": "shop.example",
      });
      expect(JSON.stringify(headers)).not.toMatch(/1\.2\.3\.4|evil|admin/);
    }
  });

  test("a trusted proxy is believed, from the right", async () => {
    const seen = await headersAtOrigin(
      { ...CLAIMS, "x-forwarded-for": "6.6.6.6, 203.0.113.9, 10.0.0.1" },
      { trustedProxies: ["127.0.0.1", "10.0.0.0/8"] },
    );
    expect(seen).toMatchObject({
      "x-forwarded-for": "6.6.6.6, 203.0.113.9, 10.0.0.1, 127.0.0.1",
      "x-forwarded-proto": "http",
      "true-client-ip": "1.2.3.4",
    });
  });

  test("rules see the client that the trusted proxies saw", async () => {
    const guard = rule("ip.src eq 203.0.113.9");
    const { gateway } = await start(
      { trustedProxies: ["127.0.0.1", "10.0.0.0/8"] },
      { rulesets: [ruleset([guard])] },
    );
    const ask = async (value: string): Promise<number> =>
      (await requestHttp1(gateway.port, { path: "/x", headers: { "x-forwarded-for": value } })).status;
    expect(await ask("6.6.6.6, 203.0.113.9, 10.0.0.1")).toBe(403);
    expect(await ask("203.0.113.9, 6.6.6.6, 10.0.0.1")).toBe(200);
  });

  test.each([
    ["203.0.113.9", "203.0.113.9"],
    ["1.1.1.1, 203.0.113.9, 10.2.3.4", "203.0.113.9"],
    ["10.1.1.1, 10.2.3.4", "10.1.1.1"],
    ["", "10.0.0.7"],
    ["203.0.113.9, garbage, 10.2.3.4", "10.2.3.4"],
    ["203.0.113.9,", "10.0.0.7"],
    ["203.0.113.9:4711", "203.0.113.9"],
    ["[2001:db8::1]:443", "2001:db8::1"],
    ["::ffff:203.0.113.9", "203.0.113.9"],
    [Array.from({ length: 100 }, () => "10.0.0.1").join(","), "10.0.0.1"],
  ])("the client of `%s` behind 10.0.0.7 is %s", (forwardedFor, client) => {
    expect(createProxyTrust(["10.0.0.0/8"]).clientOf("10.0.0.7", forwardedFor)).toBe(client);
  });

  test.each(["10.0.0.0/33", "10.0.0", "all", "10.0.0.0/8/8", "10.0.0.0/", "::/129"])(
    "`%s` is no network",
    (network) => expect(() => createProxyTrust([network])).toThrow(/expected an IP address/),
  );
});

describe("names with underscores (X3)", () => {
  const headers = { x_forwarded_for: "1.2.3.4", x_http_method_override: "DELETE", api_key: "k" };

  test("those in disguise are dropped, others pass", async () => {
    const seen = await headersAtOrigin(headers);
    expect(seen).toMatchObject({ api_key: "k" });
    expect(seen).not.toHaveProperty("x_forwarded_for");
    expect(seen).not.toHaveProperty("x_http_method_override");
  });
  test("`drop` drops all", async () => {
    expect(await headersAtOrigin(headers, { headers: { underscores: "drop" } })).not.toHaveProperty(
      "api_key",
    );
  });
  test("`reject` answers 400", async () => {
    const { origin, gateway } = await start({ headers: { underscores: "reject" } });
    expect((await requestHttp1(gateway.port, { path: "/x", headers })).status).toBe(400);
    expect(origin.seen).toEqual([]);
  });
});

describe("method override (M1)", () => {
  const headers = { "x-http-method-override": "DELETE" };
  const deletion = { ...operation("dddddddd", "DELETE", "/x") };
  const guard = rule('cf.sequence.current_op eq "dddddddd"');

  test.each([
    ["strip", 200, undefined],
    ["forward", 200, "DELETE"],
    ["honour", 403, undefined],
  ] as const)("%s", async (methodOverride, status, atOrigin) => {
    const { origin, gateway } = await start(
      { headers: { methodOverride } },
      { operations: [deletion], rulesets: [ruleset([guard])] },
    );
    const reply = await requestHttp1(gateway.port, { method: "POST", path: "/x", headers });
    expect(reply.status).toBe(status);
    expect(origin.seen[0]?.headers["x-http-method-override"]).toBe(atOrigin);
  });

  test("`honour` refuses what frameworks would read differently", async () => {
    const { origin, gateway } = await start({ headers: { methodOverride: "honour" } });
    for (const more of [{ "x-method-override": "PUT" }, { "x-http-method-override": "FOO" }]) {
      const reply = await requestHttp1(gateway.port, {
        method: "POST",
        path: "/x",
        headers: { ...headers, ...more },
      });
      expect(reply.status).toBe(400);
    }
    expect(origin.seen).toEqual([]);
  });
});

describe("methods that are none (M3)", () => {
  test("lower case and invented ones, which only HTTP/2 lets through, are refused: WSGI origins take `post` for POST", async () => {
    const { origin, gateway } = await start();
    const session = await openHttp2(gateway.port);
    for (const method of ["post", "Post", "FOO", "constructor"])
      expect([method, (await requestHttp2(session, { method, path: "/x" })).status]).toEqual([method, 501]);
    for (const method of ["QUERY", "PROPFIND"])
      expect([method, (await requestHttp2(session, { method, path: "/x" })).status]).toEqual([method, 200]);
    session.close();
    expect(origin.seen.map(({ method }) => method)).toEqual(["QUERY", "PROPFIND"]);
  });
});

describe("hops", () => {
  test("Via names us behind those before, and can be left out", async () => {
    expect(await headersAtOrigin({ via: "1.0 fred" })).toMatchObject({ via: "1.0 fred, 1.1 stepgate" });
    expect(await headersAtOrigin({}, { via: false })).not.toHaveProperty("via");
  });
  test("a request that has come through us again and again is refused", async () => {
    const { origin, gateway } = await start();
    const headers = { via: Array.from({ length: 9 }, () => "1.1 stepgate").join(", ") };
    expect((await requestHttp1(gateway.port, { path: "/x", headers })).status).toBe(508);
    expect(origin.seen).toEqual([]);
  });
  test("Max-Forwards of OPTIONS is counted down, and 0 is answered by us", async () => {
    const { origin, gateway } = await start();
    const ask = (path: string, hops: string) =>
      requestHttp1(gateway.port, { method: "OPTIONS", path, headers: { "max-forwards": hops } });
    await ask("/x", "3");
    expect(origin.seen[0]?.headers["max-forwards"]).toBe("2");
    expect((await ask("/x", "0")).headers["allow"]).toContain("GET");
    expect((await ask("*", "3")).status).toBe(200);
    expect(origin.seen).toHaveLength(1);
  });
  test("OPTIONS * is ours, `*` with any other method is refused (H3)", async () => {
    const { origin, gateway } = await start();
    expect((await requestHttp1(gateway.port, { method: "OPTIONS", path: "*" })).status).toBe(200);
    expect((await requestHttp1(gateway.port, { path: "*" })).status).toBe(400);
    expect(origin.seen).toEqual([]);
  });
  test("nominating our fields does not remove them (X1)", async () => {
    const seen = await headersAtOrigin({
      connection: "close, x-forwarded-for, stepgate-ray, via, cookie, x-custom",
      cookie: "a=1",
      "x-custom": "1",
    });
    expect(seen).toMatchObject({ "x-forwarded-for": "127.0.0.1", cookie: "a=1", via: "1.1 stepgate" });
    expect(seen["stepgate-ray"]).toMatch(/^[0-9a-f]{16}$/);
    expect(seen).not.toHaveProperty("x-custom");
  });
});

/** An origin that answers with these bytes, whatever it is asked, and counts its connections. */
async function startEvilOrigin(
  answer: string,
): Promise<{ server: Server; url: string; connections: () => number }> {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.on("error", () => socket.destroy());
    socket.on("data", () => socket.write(answer, "latin1"));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => new Promise((resolve) => server.close(resolve)));
  return {
    server,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => connections,
  };
}

describe("an origin whose response can be read in two ways (S4)", () => {
  const HIDDEN = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhidden";
  test.each([
    [
      "an unknown transfer coding",
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${HIDDEN}`,
    ],
    ["a tab behind chunked", `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\x0b\r\n\r\n0\r\n\r\n${HIDDEN}`],
    ["two codings", `HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n${HIDDEN}`],
    [
      "chunked twice",
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    [
      "both framings",
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n${HIDDEN}`,
    ],
    ["two lengths", `HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\nhello`],
    ["garbage", "not http at all\r\n\r\n"],
    ["a NUL in a header", "HTTP/1.1 200 OK\r\nX-A: a\0b\r\nContent-Length: 0\r\n\r\n"],
  ])("%s is a 502, and its connection is not used again", async (_name, answer) => {
    const evil = await startEvilOrigin(answer);
    const gateway = await startGateway({
      zones: [zoneAt({ url: evil.url, seen: [], close: async () => undefined })],
    });
    cleanups.push(() => gateway.close());
    for (let round = 1; round <= 2; round++) {
      const reply = await requestHttp1(gateway.port, { path: "/x" });
      expect(reply.status).toBe(502);
      expect(reply.body).not.toContain("hidden");
      expect(evil.connections()).toBe(round);
    }
  });

  test("what follows a complete response is never the next answer", async () => {
    const evil = await startEvilOrigin(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok${HIDDEN}`);
    const gateway = await startGateway({
      zones: [zoneAt({ url: evil.url, seen: [], close: async () => undefined })],
    });
    cleanups.push(() => gateway.close());
    for (let round = 1; round <= 3; round++)
      expect((await requestHttp1(gateway.port, { path: "/x" })).body).toBe("ok");
    expect(evil.connections()).toBe(3);
  });
});
