/** `stepgate start` that cannot start: one line that says what to do, and exit code 1. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

let dir: string;
let taken: Server;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "stepgate-errors-"));
  taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
});

afterAll(async () => {
  taken.close();
  await rm(dir, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | string | null | undefined;
  readonly errorOutput: string;
}

function start(name: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const folders = ["--data-dir", join(dir, name, "data"), "--certs-dir", join(dir, name, "certs")];
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [MAIN, "start", ...folders, ...args],
      { env: { ...process.env, ...env }, timeout: 60_000, cwd: dir },
      (error, _output, errorOutput) => resolve({ code: error === null ? 0 : error.code, errorOutput }),
    );
  });
}

async function fileOf(name: string, text: string): Promise<string> {
  const file = join(dir, name);
  await writeFile(file, text, { mode: 0o600 });
  return file;
}

const CASES: readonly {
  readonly title: string;
  readonly run: (name: string) => Promise<Ended>;
  readonly message: RegExp;
}[] = [
  {
    title: "a port in use",
    run: async (name) => {
      const { port } = taken.address() as AddressInfo;
      const listeners = { gateway: { hostname: "127.0.0.1", port }, api: { port: 0 } };
      return start(name, ["--config", await fileOf("port.json", JSON.stringify(listeners))]);
    },
    message: /^stepgate: port \d+ on 127\.0\.0\.1 is in use: end what listens there, or choose another/,
  },
  {
    title: "a configuration that does not exist",
    run: (name) => start(name, ["--config", "nowhere.json"]),
    message: /^stepgate: cannot read the configuration `.*nowhere\.json`: .*does not exist/,
  },
  {
    title: "a configuration that is no JSON",
    run: async (name) => start(name, ["--config", await fileOf("broken.json", '{"zones":[')]),
    message: /^stepgate: cannot read the configuration `.*broken\.json`: /,
  },
  {
    title: "a configuration with an unknown key",
    run: async (name) => start(name, ["--config", await fileOf("key.json", '{"gatway":{"port":0}}')]),
    message: /^stepgate: .*key\.json: .*gatway/,
  },
  {
    title: "key material that is too short",
    run: (name) =>
      start(name, ["--gateway-port", "0", "--api-port", "0"], {
        STEPGATE_KEYS: '{"keys":[{"kty":"oct","kid":"a","k":"AAAA"}]}',
      }),
    message: /^stepgate: STEPGATE_KEYS: /,
  },
  {
    title: "a key file that is none",
    run: async (name) => {
      await mkdir(join(dir, name, "data"), { recursive: true });
      await fileOf(join(name, "data", "keys.json"), "garbage");
      return start(name, ["--gateway-port", "0", "--api-port", "0"]);
    },
    message: /^stepgate: .*keys\.json: expected a JWK set in JSON/,
  },
];

// Each case is a process that loads everything: slow where the machine is busy.
test.each(CASES)("$title", { timeout: 60_000 }, async ({ title, run, message }) => {
  const { code, errorOutput } = await run(title.replaceAll(" ", "-"));
  expect(errorOutput).toMatch(message);
  expect(errorOutput.trimEnd().split("\n")).toHaveLength(1);
  expect(code).toBe(1);
});
