/** Fastify over both protocols: handlers of Node in it, and what Fastify itself makes of replies and errors. */
import { Readable } from "node:stream";
import { createReadStream } from "node:fs";
import { fileURLToPath } from "node:url";
import { createGzip } from "node:zlib";
import fastify from "fastify";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { fastifyStepgate } from "../../../src/adapters/node.ts";
import { listen, overHttp2, runNodeCase } from "./apps.ts";
import type { App } from "./apps.ts";
import { appError, breaking, guardOptions, note, slowly } from "./kit.ts";
import type { Case } from "./kit.ts";
import { NODE_CASES } from "./node-cases.ts";

interface FastifyCase extends Case {
  readonly handle: (request: FastifyRequest, reply: FastifyReply) => unknown;
  /** What Fastify checks before the handler. */
  readonly schema?: object;
}

const FILE = fileURLToPath(new URL("../../../package-lock.json", import.meta.url));
const JSON_FIELD = "Content-Type: application/json\r\n";

const FASTIFY_CASES: Readonly<Record<string, FastifyCase>> = {
  "fastify-object": { handle: async () => ({ a: 1 }) },
  "fastify-text": { handle: (_request, reply) => reply.code(203).send("hello") },
  "fastify-nothing": { handle: (_request, reply) => reply.code(204).send() },
  "fastify-not-modified": { handle: (_request, reply) => reply.code(304).header("etag", '"1"').send() },
  "fastify-redirect": { handle: (_request, reply) => reply.redirect("/elsewhere") },
  "fastify-cookies": {
    handle: (_request, reply) =>
      reply.header("set-cookie", ["a=1", "b=2"]).header("set-cookie", "c=3").send("a"),
  },
  "fastify-stream": {
    handle: (_request, reply) => reply.send(Readable.from(slowly("one ", "two"))),
    hasHead: false,
  },
  "fastify-stream-of-the-web": {
    handle: (_request, reply) => reply.send(new Response("web", { status: 203, headers: { "x-web": "1" } })),
  },
  "fastify-file": {
    handle: (_request, reply) => reply.type("application/json").send(createReadStream(FILE)),
    hasHead: false,
  },
  "fastify-compressed": {
    handle: (_request, reply) =>
      reply.header("content-encoding", "gzip").send(Readable.from("abc".repeat(1000)).pipe(createGzip())),
    hasHead: false,
  },
  "fastify-stream-that-breaks": {
    handle: (_request, reply) => reply.send(Readable.from(breaking())),
    hasHead: false,
  },
  "fastify-trailer": {
    handle: (_request, reply) =>
      reply.trailer("x-sum", (_reply, _payload, done) => done(null, "6")).send(Readable.from(["abc"])),
    hasHead: false,
    isHttp1: true,
  },
  "fastify-thrown": {
    handle() {
      throw appError({ statusCode: 409 });
    },
  },
  "fastify-rejected": { handle: async () => Promise.reject(appError()) },
  "fastify-sent-error": { handle: (_request, reply) => reply.code(422).send(appError()) },
  "fastify-handled-by-the-application": {
    handle() {
      throw appError({ code: "APP" });
    },
  },
  "fastify-not-found": { handle: (_request, reply) => reply.callNotFound() },
  "fastify-raw-write": {
    handle(_request, reply) {
      reply.hijack();
      reply.raw.writeHead(200, { "x-raw": "1" });
      reply.raw.end("raw");
    },
  },
  "fastify-length-that-is-wrong": {
    handle: (_request, reply) => reply.header("content-length", "3").send("hello"),
    hasHead: false,
  },
  "fastify-schema": {
    handle: async () => ({ a: 1 }),
    schema: { querystring: { type: "object", required: ["q"] } },
  },
  "fastify-body-that-cannot-be-read": {
    handle: async (request) => request.body,
    method: "POST",
    fields: JSON_FIELD,
    body: "{",
  },
  "fastify-body": {
    handle: async (request) => request.body,
    method: "POST",
    fields: JSON_FIELD,
    body: '{"a":1}',
  },
  "fastify-body-of-no-known-type": {
    handle: async (request) => request.body,
    method: "POST",
    fields: "Content-Type: application/x-odd\r\n",
    body: "odd",
  },
};

function route(app: FastifyInstance): void {
  app.addHook("onResponse", async (_request, reply) => note(`answered ${reply.statusCode}`));
  app.setErrorHandler((error: Error & { code?: string }, _request, reply) =>
    error.code === "APP" ? reply.code(418).send("handled") : reply.send(error),
  );
  for (const [name, { handle, method = "GET", schema }] of Object.entries(FASTIFY_CASES)) {
    app.route({ method, url: `/case/${name}`, handler: handle, ...(schema === undefined ? {} : { schema }) });
  }
  void app.register(async (raw) => {
    // Handlers of Node read the body themselves.
    raw.removeAllContentTypeParsers();
    raw.addContentTypeParser("*", (_request, _payload, done) => done(null));
    raw.all("/case/:name", (request, reply) => {
      reply.hijack();
      void runNodeCase(request.raw, reply.raw);
    });
  });
}

async function start(app: FastifyInstance, isGuarded: boolean): ReturnType<App["start"]> {
  if (isGuarded) fastifyStepgate(app, guardOptions());
  route(app);
  await app.listen({ port: 0, host: "127.0.0.1" });
  return listen(app.server);
}

export const FASTIFY_APPS: readonly App[] = [
  {
    name: "Fastify",
    protocol: "http1",
    cases: { ...NODE_CASES, ...FASTIFY_CASES },
    start: (isGuarded) => start(fastify(), isGuarded),
  },
  {
    name: "Fastify over HTTP/2",
    protocol: "http2",
    cases: overHttp2({ ...NODE_CASES, ...FASTIFY_CASES }),
    start: (isGuarded) => start(fastify({ http2: true }) as unknown as FastifyInstance, isGuarded),
  },
];
