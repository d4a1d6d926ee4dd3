/** Zones out and in: the same bytes, whatever happened in between; all or nothing; the commands of the terminal. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import * as fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { ApiError, exportZone, importZone, zoneDocumentText } from "../../src/api/index.ts";
import { openStore } from "../../src/store/index.ts";
import type { Store, ZoneRow } from "../../src/store/index.ts";
import { startApi } from "./support/server.ts";

const random = (lengthBytes: number): Uint8Array => randomBytes(lengthBytes);
const deps = { random, isOriginAllowed: () => true };
const HOST = "shop.example";

function freshStore(
  owner: "file" | "api" = "file",
  path = ":memory:",
): { store: Store; zone: () => ZoneRow } {
  const store = openStore({ path, now: Date.now, random });
  if (owner === "file") store.ensureZones([{ name: HOST, hosts: [HOST], origin: "http://127.0.0.1:1" }]);
  return { store, zone: () => store.find("zones", HOST) as ZoneRow };
}

const textOf = ({ store, zone }: ReturnType<typeof freshStore>): string =>
  zoneDocumentText(exportZone(store, zone()));

const hex = (length: number) =>
  fc.string({
    unit: fc.constantFrom(...Array.from("0123456789abcdef")),
    minLength: length,
    maxLength: length,
  });
const uuid = hex(32).map(
  (text) =>
    `${text.slice(0, 8)}-${text.slice(8, 12)}-4${text.slice(13, 16)}-a${text.slice(17, 20)}-${text.slice(20)}`,
);

const operation = fc.record({
  operation_id: uuid,
  method: fc.constantFrom("GET", "POST", "PUT", "DELETE"),
  host: fc.constantFrom(HOST, "api.shop.example", "{hostVar1}.shop.example"),
  endpoint: fc
    .array(fc.constantFrom("a", "b", "{id}", "c%20d", "é"), { maxLength: 4 })
    .map((parts) => `/${parts.join("/")}`),
  record: fc.constantFrom("forwarded", "success"),
  prefetch: fc.constantFrom("record", "ignore", "refuse"),
});

const expression = fc.constantFrom(
  "ssl",
  'http.host eq "a"',
  'cf.sequence.current_op eq "aaaaaaaa" and not any(cf.sequence.previous_ops[*] == "bbbbbbbb")',
  "ip.src in $offices",
);

const rule = fc.record(
  {
    id: hex(32),
    ref: fc.string({ unit: fc.constantFrom(...Array.from("abcdef-")), minLength: 3, maxLength: 12 }),
    description: fc.string({ unit: "grapheme", maxLength: 20 }).map((text) => text.toWellFormed()),
    enabled: fc.boolean(),
    expression,
    x_note: fc.jsonValue({ maxDepth: 2 }).filter((value) => !JSON.stringify(value).includes("__proto__")),
  },
  { requiredKeys: ["id", "expression"] },
);

const action = fc.constantFrom<object>(
  { action: "log" },
  { action: "block" },
  {
    action: "block",
    action_parameters: { response: { content: "no", content_type: "text/plain", status_code: 403 } },
  },
  { action: "skip", action_parameters: { ruleset: "current" } },
);

const limit = fc.record({
  characteristics: fc.constantFrom(["ip.src", "cf.colo.id"], ["cf.colo.id", "http.host"]),
  period: fc.integer({ min: 1, max: 3600 }),
  requests_per_period: fc.integer({ min: 1, max: 1000 }),
});

const uniqueRules = (rules: readonly { readonly id: string; readonly ref?: string }[]) =>
  rules.filter(
    ({ id, ref = id }, index) =>
      !rules
        .slice(0, index)
        .some(
          (other) =>
            other.id === id || (other.ref ?? other.id) === ref || other.id === ref || other.ref === id,
        ),
  );

/** A document that can be applied. Operations that catch the same requests, or share a short id, are left out. */
const document = fc
  .record({
    operations: fc.array(operation, { maxLength: 8 }),
    custom: fc.array(
      fc.tuple(rule, action).map(([base, rest]) => Object.assign({}, base, rest)),
      { maxLength: 6 },
    ),
    limits: fc.array(
      fc.tuple(rule, limit).map(([base, ratelimit]) => Object.assign({}, base, { action: "log", ratelimit })),
      { maxLength: 3 },
    ),
    seqrules: fc.array(
      fc.record({
        id: uuid,
        title: fc.string({ minLength: 1, maxLength: 20 }).filter((text) => text.trim() !== ""),
        kind: fc.constantFrom("allow", "block"),
        action: fc.constantFrom("block", "log"),
        priority: fc.integer({ min: -5, max: 5 }),
        pair: fc.tuple(fc.nat(7), fc.nat(7)),
      }),
      { maxLength: 4 },
    ),
    enabled: fc.boolean(),
    paused: fc.boolean(),
  })
  .map(({ operations, custom, limits, seqrules, enabled, paused }) => {
    const key = ({ method, host, endpoint }: (typeof operations)[number]) =>
      `${method} ${host} ${endpoint
        .replaceAll("{id}", "{}")
        .replaceAll(/\/+/g, "/")
        .replace(/(.)\/$/, "$1")}`.toLowerCase();
    const kept = operations.filter(
      (each, index) =>
        !operations
          .slice(0, index)
          .some(
            (other) =>
              key(other) === key(each) || other.operation_id.slice(0, 8) === each.operation_id.slice(0, 8),
          ),
    );
    const ids = new Set<string>();
    const sequences = seqrules.flatMap(({ pair, id, ...rest }) => {
      const [first, second] = pair.map((index) => kept[index]);
      if (
        first === undefined ||
        second === undefined ||
        first === second ||
        first.host !== second.host ||
        ids.has(id)
      )
        return [];
      ids.add(id);
      return [{ id, ...rest, sequence: [first.operation_id, second.operation_id] }];
    });
    return {
      format: "stepgate-zone",
      format_version: 1,
      zone: {
        name: HOST,
        paused,
        sequence_cookies: { enabled },
        cookie_scope: { same_site: "Lax", partitioned: false, domain: null },
        auth_id_characteristics: [],
        url_normalization: { scope: "both", type: "cloudflare" },
      },
      operations: kept,
      rulesets: [
        {
          phase: "http_request_firewall_custom",
          name: "default",
          description: "",
          rules: uniqueRules(custom),
        },
        ...(limits.length === 0
          ? []
          : [{ phase: "http_ratelimit", name: "limits", description: "l", rules: uniqueRules(limits) }]),
      ],
      seqrules: sequences,
      lists: [
        {
          name: "offices",
          kind: "ip",
          description: "",
          items: [{ ip: "192.0.2.1", comment: "hq" }, { ip: "198.51.100.0/24" }],
        },
      ],
    };
  });

