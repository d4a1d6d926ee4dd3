/** Koa over both protocols: handlers of Node in it, and what Koa itself makes of bodies and errors. */
import { createReadStream } from "node:fs";
import { createServer } from "node:http";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { createGzip } from "node:zlib";
import Koa from "koa";
import { koaStepgate } from "../../../src/adapters/node.ts";
import { asHttp2, listen, overHttp2, runNodeCase } from "./apps.ts";
import type { App } from "./apps.ts";
import { appError, atGate, breaking, guardOptions, note, slowly } from "./kit.ts";
import type { Case } from "./kit.ts";
import { NODE_CASES } from "./node-cases.ts";

interface KoaCase extends Case {
  readonly handle: (ctx: Koa.Context, next: Koa.Next) => unknown;
}

const FILE = fileURLToPath(new URL("../../../package-lock.json", import.meta.url));

const KOA_CASES: Readonly<Record<string, KoaCase>> = {
  "koa-text": { handle: (ctx) => (ctx.body = "hello") },
  "koa-json": { handle: (ctx) => (ctx.body = { a: 1 }) },
  "koa-null": { handle: (ctx) => (ctx.body = null) },
  "koa-status-alone": { handle: (ctx) => (ctx.status = 202) },
  "koa-message": {
    handle(ctx) {
      ctx.status = 299;
      ctx.message = "As Ever";
      ctx.body = "a";
    },
    isHttp1: true,
  },
  "koa-not-modified": {
    handle(ctx) {
      ctx.status = 200;
      ctx.etag = "1";
      if (ctx.fresh) ctx.status = 304;
      else ctx.body = "a";
    },
    fields: 'If-None-Match: "1"\r\n',
  },
  "koa-redirect": { handle: (ctx) => ctx.redirect("/elsewhere") },
  "koa-cookies": {
    handle(ctx) {
      ctx.cookies.set("a", "1");
      ctx.cookies.set("b", "2");
      ctx.body = "a";
    },
  },
  "koa-stream": { handle: (ctx) => (ctx.body = Readable.from(slowly("one ", "two"))), hasHead: false },
  "koa-file": {
    handle(ctx) {
      ctx.type = "json";
      ctx.body = createReadStream(FILE);
    },
    hasHead: false,
  },
  "koa-response-of-the-web": {
    handle: (ctx) => (ctx.body = new Response("web", { status: 203, headers: { "x-web": "1" } })),
  },
  "koa-compressed": {
    handle(ctx) {
      ctx.set("Content-Encoding", "gzip");
      ctx.body = Readable.from("abc".repeat(1000)).pipe(createGzip());
    },
    hasHead: false,
  },
  "koa-stream-that-breaks": { handle: (ctx) => (ctx.body = Readable.from(breaking())), hasHead: false },
  "koa-thrown": {
    handle() {
      throw appError({ status: 409, expose: true });
    },
  },
  "koa-thrown-with-fields": {
    handle(ctx) {
      ctx.set("X-Lost", "1");
      throw appError({ headers: { "X-Kept": "1" } });
    },
  },
  "koa-ctx-throw": { handle: (ctx) => ctx.throw(401, "not you") },
  "koa-rejected": { handle: async () => Promise.reject(appError()) },
  "koa-no-answer-here": { handle: (_ctx, next) => next() },
  "koa-caught-further-out": {
    handle(ctx) {
      ctx.state["catches"] = true;
      throw appError();
    },
  },
  "koa-thrown-after-the-head": {
    async handle(ctx) {
      ctx.respond = false;
      ctx.res.writeHead(200);
      ctx.res.write("one ");
      await atGate();
      ctx.res.destroy();
      throw appError();
    },
    hasHead: false,
  },
};

function createKoa(isGuarded: boolean): Koa {
  const app = new Koa();
  app.on("error", (error: Error) => note(`error ${error.message}`));
  if (isGuarded) app.use(koaStepgate(guardOptions()));
  app.use(async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      if (ctx.state["catches"] !== true) throw error;
      ctx.status = 418;
      ctx.body = "caught";
    }
  });
  app.use((ctx, next) => {
    const own = KOA_CASES[ctx.path.slice("/case/".length)];
    if (own !== undefined) return own.handle(ctx, next);
    ctx.respond = false;
    ctx.res.statusCode = 200;
    return runNodeCase(ctx.req, ctx.res);
  });
  return app;
}

/** Koa itself never ends what it answers to HEAD over HTTP/2 after an error. */
const withoutHeadOfErrors = (cases: App["cases"]): App["cases"] =>
  Object.fromEntries(
    Object.entries(cases).map(([name, asked]) => [
      name,
      /^koa-(?:.*thrown|ctx-throw|rejected)/.test(name) ? { ...asked, hasHead: false } : asked,
    ]),
  );

export const KOA_APPS: readonly App[] = [
  {
    name: "Koa",
    protocol: "http1",
    cases: { ...NODE_CASES, ...KOA_CASES },
    start: (isGuarded) => listen(createServer(createKoa(isGuarded).callback())),
  },
  {
    name: "Koa over HTTP/2",
    protocol: "http2",
    cases: withoutHeadOfErrors(overHttp2({ ...NODE_CASES, ...KOA_CASES })),
    start: (isGuarded) => listen(asHttp2(createKoa(isGuarded).callback())),
  },
];
