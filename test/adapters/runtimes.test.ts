/**
 * The journeys on Deno, Bun and workerd, one process of each. Their binaries have a hundred megabytes each and are no
 * dependencies of the project: `npm run setup` finds or installs them. What it could not is skipped by name.
 */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { rolldown } from "rolldown";
import { afterAll, beforeAll } from "vitest";
import { readTestTools } from "../setup/tools.ts";
import type { FoundRuntime, RuntimeName } from "../setup/tools.ts";
import { describeJourneys } from "./journey.ts";
import { CLOCK_FIELD, sendTo } from "./kit.ts";

interface RuntimeRow {
  readonly name: RuntimeName;
  /** Writes what it needs beside `bundle.js`. @returns arguments of the command */
  prepare(dir: string, port: number): Promise<readonly string[]>;
}

const RUNTIMES: readonly RuntimeRow[] = [
  {
    name: "deno",
    prepare: async (_dir, port) => [
      "serve",
      "--quiet",
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

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "stepgate-runtimes-"));
  const build = await rolldown({
    input: new URL("runtime-app.ts", import.meta.url).pathname,
    platform: "neutral",
    logLevel: "silent",
  });
  await build.write({ file: join(dir, "bundle.js"), format: "esm" });
  await build.close();
});

const running: ChildProcess[] = [];
afterAll(async () => {
  for (const server of running) {
    server.kill("SIGKILL");
    if (server.exitCode === null && server.signalCode === null) await once(server, "exit");
  }
  await rm(dir, { recursive: true });
});

async function serve(command: string, row: RuntimeRow): Promise<number> {
  const port = await freePort();
  const args = await row.prepare(dir, port);
  const server = spawn(command, args, { cwd: dir, stdio: ["ignore", "ignore", "inherit"] });
  running.push(server);
  await reachable(port, server);
  return port;
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

/** @returns what `npm run setup` found; what it has not looked for yet is missing too */
function found(name: RuntimeName): FoundRuntime {
  try {
    return readTestTools().runtimes[name];
  } catch {
    return { file: null, reason: "`npm run setup` has not been run" };
  }
}

for (const row of RUNTIMES) {
  const runtime = found(row.name);
  // A visitor's state is in its cookies and the clock in each request, so one process serves every journey.
  let port: Promise<number> | undefined;
  describeJourneys({
    name: `stepgate/fetch on ${row.name}`,
    tells: true,
    async start(clock) {
      port ??= serve(runtime.file ?? row.name, row);
      const send = sendTo(await port);
      return {
        send(request) {
          if (clock !== undefined) request.headers.set(CLOCK_FIELD, String(clock.now()));
          return send(request);
        },
        close: async () => undefined,
      };
    },
    ...(runtime.file === null ? { skip: runtime.reason } : {}),
  });
}
