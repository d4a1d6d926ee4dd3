/** The application of the kit in each framework. Every server listens on 127.0.0.1. */
import { createServer } from "node:http";
import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { serve as serveHono } from "@hono/node-server";
import express from "express";
import fastify from "fastify";
import { H3, HTTPError, toNodeHandler } from "h3";
import { Hono } from "hono";
import Koa from "koa";
import { serve as serveSrvx } from "srvx";
import { stepgate as stepgateFetch } from "../../src/adapters/fetch.ts";
import { stepgate as stepgateH3 } from "../../src/adapters/h3.ts";
import { fastifyStepgate, koaStepgate, sequenceOf, stepgate } from "../../src/adapters/node.ts";
import type { SequenceContext } from "../../src/adapters/node.ts";
import type { TestClock } from "../../src/testing/index.ts";
import { startGateway } from "../support/gateway.ts";
import { createSource } from "../../src/adapters/source.ts";
import { importKeySet } from "../../src/cookie/index.ts";
import { requestHttp1 } from "../support/gateway.ts";
import { AppError, keys, optionsAt, replyTo, sendTo } from "./kit.ts";
import type { Framework, Reply, RunningApp } from "./kit.ts";
import { answerOnWeb, handleWeb, piecesOf, tell, webApp } from "./web-app.ts";

/** Every server switches protocols when it is asked to, past its framework. */
function switchProtocols(server: Server): void {
  server.on("upgrade", (_request, socket) => {
    socket.end("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello");
  });
}