describe("export and import", () => {
  test("export → import → export is the same, byte for byte: into an empty zone, into itself, and over another one", () => {
    fc.assert(
      fc.property(document, document, (first, other) => {
        const source = freshStore();
        importZone(source.store, first, deps);
        const text = textOf(source);
        const version = source.store.current().version;
        importZone(source.store, JSON.parse(text), deps);
        expect(textOf(source)).toBe(text);
        // Only the audit log grows: nothing that the gateway runs on has changed.
        expect(source.store.current().zones).toHaveLength(1);
        expect(source.store.current().version).toBeLessThanOrEqual(version + 1);
        const empty = freshStore();
        importZone(empty.store, JSON.parse(text), deps);
        expect(textOf(empty)).toBe(text);
        const used = freshStore();
        importZone(used.store, other, deps);
        importZone(used.store, JSON.parse(text), deps);
        // A list that the first document brought and no rule names any more is no part of the zone.
        expect(textOf(used)).toBe(text);
      }),
      { numRuns: Number(process.env["STEPGATE_TEST_RUNS"] ?? 150) },
    );
  });

  test("importing again what is there compiles nothing anew", () => {
    const zone = freshStore();
    const [sample] = fc.sample(document, { seed: 7, numRuns: 1 });
    importZone(zone.store, sample, deps);
    const before = zone.store.current().zones[0];
    importZone(zone.store, JSON.parse(textOf(zone)), deps);
    const after = zone.store.current().zones[0];
    expect(after?.rulesets).toBe(before?.rulesets);
    expect(after?.operations).toBe(before?.operations);
  });

  test("a zone made through the API travels with hosts and origin, one of the file without", () => {
    const made = freshStore("api");
    const base = JSON.parse(textOf(freshStore())) as { zone: object };
    expect(base.zone).not.toHaveProperty("origin");
    const withFacts = {
      ...base,
      zone: { ...base.zone, hosts: [HOST, "www.shop.example"], origin: "http://127.0.0.1:7" },
    };
    importZone(made.store, withFacts, deps);
    expect(made.store.current().zones[0]).toMatchObject({
      hosts: [HOST, "www.shop.example"],
      origin: "http://127.0.0.1:7",
    });
    expect(JSON.parse(textOf(made))).toEqual(withFacts);
    const file = freshStore();
    importZone(file.store, withFacts, deps);
    expect(file.zone()).toMatchObject({ hosts: [HOST], origin: "http://127.0.0.1:1" });
  });

  test("a document with a mistake anywhere changes nothing, and says where", () => {
    const [sample] = fc.sample(document, { seed: 3, numRuns: 1 }) as unknown as [
      { rulesets: { rules: object[] }[]; operations: object[] },
    ];
    const twins = [
      { operation_id: "0a0a0a0a-0000-4000-8000-000000000001", method: "GET", host: HOST, endpoint: "/one" },
      { operation_id: "0a0a0a0a-0000-4000-8000-000000000002", method: "GET", host: HOST, endpoint: "/two" },
    ];
    const same = twins.map((each, index) => ({
      ...each,
      operation_id: `${index}a0a0a0a-0000-4000-8000-000000000001`,
      endpoint: "/x",
    }));
    const seqrule = {
      id: twins[0]?.operation_id,
      title: "t",
      kind: "block",
      action: "log",
      sequence: ["a", "b"],
      priority: 0,
    };
    const [ruleset] = sample.rulesets;
    const cases: readonly (readonly [unknown, string])[] = [
      [{ ...sample, format: "other" }, "/format"],
      [{ ...sample, extra: 1 }, ""],
      [{ ...sample, operations: [{ method: "GET" }] }, "/operations/0/operation_id"],
      [{ ...sample, operations: twins }, "/operations/1/operation_id"],
      [{ ...sample, operations: same, seqrules: [] }, "/operations"],
      [
        { ...sample, rulesets: [{ ...ruleset, rules: [{ action: "log", expression: "nonsense" }] }] },
        "/rulesets/0/rules/0/expression",
      ],
      [{ ...sample, rulesets: [ruleset, ruleset] }, "/rulesets/1/phase"],
      [{ ...sample, seqrules: [seqrule] }, "/seqrules/0/sequence/0"],
      [
        { ...sample, lists: [{ name: "a", kind: "ip", description: "", items: [{ ip: "x" }] }] },
        "/lists/0/items/0/ip",
      ],
    ];
    for (const [value, pointer] of cases) {
      const { store } = freshStore();
      const before = store.current();
      let failure: unknown;
      try {
        importZone(store, value, deps);
      } catch (error) {
        failure = error;
      }
      expect([pointer, (failure as ApiError).items?.[0]?.source?.pointer]).toEqual([pointer, pointer]);
      expect(failure).toBeInstanceOf(ApiError);
      expect(store.current()).toBe(before);
    }
  });
});

