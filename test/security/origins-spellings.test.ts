/**
 * The spellings against real frameworks: no spelling runs the handler without being the operation, straight through
 * the gateway and with nginx between us and the framework.
 */
import { createServer, request } from "node:http";
import type { RequestListener, Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { askOrigin } from "../../src/cli/probe-origin-ask.ts";
import { probe } from "../../src/cli/probe-origin-report.ts";
import { spellingsOf } from "../../src/cli/probe-origin-spellings.ts";
import type { PathOptions } from "../../src/operation/index.ts";
import { operation, rule, ruleset, zone } from "../support/engine.ts";
import { startGateway, testCertificate } from "../support/gateway.ts";
import type { TestGateway } from "../support/gateway.ts";
import { nginx, startNginx } from "../support/peers.ts";
import spellings from "../vectors/path-spellings.json" with { type: "json" };

const require = createRequire(import.meta.url);
const PATH = "/api/v1/transferFunds";

/** A route for GET in the manner of Express; the part of the frameworks' types that is used here. */
interface ExpressApp {
  (req: unknown, res: unknown): void;
  get(path: string, handler: (req: unknown, res: { send(body: string): void }) => void): void;
}

const FRAMEWORKS: Readonly<Record<string, () => Promise<RequestListener>>> = {
  "express 5": async () => expressApp("express"),
  "express 4": async () => expressApp("express4"),
  fastify: async () => {
    const { default: fastify } = await import("fastify");
    const app = fastify();
    app.get(PATH, async () => "transfer");
    await app.ready();
    return (req, res) => app.routing(req, res);
  },
  "fastify, loose": async () => {
    const { default: fastify } = await import("fastify");
    const app = fastify({
      routerOptions: { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true, caseSensitive: false },
    });
    app.get(PATH, async () => "transfer");
    await app.ready();
    return (req, res) => app.routing(req, res);
  },
  koa: async () => {
    const Koa = require("koa") as new () => {
      use(middleware: unknown): unknown;
      callback(): RequestListener;
    };
    const { Router } = (await import("@koa/router")) as unknown as {
      Router: new () => {
        get(path: string, run: (context: { body: string }) => void): void;
        routes(): unknown;
      };
    };
    const router = new Router();
    router.get(PATH, (context) => {
      context.body = "transfer";
    });
    const app = new Koa();
    app.use(router.routes());
    return app.callback();
  },
  hono: async () => {
    const { Hono } = await import("hono");
    const { getRequestListener } = await import("@hono/node-server");
    const app = new Hono();
    app.get(PATH, (context) => context.text("transfer"));
    // Its own Response would replace the global one, and h3 beside it would no longer know its answers.
    return getRequestListener(app.fetch, { overrideGlobalObjects: false });
  },
  h3: async () => {
    const { H3, toNodeHandler } = await import("h3");
    return toNodeHandler(new H3().get(PATH, () => "transfer"));
  },
};

function expressApp(name: string): RequestListener {
  const express = require(name) as () => ExpressApp;
  const app = express();
  app.get(PATH, (_req, res) => res.send("transfer"));
  return app;
}

interface Started {
  readonly url: string;
  readonly server: Server;
  hits: number;
}

const TRANSFER = operation("eeeeeeee", "GET", PATH);
/** Spelled twice: every thirteenth of some 1,800, which are other ones for each first spelling. */
const SPELLED_TWICE = spellingsOf(PATH)
  .flatMap(({ target }) => spellingsOf(target.startsWith("/") ? target : `/${target}`))
  .filter((_, index) => index % 13 === 0);
const TARGETS = [
  ...new Set([
    ...Object.values(spellings).map(({ path }) => path),
    ...[...spellingsOf(PATH), ...SPELLED_TWICE].map(({ target }) => target),
  ]),
];

const cleanups: (() => Promise<unknown> | void)[] = [];
let origins: Readonly<Record<string, Started>> = {};

beforeAll(async () => {
  origins = Object.fromEntries(
    await Promise.all(
      Object.entries(FRAMEWORKS).map(
        async ([name, create]) => [name, await startFramework(await create())] as const,
      ),
    ),
  );
});
afterAll(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function startFramework(listener: RequestListener): Promise<Started> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, hits: 0 };
}

