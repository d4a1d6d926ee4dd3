/** Crowds of connections, greetings and slow bodies: what one client does is paid for by that client. Raw sockets. */
import { createHook } from "node:async_hooks";
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect as connectTcp, Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "node:tls";
import type { TLSSocket } from "node:tls";
import { queryObjects } from "node:v8";
import { describe, expect, test } from "vitest";
import { TurnQueue } from "../../src/gateway/turn-queue.ts";
import { gatewayPerTest } from "../support/gateway-per-test.ts";
import { requestHttp1, requestHttp2, testCertificate, untilClosed } from "../support/gateway.ts";

const { cleanups, start } = gatewayPerTest();

/** From another address of loopback than visitors come from. */
function dial(port: number, localAddress = "127.0.0.2"): Socket {
  const socket = connectTcp({ host: "127.0.0.1", port, localAddress });
  cleanups.push(() => void socket.destroy());
  return socket.on("error", () => socket.destroy());
}

async function open(port: number, localAddress?: string): Promise<TLSSocket> {
  const { ca } = await testCertificate();
  const socket = connect({ socket: dial(port, localAddress), servername: "shop.example", ca });
  socket.on("error", () => socket.destroy());
  await new Promise((resolve) => {
    socket.once("secureConnect", resolve);
    socket.once("close", resolve);
  });
  return socket;
}

