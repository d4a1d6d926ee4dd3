/**
 * The journeys on Deno, Bun and workerd. Their binaries have a hundred megabytes each and are no dependencies of the
 * project: they are looked for in `STEPGATE_RUNTIMES` (a folder, such as `node_modules/.bin` of a project into which
 * `npm install deno bun workerd` put them) and in PATH. What is not found is skipped by name.
 */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { rolldown } from "rolldown";
import type { TestClock } from "../../src/testing/index.ts";
import { describeJourneys } from "./journey.ts";
import { CLOCK_FIELD, sendTo } from "./kit.ts";
import type { RunningApp } from "./kit.ts";

interface RuntimeRow {
  readonly name: string;
  /** Writes what it needs beside `bundle.js`. @returns arguments of the command */
  prepare(dir: string, port: number): Promise<readonly string[]>;
}

const RUNTIMES: readonly RuntimeRow[] = [
  {
    name: "deno",
    prepare: async (_dir, port) => [
      "serve",
      "--no-config",
      "--host",
      "127.0.0.1",
      "--port",
      String(port),
      "bundle.js",
    ],
  },
  {
    name: "bun",
    async prepare(dir, port) {
      const program = `import app from "./bundle.js";\nBun.serve({ port: ${port}, hostname: "127.0.0.1", fetch: app.fetch });\n`;
      await writeFile(join(dir, "serve.js"), program);
      return ["run", "serve.js"];
    },
  },
  {
    name: "workerd",
    async prepare(dir, port) {
      const config = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .app)],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")]
);
const app :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "bundle.js")],
  compatibilityDate = "2026-01-01"
);
`;
      await writeFile(join(dir, "config.capnp"), config);
      return ["serve", "config.capnp"];
    },
  },
];

const folders = [process.env["STEPGATE_RUNTIMES"] ?? "", ...(process.env["PATH"] ?? "").split(delimiter)];
const find = (name: string): string | undefined =>
  folders.map((folder) => join(folder, name)).find((path) => folder(path) && existsSync(path));
/** An empty entry of PATH means the current folder, which is not asked. */
const folder = (path: string): boolean => path.startsWith("/");

async function startRuntime(command: string, row: RuntimeRow, clock: TestClock): Promise<RunningApp> {
  const dir = await mkdtemp(join(tmpdir(), "stepgate-runtime-"));
  const build = await rolldown({
    input: new URL("runtime-app.ts", import.meta.url).pathname,
    platform: "neutral",
    logLevel: "silent",
  });
  await build.write({ file: join(dir, "bundle.js"), format: "esm" });
  await build.close();
  const port = await freePort();
  const server = spawn(command, await row.prepare(dir, port), {
    cwd: dir,
    stdio: ["ignore", "ignore", "inherit"],
  });
  await reachable(port, server);
  const send = sendTo(port);
  return {
    port,
    send: (request) => {
      request.headers.set(CLOCK_FIELD, String(clock.now()));
      return send(request);
    },
    async close() {
      server.kill("SIGKILL");
      await rm(dir, { recursive: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function reachable(port: number, server: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    if (server.exitCode !== null) throw new Error(`the runtime ended with ${server.exitCode}`);
    try {
      await (await fetch(`http://127.0.0.1:${port}/page`)).body?.cancel();
      return;
    } catch {
      await wait(100);
    }
  }
  throw new Error("the runtime did not listen within ten seconds");
}

for (const row of RUNTIMES) {
  const command = find(row.name);
  describeJourneys({
    name: `stepgate/fetch on ${row.name}`,
    tells: true,
    start: (clock) => startRuntime(command ?? row.name, row, clock as TestClock),
    ...(command === undefined ? { skip: "its binary is neither in STEPGATE_RUNTIMES nor in PATH" } : {}),
  });
}
