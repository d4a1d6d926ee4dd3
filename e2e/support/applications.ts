/** Two real applications from npm to stand behind the gateway: one of socket.io, one that streams with Hono. */
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { stream, streamSSE } from "hono/streaming";
import { Server as SocketServer } from "socket.io";

export interface Application {
  readonly url: string;
  close(): Promise<void>;
}

const PAGE = (title: string, scripts: string): string =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title>${scripts}</head><body></body></html>`;

/** A chat: rooms, acknowledgements, binary messages, ends by the server; its page loads the client that it serves. */
export async function startChat(): Promise<Application> {
  const server = createServer((req, res) => {
    if (req.url !== "/") res.writeHead(404).end();
    else {
      res.writeHead(200, { "content-type": "text/html; charset=utf-8" });
      res.end(PAGE("Chat", '<script src="/socket.io/socket.io.js"></script>'));
    }
  });
  const io = new SocketServer(server, { pingInterval: 300, pingTimeout: 5_000 });
  io.on("connection", (socket) => {
    socket.on("add", (a: number, b: number, answer: (sum: number) => void) => answer(a + b));
    socket.on("reverse", (bytes: Buffer, answer: (bytes: Buffer) => void) =>
      answer(Buffer.from(bytes.toReversed())),
    );
    socket.on("join", async (room: string, answer: () => void) => {
      await socket.join(room);
      answer();
    });
    socket.on("say", (room: string, text: string) => io.to(room).emit("said", text));
    socket.on("send me away", () => socket.disconnect(true));
    socket.on("drop the line", () => socket.conn.close());
  });
  await listen(server);
  return { url: urlOf(server), close: () => io.close() };
}

/**
 * A ticker: an event stream that resumes where it was cut, and a stream that sends its next line only when the page
 * has told that it got the one before, so that anything that buffers brings it to a stop.
 */
export async function startTicker(): Promise<Application> {
  const app = new Hono();
  const taken = new Map<string, number>();
  let left = 0;
  app.get("/", (c) => c.html(PAGE("Ticker", "")));
  app.get("/events", (c) =>
    streamSSE(c, async (events) => {
      const first = Number(c.req.header("last-event-id") ?? "0") + 1;
      // Three at a time, then the line is cut: the browser comes back for the rest by itself.
      for (let id = first; id < first + 3; id++)
        await events.writeSSE({ id: String(id), event: "tick", data: `tick ${id}\nof a clock`, retry: 50 });
    }),
  );
  app.get("/silent", (c) =>
    streamSSE(c, async (events) => {
      events.onAbort(() => void (left += 1));
      while (!events.aborted) await events.sleep(20);
    }),
  );
  app.get("/left", (c) => c.json(left));
  app.post("/took/:name/:count", (c) => {
    taken.set(c.req.param("name"), Number(c.req.param("count")));
    return c.body(null, 204);
  });
  app.get("/lockstep/:name", (c) => {
    c.header("content-type", "application/x-ndjson");
    return stream(c, async (lines) => {
      for (let index = 0; index < 20 && !lines.aborted; index++) {
        while ((taken.get(c.req.param("name")) ?? 0) < index && !lines.aborted) await lines.sleep(2);
        await lines.write(`{"line":${index}}\n`);
      }
    });
  });
  app.post("/upload", async (c) => {
    let bytes = 0;
    for await (const piece of c.req.raw.body ?? []) bytes += (piece as Uint8Array).length;
    return c.json(bytes);
  });
  app.get("/large", (c) => {
    c.header("content-length", String(16 << 20));
    return stream(c, async (pieces) => {
      for (let index = 0; index < 256; index++) await pieces.write(new Uint8Array(1 << 16).fill(index));
    });
  });
  const server = await new Promise<Server>((resolve) => {
    const started = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, () =>
      resolve(started as Server),
    );
  });
  return {
    url: urlOf(server),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
}

/** Under the name that the visitors use. */
function urlOf(server: Server): string {
  return `http://localhost:${(server.address() as AddressInfo).port}`;
}
