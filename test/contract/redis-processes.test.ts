/** Several processes on one Redis: nothing is lost, and limits are exact across all of them. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { afterAll, beforeAll, expect, test } from "vitest";

import { startRedis } from "./redis-server.ts";
import type { TestRedis } from "./redis-server.ts";

const run = promisify(execFile);
const PROCESSES = 4;
const APPENDS = 25_000;

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => {
  await redis.close();
});

async function runWorker(file: string, ...args: readonly (string | number)[]): Promise<string> {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const { stdout } = await run(process.execPath, [path, ...args.map(String)], {
    maxBuffer: 64 * 2 ** 20,
    timeout: 110_000,
  });
  return stdout;
}

test("100,000 appends of 4 processes to one session: none is lost, and the order is that of their arrival", async () => {
  const starts = Array.from({ length: PROCESSES }, (_, index) => 1 + index * APPENDS);
  const outputs = await Promise.all(
    starts.map((start) => runWorker("append-worker.ts", redis.url, start, APPENDS)),
  );
  /** Operation → the ten before it, newest first, as its append saw them. */
  const before = new Map<string, readonly string[]>();
  for (const [index, output] of outputs.entries()) {
    const lists = JSON.parse(output) as readonly string[];
    expect(lists).toHaveLength(APPENDS);
    for (const [offset, list] of lists.entries()) {
      const op = ((starts[index] ?? 0) + offset).toString(16).padStart(8, "0");
      before.set(op, list === "" ? [] : list.split(","));
    }
  }
  expect(before.size).toBe(PROCESSES * APPENDS);

  // Each append saw its predecessor. If one had been lost, two appends would have the same one, and the chain from
  // the newest back to the first would miss some.
  const predecessors = [...before.values()].map(([newest]) => newest ?? "first");
  expect(new Set(predecessors).size).toBe(predecessors.length);
  const hasSuccessor = new Set(predecessors);
  const last = [...before.keys()].filter((op) => !hasSuccessor.has(op));
  expect(last).toHaveLength(1);
  const chain: string[] = [];
  for (let op = last[0]; op !== undefined && chain.length <= before.size; op = before.get(op)?.[0])
    chain.push(op);
  expect(chain).toHaveLength(before.size);

  // What each append saw is what lies behind it in the chain.
  const misread = chain.filter(
    (op, index) => before.get(op)?.join() !== chain.slice(index + 1, index + 11).join(),
  );
  expect(misread).toEqual([]);
}, 120_000);

test("with a limit of N exactly N of 10 N hits from two processes pass", async () => {
  const limit = 200;
  const passed = await Promise.all([1, 2].map(() => runWorker("hit-worker.ts", redis.url, limit, 5 * limit)));
  expect(passed.reduce((sum, text) => sum + Number(text), 0)).toBe(limit);
}, 60_000);
