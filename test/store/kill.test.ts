/** `kill -9` at any moment: what was answered is there, what was not is there whole or not at all. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

const ROUNDS = Number(process.env["STEPGATE_KILL_ROUNDS"] ?? 4);
const WRITES = Number(process.env["STEPGATE_KILL_WRITES"] ?? 150);
const SCRIPT = new URL("support/api-process.ts", import.meta.url).pathname;
const dir = mkdtempSync(join(tmpdir(), "stepgate-kill-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

interface Running {
  readonly child: ChildProcess;
  readonly base: string;
  readonly token: string | undefined;
}

async function start(path: string): Promise<Running> {
  const child = spawn(process.execPath, [SCRIPT, path], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(child.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
  const { port, token, zoneId } = JSON.parse(line.toString()) as {
    port: number;
    token?: string;
    zoneId: string;
  };
  return { child, base: `http://127.0.0.1:${port}/client/v4/zones/${zoneId}`, token };
}

async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

/** One write with the number in all its parts: three operations at once, a ruleset of three rules, or both kinds of switch. */
function writeOf(number: number): { readonly method: string; readonly path: string; readonly body: unknown } {
  if (number % 3 === 0) {
    return { method: "PUT", path: "/fraud_detection/sequence_cookies", body: { enabled: number % 2 === 0 } };
  }
  if (number % 3 === 1) {
    const body = ["a", "b", "c"].map((part) => ({
      method: "GET",
      host: "shop.example",
      endpoint: `/${number}/${part}`,
    }));
    return { method: "POST", path: "/api_gateway/operations", body };
  }
  const rules = ["a", "b", "c"].map((part) => ({
    action: "log",
    expression: `http.request.uri.path eq "/${number}/${part}"`,
    ref: part,
  }));
  return {
    method: "PUT",
    path: "/rulesets/phases/http_request_firewall_custom/entrypoint",
    body: { description: String(number), rules },
  };
}

interface State {
  readonly enabled: boolean;
  readonly operations: readonly string[];
  readonly description: string | undefined;
  readonly rules: readonly string[];
}

const EMPTY: State = { enabled: false, operations: [], description: undefined, rules: [] };

function apply(state: State, number: number): State {
  const { body } = writeOf(number);
  if (number % 3 === 0) return { ...state, enabled: number % 2 === 0 };
  if (number % 3 === 1) {
    return {
      ...state,
      operations: [...state.operations, ...["a", "b", "c"].map((part) => `/${number}/${part}`)].toSorted(),
    };
  }
  const { description, rules } = body as { description: string; rules: { expression: string }[] };
  return { ...state, description, rules: rules.map(({ expression }) => expression) };
}

async function readState({ base }: Running, token: string): Promise<State> {
  const get = async (path: string) => {
    const response = await fetch(base + path, { headers: { authorization: `Bearer ${token}` } });
    return (await response.json()) as { result: never; success: boolean };
  };
  const cookies = (await get("/fraud_detection/sequence_cookies")).result as { enabled: boolean };
  const operations: string[] = [];
  for (let page = 1; ; page += 1) {
    const { result } = await get(`/api_gateway/operations?per_page=1000&page=${page}`);
    if ((result as unknown[]).length === 0) break;
    operations.push(...(result as { endpoint: string }[]).map(({ endpoint }) => endpoint));
  }
  const entrypoint = (await get("/rulesets/phases/http_request_firewall_custom/entrypoint")).result as {
    description: string;
    rules: { expression: string }[];
  } | null;
  return {
    enabled: cookies.enabled,
    operations: operations.toSorted(),
    description: entrypoint?.description,
    rules: entrypoint?.rules.map(({ expression }) => expression) ?? [],
  };
}

test(
  "the store opens after every kill and holds the last answered state, or the one that was being written",
  async () => {
    let cuts = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const path = join(dir, `${round}.db`);
      const running = await start(path);
      const token = running.token ?? "";
      let state = EMPTY;
      let inFlight: number | undefined;
      // Anywhere in the run of writes, at random within a write.
      const killAt = 1 + Math.floor(Math.random() * WRITES);
      let killed: Promise<void> | undefined;
      for (let number = 1; number <= WRITES; number += 1) {
        const { method, path: suffix, body } = writeOf(number);
        inFlight = number;
        const sent = fetch(running.base + suffix, {
          method,
          headers: { authorization: `Bearer ${token}` },
          body: JSON.stringify(body),
        });
        if (number === killAt) {
          await new Promise((resolve) => setTimeout(resolve, Math.random() * 6));
          killed = kill(running.child);
        }
        try {
          const response = await sent;
          expect(response.status).toBe(200);
          await response.arrayBuffer();
          state = apply(state, number);
          inFlight = undefined;
        } catch {
          cuts += 1;
          break;
        }
      }
      await (killed ?? kill(running.child));
      const again = await start(path);
      expect(again.token).toBeUndefined();
      const found = await readState(again, token);
      const possible = inFlight === undefined ? [state] : [state, apply(state, inFlight)];
      expect(possible).toContainEqual(found);
      await kill(again.child);
    }
    console.info(`${ROUNDS} kills, ${cuts} of them in the middle of a write`);
  },
  ROUNDS * 60_000,
);
