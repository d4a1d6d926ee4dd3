/** From traffic to a rule: requests pass a real engine, are counted and stored, and the API says what they were. */
import { randomBytes } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import type { SnapshotStore } from "../../src/analytics/index.ts";
import { createSequenceCarrier } from "../../src/cli/sequence-cookies.ts";
import { createLog } from "../../src/cli/log.ts";
import { createTraffic } from "../../src/cli/traffic.ts";
import type { Traffic } from "../../src/cli/traffic.ts";
import { createEngine } from "../../src/engine/index.ts";
import type { Engine, SecurityEvent } from "../../src/engine/index.ts";
import { StateUnavailableError } from "../../src/sequence/index.ts";
import { openSqliteSnapshots, openStore } from "../../src/store/index.ts";
import { createVisitor, NOON, testKeys } from "../support/engine.ts";
import { startApi } from "./support/server.ts";
import type { Answer, RunningApi } from "./support/server.ts";

interface Site {
  readonly api: RunningApi;
  readonly engine: Engine;
  readonly traffic: Traffic;
  readonly snapshots: SnapshotStore;
  readonly events: SecurityEvent[];
  /** Short ids by name. */
  readonly ops: Readonly<Record<"accounts" | "balance" | "transfer" | "profile", string>>;
  readonly ids: Readonly<Record<"accounts" | "balance" | "transfer" | "profile", string>>;
  /** Below `/zones/…/stepgate/`. */
  get(path: string): Promise<Answer>;
  simulate(body: unknown): Promise<Answer>;
  setRules(rules: readonly unknown[]): Promise<void>;
  /** One visitor takes these steps, ten milliseconds apart. @returns what they were answered */
  journey(
    ...steps: readonly ("accounts" | "balance" | "transfer" | "profile" | "other")[]
  ): Promise<number[]>;
}

const TARGETS = {
  accounts: { method: "GET", target: "/users/7/accounts" },
  balance: { method: "GET", target: "/accounts/9/balance" },
  transfer: { method: "POST", target: "/transfer" },
  profile: { method: "GET", target: "/users/7/profile" },
  other: { method: "GET", target: "/about?x=1" },
} as const;

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function startSite({
  perSequence = 200,
  snapshots = openSqliteSnapshots(":memory:"),
} = {}): Promise<Site> {
  let nowMs = NOON;
  const now = (): number => nowMs;
  const store = openStore({ path: ":memory:", now, random: (size) => randomBytes(size) });
  const logger = createLog("silent");
  const traffic = createTraffic({
    store: snapshots,
    source: store,
    processId: "test",
    cap: { perSequence, seed: 1 },
    now,
    random: () => 0.5,
    logger,
  });
  const api = await startApi({ store, now, traffic: { store: snapshots, flush: () => traffic.flush() } });
  const zonePath = `/zones/${api.zone.id}`;
  const operations = [
    ["GET", "/users/{var1}/accounts"],
    ["GET", "/accounts/{var1}/balance"],
    ["POST", "/transfer"],
    ["GET", "/users/{var1}/profile"],
  ].map(([method, endpoint]) => ({ method, host: "shop.example", endpoint }));
  const saved = await api.request("POST", `${zonePath}/api_gateway/operations`, { body: operations });
  const idOf = (end: string): string =>
    saved.json.result.find(({ endpoint }: { endpoint: string }) => endpoint.endsWith(end)).operation_id;
  const ids = {
    accounts: idOf("accounts"),
    balance: idOf("balance"),
    transfer: idOf("transfer"),
    profile: idOf("profile"),
  };
  const ops = Object.fromEntries(
    Object.entries(ids).map(([name, id]) => [name, id.slice(0, 8)]),
  ) as typeof ids;
  await api.request("PUT", `${zonePath}/fraud_detection/sequence_cookies`, { body: { enabled: true } });
  const events: SecurityEvent[] = [];
  const engine = createEngine({
    source: store,
    ...createSequenceCarrier(
      testKeys(),
      { maxEntries: 10, maxAgeSeconds: 3600, leads: 2 },
      { difficultyBits: 4 },
    ),
    trafficFor: traffic.trafficFor,
    random: (size) => randomBytes(size),
    onEvent: (event) => events.push(event),
  });
  closing.push(async () => {
    engine.close();
    await traffic.close();
    await api.close();
    await snapshots.close();
  });
  return {
    api,
    engine,
    traffic,
    snapshots,
    events,
    ops,
    ids,
    get(path) {
      // Counts are asked for anew after two seconds.
      nowMs += 2_000;
      return api.request("GET", `${zonePath}/stepgate/${path}`);
    },
    simulate(body) {
      nowMs += 2_000;
      return api.request("POST", `${zonePath}/stepgate/simulate`, { body });
    },
    async setRules(rules) {
      const path = `${zonePath}/rulesets/phases/http_request_firewall_custom/entrypoint`;
      expect(await api.request("PUT", path, { body: { rules } })).toMatchObject({ status: 200 });
    },
    async journey(...steps) {
      const { visit } = createVisitor(engine);
      const statuses: number[] = [];
      for (const step of steps) {
        nowMs += 10;
        statuses.push((await visit({ ...TARGETS[step], at: nowMs })).status);
      }
      return statuses;
    },
  };
}

