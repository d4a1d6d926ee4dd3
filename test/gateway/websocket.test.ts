/** A WebSocket application (`ws` from npm) behind the gateway: it behaves as it does without us. */
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { Server } from "node:http";
import { Agent } from "node:https";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import type { ClientOptions } from "ws";
import { startGateway, testCertificate } from "../support/gateway.ts";
import type { TestGateway } from "../support/gateway.ts";
import { zone } from "../support/engine.ts";

/** More than any buffer between the two ends holds. */
const STUCK_BYTES = 256 << 20;

let origin: Server;
let application: WebSocketServer;
let gateway: TestGateway;
/** How each connection ended for the application, `code reason`. */
let ends: string[];

beforeAll(async () => {
  origin = createServer();
  application = new WebSocketServer({
    server: origin,
    perMessageDeflate: { threshold: 1024 },
    maxPayload: 64 << 20,
    handleProtocols: (offered) => (offered.has("bank.v2") ? "bank.v2" : false),
  });
  application.on("connection", (socket, req) => {
    socket.on("error", () => undefined);
    socket.on("close", (code, reason) => ends.push(`${code} ${reason.toString()}`));
    socket.on("message", (data, isBinary) => {
      const text = isBinary ? "" : (data as Buffer).toString();
      const [, code, reason] = /^close (\d+) (.*)$/.exec(text) ?? [];
      if (code !== undefined) socket.close(Number(code), reason);
      else if (text === "terminate") socket.terminate();
      else if (text === "garbage") req.socket.end(Buffer.alloc(64, 0xff));
      else if (text === "flood") flood(socket);
      else socket.send(data, { binary: isBinary });
    });
  });
  await new Promise<void>((resolve) => origin.listen(0, "127.0.0.1", resolve));
  gateway = await startGateway({ zones: [zone({ origin: `http://127.0.0.1:${originPort()}` })] });
});
afterAll(async () => {
  for (const client of application.clients) client.terminate();
  await gateway.close();
  await new Promise<void>((resolve) => {
    application.close();
    origin.close(() => resolve());
  });
});
beforeEach(async () => {
  // Those of the test before.
  while (application.clients.size > 0) await sleep(5);
  ends = [];
});

/** One and the same buffer over and over: memory that grows is not the sender's. */
function flood(socket: WebSocket): void {
  const piece = Buffer.alloc(1 << 20);
  for (let sent = 0; sent < STUCK_BYTES; sent += piece.length) socket.send(piece);
}

const originPort = (): number => (origin.address() as AddressInfo).port;

const WAYS = ["directly", "through the gateway"] as const;
type Way = (typeof WAYS)[number];

async function open(way: Way, protocols: string[] = [], options: ClientOptions = {}): Promise<WebSocket> {
  const client =
    way === "directly"
      ? new WebSocket(`ws://127.0.0.1:${originPort()}/socket`, protocols, options)
      : new WebSocket(`wss://127.0.0.1:${gateway.port}/socket`, protocols, {
          agent: new Agent({ ca: (await testCertificate()).ca, servername: "shop.example" }),
          headers: { host: "shop.example" },
          ...options,
        });
  await once(client, "open");
  client.on("error", () => undefined);
  return client;
}

/** The next `count` messages as they came. */
function receive(client: WebSocket, count: number): Promise<{ data: Buffer; isBinary: boolean }[]> {
  const messages: { data: Buffer; isBinary: boolean }[] = [];
  return new Promise((resolve) => {
    const onMessage = (data: Buffer, isBinary: boolean): void => {
      messages.push({ data, isBinary });
      if (messages.length < count) return;
      client.off("message", onMessage);
      resolve(messages);
    };
    client.on("message", onMessage);
  });
}

function closed(client: WebSocket): Promise<string> {
  return new Promise((resolve) =>
    client.once("close", (code, reason) => resolve(`${code} ${reason.toString()}`)),
  );
}

