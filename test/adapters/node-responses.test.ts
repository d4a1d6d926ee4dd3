/** Every way in which handlers on Node write a response gives the bytes that it gives without us. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createGzip } from "node:zlib";
import express from "express";
import { expect, test } from "vitest";
import { stepgate } from "../../src/adapters/node.ts";
import { rawExchange } from "../support/gateway.ts";
import { optionsAt, startClock } from "./kit.ts";

type Handler = (req: IncomingMessage, res: ServerResponse) => void;

const FILE = fileURLToPath(new URL("../../LICENSE", import.meta.url));
const files = express();
files.get(/.*/, (_req, res) => res.sendFile(FILE));

const HANDLERS: Readonly<Record<string, Handler>> = {
  "a flat list of fields": (_req, res) => res.writeHead(200, ["X-A", "1", "X-A", "2", "X-B", "3"]).end("a"),
  "a list of pairs": (_req, res) =>
    res.writeHead(201, "Made", [["X-A", "1"] as never, ["Set-Cookie", ["a=1", "b=2"]] as never]).end("a"),
  "fields set before, and replaced in writeHead": (_req, res) => {
    res.setHeader("X-A", "old").setHeader("Set-Cookie", ["a=1", "b=2"]).appendHeader("Set-Cookie", "c=3");
    res.writeHead(200, { "x-a": "new", "X-Many": ["1", "2"] }).end("a");
  },
  "fields as a Map and as Headers": (_req, res) => {
    res.setHeaders(new Headers({ "x-a": "1" }));
    res.setHeaders(new Map([["X-B", "2"]]));
    res.end("a");
  },
  "no head but what end makes": (_req, res) => res.end("whole"),
  "an empty answer": (_req, res) => res.writeHead(204).end(),
  "pieces, and their head flushed before": (_req, res) => {
    res.flushHeaders();
    res.write("one ");
    res.end("two");
  },
  "a length of its own": (_req, res) => res.writeHead(200, { "Content-Length": 3 }).end("abc"),
  trailers: (_req, res) => {
    res.writeHead(200, { Trailer: "X-Sum" });
    res.write("abc");
    res.addTrailers({ "X-Sum": "6" });
    res.end();
  },
  "early hints": (_req, res) =>
    res.writeEarlyHints({ link: "</a.css>; rel=preload" }, () => res.end("after hints")),
  "a 102 before the answer": (_req, res) => {
    res.writeProcessing();
    res.end("after 102");
  },
  "100 before the answer": (_req, res) => res.end("after 100"),
  "compression on the way": (_req, res) => {
    res.writeHead(200, { "Content-Encoding": "gzip" });
    const gzip = createGzip();
    gzip.pipe(res);
    gzip.end("abc".repeat(100));
  },
  "a file": (req, res) => void files(req, res),
};

const EXTRA: Readonly<Record<string, string>> = {
  "a file": "Range: bytes=2-9\r\n",
  "100 before the answer": "Expect: 100-continue\r\n",
};

async function serve(handler: Handler, isGuarded: boolean): Promise<{ port: number; close(): void }> {
  const guard = isGuarded ? stepgate(optionsAt(startClock())) : undefined;
  const server = createServer((req, res) =>
    guard === undefined ? handler(req, res) : guard(req, res, () => handler(req, res)),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Sorted lines, without what is ours and what the time of day makes. */
const comparable = (answer: string): string =>
  answer
    .split("\r\n")
    .filter((line) => !/^(?:set-cookie: __Host-sq\.|stepgate-ray:|cache-control:|date:)/i.test(line))
    .toSorted()
    .join("\n");

async function exchange(handler: Handler, isGuarded: boolean, request: string): Promise<string> {
  const server = await serve(handler, isGuarded);
  try {
    return await rawExchange(server.port, request);
  } finally {
    server.close();
  }
}

const get = (path: string, fields = "", method = "GET"): string =>
  `${method} ${path} HTTP/1.1\r\nHost: shop.example\r\n${fields}Connection: close\r\n\r\n`;

// Node itself throws at trailers of an answer to HEAD, which has no body that they could follow.
const withoutTrailers = Object.entries(HANDLERS).filter(([name]) => name !== "trailers");

for (const [method, rows] of [
  ["GET", Object.entries(HANDLERS)],
  ["HEAD", withoutTrailers],
] as const) {
  test.each(rows)(`${method}: %s`, async (name, handler) => {
    const request = get("/last-not", EXTRA[name], method);
    expect(comparable(await exchange(handler, true, request))).toBe(
      comparable(await exchange(handler, false, request)),
    );
    const tracked = get("/accounts/7/balance", EXTRA[name], method);
    const guarded = await exchange(handler, true, tracked);
    expect(comparable(guarded)).toBe(comparable(await exchange(handler, false, tracked)));
    // What is compared has gone through the edit of the head.
    expect(/^set-cookie: __Host-sq\./im.test(guarded)).toBe(method === "GET");
  });
}

const echo: Handler = (req, res) => res.end(req.url);

test("one connection serves request after request", async () => {
  const look = "GET /accounts/7/balance HTTP/1.1\r\nHost: shop.example\r\n\r\n";
  const answer = await exchange(echo, true, `${look}${look}${get("/page")}`);
  expect(answer.match(/HTTP\/1\.1 200/g)).toHaveLength(3);
  expect(answer.match(/^set-cookie: __Host-sq\./gim)).toHaveLength(2);
});

test("a visitor who leaves a handler that never answers leaves nothing behind", async () => {
  const gone = Promise.withResolvers<string>();
  const handler: Handler = (_req, res) => void res.on("close", () => gone.resolve("closed"));
  const server = await serve(handler, true);
  const socket = connect(server.port, "127.0.0.1");
  socket.write("GET /accounts/7/balance HTTP/1.1\r\nHost: shop.example\r\n\r\n");
  await wait(100);
  socket.destroy();
  expect(await gone.promise).toBe("closed");
  server.close();
});