const fine = async (port: number): Promise<void> =>
  expect((await requestHttp1(port, { path: "/fine" })).status).toBe(200);

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: shop.example\r\n\r\n`;

async function answerTo(socket: TLSSocket, text: string): Promise<string> {
  socket.write(text);
  const [answer] = (await once(socket, "data")) as [Buffer];
  return answer.toString();
}

const post = (length: number): string =>
  `POST /slow HTTP/1.1\r\nHost: shop.example\r\nContent-Length: ${length}\r\n\r\n`;

describe("handshake floods", () => {
  test("connections that never greet are ended in time, and have cost no TLS until then", async () => {
    const { gateway } = await start({ limits: { handshakeTimeoutMs: 500 } });
    let handshakes = 0;
    const hook = createHook({
      init: (_id, type) => void (handshakes += type === "TLSWRAP" ? 1 : 0),
    }).enable();
    cleanups.push(() => void hook.disable());
    const sockets = Array.from({ length: 200 }, () => dial(gateway.port));
    await expect.poll(() => gateway.listener.connections).toBe(200);
    expect(handshakes).toBe(0);
    await fine(gateway.port);
    await expect.poll(() => gateway.listener.connections, { timeout: 3_000 }).toBe(0);
    expect(sockets.every(({ destroyed }) => destroyed)).toBe(true);
  });

  test("a greeting that comes in pieces, or after a while, is understood", async () => {
    const { gateway } = await start();
    const { ca } = await testCertificate();
    const raw = dial(gateway.port);
    await new Promise((resolve) => raw.once("connect", resolve));
    const write = raw.write.bind(raw);
    await sleep(100);
    // The first byte alone, the rest later.
    raw.write = (bytes: Buffer, ...rest: never[]) => {
      raw.write = write;
      write(bytes.subarray(0, 1));
      setTimeout(() => write(bytes.subarray(1), ...rest), 50);
      return true;
    };
    const socket = connect({ socket: raw, servername: "shop.example", ca });
    await new Promise((resolve) => socket.once("secureConnect", resolve));
    socket.write("GET /x HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n");
    const [answer] = await new Promise<[Buffer]>((resolve) =>
      socket.once("data", (data: Buffer) => resolve([data])),
    );
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 200 /);
  });

  test("connections that greet with nonsense, or leave before, harm nobody", async () => {
    const { gateway } = await start();
    for (const text of ["GET / HTTP/1.1\r\n\r\n", "\0".repeat(100), "\x16\x03\x01\xff\xff"])
      dial(gateway.port).write(text);
    for (let index = 0; index < 20; index++) {
      const socket = dial(gateway.port);
      socket.once("connect", () => (index % 2 === 0 ? socket.resetAndDestroy() : socket.end()));
    }
    await expect.poll(() => gateway.listener.connections, { timeout: 5_000 }).toBe(0);
    await fine(gateway.port);
  });

  test("one thing of each source in each turn of the event loop", async () => {
    const done: string[] = [];
    let turn = 0;
    const queue = new TurnQueue<string>((item) => {
      if (item === "gone") return false;
      done.push(`${item}@${turn}`);
      return true;
    });
    for (let index = 0; index < 4; index++) queue.add("crowd", `crowd${index}`);
    queue.add("crowd", "gone");
    queue.add("crowd", "crowd5");
    queue.add("visitor", "visitor");
    for (; turn < 8; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(done.map((item) => item.split("@")[0])).toEqual([
      "crowd0",
      "visitor",
      "crowd1",
      "crowd2",
      "crowd3",
      "crowd5",
    ]);
    expect(new Set(done.map((item) => item.split("@")[1])).size).toBe(done.length);
  });

  test("a source that has to wait is passed over, and goes on in order once it may", async () => {
    const done: string[] = [];
    let isHeld = true;
    const queue = new TurnQueue<string>(
      (item) => {
        done.push(item);
        return true;
      },
      (item) => !(isHeld && item.startsWith("crowd")),
    );
    for (const item of ["crowd0", "crowd1", "crowd2"]) queue.add("crowd", item);
    queue.add("visitor", "visitor");
    await expect.poll(() => done).toEqual(["visitor"]);
    queue.add("crowd", "crowd3");
    queue.remove("crowd", "crowd1");
    isHeld = false;
    await expect.poll(() => done).toEqual(["visitor", "crowd0", "crowd2", "crowd3"]);
  });

  test("who leaves while its source has to wait is not asked about again", async () => {
    const asked: string[] = [];
    const queue = new TurnQueue<string>(
      () => true,
      (item) => {
        asked.push(item);
        return false;
      },
    );
    queue.add("crowd", "crowd");
    await expect.poll(() => asked.length).toBeGreaterThan(0);
    queue.remove("crowd", "crowd");
    const count = asked.length;
    await sleep(200);
    expect(asked).toHaveLength(count);
  });

  test("a drain does not wait for connections that have not greeted", async () => {
    const { gateway } = await start();
    const sockets = Array.from({ length: 5 }, () => dial(gateway.port));
    await expect.poll(() => gateway.listener.connections).toBe(5);
    const startAt = performance.now();
    await gateway.listener.close(10_000);
    expect(performance.now() - startAt).toBeLessThan(2_000);
    await expect.poll(() => sockets.every(({ destroyed }) => destroyed)).toBe(true);
  });
});

interface Crowd {
  /** Those that have had their handshake and were not ended before. */
  readonly standing: TLSSocket[];
  /** All of them, once they stand or are ended. */
  readonly opening: readonly Promise<TLSSocket>[];
}

/** Connections that ask for a handshake. */
function crowd(port: number, count: number, address?: string): Crowd {
  const standing: TLSSocket[] = [];
  const opening = Array.from({ length: count }, async () => {
    const socket = await open(port, address);
    if (!socket.destroyed) standing.push(socket);
    return socket;
  });
  return { standing, opening };
}

/** That so many come to stand, and no more of them. */
async function expectToSettleAt(count: number, { standing }: Crowd): Promise<void> {
  await expect.poll(() => standing.length).toBe(count);
  await sleep(200);
  expect(standing).toHaveLength(count);
}

describe("connections without a request", () => {
  const LIMITS = { maxUnusedConnectionsPerAddress: 3 };

  test("beyond the limit of an address get no handshake, and those of others do", async () => {
    const { gateway } = await start({ limits: { ...LIMITS, handshakeTimeoutMs: 600 } });
    const { standing, opening } = crowd(gateway.port, 20);
    await expect.poll(() => gateway.listener.connections).toBe(20);
    await fine(gateway.port);
    const [other] = await Promise.all(crowd(gateway.port, 1, "127.0.0.3").opening);
    expect(other?.destroyed).toBe(false);
    expect(standing).toHaveLength(3);
    // Those that wait are ended in time, and those that stand are left alone.
    await Promise.all(opening);
    expect(standing).toHaveLength(3);
    expect(standing.every(({ destroyed }) => !destroyed)).toBe(true);
  });

  const UPGRADE =
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";

  test.each([
    ["a request", get("/hold")],
    ["one to upgrade", get("/hold").replace("Host", `${UPGRADE}Host`)],
    ["one that wants to continue", post(100_000).replace("Host", "Expect: 100-continue\r\nHost")],
  ])("%s makes room for another", async (_name, text) => {
    const { gateway } = await start({ limits: LIMITS }, () => undefined);
    const six = crowd(gateway.port, 6);
    await expectToSettleAt(3, six);
    six.standing[0]?.write(text);
    await expectToSettleAt(4, six);
    expect(six.standing[0]?.destroyed).toBe(false);
  });

  test("a second request on the same connection makes no more room", async () => {
    const { gateway } = await start({ limits: LIMITS });
    const six = crowd(gateway.port, 6);
    await expectToSettleAt(3, six);
    for (let index = 0; index < 2; index++) await answerTo(six.standing[0] as TLSSocket, get("/fine"));
    await expectToSettleAt(4, six);
  });

  test("those that leave while they wait are not remembered", async () => {
    const { gateway } = await start({ limits: LIMITS });
    await expectToSettleAt(3, crowd(gateway.port, 4));
    const before = queryObjects(Socket, { format: "count" });
    for (let index = 0; index < 200; index++)
      await new Promise((resolve) => {
        const socket = connectTcp({ host: "127.0.0.1", port: gateway.port, localAddress: "127.0.0.2" });
        socket.on("error", () => undefined);
        socket.once("close", resolve);
        socket.write("\x16\x03\x01", () => setImmediate(() => socket.resetAndDestroy()));
      });
    await expect.poll(() => gateway.listener.connections).toBe(4);
    expect(queryObjects(Socket, { format: "count" })).toBeLessThan(before + 100);
  });

  test("a session of HTTP/2 counts once, however many streams it has", async () => {
    const { gateway } = await start({ limits: LIMITS });
    const raw = dial(gateway.port);
    const { ca } = await testCertificate();
    const session = connectHttp2("https://shop.example", {
      createConnection: () => connect({ socket: raw, servername: "shop.example", ca, ALPNProtocols: ["h2"] }),
    });
    cleanups.push(() => session.destroy());
    const replies = await Promise.all(
      Array.from({ length: 5 }, () => requestHttp2(session, { path: "/fine" })),
    );
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    await expectToSettleAt(3, crowd(gateway.port, 6));
  });

  test("that end make room for others, used or not", async () => {
    const { gateway } = await start({ limits: LIMITS });
    const nine = crowd(gateway.port, 9);
    await expectToSettleAt(3, nine);
    await answerTo(nine.standing[0] as TLSSocket, get("/fine"));
    await expectToSettleAt(4, nine);
    for (const socket of nine.standing.slice(0, 2)) socket.destroy();
    await expectToSettleAt(5, nine);
  });
});

describe("slow bodies", () => {
  test("small ones hold no connection to the origin", async () => {
    const { origin, gateway } = await start({
      gateway: { upstream: { connections: 2, headersTimeoutMs: 2_000 } },
    });
    const sockets = await Promise.all(Array.from({ length: 10 }, () => open(gateway.port)));
    for (const socket of sockets) socket.write(`${post(1_000)}begin`);
    for (let index = 0; index < 5; index++) await fine(gateway.port);
    expect(origin.seen.map(({ url }) => url)).toEqual(Array.from({ length: 5 }, () => "/fine"));
    sockets[0]?.write("x".repeat(995));
    await expect.poll(() => origin.seen.at(-1)?.body).toBe(`begin${"x".repeat(995)}`);
  });

  test("drops of a large one, a byte at a time, do not keep it alive", async () => {
    const { gateway } = await start({ gateway: { limits: { bodyStallMs: 400 } } });
    const socket = await open(gateway.port);
    const ended = untilClosed(socket);
    socket.write(`${post(1_000_000)}${"a".repeat(100_000)}`);
    const drip = setInterval(() => socket.write("a"), 50);
    cleanups.push(() => clearInterval(drip));
    expect((await ended).afterMs).toBeLessThan(3_000);
    await fine(gateway.port);
  });
});

describe("requests of one address", () => {
  test("beyond its share of what is under way: 503, while others are served", async () => {
    const { gateway } = await start({ gateway: { limits: { maxRequestsPerAddress: 5 } } }, (req, res) => {
      if (req.url === "/fine") res.end();
    });
    const sockets = await Promise.all(Array.from({ length: 8 }, () => open(gateway.port)));
    const answers: string[] = [];
    for (const socket of sockets) {
      socket.on("data", (data: Buffer) => answers.push(data.toString()));
      socket.write(get("/hold"));
    }
    await expect.poll(() => answers.length).toBe(3);
    expect(answers.every((answer) => /^HTTP\/1\.1 503 [^]*retry-after: 1/i.test(answer))).toBe(true);
    await fine(gateway.port);
    for (const socket of sockets) socket.destroy();
    await expect.poll(() => gateway.listener.connections).toBe(0);
    const again = await open(gateway.port);
    expect(await answerTo(again, get("/fine"))).toMatch(/^HTTP\/1\.1 200 /);
  });

  test("all that it may have are under way: further handshakes wait until there is room, those of others do not", async () => {
    const held: (() => void)[] = [];
    const { gateway } = await start({ gateway: { limits: { maxRequestsPerAddress: 2 } } }, (req, res) => {
      if (req.url === "/fine") res.end();
      else held.push(() => res.end());
    });
    for (let index = 0; index < 2; index++) {
      const socket = await open(gateway.port);
      socket.write(get("/hold"));
    }
    await expect.poll(() => held.length).toBe(2);
    let isOpen = false;
    const late = open(gateway.port).then((socket) => {
      isOpen = true;
      return socket;
    });
    await fine(gateway.port);
    await sleep(400);
    expect(isOpen).toBe(false);
    held[0]?.();
    const socket = await late;
    expect(await answerTo(socket, get("/fine"))).toMatch(/^HTTP\/1\.1 200 /);
  });

  test("who waits for room is let go in time", async () => {
    const { gateway } = await start(
      { limits: { handshakeTimeoutMs: 600 }, gateway: { limits: { maxRequestsPerAddress: 1 } } },
      (req, res) => {
        if (req.url === "/fine") res.end();
      },
    );
    const first = await open(gateway.port);
    first.write(get("/hold"));
    await expect.poll(() => gateway.listener.connections).toBe(1);
    await sleep(100);
    expect((await open(gateway.port)).destroyed).toBe(true);
    expect(first.destroyed).toBe(false);
    await fine(gateway.port);
  });
});