describe.each(WAYS)("%s", (way) => {
  test("subprotocol and compression are agreed on by the two ends", async () => {
    const client = await open(way, ["bank.v1", "bank.v2"]);
    expect(client.protocol).toBe("bank.v2");
    expect(client.extensions).toBe("permessage-deflate");
    client.terminate();
  });

  test("2,000 messages come back each by itself, unchanged and in order", async () => {
    const client = await open(way);
    const echoed = receive(client, 2_000);
    for (let index = 0; index < 2_000; index++) client.send(`${index} \u{1F4B6}`);
    const texts = (await echoed).map(({ data }) => data.toString());
    expect(texts).toEqual(Array.from({ length: 2_000 }, (_, index) => `${index} \u{1F4B6}`));
    client.terminate();
  });

  test.each([0, 1, 125, 126, 65_535, 65_536, 1 << 20, 4 << 20])("a frame of %i bytes", async (bytes) => {
    const client = await open(way, [], { perMessageDeflate: false });
    const sent = randomBytes(bytes);
    const echoed = receive(client, 1);
    client.send(sent);
    const [message] = await echoed;
    expect(message?.isBinary).toBe(true);
    expect(digest(message?.data)).toBe(digest(sent));
    client.terminate();
  });

  test("a message in fragments, with a ping between them", async () => {
    const client = await open(way, [], { perMessageDeflate: false });
    const echoed = receive(client, 1);
    const pong = once(client, "pong");
    client.send("begin ", { fin: false });
    client.ping("alive?");
    client.send("end", { fin: true });
    expect((await pong).toString()).toBe("alive?");
    expect((await echoed)[0]?.data.toString()).toBe("begin end");
    client.terminate();
  });

  test.each(["1000 ", "1001 going away", "1011 failed", "3000 library", "4999 application"])(
    "close code and reason cross both ways: %s",
    async (end) => {
      const [code = "", reason = ""] = end.split(/ (.*)/);
      const first = await open(way);
      first.close(Number(code), reason);
      expect(await closed(first)).toBe(end);
      const second = await open(way);
      const ending = closed(second);
      second.send(`close ${end}`);
      expect(await ending).toBe(end);
      await expect.poll(() => ends).toEqual([end, end]);
    },
  );

  test("an abrupt end of either side is one for the other, within 100 ms", async () => {
    const delays: number[] = [];
    for (let round = 0; round < 5; round++) {
      const first = await open(way);
      const startAt = performance.now();
      first.terminate();
      await expect.poll(() => ends.length, { interval: 2 }).toBe(round * 2 + 1);
      const second = await open(way);
      const ending = closed(second);
      const secondAt = performance.now();
      second.send("terminate");
      expect(await ending).toBe("1006 ");
      await expect.poll(() => ends.length).toBe(round * 2 + 2);
      delays.push(Math.max(secondAt - startAt, performance.now() - secondAt));
    }
    expect(new Set(ends)).toEqual(new Set(["1006 "]));
    // The best of five: a machine that is busy with something else delays some of them.
    expect(Math.min(...delays)).toBeLessThan(100);
  });

  test("bytes that are no frame are the two ends' business", async () => {
    const client = await open(way);
    const ending = closed(client);
    const failed = new Promise((resolve) => client.once("error", resolve));
    client.send("garbage");
    expect(await failed).toMatchObject({ code: "WS_ERR_UNEXPECTED_RSV_2_3" });
    expect(await ending).toBe("1006 ");
  });
});

test("an end that reads nothing stops the one that sends: what is between them stays small", async () => {
  const client = await open("through the gateway", [], { perMessageDeflate: false });
  client.pause();
  const before = process.memoryUsage().rss;
  client.send("flood");
  const [sender] = application.clients;
  const unsent = (): number => sender?.bufferedAmount ?? 0;
  await expect.poll(async () => unsent() > 0 && (await isStill(unsent)), { timeout: 10_000 }).toBe(true);
  expect(unsent()).toBeGreaterThan(STUCK_BYTES * 0.9);
  expect(process.memoryUsage().rss - before).toBeLessThan(STUCK_BYTES / 4);
  client.terminate();
  await expect.poll(() => application.clients.size).toBe(0);
});

test("sockets that end leave nothing behind", async () => {
  const clients = await Promise.all(Array.from({ length: 100 }, () => open("through the gateway")));
  expect(application.clients.size).toBe(100);
  for (const [index, client] of clients.entries()) {
    if (index % 2 === 0) client.terminate();
    else client.close();
  }
  await expect.poll(() => application.clients.size).toBe(0);
  await expect.poll(() => gateway.listener.connections).toBe(0);
});

/** Whether a value that changes has come to rest. */
async function isStill(read: () => number): Promise<boolean> {
  const before = read();
  await sleep(200);
  return read() === before;
}

function digest(data: Buffer | undefined): string {
  return createHash("sha256")
    .update(data ?? "none")
    .digest("hex");
}
