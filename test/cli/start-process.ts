/** `stepgate start` as a process of its own, on a configuration file in a folder of its own. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:https";
import type { Agent } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const START_TIMEOUT_MS = 60_000;

export interface StartedProcess {
  readonly child: ChildProcess;
  readonly dir: string;
  readonly gatewayPort: number;
  readonly apiUrl: string;
  readonly apiPort: number;
  readonly ca: string;
  readonly token: string;
  /** Everything it has printed so far. */
  output(): string;
  writeConfig(config: object): Promise<void>;
  /** Resolves with code and milliseconds since the call. */
  ended(): Promise<{ readonly code: number | null; readonly afterMs: number }>;
  stop(): Promise<void>;
}

/**
 * @param config besides ports and folders, which are set here
 * @param ownCa PEM text, where the configuration brings a certificate of its own
 * @param dir folder of a process that has ended, to go on in
 */
export async function startProcess(config: object, ownCa?: string, dir?: string): Promise<StartedProcess> {
  return startIn(dir ?? (await mkdtemp(join(tmpdir(), "stepgate-start-"))), config, ownCa);
}

async function startIn(dir: string, config: object, ownCa: string | undefined): Promise<StartedProcess> {
  const file = join(dir, "stepgate.config.json");
  const writeConfig = (next: object): Promise<void> =>
    writeFile(
      file,
      JSON.stringify({
        gateway: { port: 0, hostname: "127.0.0.1" },
        api: { port: 0 },
        dataDir: join(dir, "data"),
        certsDir: join(dir, "certs"),
        ...next,
      }),
    );
  await writeConfig(config);
  const child = spawn(process.execPath, [MAIN, "start", "--config", file], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const ended = async (): Promise<{ code: number | null; afterMs: number }> => {
    const startAt = performance.now();
    if (child.exitCode === null && child.signalCode === null)
      await new Promise((resolve) => child.once("exit", resolve));
    return { code: child.exitCode, afterMs: performance.now() - startAt };
  };
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await ended();
    await rm(dir, { recursive: true, force: true });
  };
  try {
    const startAt = performance.now();
    while (!/api +(https:\S+)/.test(output)) {
      if (child.exitCode !== null || performance.now() - startAt > START_TIMEOUT_MS)
        throw new Error(`stepgate did not start: ${output}`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    const apiUrl = /api +(https:\S+)/.exec(output)?.[1] ?? "";
    return {
      child,
      dir,
      gatewayPort: Number(/gateway +https:\/\/[^:\s]+:(\d+)/.exec(output)?.[1]),
      apiUrl,
      apiPort: Number(new URL(apiUrl).port),
      ca: ownCa ?? (await readFile(join(dir, "certs", "ca.crt"), "utf8")),
      token: (await readFile(join(dir, "data", "admin-token"), "utf8")).trim(),
      output: () => output,
      writeConfig,
      ended,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

export interface ProcessReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface ProcessRequest {
  readonly port: number;
  readonly path: string;
  readonly host?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly agent?: Agent | false;
}

export function askProcess(
  { ca }: Pick<StartedProcess, "ca">,
  { port, path, host = "localhost", method = "GET", headers = {}, body, agent = false }: ProcessRequest,
): Promise<ProcessReply> {
  return new Promise((resolve, reject) => {
    const call = request(
      {
        host: "127.0.0.1",
        port,
        servername: "localhost",
        ca,
        method,
        path,
        headers: { host, ...headers },
        agent,
      },
      (response) => {
        let text = "";
        response.on("data", (chunk: Buffer) => (text += chunk.toString()));
        response.on("error", reject);
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
        );
      },
    );
    call.on("error", reject);
    call.end(body);
  });
}

/** One call of the API with the admin's token. */
export const callApi = (
  stepgate: StartedProcess,
  method: string,
  path: string,
  body?: object,
): Promise<ProcessReply> =>
  askProcess(stepgate, {
    port: stepgate.apiPort,
    method,
    path: `/client/v4${path}`,
    headers: { authorization: `Bearer ${stepgate.token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
