/** Rate limits over HTTPS on two nodes that share Redis: exact together, and as `on_state_error` says without it. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:http2";
import type { ClientHttp2Session } from "node:http2";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startRedis } from "../contract/redis-server.ts";
import type { TestRedis } from "../contract/redis-server.ts";
import { until } from "../contract/wait.ts";
import { requestHttp2 } from "../support/gateway.ts";
import type { Reply } from "../support/gateway.ts";

const LIMIT = 50;
/** What a request may wait for Redis, and what a busy machine adds. */
const DECISION_MS = 50 + 200;
/** A burst keeps this machine busy for longer than a request may wait for Redis: that is not what the counts are about. */
const PATIENT_MS = 10_000;

interface Node {
  readonly process: ChildProcess;
  readonly session: ClientHttp2Session;
}

let redis: TestRedis;
/** Two that wait for Redis, and one that waits as long as in production. */
let nodes: readonly [Node, Node, Node];

beforeAll(async () => {
  redis = await startRedis();
  nodes = await Promise.all([startNode(PATIENT_MS), startNode(PATIENT_MS), startNode(50)]);
  for (const { session } of nodes) await until(async () => isCounted(await get(session, "/allow")), 5_000);
  // The requests that found out whether Redis is there have counted.
  await redis.command("FLUSHALL");
}, 30_000);

afterAll(async () => {
  for (const { process: child, session } of nodes) {
    session.destroy();
    const ended = once(child, "exit");
    child.stdin?.end();
    await ended;
  }
  await redis.close();
});

async function startNode(timeoutMs: number): Promise<Node> {
  const file = fileURLToPath(new URL("limited-node.ts", import.meta.url));
  const child = spawn(process.execPath, [file, redis.url, String(LIMIT), String(timeoutMs)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const { port, ca } = JSON.parse(line.toString()) as { port: number; ca: string };
  const session = connect(`https://127.0.0.1:${port}`, { ca, servername: "shop.example" });
  await once(session, "connect");
  return { process: child, session };
}

const get = (session: ClientHttp2Session, path: string): Promise<Reply> => requestHttp2(session, { path });

const isCounted = ({ headers }: Reply): boolean => headers["ratelimit"] !== undefined;

/** So many requests in parallel, spread over the two patient nodes. */
async function burst(path: string, count: number): Promise<readonly Reply[]> {
  return Promise.all(
    Array.from({ length: count }, (_, index) => get(nodes[index % 2 === 0 ? 0 : 1].session, path)),
  );
}

/** Statuses of requests to one node, one after another, and how long the slowest took. */
async function oneByOne({ session }: Node, paths: readonly string[]) {
  const statuses: number[] = [];
  let slowestMs = 0;
  for (const path of paths) {
    const startedAt = performance.now();
    statuses.push((await get(session, path)).status);
    slowestMs = Math.max(slowestMs, performance.now() - startedAt);
  }
  return { statuses, slowestMs };
}

const passed = (replies: readonly Reply[]): number => replies.filter(({ status }) => status === 200).length;

test("of 10 N parallel requests to two nodes exactly N pass", async () => {
  const replies = await burst("/block", 10 * LIMIT);
  expect(passed(replies)).toBe(LIMIT);
  const limited = replies.filter(({ status }) => status === 429);
  expect(limited).toHaveLength(9 * LIMIT);
  expect(limited.every(({ headers }) => Number(headers["retry-after"]) > 3_500)).toBe(true);
});

test("a restart of Redis: each rule as it says while it is gone, exact again within two seconds", async () => {
  await redis.kill();
  for (const node of nodes) {
    const { statuses, slowestMs } = await oneByOne(node, ["/block", "/allow", "/block", "/allow"]);
    expect(statuses).toEqual([429, 200, 429, 200]);
    expect(slowestMs).toBeLessThan(DECISION_MS);
  }
  expect(passed(await burst("/allow", 2 * LIMIT))).toBe(2 * LIMIT);
  expect(passed(await burst("/block", 2 * LIMIT))).toBe(0);

  await redis.start();
  const backAt = performance.now();
  for (const { session } of nodes) await until(async () => isCounted(await get(session, "/allow")), 5_000);
  expect(performance.now() - backAt).toBeLessThan(2_000);
  expect(passed(await burst("/block", 10 * LIMIT))).toBe(LIMIT);
}, 20_000);

test("a Redis that hangs keeps no request longer than it may", async () => {
  redis.pause();
  try {
    const { statuses, slowestMs } = await oneByOne(nodes[2], ["/block", "/allow", "/block", "/allow"]);
    expect(statuses).toEqual([429, 200, 429, 200]);
    expect(slowestMs).toBeLessThan(DECISION_MS);
  } finally {
    redis.resume();
  }
});
