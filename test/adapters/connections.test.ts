/** Connections with the guard and without it: requests one after the other, upgrades, and what handlers throw. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { rawExchange } from "../support/gateway.ts";
import { keys } from "./kit.ts";
import { NODE_APPS } from "./responses/apps.ts";
import type { App, RunningCases } from "./responses/apps.ts";
import { EXPRESS_APPS } from "./responses/express-app.ts";
import { FASTIFY_APPS } from "./responses/fastify-app.ts";
import { KOA_APPS } from "./responses/koa-app.ts";
import { WEB_APPS } from "./responses/web-apps.ts";

const APPS: readonly App[] = [
  ...NODE_APPS,
  ...EXPRESS_APPS,
  ...FASTIFY_APPS,
  ...KOA_APPS,
  ...WEB_APPS,
].filter(({ protocol }) => protocol === "http1");

const get = (name: string, fields = ""): string =>
  `GET /case/${name} HTTP/1.1\r\nHost: shop.example\r\n${fields}\r\n`;

const withoutOurs = (answer: string): string =>
  answer
    .split("\r\n")
    .filter((line) => !/^(?:set-cookie: __Host-sq\.|stepgate-ray:|cache-control:|date:)/i.test(line))
    .map((line) => line.replace(/^[\w-]+:/, (name) => name.toLowerCase()))
    .toSorted()
    .join("\n");

describe.each(APPS.map((app) => [app.name, app] as const))("%s", (_name, app) => {
  let bare: RunningCases;
  let guarded: RunningCases;
  /** Answers that have a length, so that the next one can follow. */
  const answers = ["text", "own-length", "end-alone"].filter((name) => name in app.cases);

  beforeAll(async () => {
    bare = await app.start(false);
    guarded = await app.start(true);
    for (const { server } of [bare, guarded]) {
      const sockets = new WebSocketServer({ server, path: "/socket" });
      sockets.on("connection", (socket) => {
        socket.on("message", (text: Buffer) => socket.send(`echo ${text.toString()}`));
      });
    }
  });
  afterAll(async () => {
    await bare.close();
    await guarded.close();
  });

  test("requests sent at once are answered in their order, on one connection", async () => {
    const names = [...answers, ...answers];
    const requests = [...names.map((name) => get(name)), get(answers[0]!, "Connection: close\r\n")].join("");
    const withUs = await rawExchange(guarded.port, requests);
    expect(withoutOurs(withUs)).toBe(withoutOurs(await rawExchange(bare.port, requests)));
    expect(withUs.match(/^set-cookie: __Host-sq\./gim)).toHaveLength(names.length + 1);
    expect(withUs.match(/HTTP\/1\.1 200/g)).toHaveLength(names.length + 1);
  });

  test("a WebSocket is opened, talks and is closed as without us", async () => {
    const seen = await Promise.all([bare, guarded].map(({ port }) => talk(port)));
    expect(seen[1]).toEqual(seen[0]);
    expect(seen[1]?.slice(-2)).toEqual(["echo hello", "closed 4000 bye"]);
  });
});

async function talk(port: number): Promise<readonly string[]> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/socket`, { headers: { host: "shop.example" } });
  const seen: string[] = [];
  socket.on("upgrade", ({ statusCode, headers }: IncomingMessage) =>
    seen.push(String(statusCode), ...Object.keys(headers).toSorted()),
  );
  socket.on("message", (text: Buffer) => {
    seen.push(text.toString());
    socket.close(4000, "bye");
  });
  await once(socket, "open");
  socket.send("hello");
  const [code, reason] = (await once(socket, "close")) as [number, Buffer];
  return [...seen, `closed ${code} ${reason.toString()}`];
}

/** Servers whose handler fails at the first or the second request; the first one of all waits for the keys. */
const FAILING = `
import { once } from "node:events";
import { createServer } from "node:http";
import { defineOperations, stepgate } from "./src/adapters/node.ts";
const [isGuarded, isHeard, keys] = JSON.parse(process.argv[1]);
let heard = () => undefined;
if (isHeard) {
  process.on("uncaughtException", (error, origin) => heard(origin + " " + error.message));
  process.on("unhandledRejection", (error) => heard("rejection " + error.message));
}
const operations = defineOperations({ look: "GET /look" });
async function fail(kind, at) {
  let count = 0;
  const handler = (req, res) => {
    count += 1;
    if (count < at) return res.end("fine");
    if (kind === "rejects") return Promise.reject(new Error("boom"));
    throw new Error("boom");
  };
  let guard = isGuarded ? undefined : (req, res, next) => next();
  const server = createServer((req, res) => {
    guard ??= stepgate({ operations, keys });
    guard(req, res, () => handler(req, res));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const said = new Promise((resolve) => (heard = resolve));
  for (let request = 1; request <= at; request += 1) {
    const response = fetch("http://127.0.0.1:" + server.address().port + "/look");
    if (request === at) response.catch(() => undefined);
    else console.log((await response).status);
  }
  console.log(kind, at, await said);
  server.close();
  server.closeAllConnections();
}
for (const kind of ["throws", "rejects"]) for (const at of [1, 2]) await fail(kind, at);
`;

/** What a process says, and how it ends. */
function fate(isGuarded: boolean, isHeard: boolean): Promise<string> {
  return new Promise((resolve) => {
    const args = ["--input-type=module", "--eval", FAILING, JSON.stringify([isGuarded, isHeard, keys])];
    const cwd = new URL("../../", import.meta.url);
    const child = execFile(process.execPath, args, { cwd, timeout: 20_000 }, (_error, stdout, stderr) => {
      const errors = stderr.split("\n").filter((line) => /^\w*Error/.test(line));
      resolve([stdout, ...errors, `exit ${child.exitCode}`].join("\n"));
    });
  });
}

test.each([
  [
    "a process that listens hears of",
    true,
    "throws 1 uncaughtException boom\n200\nthrows 2 uncaughtException boom",
  ],
  ["a process that does not listen ends with", false, "Error: boom\nexit 1"],
] as const)("%s what a handler of node:http throws", async (_what, isHeard, expected) => {
  const [withUs, without] = await Promise.all([fate(true, isHeard), fate(false, isHeard)]);
  expect(withUs).toBe(without);
  expect(withUs).toContain(expected);
});