async function listen(server: Server): Promise<RunningApp & { readonly port: number }> {
  switchProtocols(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    send: sendTo(port),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Answers on Node's response in the ways that applications do: heads set piece by piece, or all at once. */
async function answerOnNode(reply: Reply, res: ServerResponse): Promise<void> {
  if (reply.kind === "throw") throw new AppError("boom");
  if (reply.kind === "none") {
    res.statusCode = 404;
    res.end("nothing here");
  } else if (reply.kind === "stream") {
    res.setHeader("content-type", "text/plain");
    for await (const piece of piecesOf(reply.pieces)) res.write(piece);
    res.end();
  } else {
    res.writeHead(reply.status, reply.headers);
    res.end(reply.body);
  }
}

const splitUrl = (url: string): readonly [string, string] => {
  const [path, query = ""] = url.split("?", 2) as [string, string?];
  return [path, query];
};

const handleNode = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
  const [path, query] = splitUrl(req.url ?? "");
  if (path === "/sequence") res.end(tell(sequenceOf(req)));
  else await answerOnNode(replyTo(req.method ?? "", path, query), res);
};

const nodeApp: RequestListener = (req, res) => {
  handleNode(req, res).catch(() => {
    res.statusCode = 500;
    res.end("failed");
  });
};

const nodeHttp: Framework = {
  name: "node:http",
  tells: true,
  start(clock) {
    const guard = clock === undefined ? undefined : stepgate(optionsAt(clock));
    return listen(
      createServer((req, res) =>
        guard === undefined ? nodeApp(req, res) : guard(req, res, () => nodeApp(req, res)),
      ),
    );
  },
};

const handleExpress = async (...[req, res, next]: Parameters<express.RequestHandler>): Promise<void> => {
  try {
    await handleNode(req, res);
  } catch (error) {
    next(error);
  }
};

function expressFramework(name: string, create: typeof express): Framework {
  return {
    name,
    tells: true,
    start(clock) {
      const app = create();
      app.set("env", "test");
      if (clock !== undefined) app.use(stepgate(optionsAt(clock)));
      app.use((req, res, next) => void handleExpress(req, res, next));
      return listen(createServer(app));
    },
  };
}

const fastifyFramework: Framework = {
  name: "Fastify",
  tells: true,
  async start(clock) {
    const app = fastify({ forceCloseConnections: true });
    if (clock !== undefined) fastifyStepgate(app, optionsAt(clock));
    app.removeAllContentTypeParsers();
    app.addContentTypeParser("*", (_request, _payload, done) => done(null));
    app.all("/*", async (request, reply) => {
      const [path, query] = splitUrl(request.url);
      if (path === "/sequence") return tell(sequenceOf(request.raw));
      const answer = replyTo(request.method, path, query);
      if (answer.kind === "throw") throw new AppError("boom");
      if (answer.kind === "none") return reply.code(404).send("nothing here");
      if (answer.kind === "stream") {
        return reply.type("text/plain").send(Readable.from(piecesOf(answer.pieces)));
      }
      return reply.code(answer.status).headers(answer.headers).send(answer.body);
    });
    switchProtocols(app.server);
    await app.listen({ port: 0, host: "127.0.0.1" });
    const { port } = app.server.address() as AddressInfo;
    return { port, send: sendTo(port), close: () => app.close() };
  },
};

const koaFramework: Framework = {
  name: "Koa",
  tells: true,
  start(clock) {
    const app = new Koa();
    app.silent = true;
    if (clock !== undefined) app.use(koaStepgate(optionsAt(clock)));
    app.use(async (ctx) => {
      if (ctx.path === "/sequence") {
        ctx.body = tell((ctx.state as { sequence?: SequenceContext }).sequence);
        return;
      }
      const answer = replyTo(ctx.method, ctx.path, ctx.querystring);
      if (answer.kind === "throw") throw new AppError("boom");
      if (answer.kind === "none") return;
      if (answer.kind === "stream") {
        ctx.type = "text/plain";
        ctx.body = Readable.from(piecesOf(answer.pieces));
        return;
      }
      ctx.status = answer.status;
      if (answer.status !== 304) ctx.body = answer.body;
      ctx.set(answer.headers);
    });
    return listen(createServer(app.callback()));
  },
};

/** As h3 applications are written: values, thrown errors, responses. */
function createH3(clock: TestClock | undefined): H3 {
  const app = new H3({ silent: true });
  if (clock !== undefined) app.use(stepgateH3(optionsAt(clock)));
  app.all("/**", (event) => {
    const { pathname, search } = event.url;
    if (pathname === "/sequence") return tell(event.context.sequence);
    const answer = replyTo(event.req.method, pathname, search);
    if (answer.kind === "throw") throw new HTTPError({ status: 500, message: "boom" });
    if (answer.kind === "none") return new Response("nothing here", { status: 404 });
    if (answer.kind === "body" && answer.status < 300) {
      event.res.status = answer.status;
      for (const [name, value] of Object.entries(answer.headers)) event.res.headers.append(name, value);
      return answer.body;
    }
    return answerOnWeb(answer);
  });
  return app;
}

const h3OnSrvx: Framework = {
  name: "h3 on srvx",
  tells: true,
  async start(clock) {
    const app = createH3(clock);
    const server = serveSrvx({
      fetch: (request) => app.fetch(request),
      port: 0,
      hostname: "127.0.0.1",
      silent: true,
      gracefulShutdown: false,
    });
    await server.ready();
    switchProtocols(server.node?.server as Server);
    const port = Number(new URL(server.url ?? "").port);
    return { port, send: sendTo(port), close: () => server.close(true) };
  },
};

const h3OnNode: Framework = {
  name: "h3 in node:http",
  tells: true,
  start: (clock) => listen(createServer(toNodeHandler(createH3(clock)))),
};

const h3OnFetch: Framework = {
  name: "h3 as a fetch handler",
  tells: true,
  async start(clock) {
    const app = createH3(clock);
    return { send: (request) => app.fetch(request), close: async () => undefined };
  },
};

const fetchHandler: Framework = {
  name: "stepgate/fetch as a handler",
  tells: true,
  async start(clock) {
    const guard = clock === undefined ? undefined : stepgateFetch(optionsAt(clock));
    return {
      send: (request) => (guard === undefined ? webApp(request) : guard(request, webApp)),
      close: async () => undefined,
    };
  },
};

const hono: Framework = {
  name: "stepgate/fetch around Hono",
  tells: true,
  async start(clock) {
    const app = new Hono<{ Bindings: { sequence?: SequenceContext } }>();
    app.onError((_error, c) => c.text("failed", 500));
    app.all("*", (c) => handleWeb(c.req.raw, c.env?.sequence));
    const guard = clock === undefined ? undefined : stepgateFetch(optionsAt(clock));
    const handler = (request: Request): Response | Promise<Response> =>
      guard === undefined
        ? app.fetch(request)
        : guard(request, (passed, sequence) => app.fetch(passed, { sequence }));
    const server = serveHono({ fetch: handler, port: 0, hostname: "127.0.0.1" }) as Server;
    switchProtocols(server);
    if (!server.listening) await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as AddressInfo;
    return {
      port,
      send: sendTo(port),
      close: () =>
        new Promise((resolve) => {
          server.close(() => resolve());
          server.closeAllConnections();
        }),
    };
  },
};

/** The gateway in front of the plain application: the journeys are the same. */
const gateway: Framework = {
  name: "the gateway",
  tells: false,
  async start(clock) {
    const origin = await nodeHttp.start(undefined);
    if (clock === undefined) return origin;
    const [zone] = createSource(optionsAt(clock)).current().zones;
    const running = await startGateway({
      zones: [{ ...zone!, origin: `http://127.0.0.1:${origin.port}` }],
      masters: await importKeySet(keys),
      now: clock.now,
    });
    return {
      send: async (request) => {
        const url = new URL(request.url);
        const body = request.body === null ? undefined : await request.text();
        const reply = await requestHttp1(running.port, {
          method: request.method,
          path: url.pathname + url.search,
          headers: {
            ...Object.fromEntries(request.headers),
            ...(body === undefined ? {} : { "content-length": Buffer.byteLength(body) }),
          },
          ...(body === undefined ? {} : { body }),
        });
        const headers = new Headers();
        for (const [name, value] of Object.entries(reply.headers)) {
          if (value === undefined) continue;
          for (const item of Array.isArray(value) ? value : [value]) headers.append(name, item);
        }
        return new Response(reply.status === 304 || reply.status === 204 ? null : reply.body, {
          status: reply.status,
          headers,
        });
      },
      async close() {
        await running.close();
        await origin.close();
      },
    };
  },
};

/** The alias has no declarations; what is used of it is the same in both versions. */
const express4 = createRequire(import.meta.url)("express4") as typeof express;

export const FRAMEWORKS: readonly Framework[] = [
  gateway,
  nodeHttp,
  expressFramework("Express 5", express),
  expressFramework("Express 4", express4),
  fastifyFramework,
  koaFramework,
  h3OnSrvx,
  h3OnNode,
  h3OnFetch,
  fetchHandler,
  hono,
];