describe("the commands", () => {
  const dir = mkdtempSync(join(tmpdir(), "stepgate-zone-"));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));
  const run = promisify(execFile);
  const main = new URL("../../src/main.ts", import.meta.url).pathname;
  const stepgate = (...args: readonly string[]) => run(process.execPath, [main, ...args], { cwd: dir });

  test("export, import and backup work beside a running Stepgate, which takes the changes over", async () => {
    const path = join(dir, "stepgate.db");
    const store = openStore({ path, now: Date.now, random, refreshEveryMs: 20 });
    const api = await startApi({ store });
    const { stdout } = await stepgate("export", "--data-dir", dir);
    const exported = JSON.parse(stdout) as { zone: { sequence_cookies: object }; rulesets: object[] };
    exported.zone.sequence_cookies = { enabled: true };
    exported.rulesets = [
      {
        phase: "http_request_firewall_custom",
        name: "default",
        description: "",
        rules: [{ action: "log", expression: "ssl" }],
      },
    ];
    const file = join(dir, "zone.json");
    writeFileSync(file, JSON.stringify(exported));
    const told = new Promise<number>((resolve) => store.subscribe(({ version }) => resolve(version)));
    expect((await stepgate("import", file, "--data-dir", dir)).stdout).toContain("0 operations, 1 rules");
    expect(await told).toBe(store.current().version);
    expect(store.current().zones[0]?.rulesets[0]?.rules).toHaveLength(1);
    expect(
      (await api.request("GET", `/zones/${api.zone.id}/fraud_detection/sequence_cookies`)).json.result,
    ).toEqual({ enabled: true });
    const out = join(dir, "again.json");
    await stepgate("export", "--data-dir", dir, "--zone", HOST, "--out", out);
    expect(readFileSync(out, "utf8")).toBe(
      zoneDocumentText(exportZone(store, store.all("zones")[0] as ZoneRow)),
    );
    const copy = join(dir, "copy.db");
    await stepgate("backup", copy, "--data-dir", dir);
    const restored = openStore({ path: copy, now: Date.now, random });
    expect(restored.current().zones).toEqual(store.current().zones);
    restored.close();
    await api.close();
  });

  test.each([
    ["no store", ["export", "--data-dir", "nowhere"], "no store at"],
    [
      "an unknown zone",
      ["export", "--data-dir", ".", "--zone", "x"],
      "no zone `x`; there are: `shop.example`",
    ],
    ["an unknown option", ["export", "--zones", "x"], "unknown option `--zones`"],
    ["a file that is none", ["import", "missing.json", "--data-dir", "."], "it does not exist"],
    ["a backup over a file", ["backup", "stepgate.db", "--data-dir", "."], "expected a new file"],
  ])("%s is one clear line and exit code 1", async (_, args, message) => {
    const failure = await stepgate(...args).then(
      () => undefined,
      (error: unknown) => error as { code: number; stderr: string },
    );
    expect(failure?.code).toBe(1);
    expect(failure?.stderr).toContain(message);
    expect(failure?.stderr.trim().split("\n")).toHaveLength(1);
  });
});