const transferNeedsBalance = ({ ops }: Site): string =>
  `cf.sequence.current_op eq "${ops.transfer}" and not any(cf.sequence.previous_ops[*] == "${ops.balance}")`;

/** @returns how many transfers were refused */
async function letVisitorsIn(site: Site): Promise<number> {
  let refused = 0;
  for (let visitor = 0; visitor < 30; visitor += 1) {
    const statuses =
      visitor % 5 === 0
        ? await site.journey("accounts", "transfer", "transfer", "balance", "transfer")
        : await site.journey("accounts", "balance", "transfer");
    refused += statuses.filter((status) => status === 403).length;
  }
  return refused;
}

function namesOf({ json }: Answer): string[] {
  return json.result.map((each: { operations: { endpoint: string }[] }) =>
    each.operations.map(({ endpoint }) => endpoint.split("/").at(-1)).join(" "),
  );
}

function away(): Promise<never> {
  return Promise.reject(new StateUnavailableError("ERR_STATE_DOWN", "down"));
}

const isOp = (op: string): string => `cf.sequence.current_op eq "${op}"`;
const isPrevious = (op: string): string => `any(cf.sequence.previous_ops[*] == "${op}")`;

describe("the predicted false-block rate is what the rule does", () => {
  test.each(["none", "log", "block"] as const)("whatever is in force: %s", async (action) => {
    const site = await startSite();
    const expression = transferNeedsBalance(site);
    if (action !== "none") await site.setRules([{ expression, action }]);
    const refused = await letVisitorsIn(site);
    const { json } = await site.get(`analytics/pairs?first=${site.ids.balance}&second=${site.ids.transfer}`);
    const [pair] = json.result;
    // 24 visitors with one transfer each, 6 with three, of which two had no balance before them.
    expect(pair).toMatchObject({ requests: 42, passed: 30, is_exact: true, error_bound: 0 });
    expect(pair.predicted_false_block_rate).toBeCloseTo(12 / 42, 5);
    expect(site.events).toHaveLength(action === "none" ? 0 : 12);
    expect(refused).toBe(action === "block" ? 12 : 0);
    const simulated = await site.simulate({ expression });
    expect(simulated.json.result.recorded).toMatchObject({
      method: "pairs",
      hits: 12,
      hits_at_least: 12,
      hits_at_most: 12,
      is_exact: true,
      by_operation: [{ short_id: site.ops.transfer, requests: 42, hits: 12 }],
    });
  });

  test("a rule that was suggested blocks nobody who does as all the others", async () => {
    const site = await startSite();
    for (let visitor = 0; visitor < 25; visitor += 1) await site.journey("accounts", "balance", "transfer");
    const { json } = await site.get("analytics/suggest");
    expect(json.result.map(({ first, second }: never) => [first["endpoint"], second["endpoint"]])).toEqual([
      ["/accounts/{var1}/balance", "/transfer"],
      ["/users/{var1}/accounts", "/accounts/{var1}/balance"],
    ]);
    const [best] = json.result;
    expect(best.effect).toMatchObject({ requests: 25, predicted_false_block_rate: 0, is_exact: true });
    // As it is: custom rule and sequence rule.
    await site.setRules([best.custom_rule]);
    const rules = `/zones/${site.api.zone.id}/api_gateway/seqrules/rules`;
    expect(await site.api.request("POST", rules, { body: best.seqrule })).toMatchObject({ status: 200 });
    expect(await site.journey("accounts", "balance", "transfer")).toEqual([200, 200, 200]);
    expect(await site.journey("accounts", "transfer")).toEqual([200, 403]);
  });
});

