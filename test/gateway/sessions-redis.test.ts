/**
 * `stepgate start` with sessions in a Redis that is killed, started again and stopped in its tracks while requests come:
 * decisions as each rule's `on_state_error` says, no request kept waiting, and back within two seconds.
 */
import { connect } from "node:http2";
import type { ClientHttp2Session } from "node:http2";
import { afterAll, beforeAll, expect, test } from "vitest";
import { callApi, startProcess } from "../cli/start-process.ts";
import type { StartedProcess } from "../cli/start-process.ts";
import { startRedis } from "../contract/redis-server.ts";
import type { TestRedis } from "../contract/redis-server.ts";
import { sleep, until } from "../contract/wait.ts";

/** What a request may wait for Redis. */
const STATE_MS = 50;
const RECOVERY_MS = 2000;
/** Timers of two processes, and what a call takes anyhow, beside what the same load measures on a path without state. */
const SLACK_MS = 25;

const CASES = {
  "seqrule, allow": "GET /api/v1/users/mara/accounts",
  "seqrule, block": "GET /api/v1/accounts/40021001/balance",
  "custom rule, allow": "GET /api/v1/users/mara/profile",
  "custom rule, block": "POST /api/v1/transferFunds",
} as const;
type Case = keyof typeof CASES;
const WITH_STATE = Object.keys(CASES) as Case[];

let redis: TestRedis;
let stepgate: StartedProcess;
let session: ClientHttp2Session;

beforeAll(async () => {
  redis = await startRedis();
  stepgate = await startProcess({ redis: { url: redis.url } });
  await configure();
  session = connect(`https://127.0.0.1:${stepgate.gatewayPort}`, {
    ca: stepgate.ca,
    servername: "localhost",
  });
  await until(isBack, 10_000);
}, 60_000);

afterAll(async () => {
  session.destroy();
  await stepgate.stop();
  await redis.close();
});

/** Every rule refuses its operation unless the session has been somewhere it never goes. */
async function configure(): Promise<void> {
  const zoneId = /zone localhost +(\S+)/.exec(stepgate.output())?.[1] ?? "";
  const api = async (method: string, path: string, body?: object) => {
    const { status, body: text } = await callApi(stepgate, method, `/zones/${zoneId}${path}`, body);
    expect([status, text]).toEqual([200, expect.stringContaining('"success":true')]);
    return (JSON.parse(text) as { readonly result: unknown }).result;
  };
  const added = (await api("POST", "/api_gateway/operations", [
    { method: "GET", host: "localhost", endpoint: "/never" },
  ])) as readonly { readonly operation_id: string }[];
  const never = added[0]?.operation_id ?? "";
  const saved = (await api("GET", "/api_gateway/operations?per_page=50")) as readonly {
    readonly operation_id: string;
    readonly endpoint: string;
  }[];
  const idOf = (end: string): string =>
    saved.find(({ endpoint }) => endpoint.endsWith(end))?.operation_id ?? "";
  await api("PUT", "/api_gateway/configuration", {
    auth_id_characteristics: [{ type: "header", name: "x-session" }],
  });
  await api("PATCH", "/stepgate/settings", { sequence: { tracking: "session" } });
  await api("PUT", "/api_gateway/seqrules", {
    rules: [
      ["/accounts", "allow"],
      ["/balance", "block"],
    ].map(([end = "", on_state_error]) => ({
      title: end,
      kind: "allow",
      action: "block",
      sequence: [never, idOf(end)],
      on_state_error,
    })),
  });
  const needsNever = (end: string): string =>
    `cf.sequence.current_op eq "${idOf(end).slice(0, 8)}" and not any(cf.sequence.previous_ops[*] == "${never.slice(0, 8)}")`;
  await api("PUT", "/rulesets/phases/http_request_firewall_custom/entrypoint", {
    rules: [
      { expression: needsNever("/profile"), action: "block", on_state_error: "allow" },
      { expression: needsNever("/transferFunds"), action: "block", on_state_error: "block" },
    ],
  });
}

interface Call {
  readonly name: Case | "no state";
  /** 0 for a request that got no answer. */
  readonly status: number;
  readonly sentAt: number;
  readonly tookMs: number;
}

