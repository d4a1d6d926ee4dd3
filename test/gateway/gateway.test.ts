import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { redirectToHttps, listenHttp } from "../../src/gateway/index.ts";
import {
  openHttp2,
  rawExchange,
  requestHttp1,
  requestHttp2,
  startGateway,
  startOrigin,
  zoneAt,
} from "../support/gateway.ts";
import type {
  ClientRequest,
  Reply,
  TestGateway,
  TestGatewayOptions,
  TestOrigin,
} from "../support/gateway.ts";
import { rule, ruleset } from "../support/engine.ts";

const cleanups: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function start(
  origin: TestOrigin,
  members: Parameters<typeof zoneAt>[1] = {},
  options: Omit<TestGatewayOptions, "zones"> = {},
): Promise<TestGateway> {
  cleanups.push(() => origin.close());
  const gateway = await startGateway({ zones: [zoneAt(origin, members)], ...options });
  cleanups.push(() => gateway.close());
  return gateway;
}

const PROTOCOLS = {
  "HTTP/1.1": async (port: number, request: ClientRequest): Promise<Reply> => requestHttp1(port, request),
  "HTTP/2": async (port: number, request: ClientRequest): Promise<Reply> => {
    const session = await openHttp2(port);
    try {
      return await requestHttp2(session, request);
    } finally {
      session.close();
    }
  },
};

describe.each(Object.entries(PROTOCOLS))("%s", (_name, send) => {
  test("a request and its body reach the origin, the answer comes back with a ray id", async () => {
    const origin = await startOrigin();
    const gateway = await start(origin);
    const reply = await send(gateway.port, {
      method: "POST",
      path: "/x?y=%2f",
      body: "hello",
      headers: { "x-a": "1" },
    });
    expect(reply).toMatchObject({ status: 200, body: "origin /x?y=%2f" });
    expect(reply.headers["stepgate-ray"]).toMatch(/^[0-9a-f]{16}$/);
    expect(origin.seen).toHaveLength(1);
    expect(origin.seen[0]).toMatchObject({
      method: "POST",
      body: "hello",
      headers: {
        host: "shop.example",
        "x-a": "1",
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-proto": "https",
        "x-forwarded-host": "shop.example",
        "stepgate-ray": reply.headers["stepgate-ray"],
      },
    });
  });

  test("B is refused until A was called; the cookie carries that and the origin never sees it", async () => {
    const origin = await startOrigin();
    const guard = rule(
      'cf.sequence.current_op eq "bbbbbbbb" and not any(cf.sequence.previous_ops[*] == "aaaaaaaa")',
    );
    const gateway = await start(origin, { rulesets: [ruleset([guard])] });
    const blocked = await send(gateway.port, { method: "POST", path: "/b", body: "money" });
    expect(blocked.status).toBe(403);
    expect(blocked.headers["set-cookie"]).toBeUndefined();
    expect(origin.seen).toEqual([]);

    const first = await send(gateway.port, { path: "/a", headers: { cookie: "app=1" } });
    const [line = ""] = first.headers["set-cookie"] as string[];
    expect(line).toMatch(/^__Host-sq\.[\w-]{5}=[\w.-]+; /);
    for (const attribute of ["Path=/", "Secure", "HttpOnly", "SameSite=Lax", "Max-Age=3600"]) {
      expect(line.split("; ")).toContain(attribute);
    }
    expect(first.headers["cache-control"]).toBe("private");

    const cookie = `app=1; ${line.split(";")[0]}`;
    expect((await send(gateway.port, { method: "POST", path: "/b", headers: { cookie } })).status).toBe(200);
    expect(origin.seen.at(-1)?.headers["cookie"]).toBe("app=1");
    expect(gateway.events).toMatchObject([
      { action: "block", currentOp: "bbbbbbbb", rayId: blocked.headers["stepgate-ray"] },
    ]);
  });

  test("an unknown host is 421, a path that cannot be made canonical 400, an unreachable origin 502", async () => {
    const origin = await startOrigin();
    const gateway = await start(origin);
    const authority = _name === "HTTP/2" ? ":authority" : "host";
    expect((await send(gateway.port, { path: "/", headers: { [authority]: "other.example" } })).status).toBe(
      421,
    );
    for (const path of ["/a%", "/a%2fb", "/%00", "/../x", "/a%25%32%66"]) {
      expect([path, (await send(gateway.port, { path })).status]).toEqual([path, 400]);
    }
    expect(origin.seen).toEqual([]);
    await origin.close();
    const failed = await send(gateway.port, { path: "/", headers: { accept: "application/json" } });
    expect(failed.status).toBe(502);
    expect(JSON.parse(failed.body)).toMatchObject({ error: { code: "origin_unreachable" } });
    expect(gateway.problems.at(-1)).toMatchObject({
      reason: "origin_unreachable",
      rayId: failed.headers["stepgate-ray"],
    });
  });

  test("a configuration change is in force for the next request", async () => {
    const origin = await startOrigin();
    const gateway = await start(origin);
    expect((await send(gateway.port, { path: "/x" })).status).toBe(200);
    gateway.source.set([zoneAt(origin, { rulesets: [ruleset([rule('http.request.uri.path eq "/x"')])] })]);
    expect((await send(gateway.port, { path: "/x" })).status).toBe(403);
  });
});

