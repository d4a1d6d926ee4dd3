/**
 * `node test/bench/gateway/floods.ts [SECONDS] [KIND,…]`: what a visitor notices while the gateway is attacked, each kind
 * for some seconds from its first connection on, and what is left afterwards. Linux only.
 *
 * Attackers have machines of their own; here they have to share the visitors'. So they get what the others leave of it
 * (`SCHED_IDLE`, most of a core), and what they do to visitors without the gateway's doing is measured, too: the same
 * attackers against a server that only swallows (the control). `p99 / control` is the gateway's own part,
 * `p99 / quiet` includes the machine's. Then the same visitors and attackers are nginx's.
 */
import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { connect } from "node:http2";
import { Agent } from "node:https";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { askProcess, startProcess } from "../../cli/start-process.ts";
import type { StartedProcess } from "../../cli/start-process.ts";
import { DEFAULT_LISTENER_LIMITS } from "../../../src/gateway/index.ts";
import { ATTACKS } from "./attacks.ts";
import { requestHttp2 } from "../../support/gateway.ts";
import { LARGE_HOST, LARGE_PATH } from "./kinds.ts";
import { quantile } from "./load.ts";
import { proxyPass, requireProgram, startNginx, startPeer } from "./processes.ts";

const SECONDS = Number(process.argv[2] ?? 30);
/** For the attackers to open their connections. */
const MAX_SECONDS = 60;
const KINDS = process.argv[3]?.split(",") ?? Object.keys(ATTACKS);
const PER_SECOND = 100;
const LANES = 8;
/** A visitor's with one request. */
const PATIENCE_MS = 10_000;
/** Ends what the last attack left. */
const PAUSE_MS = 3_000;
/** With each protocol, before anything is measured: a gateway that is attacked has served both for a while. */
const WARM_UP_REQUESTS = 10_000;
/** Over one connection: that handshakes are warm, too. */
const WARM_UP_PER_CONNECTION = 100;
/** Of the first column. */
const NAME_WIDTH = 22;

interface Visits {
  readonly p99Ms: number;
  readonly failures: number;
}

interface UnderAttack extends Visits {
  /** Connections of the attackers at the end, those of them with TLS, and all handshakes until then. */
  readonly standing: number;
  readonly secured: number;
  readonly opened: number;
}

type Counts = Pick<UnderAttack, "standing" | "secured" | "opened">;

function isCounts(said: unknown): said is Counts {
  return typeof said === "object";
}

const chrt = await requireProgram("chrt", "util-linux");
const origin = await startPeer("origin");
const largeOrigin = await startUnimportant("large-origin.ts", []);
const stepgate = await startProcess({
  zones: [
    { name: "localhost", origin: `http://127.0.0.1:${origin.port}` },
    { name: LARGE_HOST, origin: `http://127.0.0.1:${Number(largeOrigin.heard[0])}` },
  ],
  log: { level: "error" },
});
const certs = join(stepgate.dir, "certs");
const certFile = join(certs, "server.crt");
const keyFile = join(certs, "server.key");
const sink = await startUnimportant("sink.ts", [certFile, keyFile]);
const nginx = await startNginx("nginx", {
  location: proxyPass("http://origin"),
  upstream: `127.0.0.1:${origin.port}`,
  tls: { certFile, keyFile },
  server: `client_header_timeout ${DEFAULT_LISTENER_LIMITS.headersTimeoutMs}ms; proxy_max_temp_file_size 0;
    location = ${LARGE_PATH} { ${proxyPass(`http://127.0.0.1:${Number(largeOrigin.heard[0])}`)} }`,
});
try {
  const { gatewayPort: port } = stepgate;
  await warmUp();
  const quiet = await visit(port, () => true);
  const before = await stateOf(stepgate);
  say(`quiet: p99 ${quiet.p99Ms.toFixed(1)} ms, ${textOf(before)}`);
  const peer = nginx && { port: nginx.port, quiet: await visit(nginx.port, () => true) };
  if (peer !== undefined) say(`quiet, nginx: p99 ${peer.quiet.p99Ms.toFixed(1)} ms`);
  for (const kind of KINDS) {
    const control = await visitUnder(kind, { visited: port, attacked: Number(sink.heard[0]) });
    const attacked = await visitUnder(kind, { visited: port, attacked: port });
    report(kind, attacked, { control, quiet });
    say(`${" ".repeat(NAME_WIDTH)} ${textOf(await stateOf(stepgate))}`);
    if (peer === undefined) continue;
    const ofPeer = await visitUnder(kind, { visited: peer.port, attacked: peer.port });
    report("  nginx", ofPeer, { control, quiet: peer.quiet });
  }
  await sleep(10_000);
  const after = await stateOf(stepgate);
  say(`kept: ${(after.rssMb - before.rssMb).toFixed(0)} MB, ${after.files - before.files} files`);
} finally {
  sink.child.disconnect();
  largeOrigin.child.disconnect();
  await nginx?.stop();
  await stepgate.stop();
  await origin.stop();
}

