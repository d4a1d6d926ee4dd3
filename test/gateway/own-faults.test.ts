/** Defects of ours when the origin has answered: 500 and a line that says so; no origin is blamed or asked again. */
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo, Server } from "node:net";
import type { Duplex } from "node:stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { dialTls, requestHttp1, startGateway } from "../support/gateway.ts";
import type { TestGateway } from "../support/gateway.ts";
import { A, rule, ruleset, zone } from "../support/engine.ts";

let origin: Server;
let gateway: TestGateway;
let asked: string[];
let upgraded: Duplex[];

const DEFECT = new Error("a defect of ours");
const fails = {
  "at once": () => {
    throw DEFECT;
  },
  later: () => Promise.reject(DEFECT),
};

beforeEach(async () => {
  asked = [];
  upgraded = [];
  const server = createServer((req, res) => {
    asked.push(req.url ?? "");
    res.end("fine");
  });
  server.on("upgrade", (req, socket) => {
    asked.push(req.url ?? "");
    upgraded.push(socket);
    socket.on("error", () => socket.destroy());
    socket.once("end", () => socket.end()).resume();
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = server;
});
afterEach(async () => {
  await gateway.close();
  for (const socket of upgraded) socket.destroy();
  await new Promise((resolve) => origin.close(resolve));
});

/** Recording the operation `A` fails. */
async function start(record: () => Promise<never>): Promise<void> {
  const url = `http://127.0.0.1:${(origin.address() as AddressInfo).port}`;
  gateway = await startGateway({
    zones: [zone({ origin: url, operations: [A] })],
    gateway: { trackerFor: () => ({ read: () => ({ sequence: { entries: [] }, id: "", record }) }) },
  });
}

async function handshake(path: string): Promise<string> {
  const socket = await dialTls(gateway.port);
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: shop.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
  );
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
  await new Promise((resolve) => socket.once("close", resolve));
  return text;
}

const reasons = (): readonly string[] => gateway.problems.map(({ reason }) => reason);

describe.each(Object.entries(fails))("a response's hook that fails %s", (_when, record) => {
  test("is answered 500, and the next request is served", async () => {
    await start(record);
    const { status, headers, body } = await requestHttp1(gateway.port, { path: "/a" });
    expect(status).toBe(500);
    expect(headers["stepgate-ray"]).toMatch(/^[0-9a-f]{16}$/);
    expect(body).not.toContain("fine");
    expect(body).not.toContain(DEFECT.message);
    expect(gateway.problems).toMatchObject([{ reason: "internal", error: DEFECT }]);
    expect((await requestHttp1(gateway.port, { path: "/x" })).body).toBe("fine");
    expect(asked).toEqual(["/a", "/x"]);
  });

  test("of a handshake, too, of which the origin hears the end", async () => {
    await start(record);
    expect(await handshake("/a")).toMatch(/^HTTP\/1\.1 500 /);
    expect(gateway.problems).toMatchObject([{ reason: "internal", error: DEFECT }]);
    expect(asked).toEqual(["/a"]);
    await expect.poll(() => upgraded.map((socket) => socket.destroyed)).toEqual([true]);
  });
});

describe("a listener of events that fails", () => {
  const logged = ruleset([rule('http.request.uri.path eq "/x"', { action: "log" })]);
  const listen = async (url: string): Promise<void> => {
    gateway = await startGateway({
      zones: [zone({ origin: url, rulesets: [logged] })],
      gateway: {
        onEvent: () => {
          throw DEFECT;
        },
      },
    });
  };

  test("does not keep the answer for an origin that cannot be reached", async () => {
    await listen("http://127.0.0.1:1");
    expect((await requestHttp1(gateway.port, { path: "/x" })).status).toBe(502);
    expect(await handshake("/x")).toMatch(/^HTTP\/1\.1 502 /);
    expect(reasons()).toEqual(["origin_unreachable", "internal", "origin_unreachable", "internal"]);
  });

  test("does not harm the others when a visitor leaves", async () => {
    origin
      .removeAllListeners("request")
      .once("request", (req: IncomingMessage) => void asked.push(req.url ?? ""));
    await listen(`http://127.0.0.1:${(origin.address() as AddressInfo).port}`);
    const leaving = await dialTls(gateway.port);
    leaving.write("GET /x HTTP/1.1\r\nHost: shop.example\r\n\r\n");
    await expect.poll(() => asked).toEqual(["/x"]);
    leaving.destroy();
    await expect.poll(reasons).toEqual(["internal"]);
    origin.once("request", (_req, res: ServerResponse) => res.end("fine"));
    expect((await requestHttp1(gateway.port, { path: "/y" })).body).toBe("fine");
  });
});
