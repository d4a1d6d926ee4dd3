/** Sequence rules in the engine: what they do to requests, in cookie and in session tracking. */
import { describe, expect, test } from "vitest";
import { createSequenceCarrier } from "../../src/cli/sequence-cookies.ts";
import { DEFAULT_SEQUENCE_SETTINGS } from "../../src/engine/index.ts";
import type { SequenceSettings, Zone } from "../../src/engine/index.ts";
import { StateUnavailableError } from "../../src/sequence/index.ts";
import type { SeqRule, SequenceStore } from "../../src/sequence/index.ts";
import { createMemorySequenceStore } from "../../src/store/index.ts";
import {
  A,
  B,
  C,
  createVisitor,
  NOON,
  rule,
  ruleset,
  startEngine,
  testKeys,
  zone,
} from "../support/engine.ts";
import type { RequestInput, TestEngine } from "../support/engine.ts";

let nextRule = 0;

function seqRule(kind: SeqRule["kind"], members: Partial<SeqRule> = {}): SeqRule {
  nextRule += 1;
  const at = "2026-11-21T12:00:00.000000Z";
  return {
    id: `00000000-0000-4000-8000-${String(nextRule).padStart(12, "0")}`,
    title: `${kind} ${nextRule}`,
    kind,
    action: "block",
    sequence: [A.id, B.id],
    priority: 0,
    created_at: at,
    last_updated: at,
    ...members,
  };
}

function trackedZone(
  seqRules: readonly SeqRule[],
  sequence: Partial<SequenceSettings>,
  members: Partial<Zone> = {},
): Zone {
  const base = zone();
  return zone({
    seqRules,
    ...members,
    settings: {
      ...base.settings,
      authIdCharacteristics: [{ type: "header", name: "x-session" }],
      sequence: { ...DEFAULT_SEQUENCE_SETTINGS, ...sequence },
    },
  });
}

function start(zones: readonly Zone[], sequences: SequenceStore = createMemorySequenceStore()): TestEngine {
  const masters = testKeys();
  const state = { sequences, now: () => NOON };
  const { trackerFor } = createSequenceCarrier(
    masters,
    { maxEntries: 10, maxAgeSeconds: 3600, leads: 2 },
    {},
    state,
  );
  return startEngine(zones, masters, { trackerFor });
}

const steps: Readonly<Record<"A" | "B" | "C", RequestInput>> = {
  A: { target: "/a" },
  B: { method: "POST", target: "/b" },
  C: { target: "/c/1" },
};
type Step = keyof typeof steps;

/** @returns the status of the last step */
async function walk(
  { engine }: TestEngine,
  path: readonly Step[],
  {
    headers = {},
    stepMs = 1000,
  }: { readonly headers?: Readonly<Record<string, string>>; readonly stepMs?: number } = {},
): Promise<number> {
  const visitor = createVisitor(engine);
  let status = 0;
  for (const [index, step] of path.entries()) {
    ({ status } = await visitor.visit({ ...steps[step], headers, at: NOON + index * stepMs }));
  }
  return status;
}

/** @returns the status of B under a rule that wants A before it */
function walkAandB(
  sequence: Partial<SequenceSettings>,
  options: Parameters<typeof walk>[2],
): Promise<number> {
  return walk(start([trackedZone([seqRule("allow")], sequence)]), ["A", "B"], options);
}

function down(): never {
  throw new StateUnavailableError("ERR_STATE_DOWN", "down");
}

const SOURCES = [
  { tracking: "cookie", headers: {} },
  { tracking: "session", headers: { "x-session": "mara" } },
  { tracking: "both", headers: { "x-session": "mara" } },
  { tracking: "both", headers: {} },
] as const;

describe.each(SOURCES)("$tracking with $headers", ({ tracking, headers }) => {
  test.each<[SeqRule["kind"], readonly Step[], number]>([
    ["block", ["A", "B"], 403],
    ["block", ["A", "C", "C", "B"], 403],
    ["block", ["C", "B"], 200],
    ["block", ["C", "A"], 200],
    ["allow", ["A", "B"], 200],
    ["allow", ["A", "C", "B"], 200],
    ["allow", ["C", "B"], 403],
    ["allow", ["C", "A"], 200],
    // Polling is one request: A stays within the look-back. The current one and nine before it are ten.
    ["allow", ["A", ...Array.from({ length: 8 }, () => "C" as const), "B"], 200],
  ])("%s rule [A, B] on %s: %d", async (kind, path, status) => {
    expect(await walk(start([trackedZone([seqRule(kind)], { tracking })]), path, { headers })).toBe(status);
  });

  test("the look-back is ten minutes, and configurable", async () => {
    const table = [
      [{}, 599_000, 200],
      [{}, 601_000, 403],
      [{ lookbackSeconds: 1200 }, 601_000, 200],
      [{ lookbackSeconds: 60 }, 61_000, 403],
    ] as const;
    for (const [settings, stepMs, status] of table) {
      expect(await walkAandB({ tracking, ...settings }, { headers, stepMs })).toBe(status);
    }
  });

  test("the look-back is ten requests, and configurable", async () => {
    const rules = [seqRule("allow")];
    const at = (lookbackRequests: number) =>
      walk(start([trackedZone(rules, { tracking, lookbackRequests })]), ["A", "C", "B", "A", "C", "B"], {
        headers,
      });
    expect(await at(3)).toBe(200);
    expect(await at(2)).toBe(403);
  });

  test("a rule that logs lets the request pass and leaves an event; later rules are asked", async () => {
    const [log, block] = [seqRule("allow", { action: "log" }), seqRule("allow")];
    const engine = start([trackedZone([log, block], { tracking })]);
    expect(await walk(engine, ["C", "B"], { headers })).toBe(403);
    expect(engine.events.map(({ ruleId, action }) => [ruleId, action])).toEqual([
      [log.id, "log"],
      [block.id, "block"],
    ]);
    const logging = start([trackedZone([log], { tracking })]);
    expect(await walk(logging, ["C", "B"], { headers })).toBe(200);
    expect(logging.events).toHaveLength(1);
  });

  test("a blocked request is not remembered", async () => {
    const rules = [seqRule("allow"), seqRule("allow", { sequence: [B.id, C.id] })];
    const engine = start([trackedZone(rules, { tracking })]);
    expect(await walk(engine, ["B", "C"], { headers })).toBe(403);
  });
});

