/** The head of a response on Node: edited once by each middleware, however often it is written, or never written. */
import { createServer, IncomingMessage, request, ServerResponse } from "node:http";
import type { RequestListener } from "node:http";
import { Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import { onHead } from "../../src/adapters/node-response.ts";
import { stepgate } from "../../src/adapters/node.ts";
import type { NodeStepgateOptions } from "../../src/adapters/node.ts";
import type { SecurityEvent } from "../../src/engine/index.ts";
import { collectGarbage } from "../support/garbage.ts";
import { keys, operations } from "./kit.ts";

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

/** Adds a header to every response. */
const marking = (name: string): NodeStepgateOptions => ({
  operations,
  keys,
  rules: [
    {
      phase: "http_response_headers_transform",
      action: "rewrite",
      expression: "true",
      action_parameters: { headers: { [name]: { operation: "add", value: "yes" } } },
    },
  ],
});

test("two middlewares in one application edit a head once each", async () => {
  const [outer, inner] = [stepgate(marking("x-outer")), stepgate(marking("x-inner"))];
  const port = await serve((req, res) => outer(req, res, () => inner(req, res, () => res.end("balance"))));
  const { headers } = await fetch(`http://127.0.0.1:${port}/page`);
  expect([headers.get("x-outer"), headers.get("x-inner")]).toEqual(["yes", "yes"]);
});

test("one who has kept `writeHead` may call it once more, and gets what Node says to that", async () => {
  const guard = stepgate({ operations, keys });
  const errors: unknown[] = [];
  const port = await serve((req, res) =>
    guard(req, res, () => {
      const kept = res.writeHead.bind(res);
      kept(200, { "x-first": "yes" });
      try {
        kept(200, { "x-second": "yes" });
      } catch (error) {
        errors.push((error as NodeJS.ErrnoException).code);
      }
      res.end("balance");
    }),
  );
  const { headers } = await fetch(`http://127.0.0.1:${port}/accounts/1/balance`);
  expect(headers.getSetCookie()).toHaveLength(1);
  expect(errors).toEqual(["ERR_HTTP_HEADERS_SENT"]);
});

test("a rule that fired is told of, also when the visitor leaves before there is a head", async () => {
  const events: SecurityEvent[] = [];
  const guard = stepgate({
    operations,
    keys,
    rules: [{ ref: "watched", action: "log", expression: 'http.request.uri.path eq "/watched"' }],
    onEvent: (event) => events.push(event),
  });
  const arrived = Promise.withResolvers<void>();
  // It never answers.
  const port = await serve((req, res) => guard(req, res, () => arrived.resolve()));
  const asked = request({ port, host: "127.0.0.1", path: "/watched" });
  asked.on("error", () => undefined).end();
  await arrived.promise;
  asked.destroy();
  await vi.waitFor(() => expect(events).toMatchObject([{ ruleRef: "watched", status: 499 }]));
});

function startHeavy(): ServerResponse {
  const res = new ServerResponse(new IncomingMessage(new Socket()));
  onHead(res, { edit: (_status, headers) => headers });
  return Object.assign(res, { weight: Array.from({ length: 500 }, () => "") });
}

test("responses that are over are collected with the young, also when earlier ones have grown old", () => {
  const underWay = Array.from({ length: 16 }, startHeavy);
  collectGarbage();
  const usedBefore = process.memoryUsage().heapUsed;
  for (let round = 0; round < 5_000; round += 1) {
    underWay.shift()?.writeHead(200, {});
    underWay.push(startHeavy());
    if (round % 500 === 0) collectGarbage({ type: "minor" });
  }
  collectGarbage({ type: "minor" });
  collectGarbage({ type: "minor" });
  // All 5,000 weigh 25 MB.
  expect(process.memoryUsage().heapUsed - usedBefore).toBeLessThan(8e6);
});