describe("what was counted", () => {
  test("sequences by last operation, length and order, page by page", async () => {
    const site = await startSite();
    for (let visitor = 0; visitor < 22; visitor += 1)
      await site.journey("accounts", "balance", "transfer", "profile", "other");
    const all = await site.get("analytics/sequences");
    // Everything shorter is a part of it and says no more.
    expect(namesOf(all)).toEqual([
      "accounts balance transfer profile",
      "accounts balance transfer",
      "accounts balance",
    ]);
    expect(all.json.result[0]).toMatchObject({
      count: 22,
      precedence: 1,
      follow: 1,
      lift: 4,
      error_bound: 0,
    });
    expect(namesOf(await site.get(`analytics/sequences?last_operation=${site.ops.transfer}`))).toEqual([
      "accounts balance transfer",
    ]);
    expect(namesOf(await site.get("analytics/sequences?max_length=2&sort=count"))).toHaveLength(3);
    expect(namesOf(await site.get("analytics/sequences?host=other.example"))).toEqual([]);
    const second = await site.get("analytics/sequences?per_page=1&page=2");
    expect(namesOf(second)).toEqual(["accounts balance transfer"]);
    expect(second.json.result_info).toMatchObject({ page: 2, count: 1, total_count: 3, total_pages: 3 });
    expect((await site.get("analytics")).json.result).toMatchObject({
      requests: 88,
      repeat_share: 0,
      left_out: 0,
      error_bounds: { length_2: 0, length_9: 0, pairs: 0 },
    });
  });

  test("an operation's neighbours, and the graph of all", async () => {
    const site = await startSite();
    for (let visitor = 0; visitor < 4; visitor += 1) await site.journey("accounts", "balance", "transfer");
    await site.journey("profile", "balance");
    const { json } = await site.get(`analytics/operations/${site.ids.balance}`);
    expect(json.result).toMatchObject({
      requests: 5,
      starts: 0,
      ends: 1,
      predecessors: [
        { short_id: site.ops.accounts, count: 4, share: 0.8 },
        { short_id: site.ops.profile, count: 1, share: 0.2 },
      ],
      successors: [{ short_id: site.ops.transfer, count: 4, share: 0.8 }],
    });
    const graph = (await site.get("analytics/graph?min_count=2")).json.result;
    expect(graph.nodes).toHaveLength(4);
    expect(graph.edges).toHaveLength(2);
    expect(graph.edges).toEqual(
      expect.arrayContaining([
        { from: site.ops.accounts, to: site.ops.balance, count: 4, precedence: 0.8, follow: 1 },
        { from: site.ops.balance, to: site.ops.transfer, count: 4, precedence: 1, follow: 0.8 },
      ]),
    );
  });

  test("a client that repeats itself, or writes too much, is said to have done so", async () => {
    const site = await startSite({ perSequence: 6 });
    await site.journey(
      "accounts",
      "accounts",
      "accounts",
      "balance",
      "balance",
      "balance",
      "transfer",
      "transfer",
    );
    const { json } = await site.get("analytics");
    expect(json.result).toMatchObject({ requests: 7, left_out: 1 });
    expect(json.messages.map(({ message }: { message: string }) => message)).toEqual([
      expect.stringMatching(/^57 % of the requests repeat the operation before them/),
      expect.stringMatching(/^1 requests \(13 %\) were not counted/),
    ]);
  });

  test("operations that are deleted are in no answer any more, the others stay", async () => {
    const site = await startSite();
    for (let visitor = 0; visitor < 22; visitor += 1) await site.journey("accounts", "balance", "transfer");
    const path = `/zones/${site.api.zone.id}/api_gateway/operations/${site.ids.balance}`;
    expect((await site.api.request("DELETE", path)).status).toBe(200);
    const texts = await Promise.all(
      [
        "sequences",
        "graph",
        "suggest",
        `operations/${site.ops.transfer}`,
        `pairs?second=${site.ops.transfer}`,
      ].map(async (view) => JSON.stringify((await site.get(`analytics/${view}`)).json)),
    );
    expect(texts.filter((text) => text.includes(site.ops.balance))).toEqual([]);
    expect((await site.get("analytics")).json.result.requests).toBe(66);
    expect((await site.get(`analytics/operations/${site.ids.balance}`)).status).toBe(404);
  });

  test.each([
    ["analytics/sequences?sort=length", "/sort"],
    ["analytics/sequences?min_length=1", "/min_length"],
    ["analytics/sequences?min_length=5&max_length=4", "/min_length"],
    ["analytics/sequences?last_operation=ffffffff", "/last_operation"],
    ["analytics/pairs", "/second"],
    ["analytics/pairs?second=nothing", "/second"],
    ["analytics/graph?max_nodes=1001", "/max_nodes"],
    ["analytics/suggest?min_pass_rate=2", "/min_pass_rate"],
  ])("%s is refused at %s", async (path, pointer) => {
    const site = await startSite();
    const { status, json } = await site.get(path);
    expect(status).toBe(400);
    expect(json.errors[0].source.pointer).toBe(pointer);
  });

  test("a store that is away is 503 and takes nothing with it, no store is 404", async () => {
    const real = openSqliteSnapshots(":memory:");
    let isAway = false;
    const site = await startSite({
      snapshots: {
        ...real,
        list: (...args) => (isAway ? away() : real.list(...args)),
        put: (...args) => (isAway ? away() : real.put(...args)),
      },
    });
    isAway = true;
    expect(await site.journey("accounts", "balance")).toEqual([200, 200]);
    expect((await site.get("analytics")).json.errors[0]).toMatchObject({ code: 20504 });
    isAway = false;
    expect((await site.get("analytics")).json.result.requests).toBe(2);
    const without = await startApi();
    closing.push(() => without.close());
    const none = await without.request("GET", `/zones/${without.zone.id}/stepgate/analytics`);
    expect(none).toMatchObject({ status: 404, json: { errors: [{ code: 20008 }] } });
  });
});

