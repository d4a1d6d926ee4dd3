import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { SecurityEvent } from "../../src/engine/index.ts";
import { openEventStore } from "../../src/store/index.ts";
import type { EventStore, EventStoreOptions } from "../../src/store/index.ts";
import { NOON, ZONE_ID } from "../support/engine.ts";

const open: EventStore[] = [];
const folders: string[] = [];
afterEach(async () => {
  for (const store of open.splice(0)) store.close();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

function startStore(options: Partial<EventStoreOptions> = {}): EventStore {
  const store = openEventStore({ path: ":memory:", now: () => NOON, ...options });
  open.push(store);
  return store;
}

async function fileFor(name = "events.db"): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "stepgate-events-"));
  folders.push(folder);
  return join(folder, name);
}

const event = (members: Partial<SecurityEvent> = {}): SecurityEvent => ({
  rayId: "0123456789abcdef",
  at: NOON,
  zoneId: ZONE_ID,
  zoneName: "shop.example",
  phase: "http_request_firewall_custom",
  rulesetId: "1".repeat(32),
  ruleId: "2".repeat(32),
  ruleRef: "guard",
  ruleVersion: "1",
  ruleDescription: "b after a",
  action: "block",
  outcome: "applied",
  matchIndex: 0,
  method: "POST",
  scheme: "https",
  protocol: "HTTP/2",
  host: "shop.example",
  path: "/b",
  query: "",
  referer: "",
  clientAddress: "192.0.2.7",
  userAgent: "probe",
  status: 403,
  originStatus: 0,
  currentOp: "bbbbbbbb",
  previousOps: [{ op: "cccccccc", ageMs: 10 }],
  missing: [{ op: "aaaaaaaa" }],
  ...members,
});

const refs = (store: EventStore, query: object = {}, limit = 100, before?: number): readonly string[] =>
  store.list({ zoneId: ZONE_ID, ...query }, limit, before).map(({ event: { ruleRef } }) => ruleRef);

describe("what is kept", () => {
  test("is what was handed in, newest first", () => {
    const store = startStore();
    store.add(event({ ruleRef: "one" }));
    store.add(event({ ruleRef: "two", detail: "é\u0000\n" }));
    const [newest] = store.list({ zoneId: ZONE_ID }, 1);
    expect(newest?.event).toEqual(event({ ruleRef: "two", detail: "é\u0000\n" }));
    expect(refs(store)).toEqual(["two", "one"]);
  });

  test("survives the process, for its owner's eyes only", async () => {
    const path = await fileFor();
    const first = openEventStore({ path, now: () => NOON });
    first.add(event());
    first.close();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(refs(startStore({ path }))).toEqual(["guard"]);
  });

  test("a file that is no database is begun anew, a place where none can be is told", async () => {
    const path = await fileFor();
    await writeFile(path, "no database ".repeat(1000));
    const store = startStore({ path });
    store.add(event());
    expect(refs(store)).toEqual(["guard"]);
    expect(() => openEventStore({ path: "/nowhere/at/all.db", now: () => NOON })).toThrow(
      "expected a database that can be opened",
    );
  });

  test.each<[keyof SecurityEvent, string | number]>([
    ["rayId", "f".repeat(16)],
    ["phase", "http_ratelimit"],
    ["rulesetId", "9".repeat(32)],
    ["ruleId", "8".repeat(32)],
    ["ruleRef", "other"],
    ["action", "log"],
    ["outcome", "simulated"],
    ["method", "GET"],
    ["host", "www.shop.example"],
    ["path", "/c' OR 1=1 --"],
    ["clientAddress", "2001:db8::1"],
    ["currentOp", "cccccccc"],
    ["status", 429],
  ])("is found by %s", (member, value) => {
    const store = startStore();
    store.add(event());
    store.add(event({ [member]: value }));
    expect(store.list({ zoneId: ZONE_ID, [member]: value }, 10)).toHaveLength(1);
    expect(store.list({ zoneId: ZONE_ID, [member]: typeof value === "number" ? -1 : "none" }, 10)).toEqual(
      [],
    );
  });

  test("is found by time, and never in another zone", () => {
    const store = startStore();
    for (const [index, at] of [NOON - 2000, NOON - 1000, NOON].entries())
      store.add(event({ at, ruleRef: `${index}` }));
    store.add(event({ zoneId: "f".repeat(32), ruleRef: "other" }));
    expect(refs(store, { since: NOON - 1000 })).toEqual(["2", "1"]);
    expect(refs(store, { before: NOON - 1000 })).toEqual(["1", "0"]);
    expect(refs(store, { since: NOON - 1000, before: NOON - 1000 })).toEqual(["1"]);
  });

  test("is read page by page while more arrives: nothing twice, nothing missed", () => {
    const store = startStore();
    for (let index = 0; index < 25; index += 1) store.add(event({ ruleRef: `${index}` }));
    const seen: string[] = [];
    let before: number | undefined;
    for (let page = 0; page < 10; page += 1) {
      const rows = store.list({ zoneId: ZONE_ID }, 4, before);
      if (rows.length === 0) break;
      seen.push(...rows.map(({ event: { ruleRef } }) => ruleRef));
      before = rows.at(-1)?.sequence;
      store.add(event({ ruleRef: "late" }));
    }
    expect(seen).toEqual(Array.from({ length: 25 }, (_, index) => `${24 - index}`));
  });

  test("is followed from a place", () => {
    const store = startStore();
    store.add(event({ ruleRef: "before" }));
    const from = store.newest();
    store.add(event({ ruleRef: "one" }));
    store.add(event({ ruleRef: "two" }));
    expect(store.listAfter({ zoneId: ZONE_ID }, 10, from).map(({ event: { ruleRef } }) => ruleRef)).toEqual([
      "one",
      "two",
    ]);
  });
});

