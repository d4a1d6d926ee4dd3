/** Runs the `stepgate` command as a user does, and ends it again. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const NODE = join(ROOT, "node_modules/.bin/node");
const MAIN = join(ROOT, "src/main.ts");

const READY_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 15_000;

export interface StepgateOptions {
  readonly dataDir: string;
  readonly certsDir: string;
  /** Anything else of the configuration file. */
  readonly config?: Readonly<Record<string, unknown>>;
}

export interface StepgateProcess {
  /** `https://localhost:PORT` */
  readonly gatewayUrl: string;
  /** `https://127.0.0.1:PORT/client/v4` */
  readonly apiUrl: string;
  readonly tokenFile: string;
  readonly caFile: string;
  /** Everything printed so far, both streams. */
  output(): string;
  /** Ends it as a user would (SIGTERM). @returns the exit code */
  stop(): Promise<number | null>;
  /** Ends it as a power cut would (SIGKILL). */
  kill(): Promise<void>;
}

/** Starts on free ports of loopback and waits until the command says where it listens. */
export async function startStepgateProcess(options: StepgateOptions): Promise<StepgateProcess> {
  const configFile = join(options.dataDir, "stepgate.config.json");
  const config = {
    gateway: { port: 0, hostname: "127.0.0.1" },
    api: { port: 0 },
    dataDir: options.dataDir,
    certsDir: options.certsDir,
    ...options.config,
  };
  await writeFile(configFile, JSON.stringify(config));
  const child = spawn(NODE, [MAIN, "start", "--config", configFile], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const exited = new Promise<number | null>((resolve) => {
    child.once("exit", (code) => resolve(code));
    child.once("error", () => resolve(-1));
  });
  const ready = new Promise<Readonly<Record<string, string>>>((resolve) => {
    const take = (chunk: Buffer): void => {
      output += chunk.toString("utf8");
      const lines = readyLines(output);
      if (lines !== undefined) resolve(lines);
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
  });
  const lines = await Promise.race([ready, exited, timeout(READY_TIMEOUT_MS)]);
  if (lines === null || typeof lines !== "object") {
    child.kill("SIGKILL");
    throw new Error(`stepgate did not start (${String(lines)}):\n${output}`);
  }
  return {
    gatewayUrl: lines["gateway"] ?? "",
    apiUrl: lines["api"] ?? "",
    tokenFile: lines["token"] ?? "",
    caFile: lines["ca"] ?? "",
    output: () => output,
    stop: () => end(child, exited, "SIGTERM"),
    async kill() {
      await end(child, exited, "SIGKILL");
    },
  };
}

/** @returns what stands behind `gateway`, `api`, `token` and `ca`; undefined until all of it has been printed */
function readyLines(output: string): Readonly<Record<string, string>> | undefined {
  const found = Object.fromEntries(
    [...output.matchAll(/^ {2}(gateway|api|token|ca) +(\S+)/gm)].map(([, name, text]) => [name, text ?? ""]),
  );
  return Object.keys(found).length === 4 ? found : undefined;
}

async function end(
  child: ChildProcess,
  exited: Promise<number | null>,
  signal: "SIGTERM" | "SIGKILL",
): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  child.kill(signal);
  const code = await Promise.race([exited, timeout(STOP_TIMEOUT_MS)]);
  if (code !== "timeout") return code;
  child.kill("SIGKILL");
  await exited;
  throw new Error(`stepgate did not end within ${STOP_TIMEOUT_MS / 1000} s of ${signal}`);
}

function timeout(ms: number): Promise<"timeout"> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms, "timeout").unref();
  });
}
