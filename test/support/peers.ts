/** nginx and HAProxy as processes of a test, where they are installed (`npm run setup` tries). */
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findProgram } from "../setup/run.ts";

export interface Peer {
  readonly port: number;
  close(): Promise<void>;
}

const START_TIMEOUT_MS = 10_000;

/** Absolute paths; `undefined` where a program is not installed. */
export const nginx = findProgram(["nginx"])[0];
export const haproxy = findProgram(["haproxy"])[0];

/** @param originUrl what `proxy_pass` gets; a URL with a path makes nginx normalise what it forwards */
export function startNginx(originUrl: string): Promise<Peer> {
  return start(nginx, ({ dir, port }) => {
    const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
      (what) => `${what}_temp_path ${join(dir, what)};`,
    );
    const { host, pathname } = new URL(originUrl);
    return {
      args: (file) => ["-p", dir, "-c", file],
      text: `daemon off; master_process off; pid ${join(dir, "pid")}; error_log ${join(dir, "error.log")};
        events {} http { access_log off; ${temp.join(" ")}
        upstream origin { server ${host}; keepalive 4; }
        server { listen 127.0.0.1:${port};
          location / {
            proxy_pass http://origin${originUrl.endsWith("/") ? pathname : ""};
            proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host;
          } } }`,
    };
  });
}

export function startHaproxy(originUrl: string): Promise<Peer> {
  return start(haproxy, ({ port }) => ({
    args: (file) => ["-db", "-q", "-f", file],
    text: `defaults
  mode http
  timeout connect 2s
  timeout client 5s
  timeout server 5s
  http-reuse always
frontend visitors
  bind 127.0.0.1:${port}
  default_backend application
backend application
  server origin ${new URL(originUrl).host}
`,
  }));
}

interface Place {
  /** Removed when the program has ended. */
  readonly dir: string;
  readonly port: number;
}

async function start(
  program: string | undefined,
  configure: (place: Place) => { readonly text: string; readonly args: (file: string) => readonly string[] },
): Promise<Peer> {
  if (program === undefined)
    throw new Error("the program is not installed: skip the test where it is missing");
  const dir = await mkdtemp(join(tmpdir(), "stepgate-peer-"));
  const port = await freePort();
  const { text, args } = configure({ dir, port });
  const file = join(dir, "peer.conf");
  await writeFile(file, text);
  const child = spawn(program, args(file), { stdio: ["ignore", "ignore", "pipe"] });
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  const close = async (): Promise<void> => {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    if (child.exitCode === null && child.signalCode === null && child.kill("SIGTERM")) await ended;
    await rm(dir, { recursive: true, force: true });
  };
  const startAt = performance.now();
  while (!(await accepts(port))) {
    if (child.exitCode !== null || performance.now() - startAt > START_TIMEOUT_MS) {
      await close();
      throw new Error(`${program} did not start: ${errors}`);
    }
    await sleep(25);
  }
  return { port, close };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}