describe("bounds", () => {
  test("by count: the oldest go first", () => {
    const store = startStore({ maxEvents: 100 });
    for (let index = 0; index < 1_000; index += 1) {
      store.add(event({ ruleRef: `${index}` }));
      if (index % 50 === 49) store.newest();
    }
    expect(refs(store, {}, 1_000)).toEqual(Array.from({ length: 100 }, (_, index) => `${999 - index}`));
  });

  test("by age", () => {
    let now = NOON;
    const store = startStore({ now: () => now, maxAgeMs: 1_000 });
    store.add(event({ ruleRef: "old" }));
    store.newest();
    now += 1_001;
    store.add(event({ ruleRef: "new", at: now }));
    expect(refs(store)).toEqual(["new"]);
  });

  test("modifications of ordinary requests do not push out blocks, failed ones are no ordinary ones", () => {
    const store = startStore({ maxEvents: 100 });
    store.add(event({ ruleRef: "block" }));
    store.add(event({ ruleRef: "failed", action: "rewrite", outcome: "failed" }));
    for (let index = 0; index < 500; index += 1) {
      store.add(event({ action: "rewrite", ruleRef: `${index}` }));
      if (index % 50 === 49) store.newest();
    }
    expect(refs(store, { action: "block" })).toEqual(["block"]);
    expect(refs(store, { action: "rewrite" }, 1_000)).toHaveLength(11);
    expect(refs(store, { outcome: "failed" })).toEqual(["failed"]);
  });

  test("a flood is dropped and counted, and costs no more memory than is allowed", () => {
    const store = startStore();
    const one = event();
    for (let index = 0; index < 50_000; index += 1) store.add(one);
    expect(store.dropped).toBe(30_000);
    expect(store.list({ zoneId: ZONE_ID }, 1)).toHaveLength(1);
  });

  test("no batch keeps the process from its requests", async () => {
    const path = await fileFor();
    const store = startStore({ path, maxEvents: 2_000 });
    let longestMs = 0;
    let last = performance.now();
    const watch = setInterval(() => {
      longestMs = Math.max(longestMs, performance.now() - last);
      last = performance.now();
    }, 1);
    for (let round = 0; round < 20; round += 1) {
      for (let index = 0; index < 250; index += 1) store.add(event());
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    clearInterval(watch);
    expect(store.dropped).toBe(0);
    // A batch takes a few milliseconds; the rest is a busy machine.
    expect(longestMs).toBeLessThan(100);
  });
});

test("subscribers are told after each batch; several processes share one file", async () => {
  const path = await fileFor();
  const [one, two] = [startStore({ path }), startStore({ path })];
  let told = 0;
  const unsubscribe = one.subscribe(() => (told += 1));
  one.add(event({ ruleRef: "one" }));
  two.add(event({ ruleRef: "two" }));
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(told).toBe(1);
  expect(refs(one).toSorted()).toEqual(["one", "two"]);
  unsubscribe();
});

test("a database that cannot be written loses events, not requests", async () => {
  const errors: Error[] = [];
  const store = openEventStore({ path: ":memory:", now: () => NOON, onError: (error) => errors.push(error) });
  store.add({ ...event(), at: "no number" } as unknown as SecurityEvent);
  expect(() => store.newest()).not.toThrow();
  expect([errors.length, store.dropped]).toEqual([1, 1]);
  store.close();
});
