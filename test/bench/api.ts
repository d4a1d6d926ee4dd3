/** The control plane with a large configuration beside a small one: list pages, and a rule edit until the engine obeys it. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { createApi } from "../../src/api/index.ts";
import { openStore } from "../../src/store/index.ts";
import { createVisitor, startEngine } from "../support/engine.ts";

interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

const HOST = "shop.example";
const ROUNDS = 31;
const WARM_UP = 5;
const SMALL = { operations: 10, rules: 10 };
const LARGE = { operations: 10_000, rules: 5_000 };
const PAGE_ROWS = 50;

interface Bench {
  readonly list: () => Promise<void>;
  readonly edit: () => Promise<void>;
  readonly close: () => void;
}

const random = (lengthBytes: number): Uint8Array => randomBytes(lengthBytes);

/** The real store on disk, the API on it, and an engine that follows it. */
async function createBench({ operations, rules }: typeof SMALL): Promise<Bench> {
  const dir = mkdtempSync(join(tmpdir(), "stepgate-bench-"));
  const store = openStore({ path: join(dir, "stepgate.db"), now: Date.now, random });
  const [zone] = store.ensureZones([{ name: HOST, hosts: [HOST], origin: "http://127.0.0.1:9" }]);
  const token = store.ensureAdminToken() ?? "";
  const { app } = createApi({ store, now: Date.now, random });
  const { engine, source } = startEngine(store.current().zones);
  store.subscribe(({ zones, accounts = [] }) => source.set(zones, accounts));
  const visitor = createVisitor(engine);
  const call = async <Result>(method: string, path: string, body?: unknown): Promise<Result> => {
    const response = await app.request(`http://localhost/client/v4/zones/${zone?.id}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const { result, success } = (await response.json()) as { result: Result; success: boolean };
    if (!success) throw new Error(`${method} ${path}: ${response.status}`);
    return result;
  };
  await call(
    "POST",
    "/api_gateway/operations",
    Array.from({ length: operations }, (_, index) => ({
      method: "GET",
      host: HOST,
      endpoint: `/op/${index}`,
    })),
  );
  const ruleset = await call<{ id: string; rules: { id: string }[] }>(
    "PUT",
    "/rulesets/phases/http_request_firewall_custom/entrypoint",
    {
      rules: Array.from({ length: rules }, (_, index) => ({
        action: "block",
        expression: `http.request.uri.path eq "/blocked/${index}"`,
      })),
    },
  );
  const edited = ruleset.rules.at(-1)?.id ?? "";
  let page = 0;
  let edits = 0;
  return {
    async list() {
      page = (page % Math.ceil(operations / PAGE_ROWS)) + 1;
      const rows = await call<unknown[]>("GET", `/api_gateway/operations?per_page=${PAGE_ROWS}&page=${page}`);
      if (rows.length === 0) throw new Error("expected a page with rows");
    },
    async edit() {
      edits += 1;
      const target = `/edited/${edits}`;
      await call("PATCH", `/rulesets/${ruleset.id}/rules/${edited}`, {
        action: "block",
        expression: `http.request.uri.path eq "${target}"`,
      });
      const { status } = await visitor.visit({ target });
      if (status !== 403) throw new Error(`expected the edited rule to block, found ${status}`);
    },
    close() {
      engine.close();
      store.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Median milliseconds of a task; the rounds of both sizes are interleaved by the caller. */
async function timeOf(task: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await task();
  return performance.now() - startedAt;
}

const median = (times: readonly number[]): number =>
  times.toSorted((left, right) => left - right)[times.length >> 1] ?? Number.NaN;

/** Worst case, leaving out one round in thirty that the machine spoilt. */
const worst = (times: readonly number[]): number =>
  times.toSorted((left, right) => left - right)[Math.floor(times.length * 0.96)] ?? Number.NaN;

export async function measure(): Promise<readonly Figure[]> {
  const [small, large] = [await createBench(SMALL), await createBench(LARGE)];
  const times = { smallList: [], largeList: [], smallEdit: [], largeEdit: [] } as Record<string, number[]>;
  for (let round = -WARM_UP; round < ROUNDS; round += 1) {
    const taken = {
      smallList: await timeOf(small.list),
      largeList: await timeOf(large.list),
      smallEdit: await timeOf(small.edit),
      largeEdit: await timeOf(large.edit),
    };
    if (round < 0) continue;
    for (const [name, time] of Object.entries(taken)) times[name]?.push(time);
  }
  small.close();
  large.close();
  const [smallList = [], largeList = [], smallEdit = [], largeEdit = []] = [
    times["smallList"],
    times["largeList"],
    times["smallEdit"],
    times["largeEdit"],
  ];
  return [
    { name: "api-list-page-10000-ops/10-ops", value: median(largeList) / median(smallList), unit: "ratio" },
    { name: "api-list-page-10000-ops", value: worst(largeList), unit: "ms (limit 50)" },
    {
      name: "api-rule-visible-5000-rules/10-rules",
      value: median(largeEdit) / median(smallEdit),
      unit: "ratio",
    },
    { name: "api-rule-visible-5000-rules", value: worst(largeEdit), unit: "ms (limit 100)" },
  ];
}
