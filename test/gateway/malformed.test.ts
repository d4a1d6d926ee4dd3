/** Clients that go on sending behind what cannot be read. */
import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { promisify } from "node:util";
import { afterEach, expect, test } from "vitest";
import { answerMalformed } from "../../src/gateway/malformed.ts";
import { untilClosed } from "../support/gateway.ts";

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** A connection to a server that answers what is malformed as the gateway does. */
async function dial(): Promise<{
  readonly client: Socket;
  readonly failures: Error[];
  readonly connections: () => Promise<number>;
}> {
  const failures: Error[] = [];
  const server = createServer(() => undefined);
  server.on("clientError", (error, socket) => {
    failures.push(error);
    answerMalformed(error, socket as Socket, { onProblem: () => undefined });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  cleanups.push(
    () => client.destroy(),
    () => server.close(),
  );
  client.on("error", () => undefined);
  const getConnections = promisify(server.getConnections.bind(server));
  return { client, failures, connections: () => getConnections() };
}

const TOO_LARGE = `GET / HTTP/1.1\r\nHost: shop.example\r\nCookie: ${"a=1; ".repeat(10_000)}`;

test("who pours on behind a header section that is too large has an answer and is cut, and nothing of it is parsed", async () => {
  const { client, failures } = await dial();
  const ended = untilClosed(client);
  const pour = (): void => {
    while (!client.destroyed && client.write(TOO_LARGE));
  };
  client.on("drain", pour);
  pour();
  const { text, afterMs } = await ended;
  expect(afterMs).toBeLessThan(3_000);
  expect(text).toMatch(/^HTTP\/1\.1 431 /);
  expect(failures).toHaveLength(1);
});

test("who stops soon has an orderly end, and is gone before the time to linger is over", async () => {
  const { client, connections } = await dial();
  const startAt = performance.now();
  const errors: Error[] = [];
  client.on("error", (error) => errors.push(error));
  client.write(TOO_LARGE);
  const [answer] = (await once(client, "data")) as [Buffer];
  client.write("a=1; ".repeat(5_000));
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 431 /);
  await untilClosed(client);
  await expect.poll(connections).toBe(0);
  expect(performance.now() - startAt).toBeLessThan(900);
  expect(errors).toEqual([]);
});