/** A gateway whose rule blocks the operation and nothing else: who gets the handler's answer has dodged it. */
async function startBlocking(origin: string, pathOptions: Partial<PathOptions> = {}): Promise<TestGateway> {
  const guard = rule('cf.sequence.current_op eq "eeeeeeee"');
  const base = zone({ origin, operations: [TRANSFER], rulesets: [ruleset([guard])] });
  const gateway = await startGateway({ zones: [{ ...base, settings: { ...base.settings, pathOptions } }] });
  cleanups.push(() => gateway.close());
  return gateway;
}

/** The answers to all targets, asked one after the other on kept connections, byte for byte. */
async function askAll(port: number, targets: readonly string[]): Promise<readonly string[]> {
  const { ca } = await testCertificate();
  const answers: string[] = [];
  for (let at = 0; at < targets.length; at += 16) {
    answers.push(
      ...(await Promise.all(targets.slice(at, at + 16).map((target) => askRaw(port, ca ?? "", target)))),
    );
  }
  return answers;
}

function askRaw(port: number, ca: string, target: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({
      host: "127.0.0.1",
      port,
      servername: "shop.example",
      ca,
      ALPNProtocols: ["http/1.1"],
    });
    let text = "";
    socket.setTimeout(5_000, () => socket.destroy());
    socket.write(`GET ${target} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n\r\n`, "latin1");
    socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
    socket.on("error", reject);
    socket.on("close", () => resolve(text));
  });
}

const isTransfer = (answer: string): boolean =>
  answer.startsWith("HTTP/1.1 200 ") && answer.endsWith("transfer");

describe.each(Object.keys(FRAMEWORKS))("%s", (name) => {
  test("runs the handler for the plain path", async () => {
    const answer = await askOrigin(new URL(origins[name]?.url ?? ""), PATH, undefined);
    expect(answer.status).toBe(200);
  });

  test(`none of ${TARGETS.length} spellings dodges the operation`, async () => {
    const gateway = await startBlocking(origins[name]?.url ?? "");
    const answers = await askAll(gateway.port, TARGETS);
    expect(TARGETS.filter((_, index) => isTransfer(answers[index] ?? ""))).toEqual([]);
    expect(answers.filter((answer) => answer.startsWith("HTTP/1.1 403 ")).length).toBeGreaterThan(20);
  });

  test("nor with the profile that probe-origin proposes", async () => {
    const url = new URL(origins[name]?.url ?? "");
    const report = await probe(PATH, (target) => askOrigin(url, target, undefined));
    expect(report.spellings.length).toBeGreaterThanOrEqual(42);
    expect(report.dodges).toEqual([]);
    const gateway = await startBlocking(url.origin, report.profile);
    const answers = await askAll(gateway.port, TARGETS);
    expect(TARGETS.filter((_, index) => isTransfer(answers[index] ?? ""))).toEqual([]);
  });
});

describe.skipIf(nginx === undefined)("with nginx behind us (skipped where nginx is not installed)", () => {
  test.each(Object.keys(FRAMEWORKS))("%s: none dodges", async (name) => {
    // With a path in `proxy_pass` nginx normalises what it forwards: the worst case behind us.
    const peer = await startNginx(`${origins[name]?.url ?? ""}/`);
    cleanups.push(() => peer.close());
    const gateway = await startBlocking(`http://127.0.0.1:${peer.port}`);
    const answers = await askAll(gateway.port, TARGETS);
    expect(TARGETS.filter((_, index) => isTransfer(answers[index] ?? ""))).toEqual([]);
    expect(await askPlain(peer.port)).toBe("transfer");
  });
});

function askPlain(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ host: "127.0.0.1", port, path: PATH, agent: false }, (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => (body += chunk.toString()));
      response.on("end", () => resolve(body));
    })
      .on("error", reject)
      .end();
  });
}
