/** Origins that fail in every way: visitors get an answer with a ray id or a cut, and nothing is lost for the next. */
import { readdir } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "node:tls";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openHttp2, requestHttp1, requestHttp2, startGateway, testCertificate } from "../support/gateway.ts";
import type { TestGateway } from "../support/gateway.ts";
import { zone } from "../support/engine.ts";

/** Connections to the origin: each lost one would soon be missed. */
const CONNECTIONS = 4;
const ROUNDS = 15;

const GOOD = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood";
const HEAD = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n";

type Fault = (socket: Socket) => void;

/** By the path of the request; each with the status that the visitor gets, 0 for a cut. */
const FAULTS: Readonly<Record<string, { readonly fail: Fault; readonly status: number }>> = {
  "/closed": { fail: (socket) => void socket.end(), status: 502 },
  "/reset": { fail: (socket) => void socket.resetAndDestroy(), status: 502 },
  "/half-a-head": { fail: (socket) => void socket.end("HTTP/1.1 200 OK\r\nContent-Le"), status: 502 },
  "/garbage": { fail: (socket) => void socket.end("\x00\x01\x02 this is no HTTP\r\n\r\n"), status: 502 },
  "/giant-head": {
    fail: (socket) => void socket.end(`HTTP/1.1 200 OK\r\nX-A: ${"a".repeat(200_000)}\r\n\r\n`),
    status: 502,
  },
  "/hang": { fail: () => undefined, status: 504 },
  "/slow-head": {
    fail: (socket) => {
      const timer = setInterval(() => socket.write("X"), 50);
      socket.once("close", () => clearInterval(timer));
    },
    status: 502,
  },
  "/reset-in-body": {
    fail: (socket) => void socket.write(`${HEAD}part`, () => setTimeout(() => socket.resetAndDestroy(), 20)),
    status: 0,
  },
  "/short-body": { fail: (socket) => void socket.end(`${HEAD}part`), status: 0 },
  "/broken-chunk": {
    fail: (socket) => {
      socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n");
      setTimeout(() => socket.end("zz\r\n"), 20);
    },
    status: 0,
  },
  "/no-last-chunk": {
    fail: (socket) => void socket.end("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\n"),
    status: 0,
  },
};

/** More than the buffers between an origin and a client who does not read. */
const LARGE_BYTES = 16 << 20;

let origin: Server;
let gateway: TestGateway;
let open: Set<Socket>;
/** Requests that are answered when as many are there as there are connections. */
let meeting: Socket[];

