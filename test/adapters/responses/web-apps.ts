/** Handlers of a web `Request` on servers of Node: bare, in h3 and in Hono, and what those make of them. */
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { serve as serveHono } from "@hono/node-server";
import {
  createEventStream,
  fromNodeHandler,
  H3,
  handleCacheHeaders,
  html,
  HTTPError,
  HTTPResponse,
  iterable,
  noContent,
  redirect,
  serveStatic,
  setCookie,
  toNodeHandler,
  writeEarlyHints,
} from "h3";
import type { EventHandler } from "h3";
import { Hono } from "hono";
import type { Context, Handler } from "hono";
import { compress } from "hono/compress";
import { setCookie as setHonoCookie } from "hono/cookie";
import { etag } from "hono/etag";
import { HTTPException } from "hono/http-exception";
import { stream, streamSSE } from "hono/streaming";
import { serve as serveSrvx } from "srvx";
import { stepgate as stepgateFetch } from "../../../src/adapters/fetch.ts";
import { stepgate as stepgateH3 } from "../../../src/adapters/h3.ts";
import { caseOf, listen, runNodeCase } from "./apps.ts";
import type { App, RunningCases } from "./apps.ts";
import { appError, atGate, breaking, guardOptions, note, slowly } from "./kit.ts";
import type { Case } from "./kit.ts";
import { NODE_CASES } from "./node-cases.ts";
import { streamOf, WEB_CASES } from "./web-cases.ts";
import type { WebHandler } from "./web-cases.ts";

const runWebCase: WebHandler = (request) => {
  const found = WEB_CASES[caseOf(new URL(request.url).pathname)];
  return found === undefined ? new Response("broken case", { status: 404 }) : found.handle(request);
};

/**
 * In front of a handler, or in its place what looks at the response and leaves it, as every middleware may: only then
 * does @hono/node-server give it the `content-type` of its body, as the Fetch standard says. HEAD is not recorded.
 */
const guarded = (isGuarded: boolean, handler: WebHandler): WebHandler => {
  if (!isGuarded) {
    return async (request) => {
      const response = await handler(request);
      if (request.method !== "HEAD" && response.body === undefined) throw new TypeError("expected a body");
      return response;
    };
  }
  const guard = stepgateFetch(guardOptions());
  return (request) => guard(request, handler);
};

/** The same request in the form that every runtime has. */
const withoutNode = ({ url, method, headers, body, signal }: Request): Request =>
  new Request(url, { method, headers, body, signal, ...(body === null ? {} : { duplex: "half" }) });

async function onSrvx(fetch: WebHandler): Promise<RunningCases> {
  const server = serveSrvx({
    fetch,
    port: 0,
    hostname: "127.0.0.1",
    silent: true,
    gracefulShutdown: false,
    error: () => new Response("failed", { status: 500 }),
  });
  await server.ready();
  return listen(server.node?.server as Server);
}

async function onHono(fetch: WebHandler): Promise<RunningCases> {
  const server = serveHono({ fetch, port: 0, hostname: "127.0.0.1" }) as Server;
  if (!server.listening) await new Promise((resolve) => server.once("listening", resolve));
  return listen(server);
}

/** What is thrown past the guard is the server's to answer, and was no answer of the application. */
const THROWING: Readonly<Record<string, Case & { readonly handle: WebHandler }>> = {
  "thrown-at-the-server": {
    handle() {
      throw appError();
    },
    isSealed: false,
  },
  "rejected-at-the-server": { handle: async () => Promise.reject(appError()), isSealed: false },
};

const runThrowing: WebHandler = (request) =>
  (THROWING[caseOf(new URL(request.url).pathname)]?.handle ?? runWebCase)(request);

interface H3Case extends Case {
  readonly handle: EventHandler;
}

