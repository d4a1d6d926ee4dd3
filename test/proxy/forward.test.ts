import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { createServer, request as httpRequest } from "node:http";
import type { IncomingMessage, RequestListener, Server } from "node:http";
import { createServer as createHttp2Server, connect } from "node:http2";
import type { Http2Server } from "node:http2";
import { createServer as createTcpServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { createHash, randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { createForwarder, originRequestHeaders } from "../../src/proxy/index.ts";
import type { ForwardHooks, ForwardResult, NodeRequest, NodeResponse } from "../../src/proxy/index.ts";

const cleanups: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

interface Closable {
  address(): AddressInfo | string | null;
  listen(port: number, host: string, ready: () => void): unknown;
  close(done: () => void): unknown;
}

async function listen(server: Closable): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function startOrigin(listener: RequestListener): Promise<{ url: string; server: Server }> {
  const server = createServer(listener);
  const url = await listen(server);
  cleanups.push(
    () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  );
  return { url, server };
}

/** A front server that forwards everything to `origin`, over HTTP/1.1 or HTTP/2. */
async function startFront(origin: string, hooks: Partial<ForwardHooks> = {}, http2 = false) {
  const forwarder = createForwarder({ connections: 4, headersTimeoutMs: 2_000, connectTimeoutMs: 500 });
  const results: ForwardResult[] = [];
  const handle = async (req: NodeRequest, res: NodeResponse): Promise<void> => {
    const result = await forwarder.forward(
      { req, res },
      {
        origin,
        method: req.method ?? "GET",
        target: req.url ?? "/",
        headers: originRequestHeaders(req.rawHeaders, {
          host: "shop.example",
          clientAddress: "127.0.0.1",
          scheme: "https",
          cookie: req.headers.cookie,
          rayId: "0123456789abcdef",
        }),
      },
      { onResponse: (_status, headers) => headers, ...hooks },
    );
    results.push(result);
    if (result.kind === "unanswered") {
      res.statusCode = 502;
      (res as { end(): void }).end();
    }
  };
  const server = http2
    ? createHttp2Server((req, res) => void handle(req, res))
    : createServer((req, res) => void handle(req, res));
  const url = await listen(server);
  cleanups.push(async () => {
    await forwarder.close();
    if (!http2) (server as Server).closeAllConnections();
    await new Promise<void>((resolve) => (server as Http2Server).close(() => resolve()));
  });
  return { url, results, forwarder };
}

async function readAll(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function postHttp1(url: string) {
  const response = await fetch(`${url}/x?y=1`, {
    method: "POST",
    body: "hello",
    headers: { "x-custom": "1" },
  });
  return { status: response.status, twice: response.headers.get("x-twice"), body: await response.text() };
}

async function postHttp2(url: string) {
  const session = connect(url);
  const stream = session.request({ ":method": "POST", ":path": "/x?y=1", "x-custom": "1" });
  stream.end("hello");
  const head = await new Promise<Record<string, unknown>>((resolve) => stream.once("response", resolve));
  const body = (await readAll(stream)).toString();
  session.close();
  return { status: head[":status"], twice: head["x-twice"], body };
}

async function waitFor(condition: () => boolean, ms = 3_000): Promise<void> {
  const deadline = Date.now() + ms;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error("waited in vain");
    await sleep(5);
  }
}

describe("ordinary requests", () => {
  test.each([false, true])(
    "a POST with a body arrives whole and its answer comes back (HTTP/2: %s)",
    async (h2) => {
      let seen: IncomingMessage | undefined;
      const origin = await startOrigin(async (req, res) => {
        seen = req;
        const body = await readAll(req);
        res.writeHead(201, "Made", { "content-type": "text/plain", "x-twice": ["a", "b"] });
        res.end(`got ${body.toString()}`);
      });
      const front = await startFront(origin.url, {}, h2);
      const answer = await (h2 ? postHttp2 : postHttp1)(front.url);
      expect(answer).toEqual({ status: 201, twice: "a, b", body: "got hello" });
      expect(seen?.url).toBe("/x?y=1");
      expect(seen?.headers).toMatchObject({
        host: "shop.example",
        "x-custom": "1",
        "x-forwarded-for": "127.0.0.1",
        "x-forwarded-proto": "https",
        "x-forwarded-host": "shop.example",
        "stepgate-ray": "0123456789abcdef",
      });
      expect(front.results).toEqual([{ kind: "done", status: 201 }]);
    },
  );

  test("the origin's reason phrase is kept over HTTP/1.1", async () => {
    const origin = await startOrigin((_req, res) => res.writeHead(200, "Quite Fine").end());
    const front = await startFront(origin.url);
    expect((await fetch(front.url)).statusText).toBe("Quite Fine");
  });

  test("HEAD, 204 and 304 have no body and end", async () => {
    const origin = await startOrigin((req, res) => {
      res.statusCode = req.url === "/204" ? 204 : req.url === "/304" ? 304 : 200;
      if (req.url === "/head") res.setHeader("content-length", "1000");
      res.end();
    });
    const front = await startFront(origin.url);
    expect((await fetch(`${front.url}/head`, { method: "HEAD" })).headers.get("content-length")).toBe("1000");
    expect((await fetch(`${front.url}/204`)).status).toBe(204);
    expect((await fetch(`${front.url}/304`)).status).toBe(304);
  });

  test("50 MB stream up and down without being changed", async () => {
    const origin = await startOrigin((req, res) => {
      res.writeHead(200, { "content-type": "application/octet-stream" });
      req.pipe(res);
    });
    const front = await startFront(origin.url);
    const block = randomBytes(1 << 20);
    const sent = createHash("sha256");
    const received = createHash("sha256");
    await new Promise<void>((resolve, reject) => {
      const upload = httpRequest(`${front.url}/echo`, { method: "POST" }, (answer) => {
        answer.on("data", (chunk: Buffer) => received.update(chunk));
        answer.on("end", resolve);
      });
      upload.on("error", reject);
      void (async () => {
        for (let count = 0; count < 50; count++) {
          sent.update(block);
          if (!upload.write(block)) await new Promise((drained) => upload.once("drain", drained));
        }
        upload.end();
      })();
    });
    expect(received.digest("hex")).toBe(sent.digest("hex"));
  });

  test("one read of a response waits at most, so that nothing is copied together", async () => {
    const sockets: Socket[] = [];
    const remember = (message: unknown): void => void sockets.push((message as { socket: Socket }).socket);
    subscribe("net.client.socket", remember);
    cleanups.push(() => void unsubscribe("net.client.socket", remember));
    const origin = await startOrigin((_req, res) => res.end("hello"));
    const front = await startFront(origin.url);
    await (await fetch(front.url)).text();
    const toOrigin = sockets.filter(({ remotePort }) => remotePort === Number(new URL(origin.url).port));
    // Node reads 65,536 bytes at once, and stops when as many wait as the mark says.
    expect(toOrigin.map(({ readableHighWaterMark }) => readableHighWaterMark)).toEqual([16_384]);
  });

  test("an event stream opens before its first event and each event passes at once", async () => {
    let send: ((text: string) => void) | undefined;
    const origin = await startOrigin((_req, res) => {
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.flushHeaders();
      send = (text) => void res.write(text);
    });
    const front = await startFront(origin.url);
    const response = await fetch(`${front.url}/events`);
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const reader = response.body!.getReader();
    await waitFor(() => send !== undefined);
    send!("data: 1\n\n");
    expect(new TextDecoder().decode((await reader.read()).value)).toBe("data: 1\n\n");
    await reader.cancel();
  });

  test("response headers wait for a promised edit, the body follows", async () => {
    const origin = await startOrigin((_req, res) => res.end("body"));
    const front = await startFront(origin.url, {
      onResponse: async (_status, headers) => {
        await sleep(20);
        return [...headers, "x-late", "1"];
      },
    });
    const response = await fetch(front.url);
    expect(response.headers.get("x-late")).toBe("1");
    expect(await response.text()).toBe("body");
  });
});

describe("what goes wrong", () => {
  test("a client that leaves aborts the origin's request within 100 ms, and the pool stays usable", async () => {
    let closedAt: number | undefined;
    const origin = await startOrigin((req, res) => {
      if (req.url === "/ok") return void res.end("fine");
      res.on("close", () => (closedAt = Date.now()));
      res.write("x".repeat(1 << 20));
      return undefined;
    });
    const front = await startFront(origin.url);
    for (let round = 0; round < 12; round++) {
      closedAt = undefined;
      const abort = new AbortController();
      const response = await fetch(`${front.url}/endless`, { signal: abort.signal });
      expect(response.status).toBe(200);
      const leftAt = Date.now();
      abort.abort();
      await waitFor(() => closedAt !== undefined);
      expect(closedAt! - leftAt).toBeLessThan(100);
    }
    expect(await (await fetch(`${front.url}/ok`)).text()).toBe("fine");
    await waitFor(() => front.results.length === 13);
    expect(front.results.filter((result) => result.kind === "client-gone")).toHaveLength(12);
  });

  test("a refused connection, a hang and garbage are told apart and leave the answer to the caller", async () => {
    const closed = createServer();
    const closedUrl = await listen(closed);
    await new Promise<void>((resolve) => closed.close(() => resolve()));
    const refused = await startFront(closedUrl);
    expect((await fetch(refused.url)).status).toBe(502);
    expect(refused.results[0]).toMatchObject({ kind: "unanswered", reason: "connect" });

    const hanging = await startOrigin(() => undefined);
    const hang = await startFront(hanging.url);
    expect((await fetch(hang.url)).status).toBe(502);
    expect(hang.results[0]).toMatchObject({ kind: "unanswered", reason: "timeout" });

    const garbage = createTcpServer((socket) => {
      socket.on("error", () => undefined).resume();
      socket.end("HTTP/1.1 two hundred\r\n\r\n");
    });
    const garbageUrl = await listen(garbage);
    cleanups.push(() => new Promise<void>((resolve) => garbage.close(() => resolve())));
    const front = await startFront(garbageUrl);
    expect((await fetch(front.url)).status).toBe(502);
    expect(front.results[0]).toMatchObject({ kind: "unanswered", reason: "protocol" });
  });

  test("an origin that dies mid-body cuts the client's response instead of ending it cleanly", async () => {
    const origin = await startOrigin((_req, res) => {
      res.writeHead(200, { "content-length": "1000" });
      res.write("only this");
      setTimeout(() => res.destroy(), 20);
    });
    const front = await startFront(origin.url);
    const response = await fetch(front.url);
    await expect(response.text()).rejects.toThrow(/terminated/);
    expect(front.results[0]).toMatchObject({ kind: "cut", status: 200 });
  });
});