function call(name: Call["name"]): Promise<Call> {
  const [method = "", path = ""] = name === "no state" ? ["GET", "/nothing-here"] : CASES[name].split(" ");
  const sentAt = performance.now();
  return new Promise((resolve) => {
    const stream = session.request({
      ":method": method,
      ":path": path,
      ":authority": "localhost",
      "x-session": "mara",
    });
    let status = 0;
    const done = (): void => resolve({ name, status, sentAt, tookMs: performance.now() - sentAt });
    stream.on("response", (headers) => (status = Number(headers[":status"])));
    stream.on("error", done);
    stream.on("end", done);
    stream.resume();
    stream.end();
  });
}

/** A rule that lets pass what it does not know refuses again: it knows. */
async function isBack(): Promise<boolean> {
  return (await call("custom rule, allow")).status === 403;
}

/** Two lanes of requests with state until stopped, beside each a request without at the same moment. */
function startLoad() {
  const calls: Call[] = [];
  const stopped = new AbortController();
  const lane = async (offset: number): Promise<void> => {
    for (let turn = offset; !stopped.signal.aborted; turn += 1) {
      calls.push(
        ...(await Promise.all([call(WITH_STATE[turn % WITH_STATE.length] as Case), call("no state")])),
      );
      await sleep(2);
    }
  };
  const running = Promise.all([lane(0), lane(2)]);
  return {
    calls,
    async stop(): Promise<readonly Call[]> {
      stopped.abort();
      await running;
      return calls;
    },
  };
}

const statusesOf = (calls: readonly Call[], name: Call["name"], from: number, to: number): Set<number> =>
  new Set(
    calls
      .filter((made) => made.name === name && made.sentAt > from && made.sentAt + made.tookMs < to)
      .map(({ status }) => status),
  );

function expectNobodyWaited(calls: readonly Call[]): void {
  const slowest = (isControl: boolean): number =>
    Math.max(...calls.filter(({ name }) => (name === "no state") === isControl).map(({ tookMs }) => tookMs));
  expect(calls.filter(({ status }) => status === 0)).toEqual([]);
  expect(slowest(false)).toBeLessThanOrEqual(STATE_MS + SLACK_MS + slowest(true));
}

/** What visitors get while nobody knows the sequence. */
function expectDecisions(calls: readonly Call[], from: number, to: number): void {
  const found = WITH_STATE.map((name) => [name, [...statusesOf(calls, name, from, to)]]);
  expect(found).toEqual([
    ["seqrule, allow", [200]],
    ["seqrule, block", [403]],
    ["custom rule, allow", [200]],
    // Refused by the rule: an empty body would be 415 at the bank.
    ["custom rule, block", [403]],
  ]);
}

test("killed and started again", async () => {
  const load = startLoad();
  await sleep(500);
  const killedAt = performance.now();
  await redis.kill();
  // What was under way has been given up by then.
  const goneAt = performance.now() + 2 * STATE_MS;
  await sleep(1200);
  const startedAt = performance.now();
  await redis.start();
  const recoveredMs = await until(isBack, 10_000);
  const calls = await load.stop();

  for (const name of WITH_STATE) expect([...statusesOf(calls, name, 0, killedAt)]).toEqual([403]);
  expectDecisions(calls, goneAt, startedAt);
  expect(recoveredMs).toBeLessThanOrEqual(RECOVERY_MS);
  expectNobodyWaited(calls);
  expect(stepgate.child.exitCode).toBeNull();
}, 30_000);

test("stopped in its tracks: no request waits twice", async () => {
  const load = startLoad();
  await sleep(300);
  redis.pause();
  const goneAt = performance.now() + 3 * STATE_MS;
  await sleep(1000);
  const resumedAt = performance.now();
  redis.resume();
  const recoveredMs = await until(isBack, 10_000);
  const calls = await load.stop();

  expectDecisions(calls, goneAt, resumedAt);
  expect(recoveredMs).toBeLessThanOrEqual(RECOVERY_MS);
  expectNobodyWaited(calls);
  expect(stepgate.output()).toContain("rules go by their on_state_error");
}, 30_000);
