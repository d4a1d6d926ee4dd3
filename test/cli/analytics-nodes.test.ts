/** Counts of several nodes: two of them on one real Redis, one of which crashes and comes back. */
import { cp, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startRedis } from "../contract/redis-server.ts";
import type { TestRedis } from "../contract/redis-server.ts";
import { sleep } from "../contract/wait.ts";
import { startOrigin } from "../support/gateway.ts";
import type { TestOrigin } from "../support/gateway.ts";
import { askProcess, callApi, startProcess } from "./start-process.ts";
import type { StartedProcess } from "./start-process.ts";

const SIGN_IN = { method: "GET", host: "localhost", endpoint: "/sign-in" };
const ORDER = { method: "GET", host: "localhost", endpoint: "/order" };

/** Counts are asked for anew after two seconds. */
const UNTIL_FRESH_MS = 2_100;

let redis: TestRedis;
let origin: TestOrigin;
let nodes: StartedProcess[] = [];

beforeAll(async () => {
  redis = await startRedis();
  origin = await startOrigin((_req, res) => res.end("ok"));
});

afterAll(async () => {
  for (const node of nodes) await node.stop();
  await origin.close();
  await redis.close();
});

const configOf = (analytics: object = {}): object => ({
  zones: [{ name: "localhost", origin: origin.url }],
  redis: { url: redis.url },
  analytics,
});

async function ask(node: StartedProcess, method: string, path: string, body?: object) {
  const reply = await callApi(node, method, path, body);
  const { result, errors } = JSON.parse(reply.body) as {
    result: unknown;
    errors: readonly { code: number; message: string }[];
  };
  return { status: reply.status, result, errors };
}

async function zoneIdOf(node: StartedProcess): Promise<string> {
  const { result } = await ask(node, "GET", "/zones");
  const zones = result as readonly { id: string; name: string }[];
  return zones.find(({ name }) => name === "localhost")?.id ?? "";
}

/** @returns ids of the operations */
async function prepare(node: StartedProcess): Promise<readonly string[]> {
  const zone = `/zones/${await zoneIdOf(node)}`;
  await ask(node, "PUT", `${zone}/fraud_detection/sequence_cookies`, { enabled: true });
  const { result } = await ask(node, "POST", `${zone}/api_gateway/operations`, [SIGN_IN, ORDER]);
  return (result as readonly { operation_id: string }[]).map(({ operation_id: id }) => id);
}

/** Two nodes with the same data directory, as a deployment brings it: operations are named alike on both. */
async function startNodes(): Promise<[StartedProcess, StartedProcess]> {
  const first = await startProcess(configOf());
  nodes = [first];
  ids = await prepare(first);
  first.child.kill("SIGTERM");
  await first.ended();
  const other = await mkdtemp(join(tmpdir(), "stepgate-start-"));
  await cp(first.dir, other, { recursive: true });
  const started = [first.dir, other].map((dir) => startProcess(configOf(), undefined, dir));
  const [one, two] = await Promise.all(started);
  nodes = [one!, two!];
  return [one!, two!];
}

/** Visitors who sign in and order, each with a cookie jar of their own. */
async function visit(node: StartedProcess, visitors: number): Promise<void> {
  for (let visitor = 0; visitor < visitors; visitor += 1) {
    const { gatewayPort: port } = node;
    const first = await askProcess(node, { port, path: "/sign-in" });
    const lines = first.headers["set-cookie"];
    const cookie = (Array.isArray(lines) ? lines : []).map((line) => line.split(";", 1)[0]).join("; ");
    expect((await askProcess(node, { port, path: "/order", headers: { cookie } })).status).toBe(200);
  }
}

interface PairRow {
  readonly requests: number;
  readonly passed: number;
  readonly is_exact: boolean;
}

/** What a node says of orders after signing in, in counts that are no older than this question. */
async function ordersOf(node: StartedProcess): Promise<PairRow | undefined> {
  await untilFresh(node);
  const path = `/zones/${await zoneIdOf(node)}/stepgate/analytics/pairs?first=${ids[0]}&second=${ids[1]}`;
  return ((await ask(node, "GET", path)).result as readonly PairRow[])[0];
}

