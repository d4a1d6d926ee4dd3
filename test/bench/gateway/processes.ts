/** Starts the bench's peers and reads what they cost. Linux only: CPU times come from /proc. */
import { fork, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findProgram } from "../../setup/run.ts";
import { installPackages } from "../../setup/system-packages.ts";
import type { PeerKind } from "./kinds.ts";

export interface Peer {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  /** CPU microseconds used so far by the process and its children. */
  cpuMicros(): Promise<number>;
  stop(): Promise<void>;
}

/** @throws {Error} when the program is neither there nor can be installed */
export async function requireProgram(name: string, debianPackage: string): Promise<string> {
  const found = await findOrInstall(name, debianPackage);
  if (found === undefined) throw new Error(`the bench needs \`${name}\`: install ${debianPackage}`);
  return found;
}

async function findOrInstall(name: string, debianPackage: string): Promise<string | undefined> {
  const [found] = findProgram([name]);
  if (found !== undefined) return found;
  return (await installPackages([debianPackage], say)) ? findProgram([name])[0] : undefined;
}

function say(line: string): void {
  process.stderr.write(`bench: ${line}\n`);
}

/** @param execArgv flags for Node, such as `--cpu-prof` */
export function startPeer(kind: PeerKind, origin = "", execArgv: readonly string[] = []): Promise<Peer> {
  return startProcess(kind, fileURLToPath(new URL("peer.ts", import.meta.url)), {
    args: [kind, origin],
    execArgv,
  });
}

/** How a program of the bench is started. */
interface ProcessOptions {
  readonly args: readonly string[];
  readonly execArgv?: readonly string[];
}

/** Starts a program that tells its port by an IPC message. */
export async function startProcess(
  name: string,
  module: string,
  { args, execArgv = [] }: ProcessOptions,
): Promise<Peer> {
  const child = fork(module, args, {
    execArgv: [...execArgv],
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const { port } = await new Promise<{ readonly port: number }>((resolve, reject) => {
    child.once("message", (message) => resolve(message as { readonly port: number }));
    child.once("exit", (code) => reject(new Error(`the peer \`${name}\` ended with ${code}`)));
  });
  return {
    name,
    port,
    pid: child.pid ?? 0,
    cpuMicros: () => cpuMicrosOf(child.pid ?? 0),
    stop: () => endChild(child),
  };
}

export interface NginxOptions {
  /** What is done with every request. */
  readonly location: string;
  /** Lines of the `server` block besides. */
  readonly server?: string;
  readonly upstream?: string;
  /** Files of a certificate, for HTTPS with HTTP/2. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
}

/** A location that forwards as the gateway does. */
export const proxyPass = (url: string): string =>
  `proxy_pass ${url}; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;`;

/** Those to clients and to the upstream. */
const NGINX_CONNECTIONS = 32_768;

export async function startNginx(
  name: string,
  { location, server = "", upstream, tls }: NginxOptions,
): Promise<Peer | undefined> {
  const program = await findOrInstall("nginx", "nginx-light");
  if (program === undefined) return undefined;
  const dir = await mkdtemp(join(tmpdir(), "stepgate-nginx-"));
  const port = await freePort();
  const listenAs =
    tls === undefined ? "" : `ssl http2; ssl_certificate ${tls.certFile}; ssl_certificate_key ${tls.keyFile}`;
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (what) => `${what}_temp_path ${join(dir, what)};`,
  );
  await writeFile(
    join(dir, "nginx.conf"),
    `worker_processes 1; daemon off; master_process off; pid ${join(dir, "pid")}; error_log ${join(dir, "error.log")};
     ${process.getuid?.() === 0 ? "user root;" : ""}
     worker_rlimit_nofile ${NGINX_CONNECTIONS}; events { worker_connections ${NGINX_CONNECTIONS}; }
     http { access_log off; keepalive_requests 1000000000; ${paths.join(" ")}
       ${upstream === undefined ? "" : `upstream origin { server ${upstream}; keepalive 256; keepalive_requests 1000000000; }`}
       server { listen 127.0.0.1:${port} ${listenAs}; ${server} location / { ${location} } } }`,
  );
  const child = spawn(program, ["-p", dir, "-c", join(dir, "nginx.conf")], { stdio: "ignore" });
  await reachable(port);
  return {
    name,
    port,
    pid: child.pid ?? 0,
    cpuMicros: () => cpuMicrosOf(child.pid ?? 0),
    async stop() {
      await endChild(child);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/**
 * Of all its threads and the processes that they started; nanoseconds, where `stat` counts in ticks of 10 ms (proc(5),
 * `/proc/PID/schedstat`).
 */
async function cpuMicrosOf(pid: number): Promise<number> {
  const folder = `/proc/${pid}/task`;
  const times = await Promise.all(
    (await readdir(folder)).map(async (thread) => {
      const [onCpuNs] = (await readFile(`${folder}/${thread}/schedstat`, "latin1")).split(" ");
      const children = (await readFile(`${folder}/${thread}/children`, "latin1")).split(" ").filter(Boolean);
      const ofChildren = await Promise.all(children.map((child) => cpuMicrosOf(Number(child))));
      return Number(onCpuNs) / 1000 + sumOf(ofChildren);
    }),
  );
  return sumOf(times);
}

const sumOf = (numbers: readonly number[]): number => numbers.reduce((sum, number) => sum + number, 0);

async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  // A peer of ours ends when its channel does, and so do its workers.
  if (child.connected) child.disconnect();
  else child.kill("SIGTERM");
  await ended;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function reachable(port: number): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    try {
      await fetch(`http://127.0.0.1:${port}/`);
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error(`nothing answers on port ${port}`);
}