beforeEach(async () => {
  open = new Set();
  meeting = [];
  origin = createServer((socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk: Buffer) => {
      const [, path = ""] = /^\w+ (\S+)/.exec(chunk.toString("latin1")) ?? [];
      const fault = FAULTS[path];
      if (path === "/meet") meet(socket);
      else if (path === "/large") {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${LARGE_BYTES}\r\n\r\n`);
        socket.write(Buffer.alloc(LARGE_BYTES));
      } else if (fault === undefined) socket.write(GOOD);
      else fault.fail(socket);
    });
  });
  await new Promise<void>((resolve) => origin.listen(0, "127.0.0.1", resolve));
  gateway = await startGateway({
    zones: [zone({ origin: `http://127.0.0.1:${(origin.address() as AddressInfo).port}` })],
    gateway: { upstream: { connections: CONNECTIONS, headersTimeoutMs: 300, connectTimeoutMs: 300 } },
  });
});
afterEach(async () => {
  await gateway.close();
  for (const socket of open) socket.destroy();
  origin.close();
});

function meet(socket: Socket): void {
  meeting.push(socket);
  if (meeting.length < CONNECTIONS) return;
  for (const waiting of meeting.splice(0)) waiting.write(GOOD);
}

/** Each of the connections can be used: as many requests as there are of them are with the origin at the same time. */
async function poolIsWhole(): Promise<void> {
  const asked = Array.from({ length: CONNECTIONS }, () => requestHttp1(gateway.port, { path: "/meet" }));
  const answers = await Promise.all(asked);
  expect(answers.map(({ body }) => body)).toEqual(answers.map(() => "good"));
}

/** 0 for an answer that was cut. */
const statusOf = async (
  asked: Promise<{ readonly status: number; readonly body: string }>,
): Promise<number> => {
  try {
    return (await asked).status;
  } catch {
    return 0;
  }
};

const openFiles = async (): Promise<number> => (await readdir("/proc/self/fd")).length;

/** Every fault that comes at once, until all is quiet again. */
async function failEverywhere(): Promise<void> {
  const paths = Object.keys(FAULTS).filter((path) => FAULTS[path]?.status !== 504);
  await Promise.all(paths.map((path) => statusOf(requestHttp1(gateway.port, { path }))));
  while (gateway.listener.connections > 0) await sleep(5);
}

describe("faults of the origin", () => {
  test.each(Object.entries(FAULTS))("%s, again and again, among good requests", async (path, { status }) => {
    const session = await openHttp2(gateway.port);
    const statuses: number[] = [];
    const good: number[] = [];
    for (let round = 0; round < ROUNDS; round += 5) {
      const asked = Array.from({ length: 5 }, (_, index) =>
        index % 2 === 0 ? requestHttp1(gateway.port, { path }) : requestHttp2(session, { path }),
      );
      const between = [
        requestHttp1(gateway.port, { path: "/good" }),
        requestHttp2(session, { path: "/good" }),
      ];
      statuses.push(...(await Promise.all(asked.map(statusOf))));
      good.push(...(await Promise.all(between.map(statusOf))));
    }
    expect(new Set(statuses)).toEqual(new Set([status]));
    expect(new Set(good)).toEqual(new Set([200]));
    expect(new Set(gateway.problems.map(({ reason }) => reason)).size).toBe(1);
    await poolIsWhole();
    expect(open.size).toBeLessThanOrEqual(CONNECTIONS);
    session.close();
    await expect.poll(() => gateway.listener.connections).toBe(0);
  });

  test("visitors who leave in the middle of a body, and such who do not read it, take no connection along", async () => {
    const { ca } = await testCertificate();
    for (let round = 0; round < 3; round++) {
      const leaving = Array.from({ length: CONNECTIONS }, async () => {
        const socket = connect({ host: "127.0.0.1", port: gateway.port, servername: "shop.example", ca });
        socket.write("GET /large HTTP/1.1\r\nHost: shop.example\r\n\r\n");
        await new Promise((resolve) => socket.once("data", resolve));
        socket.pause();
        await sleep(50);
        socket.destroy();
      });
      await Promise.all(leaving);
    }
    await poolIsWhole();
    expect(open.size).toBeLessThanOrEqual(CONNECTIONS);
  });

  test("an origin that refuses connections, and comes back", async () => {
    const { port } = origin.address() as AddressInfo;
    for (const socket of open) socket.destroy();
    await new Promise((resolve) => origin.close(resolve));
    for (let round = 0; round < 10; round++)
      expect(await statusOf(requestHttp1(gateway.port, { path: "/good" }))).toBe(502);
    await new Promise<void>((resolve) => origin.listen(port, "127.0.0.1", resolve));
    expect((await requestHttp1(gateway.port, { path: "/good" })).body).toBe("good");
    await poolIsWhole();
  });

  test("our answer to a fault has a ray id and says nothing about the origin", async () => {
    const { status, headers, body } = await requestHttp1(gateway.port, { path: "/garbage" });
    expect(status).toBe(502);
    expect(headers["stepgate-ray"]).toMatch(/^[0-9a-f]{16}$/);
    expect(body).not.toMatch(/127\.0\.0\.1|HPE_|undici|parse/i);
  });

  test.skipIf(process.platform !== "linux")("no file stays open (read from /proc)", async () => {
    await failEverywhere();
    const before = await openFiles();
    for (let round = 0; round < 5; round++) await failEverywhere();
    await expect.poll(openFiles).toBeLessThanOrEqual(before + CONNECTIONS);
  });
});
