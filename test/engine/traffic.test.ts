import { expect, test } from "vitest";
import type { JudgedRequest, TrackedSequence, Zone, ZoneTraffic } from "../../src/engine/index.ts";
import {
  A,
  B,
  createVisitor,
  NOON,
  operation,
  rule,
  ruleset,
  startEngine,
  testKeys,
  zone,
} from "../support/engine.ts";

const A_BEFORE_B =
  'cf.sequence.current_op eq "bbbbbbbb" and not any(cf.sequence.previous_ops[*] == "aaaaaaaa")';

const getA = (at = NOON) => ({ target: "/a", at });
const postB = (at = NOON + 10) => ({ method: "POST", target: "/b", at });

interface Told {
  readonly judged: JudgedRequest[];
  readonly answers: [op: string, status: number][];
  readonly zones: Zone[];
}

function listener({ hearsResponses = false } = {}) {
  const told: Told = { judged: [], answers: [], zones: [] };
  const trafficFor = (configured: Zone): ZoneTraffic => {
    told.zones.push(configured);
    return {
      onJudged: (judged) => told.judged.push(judged),
      ...(hearsResponses
        ? {
            onResponse: (judged: JudgedRequest, status: number) =>
              void told.answers.push([judged.operation?.shortId ?? judged.path, status]),
          }
        : {}),
    };
  };
  const summary = () =>
    told.judged.map(({ operation: op, tracked, isEnded }) => [
      op?.shortId ?? "",
      tracked?.sequence.entries.map((entry) => entry.op).join(" "),
      isEnded,
    ]);
  return { told, trafficFor, summary };
}

test("every judged request is told with the past that rules saw, blocked or not", async () => {
  const { trafficFor, summary } = listener();
  const guarded = zone({ rulesets: [ruleset([rule(A_BEFORE_B)])] });
  const { visit } = createVisitor(startEngine([guarded], testKeys(), { trafficFor }).engine);
  expect((await visit(postB())).status).toBe(403);
  await visit(getA(NOON + 20));
  expect((await visit(postB(NOON + 30))).status).toBe(200);
  await visit({ method: "HEAD", target: "/a", at: NOON + 40 });
  await visit({ target: "/nothing", at: NOON + 50 });
  expect(summary()).toEqual([
    ["bbbbbbbb", "", true],
    ["aaaaaaaa", "", false],
    ["bbbbbbbb", "aaaaaaaa", false],
    ["aaaaaaaa", "bbbbbbbb aaaaaaaa", false],
    ["", undefined, false],
  ]);
});

test("without a rule that reads sequences they are told all the same", async () => {
  const { trafficFor, summary } = listener();
  const { visit } = createVisitor(startEngine([zone()], testKeys(), { trafficFor }).engine);
  await visit(getA());
  await visit(postB());
  expect(summary().at(-1)).toEqual(["bbbbbbbb", "aaaaaaaa", false]);
});

test("preflights, paused zones and zones without sequences tell no operation", async () => {
  const { trafficFor, summary } = listener();
  const started = startEngine([zone()], testKeys(), { trafficFor });
  const { visit } = createVisitor(started.engine);
  const preflight = { origin: "https://x.example", "access-control-request-method": "POST" };
  await visit({ method: "OPTIONS", target: "/a", headers: preflight });
  started.source.set([zone({ paused: true })]);
  await visit(getA());
  expect(summary()).toEqual([]);
  const { settings } = zone();
  started.source.set([zone({ settings: { ...settings, sequenceCookies: { enabled: false } } })]);
  await visit(getA());
  expect(summary()).toEqual([["", undefined, false]]);
});

test("a sequence that cannot be had is told as such", async () => {
  const { told, trafficFor } = listener();
  const unknown: TrackedSequence = {
    sequence: { entries: [] },
    id: "",
    isUnavailable: true,
    record: () => [],
  };
  const trackerFor = () => ({ read: () => unknown });
  const { visit } = createVisitor(startEngine([zone()], testKeys(), { trafficFor, trackerFor }).engine);
  await visit(postB());
  expect(told.judged[0]?.tracked?.isUnavailable).toBe(true);
});

test("answers of the origin are told to those who ask, and cost the others nothing", async () => {
  const deaf = listener();
  const hearing = listener({ hearsResponses: true });
  const quiet = zone({ operations: [{ ...A, record: "success" }] });
  const first = createVisitor(startEngine([quiet], testKeys(), { trafficFor: deaf.trafficFor }).engine);
  const missed = await first.visit({ target: "/x/y" });
  expect(missed.outcome).toMatchObject({ visit: { hasResponseWork: false } });
  const { engine } = startEngine([quiet], testKeys(), { trafficFor: hearing.trafficFor });
  const { visit } = createVisitor(engine);
  const heard = await visit({ target: "/x/y" }, { status: 404 });
  expect(heard.outcome).toMatchObject({ visit: { hasResponseWork: true } });
  await visit(getA());
  expect(hearing.told.answers).toEqual([
    ["/x/y", 404],
    ["aaaaaaaa", 200],
  ]);
});

test("who counts is asked when a zone changes, not for each request", async () => {
  const { told, trafficFor } = listener();
  const { engine, source } = startEngine([zone()], testKeys(), { trafficFor });
  const { visit } = createVisitor(engine);
  for (let at = 0; at < 5; at += 1) await visit(getA(NOON + at));
  expect(told.zones).toHaveLength(1);
  const [same] = told.zones as [Zone];
  source.set([same]);
  expect(told.zones).toHaveLength(1);
  source.set([{ ...same, operations: [A, B, operation("dddddddd", "GET", "/d")] }]);
  expect(told.zones).toHaveLength(2);
  await visit({ target: "/d", at: NOON + 9 });
  expect(told.judged.at(-1)?.operation?.shortId).toBe("dddddddd");
});