function report(
  name: string,
  { p99Ms, failures, standing, secured, opened }: UnderAttack,
  { control, quiet }: { readonly control: Visits; readonly quiet: Visits },
): void {
  const ratios = [control, quiet].map((base) => (p99Ms / base.p99Ms).toFixed(1).padStart(5));
  say(
    `${name.padEnd(NAME_WIDTH)} p99 ${p99Ms.toFixed(1).padStart(6)} ms  / control ${ratios[0]}  / quiet ${ratios[1]}` +
      `  failures ${failures}  connections ${standing}, ${secured} with TLS, ${opened} handshakes`,
  );
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Ports of servers. */
interface Scene {
  readonly visited: number;
  readonly attacked: number;
}

async function visitUnder(kind: string, { visited, attacked }: Scene): Promise<UnderAttack> {
  const args = [kind, String(attacked), join(certs, "ca.crt")];
  const { child, heard } = await startUnimportant("attacker.ts", args);
  const visits = await visit(visited, () => heard.includes("stands"));
  child.send("counts");
  const counts = await countsOf({ child, heard });
  child.disconnect();
  await sleep(PAUSE_MS);
  return { ...visits, ...counts };
}

/** Not the last thing heard: those that pour may tell only now that they stand. */
async function countsOf({ child, heard }: Unimportant): Promise<Counts> {
  for (;;) {
    const counts = heard.find(isCounts);
    if (counts !== undefined) return counts;
    await heardMore(child);
  }
}

interface Unimportant {
  readonly child: ChildProcess;
  /** What it has said so far. */
  readonly heard: readonly unknown[];
}

/** Resolves when it has said something. */
async function startUnimportant(file: string, args: readonly string[]): Promise<Unimportant> {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), [...args], {
    execPath: chrt,
    execArgv: ["--idle", "0", process.execPath],
  });
  const heard: unknown[] = [];
  child.on("message", (message) => heard.push(message));
  await heardMore(child);
  return { child, heard };
}

function heardMore(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once("message", () => resolve());
    child.once("exit", (code) => reject(new Error(`a process of the attack ended with ${code}`)));
  });
}

async function warmUp(): Promise<void> {
  const { gatewayPort: port, ca } = stepgate;
  for (let done = 0; done < WARM_UP_REQUESTS; done += WARM_UP_PER_CONNECTION) {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const session = connect(`https://127.0.0.1:${port}`, { ca, servername: "localhost" });
    for (let index = 0; index < WARM_UP_PER_CONNECTION; index++)
      await Promise.all([
        askProcess(stepgate, { port, path: "/", agent }),
        requestHttp2(session, { path: "/", headers: { ":authority": "localhost" } }),
      ]);
    agent.destroy();
    session.destroy();
  }
}

/** A visitor's requests at fixed moments, on kept connections, for `SECONDS` and until everything stands. */
async function visit(port: number, everythingStands: () => boolean): Promise<Visits> {
  const agent = new Agent({ keepAlive: true, maxSockets: LANES });
  const ms: number[] = [];
  let failures = 0;
  const asked: Promise<void>[] = [];
  const startAt = performance.now();
  const isOver = (index: number): boolean =>
    index >= (everythingStands() ? SECONDS : MAX_SECONDS) * PER_SECOND;
  for (let index = 0; !isOver(index); index++) {
    const dueAt = startAt + (index * 1_000) / PER_SECOND;
    await sleep(Math.max(0, dueAt - performance.now()));
    const askedAt = performance.now();
    asked.push(
      Promise.race([
        askProcess(stepgate, { port, path: "/", agent }),
        sleep(PATIENCE_MS, undefined, { ref: false }),
      ]).then(
        (reply) => {
          if (reply?.status === 200) ms.push(performance.now() - askedAt);
          else failures += 1;
          return undefined;
        },
        () => void (failures += 1),
      ),
    );
  }
  await Promise.all(asked);
  agent.destroy();
  return {
    p99Ms: quantile(
      ms.toSorted((one, other) => one - other),
      0.99,
    ),
    failures,
  };
}

interface ProcessState {
  readonly rssMb: number;
  readonly files: number;
}

/** @throws {Error} with what the process has said, when it is gone */
async function stateOf(started: StartedProcess): Promise<ProcessState> {
  const { child } = started;
  if (child.exitCode !== null || child.signalCode !== null)
    throw new Error(`the gateway ended with ${child.exitCode ?? child.signalCode}: ${started.output()}`);
  const status = await readFile(`/proc/${child.pid}/status`, "latin1");
  const files = await readdir(`/proc/${child.pid}/fd`);
  return { rssMb: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024, files: files.length };
}

function textOf({ rssMb, files }: ProcessState): string {
  return `RSS ${rssMb.toFixed(0)} MB, ${files} files`;
}