describe("what a rule would do", () => {
  test("is known exactly where it hangs on one earlier operation, and said to be a guess elsewhere", async () => {
    const site = await startSite();
    await site.journey("accounts", "balance", "transfer");
    await site.journey("profile", "balance", "transfer");
    await site.journey("transfer");
    const { transfer, accounts, profile, balance } = site.ops;
    const recorded = async (expression: string) => (await site.simulate({ expression })).json.result.recorded;
    expect(await recorded(`${isOp(transfer)} and ${isPrevious(balance)}`)).toMatchObject({
      hits: 2,
      is_exact: true,
    });
    expect(await recorded(isOp(transfer))).toMatchObject({ hits: 3, requests: 7, is_exact: true });
    // Each operation hangs on one other only.
    expect(
      await recorded(
        `(${isOp(transfer)} and not ${isPrevious(balance)}) or (${isOp(balance)} and ${isPrevious(profile)})`,
      ),
    ).toMatchObject({ method: "pairs", hits: 2, is_exact: true });
    const both = `${isOp(transfer)} and ${isPrevious(accounts)} and ${isPrevious(balance)}`;
    expect(await recorded(both)).toMatchObject({
      method: "histories",
      hits: 1,
      is_exact: false,
      hits_at_most: 7,
    });
    expect(await recorded(`${isOp(transfer)} and cf.sequence.previous_ops[0] == "${balance}"`)).toMatchObject(
      {
        method: "histories",
        hits: 2,
      },
    );
    expect(await recorded('http.user_agent contains "x"')).toMatchObject({ method: "none", is_exact: false });
  });

  test("to a sequence rule: an estimate that says so", async () => {
    const site = await startSite();
    await site.journey("accounts", "balance", "transfer");
    await site.journey("accounts", "transfer");
    const { status, json } = await site.simulate({
      seqrule: { kind: "allow", sequence: [site.ids.balance, site.ids.transfer] },
    });
    expect(status).toBe(200);
    expect(json.result.recorded).toMatchObject({ hits: 1, hit_rate: 0.5, is_exact: false });
    expect(json.result.recorded.notes[0]).toContain("sequence.lookback_requests");
  });

  test("to a sample, when the zone keeps one: with examples", async () => {
    const site = await startSite();
    await site.journey("transfer");
    const off = await site.simulate({ expression: transferNeedsBalance(site) });
    expect(off.json.result.sample).toMatchObject({ is_on: false, sampled: 0, examples: [] });
    const settings = `/zones/${site.api.zone.id}/stepgate/settings`;
    const body = { analytics: { sample_decisions: true } };
    expect((await site.api.request("PATCH", settings, { body })).json.result.analytics).toEqual(
      body.analytics,
    );
    await site.journey("accounts", "transfer", "other");
    await site.journey("accounts", "balance", "transfer");
    const { json } = await site.simulate({ expression: transferNeedsBalance(site) });
    expect(json.result.sample).toMatchObject({
      is_on: true,
      seen: 6,
      sampled: 6,
      hits: 1,
      estimated_hits: 1,
      is_exact: true,
      examples: [
        {
          method: "POST",
          path: "/transfer",
          client_ip: "192.0.2.7",
          current_op: site.ops.transfer,
          previous_ops: [{ op: site.ops.accounts, age_ms: 10 }],
          was_ended: false,
        },
      ],
    });
    const byPath = await site.simulate({ expression: 'http.request.uri.query eq "x=1"' });
    expect(byPath.json.result.sample).toMatchObject({ hits: 1, is_exact: true });
    const rule = { kind: "allow", sequence: [site.ids.balance, site.ids.transfer] };
    expect((await site.simulate({ seqrule: rule })).json.result.sample).toMatchObject({ hits: 1 });
    const unknown = await site.simulate({
      expression: 'http.cookie contains "x" and http.request.method eq "POST"',
    });
    expect(unknown.json.result.sample).toMatchObject({ hits: 2, is_exact: false });
    expect(unknown.json.result.sample.notes[0]).toContain("`http.cookie`");
  });

  test.each([
    [{}, ""],
    [{ expression: "true", seqrule: { kind: "allow", sequence: ["a", "b"] } }, "/seqrule"],
    [{ expression: "cf.sequence.current_op eq" }, "/expression"],
    [{ expression: "" }, "/expression"],
    [{ expression: "ip.src in $nobody" }, "/expression"],
    [{ seqrule: { kind: "deny", sequence: ["a", "b"] } }, "/seqrule/kind"],
    [{ seqrule: { kind: "allow", sequence: ["a", "b"] } }, "/seqrule/sequence/0"],
    [{ rule: "true" }, ""],
  ])("%j is refused like a rule", async (body, pointer) => {
    const site = await startSite();
    const { status, json } = await site.simulate(body);
    expect(status).toBe(400);
    expect(json.errors[0].source.pointer).toBe(pointer);
  });
});
