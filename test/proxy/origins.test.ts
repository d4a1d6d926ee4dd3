/** Origins over TLS, over sockets, and several of them. */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import { createServer as createHttps } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { createForwarder } from "../../src/proxy/index.ts";
import type { ForwardResult, GroupSpec } from "../../src/proxy/index.ts";
import { testCertificate } from "../support/gateway.ts";

const cleanups: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function listen(server: Server, at: number | string = 0): Promise<number> {
  await new Promise<void>((resolve) =>
    typeof at === "number" ? server.listen(at, "127.0.0.1", resolve) : server.listen(at, resolve),
  );
  cleanups.push(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

const startHttp = async (listener: RequestListener): Promise<string> =>
  `http://127.0.0.1:${await listen(createServer(listener))}`;

const named =
  (name: string): RequestListener =>
  (_req, res) =>
    void res.end(name);

/** A front that forwards everything to `origin`, or to the group. */
async function startFront(origin: string | GroupSpec): Promise<{ url: string; results: ForwardResult[] }> {
  const forwarder = createForwarder({ headersTimeoutMs: 1_000, connectTimeoutMs: 300 });
  cleanups.push(() => forwarder.close());
  if (typeof origin !== "string") forwarder.defineGroups(new Map([["group", origin]]));
  const results: ForwardResult[] = [];
  const handle = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const result = await forwarder.forward(
      { req, res },
      {
        origin: typeof origin === "string" ? origin : "group",
        method: req.method ?? "GET",
        target: req.url ?? "/",
        headers: ["host", String(req.headers["x-asked-for"] ?? "shop.example"), ...bodyHeaders(req)],
      },
      { onResponse: (_status, headers) => headers },
    );
    results.push(result);
    if (result.kind === "unanswered") res.writeHead(502).end(result.reason);
  };
  return { url: await startHttp((req, res) => void handle(req, res)), results };
}

const bodyHeaders = ({ headers }: IncomingMessage): string[] =>
  headers["content-length"] === undefined ? [] : ["content-length", headers["content-length"]];

const ask = async (url: string, init?: RequestInit): Promise<string> => (await fetch(url, init)).text();

interface TlsOrigin {
  readonly port: number;
  /** Names that were asked for. */
  readonly names: unknown[];
  readonly ca: string;
}

async function startTls(): Promise<TlsOrigin> {
  const { cert, key, ca } = await testCertificate();
  const names: unknown[] = [];
  const server = createHttps({ cert, key }, named("secure"));
  server.on("secureConnection", (socket) => names.push(socket.servername));
  return { port: await listen(server), names, ca: ca ?? "" };
}

describe("an origin over TLS", () => {
  test("is verified with the CA given, by the name given, and asked for that name", async () => {
    const { port, names, ca } = await startTls();
    const url = `https://127.0.0.1:${port}`;
    const front = await startFront({ origins: [{ url, ca, servername: "shop.example" }] });
    expect(await ask(front.url)).toBe("secure");
    expect(names).toEqual(["shop.example"]);
  });

  test("by address its certificate has to name the address", async () => {
    const { port, names, ca } = await startTls();
    const front = await startFront({ origins: [{ url: `https://127.0.0.1:${port}`, ca }] });
    expect(await ask(front.url)).toBe("secure");
    expect(names).toEqual([false]);
  });

  test("keeps its connection when visitors ask for another host", async () => {
    const { port, names, ca } = await startTls();
    const front = await startFront({ origins: [{ url: `https://127.0.0.1:${port}`, ca }] });
    for (const host of ["shop.example", "www.shop.example", "shop.example", "192.0.2.1"])
      expect(await ask(front.url, { headers: { "x-asked-for": host } })).toBe("secure");
    expect(names).toHaveLength(1);
  });

  test.each([
    ["nobody vouches for", {}],
    ["is made out to another name", { servername: "other.example" }],
  ])("is not used when its certificate %s", async (_why, members) => {
    const { port, ca } = await startTls();
    const url = `https://127.0.0.1:${port}`;
    const withCa = "servername" in members ? { ca } : {};
    const front = await startFront({ origins: [{ url, ...withCa, ...members }] });
    expect(await ask(front.url)).toBe("connect");
  });
});

test("an origin on a Unix socket", async () => {
  const dir = await mkdtemp(join(tmpdir(), "stepgate-socket-"));
  cleanups.push(() => rm(dir, { recursive: true }));
  await listen(
    createServer((req, res) => res.end(`${req.headers.host} ${req.url}`)),
    join(dir, "app.sock"),
  );
  const front = await startFront(`unix:${join(dir, "app.sock")}`);
  expect(await ask(`${front.url}/x?y`)).toBe("shop.example /x?y");
  expect(await ask((await startFront(`unix:${join(dir, "none.sock")}`)).url)).toBe("connect");
});

describe("several origins", () => {
  test("share the requests by weight", async () => {
    const origins = await Promise.all(
      [3, 1].map(async (weight) => ({ url: await startHttp(named(String(weight))), weight })),
    );
    const front = await startFront({ origins });
    const answers: string[] = [];
    for (let index = 0; index < 40; index++) answers.push(await ask(front.url));
    expect(answers.filter((answer) => answer === "3")).toHaveLength(30);
  });

  test("one that refuses connections costs no request, also with a body, and is left alone", async () => {
    const good = await startHttp((req, res) => void req.pipe(res));
    const refused = "http://127.0.0.1:1";
    const front = await startFront({ origins: [{ url: refused }, { url: good }] });
    for (let index = 0; index < 20; index++)
      expect(await ask(front.url, { method: "POST", body: `body ${index}` })).toBe(`body ${index}`);
    expect(front.results.every(({ kind }) => kind === "done")).toBe(true);
  });

  test("a POST that reached an origin is never sent twice", async () => {
    const seen: string[] = [];
    const dropper: RequestListener = (req) => {
      seen.push(req.method ?? "");
      req.socket.destroy();
    };
    const origins = [{ url: await startHttp(dropper) }, { url: await startHttp(dropper) }];
    const front = await startFront({ origins });
    expect(await ask(front.url, { method: "POST", body: "pay" })).toBe("protocol");
    expect(seen).toEqual(["POST"]);
    expect(await ask(front.url)).toBe("protocol");
    expect(seen).toEqual(["POST", "GET", "GET"]);
  });

  test("one whose health check fails gets no requests until it answers again", async () => {
    let healthy = false;
    let served = 0;
    const sick = await startHttp((req, res) => {
      if (req.url === "/health") res.writeHead(healthy ? 204 : 503).end();
      else {
        served += 1;
        res.end("sick");
      }
    });
    const fine = await startHttp((_req, res) => res.end("fine"));
    const health = { path: "/health", intervalMs: 50, host: "shop.example" };
    const front = await startFront({ origins: [{ url: sick }, { url: fine }], health });
    await ask(front.url);
    await sleep(150);
    served = 0;
    for (let index = 0; index < 10; index++) expect(await ask(front.url)).toBe("fine");
    expect(served).toBe(0);
    healthy = true;
    await sleep(150);
    for (let index = 0; index < 10; index++) await ask(front.url);
    expect(served).toBe(5);
  });

  test("while none works, all are tried", async () => {
    const front = await startFront({
      origins: [{ url: "http://127.0.0.1:1" }, { url: "http://127.0.0.1:2" }],
    });
    for (let index = 0; index < 5; index++) expect(await ask(front.url)).toBe("connect");
  });
});