const H3_CASES: Readonly<Record<string, H3Case>> = {
  "h3-text": { handle: () => "hello" },
  "h3-object": { handle: () => ({ a: 1 }) },
  "h3-nothing": { handle: () => undefined },
  "h3-null": { handle: () => null },
  "h3-no-content": { handle: () => noContent() },
  "h3-bytes": { handle: () => new Uint8Array([0, 1, 255]) },
  "h3-html": { handle: () => html`<p>${"a"}</p>` },
  "h3-redirect": { handle: () => redirect("/elsewhere", 307) },
  "h3-response-object": {
    handle: () => new HTTPResponse("made", { status: 201, headers: { "x-made": "1" } }),
  },
  "h3-status-and-fields": {
    handle(event) {
      event.res.status = 203;
      event.res.statusText = "As Ever";
      event.res.headers.set("x-a", "1");
      return "a";
    },
  },
  "h3-cookies": {
    handle(event) {
      setCookie(event, "a", "1");
      setCookie(event, "b", "2");
      return "a";
    },
  },
  "h3-cookies-beside-a-response": {
    handle(event) {
      setCookie(event, "a", "1");
      return new Response("a", { headers: { "set-cookie": "b=2" } });
    },
  },
  "h3-not-modified": {
    handle: (event) => (handleCacheHeaders(event, { etag: '"1"' }) ? undefined : "fresh"),
    fields: 'If-None-Match: "1"\r\n',
  },
  "h3-stream": { handle: () => streamOf(slowly("one ", "two")), hasHead: false },
  "h3-stream-of-node": { handle: () => Readable.from(slowly("one ", "two")), hasHead: false },
  "h3-generator": { handle: () => iterable(slowly("one ", "two")), hasHead: false },
  "h3-events": {
    handle(event) {
      const events = createEventStream(event);
      void events.push("a");
      void atGate().then(async () => {
        await events.push("b");
        return events.close();
      });
      return events.send();
    },
    hasHead: false,
  },
  "h3-stream-that-breaks": { handle: () => streamOf(breaking()), hasHead: false },
  "h3-early-hints": {
    async handle(event) {
      await writeEarlyHints(event, { link: "</a.css>; rel=preload" });
      return "after hints";
    },
  },
  "h3-static": {
    handle: (event) =>
      serveStatic(event, {
        getMeta: () => ({ type: "text/plain", size: 5, etag: '"s"', mtime: 0 }),
        getContents: () => "hello",
      }),
  },
  "h3-thrown-error-of-http": {
    handle() {
      throw new HTTPError({ status: 409, message: "not now", headers: { "x-why": "1" } });
    },
  },
  "h3-thrown": {
    handle() {
      throw appError();
    },
  },
  "h3-returned-error": { handle: () => new HTTPError({ status: 422, message: "odd" }) },
  "h3-rejected": { handle: async () => Promise.reject(appError()) },
  "h3-thrown-after-cookies": {
    handle(event) {
      setCookie(event, "a", "1");
      event.res.errHeaders.set("x-kept", "1");
      throw new HTTPError({ status: 500, message: "boom" });
    },
  },
};

function createH3(isGuarded: boolean): H3 {
  const app = new H3({ silent: true, onError: (error) => note(`error ${error.status}`) });
  if (isGuarded) app.use(stepgateH3(guardOptions()));
  for (const [name, { handle, method = "GET" }] of Object.entries(H3_CASES)) {
    app.on(method as "GET", `/case/${name}`, handle);
    if (method === "GET") app.on("HEAD", `/case/${name}`, handle);
  }
  // h3 takes a response for finished when its handler is.
  const ofNode = fromNodeHandler(
    (req, res) =>
      new Promise<void>((resolve) => {
        res.on("close", () => resolve());
        void runNodeCase(req as IncomingMessage, res as ServerResponse);
      }),
  );
  app.all("/case/:name", (event) => {
    const name = event.context.params?.["name"] ?? "";
    return name in WEB_CASES ? runWebCase(event.req) : ofNode(event);
  });
  return app;
}

/** Names that both have are the web's there. */
const H3_ALL = { ...NODE_CASES, ...WEB_CASES, ...H3_CASES };

interface HonoCase extends Case {
  readonly handle: Handler;
  /** Middleware of Hono before it. */
  readonly use?: Parameters<Hono["use"]>[1];
}

