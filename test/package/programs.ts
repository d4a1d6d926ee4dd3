/** Runs a program of the documentation and visits it. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { createVisitor } from "../../src/testing/index.ts";

export interface Program {
  /** Executable of Node. */
  readonly node: string;
  readonly cwd: string;
  readonly file: string;
}

/** What every program answers: to a transfer, a look at the balance, and a transfer again. */
export const EXPECTED_JOURNEY: readonly string[] = [
  "403 blocked",
  '200 {"balance":100}',
  '200 {"sent":true,"before":["<short id>"]}',
];

/** @throws {Error} when the program ends or does not listen */
export async function visitProgram({ node, cwd, file }: Program): Promise<readonly string[]> {
  const port = await freePort();
  const keys = { keys: [{ kty: "oct", kid: "a", use: "enc", k: randomBytes(32).toString("base64url") }] };
  const server = spawn(node, [file], {
    cwd,
    env: { ...process.env, PORT: String(port), HOST: "127.0.0.1", STEPGATE_KEYS: JSON.stringify(keys) },
    stdio: ["ignore", "ignore", "inherit"],
  });
  try {
    await reachable(port, server);
    const visitor = createVisitor({ target: `http://127.0.0.1:${port}` });
    const early = await visitor.post("/transfer");
    const look = await visitor.get("/accounts/7/balance");
    const transfer = await visitor.post("/transfer");
    return [
      `${early.status} ${early.decision}`,
      ...[look, transfer].map(
        ({ status, body }) => `${status} ${body.replace(/"[0-9a-f]{8}"/, '"<short id>"')}`,
      ),
    ];
  } finally {
    server.kill("SIGKILL");
    if (server.exitCode === null && server.signalCode === null) await once(server, "exit");
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function reachable(port: number, server: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (server.exitCode !== null) throw new Error(`the program ended with ${server.exitCode}`);
    try {
      await (await fetch(`http://127.0.0.1:${port}/`)).body?.cancel();
      return;
    } catch {
      await wait(100);
    }
  }
  throw new Error("the program did not listen within twenty seconds");
}
