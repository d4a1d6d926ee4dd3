/** API Discovery: what traffic shows, and what is decided about it. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createDiscoveryRecorder } from "../../src/analytics/index.ts";
import type { SnapshotStore } from "../../src/analytics/index.ts";
import { openSqliteSnapshots } from "../../src/store/index.ts";
import { APIS, expectedEndpoints, sampleRequests } from "../analytics/openapi-traffic.ts";
import { startApi } from "./support/server.ts";
import type { RunningApi } from "./support/server.ts";

const NOW = Date.UTC(2026, 5, 15, 12);
const DAY_MS = 86_400_000;

let snapshots: SnapshotStore;
let api: RunningApi;
let path: string;
let time = NOW;

beforeEach(async () => {
  time = NOW;
  snapshots = openSqliteSnapshots(":memory:");
  api = await startApi({
    traffic: { store: snapshots, flush: async () => undefined },
    now: () => time,
  });
  path = `/zones/${api.zone.id}/api_gateway/discovery`;
});
afterEach(async () => {
  await api.close();
  await snapshots.close();
});

/** Has one process see requests, `times` each. */
async function see(
  source: string,
  paths: readonly string[],
  { times = 600, at = NOW, host = "shop.example" } = {},
) {
  const recorder = createDiscoveryRecorder();
  for (let count = 0; count < times; count += 1)
    for (const each of paths) {
      const [method = "", target = ""] = each.split(" ");
      recorder.observe({ method, host, path: target.replace("#", String(count)), status: 200 }, at);
    }
  await store(recorder, source, at);
}

async function store(recorder: ReturnType<typeof createDiscoveryRecorder>, source: string, at: number) {
  const taken = recorder.takeSnapshots(at);
  await snapshots.put(
    taken.map(({ hourAt, bytes }) => ({
      hourAt,
      bytes,
      zoneId: api.zone.id,
      kind: "discovery" as const,
      source,
    })),
    at,
  );
}

async function list(query = ""): Promise<{ id: string; state: string; endpoint: string; method: string }[]> {
  const { status, json } = await api.request("GET", `${path}/operations?${query}`);
  expect(status).toBe(200);
  return json.result;
}

const places = (rows: readonly { method: string; endpoint: string }[]): string[] =>
  rows.map(({ method, endpoint }) => `${method} ${endpoint}`);

describe("the list", () => {
  test("has what all processes saw in ten days, with figures", async () => {
    await see("one", ["GET /orders/#"], { times: 300 });
    await see("two", ["GET /orders/#", "POST /orders"], { times: 300 });
    await see("two", ["POST /orders"], { times: 300, at: NOW - 9 * DAY_MS });
    await see("two", ["GET /old"], { at: NOW - 12 * DAY_MS });
    await see("three", ["GET /rare"], { times: 499 });
    const rows = await list();
    expect(places(rows).toSorted()).toEqual(["GET /orders/{var1}", "POST /orders"]);
    expect(rows[0]).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/) as string,
      method: expect.any(String) as string,
      host: "shop.example",
      endpoint: expect.any(String) as string,
      state: "review",
      origin: ["ML"],
      last_updated: "2026-06-15T12:00:00.000000Z",
      features: {
        traffic_stats: {
          requests: 600,
          period_seconds: 864_000,
          last_updated: "2026-06-15T12:00:00.000000Z",
        },
      },
    });
    expect(places(await list("min_requests=499"))).toContain("GET /rare");
    time = NOW + 12 * DAY_MS;
    expect(await list()).toEqual([]);
  });

  test("is filtered, ordered and paged", async () => {
    await see("one", ["GET /a/#", "POST /b", "DELETE /c/#"]);
    await see("one-more", ["GET /a/#"], { times: 100 });
    await see("other", ["GET /z"], { host: "api.shop.example", times: 5000 });
    expect(places(await list())).toEqual(["GET /z", "GET /a/{var1}", "POST /b", "DELETE /c/{var1}"]);
    expect(places(await list("direction=asc&order=endpoint"))).toEqual([
      "GET /a/{var1}",
      "POST /b",
      "DELETE /c/{var1}",
      "GET /z",
    ]);
    expect(places(await list("order=method&direction=desc"))[0]).toBe("POST /b");
    expect(places(await list("method=POST&method=DELETE"))).toEqual(["POST /b", "DELETE /c/{var1}"]);
    expect(places(await list("host=api.shop.example"))).toEqual(["GET /z"]);
    expect(places(await list("endpoint=/c"))).toEqual(["DELETE /c/{var1}"]);
    expect(await list("origin=SessionIdentifier")).toEqual([]);
    expect(places(await list("page=2&per_page=3"))).toEqual(["DELETE /c/{var1}"]);
    expect(await list("page=3&per_page=3")).toEqual([]);
    expect((await api.request("GET", `${path}/operations?state=new`)).status).toBe(400);
  });

  test("leaves out what pages bring along, and what only noise would save", async () => {
    await see("one", ["GET /assets/app.js", "GET /logo.svg", "GET /page"]);
    expect(places(await list())).toEqual(["GET /page"]);
  });

  test("stands snapshots that are none", async () => {
    await see("one", ["GET /a"]);
    const other = { zoneId: api.zone.id, kind: "discovery", hourAt: NOW } as const;
    await snapshots.put(
      [
        { ...other, source: "text", bytes: new TextEncoder().encode("{") },
        { ...other, source: "bytes", bytes: Uint8Array.of(0xff, 0) },
        { ...other, source: "number", bytes: new TextEncoder().encode("[1]") },
      ],
      NOW,
    );
    expect(places(await list())).toEqual(["GET /a"]);
  });
});

