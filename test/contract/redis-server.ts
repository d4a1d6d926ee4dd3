/** A Redis of its own for a test: on a free port of the loopback, in a folder of its own, ended by its own pid. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface TestRedis {
  readonly port: number;
  readonly url: string;
  /** Starts the server again after `kill`, on the same port, empty. */
  start(): Promise<void>;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
  /** Stops it from running without ending it, and lets it go on. */
  pause(): void;
  resume(): void;
  /** Sends one command, inline, and returns the first line of the reply. */
  command(line: string): Promise<string>;
  /** Ends it and removes its folder. */
  close(): Promise<void>;
}

const START_TIMEOUT_MS = 10_000;

export async function startRedis(): Promise<TestRedis> {
  const folder = await mkdtemp(join(tmpdir(), "stepgate-redis-"));
  const port = await freePort();
  let server: ChildProcess | undefined;

  const command = (line: string): Promise<string> => sendInline(port, line);
  const redis: TestRedis = {
    port,
    url: `redis://127.0.0.1:${port}`,
    async start() {
      server = spawn(
        "redis-server",
        ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder],
        { stdio: "ignore" },
      );
      const failed = once(server, "error").then(([error]: unknown[]) => {
        throw new Error("expected `redis-server` on the PATH, found none; run `npm run setup`", {
          cause: error,
        });
      });
      await Promise.race([failed, untilAnswers(command)]);
    },
    async kill() {
      await end(server, "SIGKILL");
      server = undefined;
    },
    pause: () => void server?.kill("SIGSTOP"),
    resume: () => void server?.kill("SIGCONT"),
    command,
    async close() {
      await redis.kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
  await redis.start();
  return redis;
}

async function end(server: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
  const exited = once(server, "exit");
  server.kill(signal);
  await exited;
}

async function untilAnswers(command: (line: string) => Promise<string>): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (performance.now() < deadline) {
    const reply = await command("PING").catch(() => "");
    if (reply === "+PONG") return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`expected redis-server to answer within ${START_TIMEOUT_MS} ms`);
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function sendInline(port: number, line: string): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1" });
  try {
    await once(socket, "connect");
    socket.write(`${line}\r\n`);
    const [reply] = (await once(socket, "data")) as [Buffer];
    return reply.toString("latin1").split("\r\n", 1)[0] ?? "";
  } finally {
    socket.destroy();
  }
}
