/** Every framework with its cases: an application that is started with and without the guard. */
import { createServer } from "node:http";
import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import type { Http2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { stepgate } from "../../../src/adapters/node.ts";
import { guardOptions, note } from "./kit.ts";
import type { Case } from "./kit.ts";
import { NODE_CASES } from "./node-cases.ts";
import type { NodeHandler } from "./node-cases.ts";

export interface App {
  readonly name: string;
  readonly protocol: "http1" | "http2";
  readonly cases: Readonly<Record<string, Case>>;
  start(isGuarded: boolean): Promise<RunningCases>;
}

export interface RunningCases {
  readonly port: number;
  /** For what is beside requests: upgrades. */
  readonly server: Server;
  /** Resolves when every handler has heard of the end of its response, which is a little later than the client. */
  readonly settled: () => Promise<void>;
  close(): Promise<void>;
}

/** On loopback, at a free port. */
export async function listen(server: Server): Promise<RunningCases> {
  // Applications that insist on `keep-alive` (events of Hono) keep a client waiting that asked for the end.
  if ("keepAliveTimeout" in server)
    Object.assign(server, { keepAliveTimeout: 200, keepAliveTimeoutBuffer: 0 });
  const sessions = new Set<Http2Session>();
  server.on("session", (session: Http2Session) => sessions.add(session));
  const open = new Set<ServerResponse>();
  server.on("request", (_req: IncomingMessage, res: ServerResponse) => {
    open.add(res);
    res.on("close", () => open.delete(res));
  });
  if (!server.listening) {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  }
  return {
    port: (server.address() as AddressInfo).port,
    server,
    settled: async () => {
      for (let attempt = 0; open.size > 0 && attempt < 20; attempt += 1) await wait(5);
      // One of HTTP/2 that is taken from its handler never closes.
      open.clear();
      for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        if ("closeAllConnections" in server) server.closeAllConnections();
        for (const session of sessions) session.destroy();
      }),
  };
}

export const caseOf = (url: string | undefined): string => /^\/case\/([^?]*)/.exec(url ?? "")?.[1] ?? "";

/** A mistake in a case is a difference that nobody can overlook. */
export const runNodeCase: NodeHandler = async (req, res) => {
  try {
    const handler = NODE_CASES[caseOf(req.url)]?.handle;
    if (handler === undefined) throw new Error("no such case");
    await handler(req, res);
  } catch (error) {
    note(`broken case: ${(error as Error).message}`);
    res.destroy();
  }
};

function plain(isGuarded: boolean): RequestListener {
  if (!isGuarded) return (req, res) => void runNodeCase(req, res);
  const guard = stepgate(guardOptions());
  return (req, res) => guard(req, res, () => void runNodeCase(req, res));
}

const nodeHttp: App = {
  name: "node:http",
  protocol: "http1",
  cases: NODE_CASES,
  start: (isGuarded) => listen(createServer(plain(isGuarded))),
};

/** Requests of HTTP/2 in the form of HTTP/1, in which frameworks take them too. */
export const asHttp2 = (listener: (req: IncomingMessage, res: ServerResponse) => unknown): Server =>
  createHttp2Server(listener as never) as unknown as Server;

export const overHttp2 = (cases: Readonly<Record<string, Case>>): Readonly<Record<string, Case>> =>
  Object.fromEntries(Object.entries(cases).filter(([, { isHttp1 = false }]) => !isHttp1));

const nodeHttp2: App = {
  name: "node:http2",
  protocol: "http2",
  cases: overHttp2(NODE_CASES),
  start: (isGuarded) => listen(asHttp2(plain(isGuarded))),
};

export const NODE_APPS: readonly App[] = [nodeHttp, nodeHttp2];