describe("decisions", () => {
  test("ignore, review again, save; saved ones leave the list of what is to be done", async () => {
    await see("one", ["GET /orders/#", "POST /orders", "GET /health"]);
    const byPlace = new Map((await list()).map((row) => [`${row.method} ${row.endpoint}`, row.id]));
    const [orders = "", health = ""] = [byPlace.get("GET /orders/{var1}"), byPlace.get("GET /health")];
    const ignored = await api.request("PATCH", `${path}/operations`, {
      body: { [health]: { state: "ignored" }, [orders]: {} },
    });
    expect(ignored.json.result).toEqual({ [health]: { state: "ignored" }, [orders]: { state: "review" } });
    expect(places(await list("state=ignored"))).toEqual(["GET /health"]);
    expect(places(await list("state=review")).toSorted()).toEqual(["GET /orders/{var1}", "POST /orders"]);
    const documents = await api.request("GET", path);
    expect(Object.keys(documents.json.result.schemas[0].paths).toSorted()).toEqual([
      "/orders",
      "/orders/{var1}",
    ]);

    const saved = await api.request("PATCH", `${path}/operations/${orders}`, { body: { state: "saved" } });
    const [operation] = api.store.group("operations", api.zone.id);
    expect(saved.json.result).toEqual({ state: "saved", operation_id: operation?.operation.id });
    expect(operation?.operation).toMatchObject({
      method: "GET",
      host: "shop.example",
      endpoint: "/orders/{var1}",
    });
    expect(places(await list("diff=true")).toSorted()).toEqual(["GET /health", "POST /orders"]);
    expect(places(await list("state=saved"))).toEqual(["GET /orders/{var1}"]);
    const back = await api.request("PATCH", `${path}/operations/${orders}`, { body: { state: "review" } });
    expect(back).toMatchObject({ status: 400, json: { errors: [{ code: 20104 }] } });

    const again = await api.request("PATCH", `${path}/operations`, {
      body: { [health]: { state: "review" } },
    });
    expect(again.json.result[health].state).toBe("review");
    expect(api.store.all("ignoredEndpoints")).toEqual([]);
  });

  test("about endpoints that are not reported are refused, and change nothing", async () => {
    await see("one", ["GET /a"]);
    const [{ id } = { id: "" }] = await list();
    const unknown = "00000000-0000-8000-8000-000000000000";
    const several = await api.request("PATCH", `${path}/operations`, {
      body: { [id]: { state: "ignored" }, [unknown]: { state: "ignored" } },
    });
    expect(several).toMatchObject({
      status: 400,
      json: { errors: [{ code: 20103, source: { pointer: `/${unknown}` } }] },
    });
    expect(places(await list("state=review"))).toEqual(["GET /a"]);
    const single = await api.request("PATCH", `${path}/operations/${unknown}`, {
      body: { state: "ignored" },
    });
    expect(single).toMatchObject({ status: 404, json: { errors: [{ code: 20009 }] } });
  });
});

test(
  "templates of ten public APIs, seen by three processes on two days, through the API",
  { timeout: 60_000 },
  async () => {
    const found = new Set<string>();
    const wanted = new Set<string>();
    for (const [name, description] of Object.entries(APIS).slice(0, 10)) {
      const recorders = [createDiscoveryRecorder(), createDiscoveryRecorder(), createDiscoveryRecorder()];
      const host = `${name.replaceAll(/[^a-z]/g, "")}.example.com`;
      const requests = [...sampleRequests(description, { perOperation: 200, noise: 0.03, seed: 1 })];
      for (const [at, request] of requests.entries())
        recorders[at % 3]?.observe({ ...request, host }, at * 2 < requests.length ? NOW - DAY_MS : NOW);
      for (const [at, recorder] of recorders.entries())
        await store(recorder, `${name.replaceAll(/[^a-z]/g, "")}-${at}`, NOW);
      for (const endpoint of expectedEndpoints(description)) wanted.add(`${host} ${endpoint}`);
    }
    for (let page = 1; ; page += 1) {
      const { json } = await api.request(
        "GET",
        `${path}/operations?min_requests=100&per_page=1000&page=${page}`,
      );
      if (json.result.length === 0) break;
      for (const { host, method, endpoint } of json.result) found.add(`${host} ${method} ${endpoint}`);
    }
    expect(wanted.size).toBeGreaterThan(500);
    expect(found.intersection(wanted).size / wanted.size).toBeGreaterThanOrEqual(0.95);
    expect(found.difference(wanted).size / found.size).toBeLessThanOrEqual(0.02);
  },
);
