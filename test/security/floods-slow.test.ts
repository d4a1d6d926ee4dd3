/** Slow clients, crowds and floods: each is bounded, and other visitors are still served. Raw sockets over TLS. */
import { connect as connectHttp2 } from "node:http2";
import { setTimeout as sleep } from "node:timers/promises";
import type { TLSSocket } from "node:tls";
import { describe, expect, test } from "vitest";
import {
  dialTls,
  openHttp2,
  requestHttp1,
  requestHttp2,
  testCertificate,
  untilClosed,
} from "../support/gateway.ts";
import { gatewayPerTest } from "../support/gateway-per-test.ts";
import { END_HEADERS, END_STREAM, FRAME, frame, headerBlock, openFrames } from "../support/http2-frames.ts";

const { cleanups, start } = gatewayPerTest();

async function open(port: number): Promise<TLSSocket> {
  const socket = await dialTls(port);
  cleanups.push(() => void socket.destroy());
  socket.on("error", () => socket.destroy());
  await new Promise((resolve) => {
    socket.once("secureConnect", resolve);
    socket.once("close", resolve);
  });
  return socket;
}

const fine = async (port: number): Promise<void> =>
  expect((await requestHttp1(port, { path: "/fine" })).status).toBe(200);

const pipelined = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: shop.example\r\n\r\n`;

describe("slowloris (D1)", () => {
  test("headers that never end: 408 with our page, in time", async () => {
    const { origin, gateway } = await start({ limits: { headersTimeoutMs: 300, checkingIntervalMs: 100 } });
    const sockets = await Promise.all(Array.from({ length: 20 }, () => open(gateway.port)));
    const endings = sockets.map(untilClosed);
    for (const socket of sockets) socket.write("GET /slow HTTP/1.1\r\nHost: shop.example\r\nX-A: ");
    await fine(gateway.port);
    for (const { text, afterMs } of await Promise.all(endings)) {
      expect(text).toMatch(/^HTTP\/1\.1 408 /);
      expect(text).toMatch(/stepgate-ray: [0-9a-f]{16}/);
      expect(afterMs).toBeLessThan(3_000);
    }
    expect(origin.seen.map(({ url }) => url)).toEqual(["/fine"]);
  });

  test("a connection that is never used is closed without a word, and without a line in the log", async () => {
    const { gateway } = await start({ limits: { headersTimeoutMs: 300, checkingIntervalMs: 100 } });
    const { text, afterMs } = await untilClosed(await open(gateway.port));
    expect(text).toBe("");
    expect(afterMs).toBeLessThan(3_000);
    expect(gateway.problems).toEqual([]);
  });

  test("a body that stops coming is cut, and the origin's request with it", async () => {
    const { gateway } = await start({ gateway: { limits: { bodyStallMs: 300 } } });
    const socket = await open(gateway.port);
    const ended = untilClosed(socket);
    socket.write("POST /slow HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 1000\r\n\r\nbegin");
    await fine(gateway.port);
    expect((await ended).afterMs).toBeLessThan(3_000);
  });

  test("a slow body that keeps coming is not", async () => {
    const { origin, gateway } = await start({ gateway: { limits: { bodyStallMs: 300, bodyStallBytes: 1 } } });
    const socket = await open(gateway.port);
    let answer = "";
    socket.on("data", (chunk: Buffer) => (answer += chunk.toString()));
    socket.write("POST /slow HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 10\r\n\r\n");
    for (let index = 0; index < 10; index++) {
      await sleep(100);
      socket.write("x");
    }
    await expect.poll(() => answer).toContain("200 OK");
    expect(origin.seen[0]?.body).toBe("xxxxxxxxxx");
  });

  test("a client that does not read its response is cut; a silent event stream is not", async () => {
    const { gateway } = await start({ gateway: { limits: { responseStallMs: 300 } } }, (req, res) => {
      if (req.url === "/events") res.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
      else if (req.url === "/fine") res.end();
      else res.end(Buffer.alloc(64 << 20));
    });
    const greedy = await open(gateway.port);
    const patient = await open(gateway.port);
    let events = "";
    patient.on("data", (chunk: Buffer) => (events += chunk.toString()));
    patient.write("GET /events HTTP/1.1\r\nHost: shop.example\r\n\r\n");
    greedy.pause();
    const cut = new Promise((resolve) => greedy.once("close", resolve));
    greedy.write("GET /large HTTP/1.1\r\nHost: shop.example\r\n\r\n");
    await sleep(1_500);
    await fine(gateway.port);
    expect(patient.destroyed).toBe(false);
    expect(events).toContain("200 OK");
    let received = 0;
    greedy.on("data", (chunk: Buffer) => (received += chunk.length));
    greedy.resume();
    await cut;
    expect(received).toBeLessThan(64 << 20);
  });
});

describe("crowds (D2, D6)", () => {
  test("connections of one address beyond the limit are closed at once, and free again when others end", async () => {
    const { gateway } = await start({ limits: { maxConnectionsPerAddress: 10 } });
    const sockets = await Promise.all(Array.from({ length: 20 }, () => open(gateway.port)));
    expect(sockets.filter(({ destroyed }) => !destroyed)).toHaveLength(10);
    for (const socket of sockets) socket.destroy();
    await expect.poll(() => gateway.listener.connections).toBe(0);
    await fine(gateway.port);
  });

  test("pipelined requests reach the origin one after the other, however many there are", async () => {
    const held: (() => void)[] = [];
    const { origin, gateway } = await start({}, (req, res) => void held.push(() => res.end(`${req.url};`)));
    const socket = await open(gateway.port);
    let answers = "";
    socket.on("data", (chunk: Buffer) => (answers += chunk.toString("latin1")));
    const paths = Array.from({ length: 17 }, (_, index) => `/${index}`);
    socket.write(paths.map(pipelined).join(""));
    for (const [index, path] of paths.entries()) {
      await expect.poll(() => origin.seen.length).toBe(index + 1);
      // Time for the next one to come, too.
      await sleep(20);
      expect(origin.seen.map(({ url }) => url)).toEqual(paths.slice(0, index + 1));
      held[index]?.();
      await expect.poll(() => answers).toContain(`${path};`);
    }
  });

  test("what a client has pipelined is forgotten when it leaves", async () => {
    const { origin, gateway } = await start(
      { gateway: { limits: { maxRequestsPerAddress: 5 } } },
      (req, res) => {
        if (req.url === "/fine") res.end();
      },
    );
    const socket = await open(gateway.port);
    socket.write(pipelined("/held").repeat(5));
    await expect.poll(() => origin.seen.length).toBeGreaterThan(0);
    socket.destroy();
    await expect.poll(() => gateway.listener.connections).toBe(0);
    await fine(gateway.port);
  });

  test("a connection that pipelines more than allowed is cut, and nothing more of it is sent on", async () => {
    const { origin, gateway } = await start({ limits: { maxPipelinedRequests: 10 } }, (req, res) => {
      if (req.url === "/fine") res.end();
    });
    const patient = await open(gateway.port);
    patient.write(pipelined("/held").repeat(11));
    await expect.poll(() => origin.seen.length).toBe(1);
    const greedy = await open(gateway.port);
    greedy.write(pipelined("/held").repeat(500));
    expect((await untilClosed(greedy)).text).toBe("");
    expect(patient.destroyed).toBe(false);
    await fine(gateway.port);
    expect(origin.seen.filter(({ url }) => url === "/held").length).toBeLessThanOrEqual(2);
  });

  test("no connection to the origin is free in time: 503 with Retry-After, and nothing is sent on later", async () => {
    const held: (() => void)[] = [];
    const { origin, gateway } = await start(
      { gateway: { upstream: { connections: 1, queueTimeoutMs: 300 } } },
      (req, res) => {
        if (req.url === "/held") held.push(() => res.end("done"));
        else res.end();
      },
    );
    const first = requestHttp1(gateway.port, { path: "/held" });
    await expect.poll(() => held.length).toBe(1);
    const session = await openHttp2(gateway.port);
    cleanups.push(() => session.destroy());
    const late = await Promise.all([
      requestHttp1(gateway.port, { path: "/late" }),
      requestHttp2(session, { path: "/late" }),
      requestHttp1(gateway.port, { method: "POST", path: "/late", body: "x".repeat(100_000) }),
    ]);
    for (const { status, headers } of late) {
      expect(status).toBe(503);
      expect(headers["retry-after"]).toBe("1");
    }
    expect(gateway.problems.map(({ reason }) => reason)).toEqual(late.map(() => "overloaded"));
    held[0]?.();
    expect((await first).body).toBe("done");
    await fine(gateway.port);
    expect(origin.seen.map(({ url }) => url)).toEqual(["/held", "/fine"]);
  });

  test("more requests at once than allowed: 503 with Retry-After, the others are served", async () => {
    const { gateway } = await start({ gateway: { limits: { maxRequests: 5 } } }, (_req, res) => {
      setTimeout(() => res.end("done"), 300);
    });
    const session = await openHttp2(gateway.port);
    const replies = await Promise.all(
      Array.from({ length: 20 }, () => requestHttp2(session, { path: "/x" })),
    );
    session.close();
    const shed = replies.filter(({ status }) => status === 503);
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(5);
    expect(shed).toHaveLength(15);
    expect(shed.every(({ headers }) => headers["retry-after"] === "1")).toBe(true);
    await fine(gateway.port);
  });

  test.each([
    ["1 MB of cookies", `Cookie: ${"a=1; ".repeat(200_000)}\r\n`, 431],
    ["a header of 40 KB", `X-A: ${"a".repeat(40_000)}\r\n`, 431],
    ["1,000 headers", "X-A: 1\r\n".repeat(1_000), 431],
    [
      "180 cookies",
      `Cookie: ${Array.from({ length: 180 }, (_, index) => `__Host-sq.${index}=x`).join("; ")}\r\n`,
      200,
    ],
  ])("%s", async (_name, headers, status) => {
    const { origin, gateway } = await start();
    const socket = await open(gateway.port);
    const ended = untilClosed(socket);
    socket.write(`GET /x HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n${headers}\r\n`);
    const { text } = await ended;
    expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(text).toMatch(/stepgate-ray/);
    expect(origin.seen).toHaveLength(status === 200 ? 1 : 0);
    await fine(gateway.port);
  });

  test("500 connections that say nothing disturb nobody, and their memory returns", async () => {
    const { gateway } = await start({ limits: { maxUnusedConnectionsPerAddress: 1_000 } });
    await fine(gateway.port);
    const sockets = await Promise.all(Array.from({ length: 500 }, () => open(gateway.port)));
    expect(gateway.listener.connections).toBeGreaterThanOrEqual(500);
    await fine(gateway.port);
    for (const socket of sockets) socket.destroy();
    await expect.poll(() => gateway.listener.connections, { timeout: 5_000 }).toBe(0);
  });
});

const REQUEST_BLOCK = headerBlock([
  [":method", "GET"],
  [":scheme", "https"],
  [":path", "/"],
  [":authority", "shop.example"],
]);

describe("floods over HTTP/2 (D3)", () => {
  const empty = frame(FRAME.data, 0, 1);
  const FLOODS: Readonly<Record<string, () => Buffer>> = {
    "rapid reset": () =>
      Buffer.concat(
        Array.from({ length: 20_000 }, (_, index) => [
          frame(FRAME.headers, END_STREAM | END_HEADERS, index * 2 + 1, REQUEST_BLOCK),
          frame(FRAME.rstStream, 0, index * 2 + 1, Buffer.from([0, 0, 0, 8])),
        ]).flat(),
      ),
    // A window larger than a window can be: the server has to reset the stream (CVE-2025-8671).
    "made you reset": () =>
      Buffer.concat(
        Array.from({ length: 20_000 }, (_, index) => [
          frame(FRAME.headers, END_STREAM | END_HEADERS, index * 2 + 1, REQUEST_BLOCK),
          frame(FRAME.windowUpdate, 0, index * 2 + 1, Buffer.from([0x7f, 0xff, 0xff, 0xff])),
        ]).flat(),
      ),
    "empty data": () =>
      Buffer.concat([
        frame(FRAME.headers, END_HEADERS, 1, REQUEST_BLOCK),
        ...Array.from({ length: 50_000 }, () => empty),
      ]),
    priority: () =>
      Buffer.concat(
        Array.from({ length: 50_000 }, (_, index) =>
          frame(FRAME.priority, 0, index * 2 + 1, Buffer.from([0, 0, 0, 0, 16])),
        ),
      ),
    continuation: () =>
      Buffer.concat([
        frame(FRAME.headers, END_STREAM, 1, REQUEST_BLOCK),
        ...Array.from({ length: 20_000 }, () =>
          frame(FRAME.continuation, 0, 1, Buffer.from([0x00, 1, 97, 1, 98])),
        ),
      ]),
    settings: () => Buffer.concat(Array.from({ length: 50_000 }, () => frame(FRAME.settings, 0, 0))),
    ping: () => Buffer.concat(Array.from({ length: 50_000 }, () => frame(FRAME.ping, 0, 0, Buffer.alloc(8)))),
  };

  test.each(Object.keys(FLOODS))(
    "%s: the connection is ended or costs nothing, others are served",
    async (name) => {
      const { origin, gateway } = await start();
      const before = process.memoryUsage().rss;
      const socket = await openFrames(gateway.port);
      cleanups.push(() => void socket.destroy());
      socket.resume();
      const flood = FLOODS[name]?.() ?? Buffer.alloc(0);
      socket.write(flood);
      await fine(gateway.port);
      await sleep(300);
      socket.destroy();
      await expect.poll(() => gateway.listener.connections).toBe(0);
      await fine(gateway.port);
      // Node ends a session after some 1,400 resets; the other floods make two requests of ours, and one of their own.
      expect(origin.seen.length).toBeLessThan(3_000);
      expect(process.memoryUsage().rss - before).toBeLessThan(150 << 20);
    },
  );

  test("streams without a window: their responses do not keep the origin's connections", async () => {
    const { gateway } = await start(
      { gateway: { limits: { responseStallMs: 400 }, upstream: { connections: 2 } } },
      (req, res) => res.end(req.url === "/fine" ? "fine" : Buffer.alloc(16 << 20)),
    );
    const socket = await openFrames(gateway.port);
    cleanups.push(() => void socket.destroy());
    socket.resume();
    // `SETTINGS_INITIAL_WINDOW_SIZE` 0.
    socket.write(frame(FRAME.settings, 0, 0, Buffer.from([0, 4, 0, 0, 0, 0])));
    for (let stream = 1; stream < 20; stream += 2)
      socket.write(frame(FRAME.headers, END_STREAM | END_HEADERS, stream, REQUEST_BLOCK));
    await sleep(200);
    const startAt = performance.now();
    await fine(gateway.port);
    expect(performance.now() - startAt).toBeLessThan(15_000);
  });

  test("no more streams at once than the setting says", async () => {
    const { gateway } = await start();
    const { ca } = await testCertificate();
    const session = connectHttp2(`https://127.0.0.1:${gateway.port}`, { ca, servername: "shop.example" });
    cleanups.push(() => session.destroy());
    await new Promise((resolve) => session.once("remoteSettings", resolve));
    expect(session.remoteSettings.maxConcurrentStreams).toBe(100);
  });

  test.each([
    ["by the client", (stream: number) => frame(FRAME.rstStream, 0, stream, Buffer.from([0, 0, 0, 8]))],
    ["with `NO_ERROR`", (stream: number) => frame(FRAME.rstStream, 0, stream, Buffer.alloc(4))],
  ])("rapid reset %s: a few hundred end the session, a page's hundred do not", async (_name, ending) => {
    let judged = 0;
    const { gateway } = await start({ gateway: { onFinished: () => void (judged += 1) } });
    const resets = async (count: number): Promise<TLSSocket> => {
      const socket = await openFrames(gateway.port);
      cleanups.push(() => void socket.destroy());
      socket.resume();
      for (let index = 0; index < count && !socket.destroyed; index += 1) {
        const stream = index * 2 + 1;
        const opening = frame(FRAME.headers, END_STREAM | END_HEADERS, stream, REQUEST_BLOCK);
        socket.write(Buffer.concat([opening, ending(stream)]));
        if (index % 25 === 24) await sleep(10);
      }
      return socket;
    };
    const [page, attacker] = await Promise.all([resets(100), resets(300)]);
    await expect.poll(() => attacker.destroyed).toBe(true);
    expect(page.destroyed).toBe(false);
    await fine(gateway.port);
    // What is reset in the packet that opens it is not even judged: this is the one above.
    expect(judged).toBe(1);
  });
});