test("eight parallel requests on one connection are all remembered", async () => {
  const origin = await startOrigin();
  // Of one operation they count once within the same millisecond.
  let nowMs = Date.now();
  const gateway = await start(origin, {}, { now: () => (nowMs += 1) });
  const session = await openHttp2(gateway.port);
  const jar = new Map<string, string>();
  const store = (reply: Reply): void => {
    for (const line of (reply.headers["set-cookie"] as string[] | undefined) ?? []) {
      const [name = "", value = ""] = line.split(";")[0]!.split("=");
      if (line.includes("Max-Age=0")) jar.delete(name);
      else jar.set(name, value);
    }
  };
  const cookie = () => [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
  for (let round = 0; round < 5; round += 1) {
    const sent = cookie();
    const replies = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        requestHttp2(session, { path: `/c/${index}`, headers: sent === "" ? {} : { cookie: sent } }),
      ),
    );
    for (const reply of replies) store(reply);
  }
  const watcher = rule('http.request.uri.path eq "/look" and len(cf.sequence.previous_ops) eq 10');
  gateway.source.set([zoneAt(origin, { rulesets: [ruleset([watcher])] })]);
  expect(cookie().length).toBeLessThan(1_300);
  expect((await requestHttp2(session, { path: "/look", headers: { cookie: cookie() } })).status).toBe(403);
  session.close();
});

test("a body that nobody reads ends the connection instead of being read to its end", async () => {
  const origin = await startOrigin();
  const gateway = await start(origin, { rulesets: [ruleset([rule("true")])] });
  const reply = await requestHttp1(gateway.port, { method: "POST", path: "/", body: "x".repeat(1 << 20) });
  expect(reply.status).toBe(403);
  expect(reply.headers["connection"]).toBe("close");
});

test("closing lets a request under way finish and refuses new ones", async () => {
  const arrived = Promise.withResolvers<() => void>();
  const origin = await startOrigin((_req, res) => {
    res.write("begun ");
    arrived.resolve(() => res.end("finished"));
  });
  const gateway = await start(origin);
  const underWay = requestHttp1(gateway.port, { path: "/slow" });
  const finish = await arrived.promise;
  const closed = gateway.listener.close(5_000);
  await expect(requestHttp1(gateway.port, { path: "/new" })).rejects.toThrow(/ECONNREFUSED/);
  finish();
  expect((await underWay).body).toBe("begun finished");
  await closed;
});

test("an endless stream is cut when the grace time is over", async () => {
  const origin = await startOrigin((_req, res) => void res.write("tick"));
  const gateway = await start(origin);
  const session = await openHttp2(gateway.port);
  session.on("error", () => undefined);
  const stream = session.request({ ":path": "/events", ":authority": "shop.example" });
  stream.on("error", () => undefined);
  await new Promise((resolve) => stream.once("data", resolve));
  const startedAt = Date.now();
  await gateway.listener.close(200);
  expect(Date.now() - startedAt).toBeLessThan(2_000);
});

test("the plain listener only redirects to HTTPS, and only hosts that are ours", async () => {
  const handler = redirectToHttps(
    () => 8443,
    (host) => host === "shop.example",
  );
  const listener = await listenHttp({ port: 0, hostname: "127.0.0.1" }, { request: handler });
  cleanups.push(() => listener.close(0));
  const ask = (method: string, host: string): Promise<string> =>
    rawExchange(listener.port, `${method} /a?b=1 HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 0\r\n\r\n`);
  const redirected = await ask("POST", "shop.example:80");
  expect(redirected).toMatch(/^HTTP\/1\.1 308 /);
  expect(redirected).toContain("location: https://shop.example:8443/a?b=1\r\n");
  expect(await ask("GET", "evil.example")).toMatch(/^HTTP\/1\.1 421 /);
});

test("a port in use is an error of the listen call", async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => new Promise<void>((resolve) => taken.close(() => resolve())));
  const { port } = taken.address() as AddressInfo;
  await expect(
    listenHttp({ port, hostname: "127.0.0.1" }, { request: () => undefined }),
  ).rejects.toMatchObject({
    code: "EADDRINUSE",
  });
});