const HONO_CASES: Readonly<Record<string, HonoCase>> = {
  "hono-json": { handle: (c) => c.json({ a: 1 }, 201, { "x-a": "1" }) },
  "hono-redirect": { handle: (c) => c.redirect("/elsewhere") },
  "hono-no-content": { handle: (c) => c.body(null, 204) },
  "hono-cookies": {
    handle(c) {
      setHonoCookie(c, "a", "1");
      setHonoCookie(c, "b", "2");
      c.header("x-a", "1");
      c.header("x-a", "2", { append: true });
      return c.text("a");
    },
  },
  "hono-stream": {
    handle: (c) =>
      stream(c, async (out) => {
        for await (const piece of slowly("one ", "two")) await out.write(piece);
      }),
    hasHead: false,
  },
  "hono-events": {
    handle: (c) =>
      streamSSE(c, async (out) => {
        for await (const data of slowly("a", "b")) await out.writeSSE({ data });
      }),
    hasHead: false,
  },
  "hono-compressed": {
    handle: (c) => c.text("abc".repeat(1000)),
    use: compress(),
    fields: "Accept-Encoding: gzip\r\n",
    hasHead: false,
  },
  "hono-not-modified": {
    handle: (c) => c.text("a"),
    use: etag(),
    fields: 'If-None-Match: W/"1", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"\r\n',
  },
  "hono-thrown-error-of-http": {
    handle() {
      throw new HTTPException(409, { message: "not now" });
    },
  },
  "hono-thrown-response": {
    handle() {
      throw new HTTPException(401, { res: new Response("who?", { status: 401, headers: { "x-why": "1" } }) });
    },
  },
  "hono-thrown": {
    handle() {
      throw appError();
    },
  },
  "hono-rejected": { handle: async () => Promise.reject(appError()) },
  "hono-not-found": { handle: (c) => c.notFound() },
};

function createHono(): Hono {
  const app = new Hono();
  app.onError((error, c: Context) => {
    note(`error ${error.message}`);
    return error instanceof HTTPException ? error.getResponse() : c.text("failed", 500);
  });
  for (const [name, { handle, use }] of Object.entries(HONO_CASES)) {
    if (use !== undefined) app.use(`/case/${name}`, use);
    app.get(`/case/${name}`, handle);
  }
  app.all("/case/:name", (c) => runWebCase(c.req.raw));
  return app;
}

export const WEB_APPS: readonly App[] = [
  {
    name: "fetch handler on srvx",
    protocol: "http1",
    cases: { ...WEB_CASES, ...THROWING },
    start: (isGuarded) => onSrvx(guarded(isGuarded, runThrowing)),
  },
  {
    name: "h3 on srvx",
    protocol: "http1",
    cases: H3_ALL,
    start(isGuarded) {
      const app = createH3(isGuarded);
      return onSrvx((request) => app.fetch(request));
    },
  },
  {
    // Its requests do not carry Node's response along, as on every runtime but Node.
    name: "h3 as a fetch handler",
    protocol: "http1",
    cases: { ...WEB_CASES, ...H3_CASES },
    start(isGuarded) {
      const app = createH3(isGuarded);
      return onSrvx((request) => app.fetch(withoutNode(request)));
    },
  },
  {
    name: "h3 in node:http",
    protocol: "http1",
    cases: H3_ALL,
    start: (isGuarded) => listen(createServer(toNodeHandler(createH3(isGuarded)))),
  },
  // Last: @hono/node-server takes the place of the process's `Response` when it starts.
  {
    name: "fetch handler on @hono/node-server",
    protocol: "http1",
    cases: WEB_CASES,
    start: (isGuarded) => onHono(guarded(isGuarded, runWebCase)),
  },
  {
    name: "Hono",
    protocol: "http1",
    cases: { ...WEB_CASES, ...HONO_CASES },
    start(isGuarded) {
      const app = createHono();
      return onHono(guarded(isGuarded, (request) => app.fetch(request)));
    },
  },
];