describe("allow rules on requests without any identity", () => {
  test.each([
    { tracking: "cookie", configured: null, status: 403 },
    { tracking: "session", configured: null, status: 200 },
    { tracking: "both", configured: null, status: 403 },
    { tracking: "cookie", configured: false, status: 200 },
    { tracking: "session", configured: true, status: 403 },
    { tracking: "both", configured: false, status: 200 },
  ] as const)("$tracking, configured $configured: $status", async ({ tracking, configured, status }) => {
    const zones = [trackedZone([seqRule("allow")], { tracking, allowFiresWithoutIdentity: configured })];
    expect(await walk(start(zones), ["B"])).toBe(status);
  });

  test("of `both` with sequence cookies off: as in session tracking", async () => {
    const tracked = trackedZone([seqRule("allow")], { tracking: "both" });
    const settings = { ...tracked.settings, sequenceCookies: { enabled: false } };
    expect(await walk(start([{ ...tracked, settings }]), ["B"])).toBe(200);
  });
});

test("sequence rules come before custom rules, and a block ends the request", async () => {
  const zones = [
    trackedZone(
      [seqRule("allow")],
      { tracking: "cookie" },
      {
        rulesets: [ruleset([rule('cf.sequence.current_op eq "bbbbbbbb"')])],
      },
    ),
  ];
  const engine = start(zones);
  expect(await walk(engine, ["B"])).toBe(403);
  expect(engine.events.map(({ phase }) => phase)).toEqual(["http_request_api_gateway_early"]);
});

test("the event says which step was missing, and what was there", async () => {
  const missing = seqRule("allow", { title: "balance before transfer" });
  const engine = start([trackedZone([missing], { tracking: "cookie" })]);
  await walk(engine, ["C", "B"]);
  expect(engine.events).toMatchObject([
    {
      phase: "http_request_api_gateway_early",
      rulesetId: "",
      ruleId: missing.id,
      ruleDescription: "balance before transfer",
      action: "block",
      outcome: "applied",
      status: 403,
      originStatus: 0,
      currentOp: "bbbbbbbb",
      previousOps: [{ op: "cccccccc", ageMs: 1000 }],
      missing: [{ op: "aaaaaaaa" }],
      matchIndex: 0,
    },
  ]);
  const negative = start([trackedZone([seqRule("block")], { tracking: "cookie" })]);
  await walk(negative, ["A", "B"]);
  expect(negative.events).toMatchObject([{ missing: [], previousOps: [{ op: "aaaaaaaa" }] }]);
});

describe("state that cannot be had", () => {
  test.each([
    { kind: "allow", on_state_error: undefined, action: "block", status: 200, events: 0 },
    { kind: "block", on_state_error: "allow", action: "block", status: 200, events: 0 },
    { kind: "allow", on_state_error: "block", action: "block", status: 403, events: 1 },
    { kind: "block", on_state_error: "block", action: "block", status: 403, events: 1 },
    { kind: "allow", on_state_error: "block", action: "log", status: 200, events: 1 },
  ] as const)(
    "$kind with on_state_error $on_state_error: $status",
    async ({ kind, on_state_error, action, status, events }) => {
      const members = { action, ...(on_state_error === undefined ? {} : { on_state_error }) };
      const engine = start([trackedZone([seqRule(kind, members)], { tracking: "session" })], {
        read: down,
        append: down,
      });
      expect(await walk(engine, ["B"], { headers: { "x-session": "mara" } })).toBe(status);
      expect(engine.events).toHaveLength(events);
      for (const event of engine.events)
        expect(event).toMatchObject({ detail: expect.stringContaining("on_state_error"), missing: [] });
    },
  );
});

test("rules that change are in force at once; what does not change is not compiled again", async () => {
  const engine = start([trackedZone([], { tracking: "cookie" })]);
  expect(await walk(engine, ["B"])).toBe(200);
  const strict = trackedZone([seqRule("allow")], { tracking: "cookie" });
  engine.source.set([strict]);
  expect(await walk(engine, ["B"])).toBe(403);
  engine.source.set([{ ...strict, rulesets: [] }]);
  expect(await walk(engine, ["B"])).toBe(403);
  engine.source.set([{ ...strict, seqRules: [] }]);
  expect(await walk(engine, ["B"])).toBe(200);
});

test("HEAD of an operation is enforced as GET: a rule about C holds for it", async () => {
  const engine = start([trackedZone([seqRule("allow", { sequence: [A.id, C.id] })], { tracking: "cookie" })]);
  const { status } = await createVisitor(engine.engine).visit({ method: "HEAD", target: "/c/1" });
  expect(status).toBe(403);
});
