/** Slow clients of the API's listener, with and without a token: it has the limits of the gateway's. A real process. */
import { connect } from "node:tls";
import type { TLSSocket } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startProcess } from "../cli/start-process.ts";
import type { StartedProcess } from "../cli/start-process.ts";

let stepgate: StartedProcess;
beforeAll(async () => {
  const limits = { headersTimeoutMs: 500, requestTimeoutMs: 1_000, checkingIntervalMs: 100 };
  stepgate = await startProcess({ zones: [{ name: "localhost", origin: "http://127.0.0.1:9" }], limits });
}, 60_000);
afterAll(() => stepgate.stop());

const TIME_OUT = /^HTTP\/1\.1 408 /;

async function send(text: string): Promise<{ readonly answer: string; readonly afterMs: number }> {
  const { apiPort: port, ca } = stepgate;
  const socket: TLSSocket = connect({ host: "127.0.0.1", port, servername: "localhost", ca });
  socket.on("error", () => socket.destroy());
  let answer = "";
  const closed = new Promise((resolve) => socket.once("close", resolve));
  await new Promise((resolve) => socket.once("secureConnect", resolve));
  const startAt = performance.now();
  socket.on("data", (data: Buffer) => {
    answer += data.toString();
    // What has been answered is over; a time-out ends the connection itself.
    if (!TIME_OUT.test(answer)) socket.destroy();
  });
  socket.write(text);
  await closed;
  return { answer, afterMs: performance.now() - startAt };
}

const post = (headers: string): string =>
  `POST /client/v4/zones HTTP/1.1\r\nHost: localhost:${stepgate.apiPort}\r\nContent-Type: application/json\r\n${headers}Content-Length: 1000\r\n\r\n{`;

test("slow headers: 408 in time", async () => {
  const { answer, afterMs } = await send("GET /metrics HTTP/1.1\r\nHost: localhost\r\nX-A: ");
  expect(answer).toMatch(TIME_OUT);
  expect(afterMs).toBeLessThan(3_000);
});

test("a slow body without a token is not waited for", async () => {
  expect((await send(post(""))).answer).toMatch(/^HTTP\/1\.1 40[013] /);
});

test("a slow body with a token: 408 in time", async () => {
  const { answer, afterMs } = await send(post(`Authorization: Bearer ${stepgate.token}\r\n`));
  expect(answer).toMatch(TIME_OUT);
  expect(afterMs).toBeLessThan(4_000);
});