const askedAt = new WeakMap<StartedProcess, number>();

async function untilFresh(node: StartedProcess): Promise<void> {
  await sleep(Math.max(0, (askedAt.get(node) ?? 0) + UNTIL_FRESH_MS - performance.now()));
  askedAt.set(node, performance.now());
}

let ids: readonly string[] = [];
const exactly = (passed: number): object => ({ requests: passed, passed, is_exact: true });

describe("two nodes on one Redis", () => {
  test("add up, whoever is asked and how often, and a crash loses only what was not written", async () => {
    const [one, two] = await startNodes();

    await visit(one, 3);
    await visit(two, 4);
    // Asking a node has it write; the others write with the minute.
    await ordersOf(two);
    expect(await ordersOf(one)).toMatchObject(exactly(7));
    expect(await ordersOf(two)).toMatchObject(exactly(7));
    expect(await ordersOf(one), "asked once more").toMatchObject(exactly(7));

    await visit(two, 5);
    two.child.kill("SIGKILL");
    await two.ended();
    const kept = await ordersOf(one);
    // Unless the minute was over in between, what came after the last writing is lost, and nothing else.
    expect([exactly(7), exactly(12)]).toContainEqual(expect.objectContaining(exactly(kept?.passed ?? 0)));

    const again = await startProcess(configOf(), undefined, two.dir);
    nodes[1] = again;
    await visit(again, 2);
    expect(await ordersOf(again), "goes on where it was").toMatchObject(exactly((kept?.passed ?? 0) + 2));
    expect(await ordersOf(one)).toMatchObject(exactly((kept?.passed ?? 0) + 2));
  }, 180_000);

  test("a node that ends in good order loses nothing", async () => {
    const [one, two] = nodes as [StartedProcess, StartedProcess];
    const before = (await ordersOf(one))?.passed ?? 0;
    await visit(two, 3);
    two.child.kill("SIGTERM");
    await two.ended();
    expect(await ordersOf(one)).toMatchObject(exactly(before + 3));
  }, 180_000);

  test("a node that does not count adds nothing, and says why it has no answer", async () => {
    const [one, two] = nodes as [StartedProcess, StartedProcess];
    const before = (await ordersOf(one))?.passed ?? 0;
    const silent = await startProcess(configOf({ enabled: false }), undefined, two.dir);
    nodes[1] = silent;
    await visit(silent, 3);
    const path = `/zones/${await zoneIdOf(silent)}/stepgate/analytics`;
    expect(await ask(silent, "GET", path)).toMatchObject({ status: 404, errors: [{ code: 20008 }] });
    silent.child.kill("SIGTERM");
    await silent.ended();
    expect(await ordersOf(one)).toMatchObject(exactly(before));
  }, 180_000);

  test("a zone that is deleted takes its counts along", async () => {
    const [one] = nodes as [StartedProcess];
    const created = await ask(one, "POST", "/zones", { name: "gone.example" });
    const { id } = created.result as { id: string };
    const zone = `/zones/${id}`;
    const isCounted = async (): Promise<boolean> => (await redis.command(`KEYS *${id}*`)) !== "*0";
    await ask(one, "PATCH", `${zone}/stepgate/settings`, { origin: origin.url });
    const request = { port: one.gatewayPort, path: "/orders", host: "gone.example" };
    await expect.poll(async () => (await askProcess(one, request)).status, { timeout: 5_000 }).toBe(200);
    await untilFresh(one);
    await ask(one, "GET", `${zone}/api_gateway/discovery/operations`);
    await expect.poll(isCounted, { timeout: 10_000 }).toBe(true);
    await ask(one, "DELETE", zone);
    await expect.poll(isCounted, { timeout: 10_000 }).toBe(false);
    // Writing once more does not bring them back.
    await ordersOf(one);
    expect(await isCounted()).toBe(false);
  }, 180_000);
});
