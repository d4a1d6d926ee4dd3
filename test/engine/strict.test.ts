/** Cookies that name a sequence kept on the server (`strict`), and cookies bound to a session (`bind`). */
import { describe, expect, test } from "vitest";
import { createSequenceCarrier } from "../../src/cli/sequence-cookies.ts";
import { DEFAULT_SEQUENCE_SETTINGS } from "../../src/engine/index.ts";
import type { SequenceSettings, Zone } from "../../src/engine/index.ts";
import { StateUnavailableError } from "../../src/sequence/index.ts";
import type { SequenceStore } from "../../src/sequence/index.ts";
import { createMemorySequenceStore } from "../../src/store/index.ts";
import {
  createVisitor,
  engineRequest,
  NOON,
  rule,
  ruleset,
  startEngine,
  testKeys,
  zone,
} from "../support/engine.ts";
import type { RequestInput, TestEngine } from "../support/engine.ts";

const NEEDS_A = 'cf.sequence.current_op eq "bbbbbbbb" and not any(cf.sequence.previous_ops[*] == "aaaaaaaa")';

function trackedZone(sequence: Partial<SequenceSettings>, members: Partial<Zone> = {}): Zone {
  const base = zone();
  return zone({
    rulesets: [ruleset([rule(NEEDS_A)])],
    ...members,
    settings: {
      ...base.settings,
      authIdCharacteristics: [{ type: "header", name: "x-session" }],
      sequence: { ...DEFAULT_SEQUENCE_SETTINGS, ...sequence },
    },
  });
}

function start(tracked: Zone, sequences: SequenceStore = createMemorySequenceStore()): TestEngine {
  const masters = testKeys();
  const config = { maxEntries: 10, maxAgeSeconds: 3600, leads: 2 };
  let now = NOON;
  const { trackerFor } = createSequenceCarrier(masters, config, {}, { sequences, now: () => (now += 1) });
  return startEngine([tracked], masters, { trackerFor });
}

const a = (at = NOON): RequestInput => ({ target: "/a", at });
const b = (at = NOON + 1000): RequestInput => ({ method: "POST", target: "/b", at });
const c = (at: number): RequestInput => ({ target: "/c/1", at });

const setCookies = (headers: readonly string[]): readonly string[] =>
  headers.filter((_, index) => index % 2 === 1 && headers[index - 1] === "set-cookie");

function down(): never {
  throw new StateUnavailableError("ERR_STATE_DOWN", "down");
}

describe("strict", () => {
  const strict = trackedZone({ strict: true });

  test("the first response names the sequence; later ones set nothing until a quarter of the cookie's life is over", async () => {
    const visitor = createVisitor(start(strict).engine);
    const minutes = async (at: number): Promise<number> =>
      setCookies((await visitor.visit(c(NOON + at * 60_000))).headers).length;
    expect(await minutes(0)).toBe(1);
    expect(await minutes(1)).toBe(0);
    expect(await minutes(14.9)).toBe(0);
    const [before] = visitor.jar.keys();
    // The new cookie, and the deletion of the one before it.
    expect(await minutes(15)).toBe(2);
    expect(visitor.jar.size).toBe(1);
    expect(visitor.jar.has(before ?? "")).toBe(false);
    expect(await minutes(16)).toBe(0);
  });

  test("a sequence outlives the keys and cookies it began with, as long as it is used", async () => {
    const { engine } = start(strict);
    const visitor = createVisitor(engine);
    for (let at = 0; at <= 300; at += 20) await visitor.visit(a(NOON + at * 60_000));
    expect((await visitor.visit(b(NOON + 310 * 60_000))).status).toBe(200);
  });

  test("what is older than an hour is forgotten, though the visitor was never idle", async () => {
    const visitor = createVisitor(start(strict).engine);
    await visitor.visit(a());
    for (let at = 20; at <= 60; at += 20) await visitor.visit(c(NOON + at * 60_000));
    expect((await visitor.visit(b(NOON + 61 * 60_000))).status).toBe(403);
  });

  test("nothing of a first burst of parallel requests is lost, in whatever order the responses come", async () => {
    for (let round = 0; round < 6; round += 1) {
      const { engine } = start(trackedZone({ strict: true }, { rulesets: [] }));
      const jar = createVisitor(engine);
      const inputs = [a(NOON), b(NOON + 3), c(NOON + 5)];
      const outcomes = await Promise.all(inputs.map(async (input) => engine.decide(engineRequest(input))));
      const order = [0, 1, 2].toSorted((left, right) => ((left * 7 + round) % 3) - ((right * 5 + round) % 3));
      for (const index of order) {
        const outcome = outcomes[index];
        if (outcome?.kind !== "forward") throw new Error("expected the request to be forwarded");
        const headers = await outcome.visit.onResponse(200, []);
        for (const line of setCookies(headers)) {
          const [pair = ""] = line.split(";", 1);
          jar.jar.set(pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1));
        }
      }
      // Two more rounds: what was read once is not lost by being written.
      for (const at of [NOON + 1000, NOON + 2000]) await jar.visit(c(at));
      const cookie = [...jar.jar].map(([name, value]) => `${name}=${value}`).join("; ");
      const outcome = await engine.decide(engineRequest({ ...c(NOON + 3000), headers: { cookie } }));
      if (outcome.kind !== "forward") throw new Error("expected the request to be forwarded");
      const { previousOps } = await outcome.visit.history();
      expect(previousOps.toSorted()).toEqual(["aaaaaaaa", "bbbbbbbb", "cccccccc", "cccccccc", "cccccccc"]);
    }
  });

  test("two clients with one cookie have one sequence: neither can hide from the other", async () => {
    const { engine } = start(
      trackedZone({ strict: true }, { rulesets: [ruleset([rule(NEEDS_A.replace("not any", "any"))])] }),
    );
    const [first, second] = [createVisitor(engine), createVisitor(engine)];
    await first.visit(c(NOON));
    for (const [name, value] of first.jar) second.jar.set(name, value);
    await second.visit(a(NOON + 500));
    expect((await first.visit(b())).status).toBe(403);
  });

  test("state that cannot be had: no request fails, and the visitor keeps a name", async () => {
    const broken: SequenceStore = { read: async () => down(), append: async () => down() };
    const { engine } = start(trackedZone({ strict: true }, { rulesets: [] }), broken);
    const visitor = createVisitor(engine);
    expect((await visitor.visit(a())).status).toBe(200);
    expect(visitor.jar.size).toBe(1);
    expect((await visitor.visit(b())).status).toBe(200);
  });

  test("an attacker's cookies cannot make us read more than a few states", async () => {
    const memory = createMemorySequenceStore();
    let reads = 0;
    const { engine } = start(trackedZone({ strict: true }, { rulesets: [] }), {
      read: (session, nowMs) => ((reads += 1), memory.read(session, nowMs)),
      append: (session, entry, nowMs) => memory.append(session, entry, nowMs),
    });
    const jar = new Map<string, string>();
    for (let count = 0; count < 30; count += 1) {
      const visitor = createVisitor(engine);
      await visitor.visit(a(NOON + count));
      for (const [name, value] of visitor.jar) jar.set(name, value);
    }
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    reads = 0;
    await engine.decide(engineRequest({ ...b(), headers: { cookie } }));
    expect(reads).toBe(8);
  });
});

describe("bind", () => {
  const bound = trackedZone({ bind: true });
  const mara = { headers: { "x-session": "mara" } };
  const jonas = { headers: { "x-session": "jonas" } };

  test("a session's cookies say nothing in another, nor without one; in their own they do", async () => {
    const visitor = createVisitor(start(bound).engine);
    await visitor.visit({ ...a(), ...mara });
    const copy = new Map(visitor.jar);
    expect((await visitor.visit({ ...b(), ...mara })).status).toBe(200);
    for (const other of [jonas, {}]) {
      visitor.jar.clear();
      for (const [name, value] of copy) visitor.jar.set(name, value);
      expect((await visitor.visit({ ...b(), ...other })).status).toBe(403);
    }
  });

  test("who logs in begins anew; visitors without a session have sequences too", async () => {
    const visitor = createVisitor(start(bound).engine);
    await visitor.visit(a());
    expect((await visitor.visit(b())).status).toBe(200);
    expect((await visitor.visit({ ...b(NOON + 2000), ...mara })).status).toBe(403);
  });

  test("visitors without a session share no id by which they could be counted together", async () => {
    const { engine } = start(
      trackedZone({ bind: true }, { rulesets: [ruleset([rule('cf.sequence.id ne ""')])] }),
    );
    const visitor = createVisitor(engine);
    await visitor.visit(a());
    expect((await visitor.visit(a(NOON + 500))).status).toBe(200);
    expect((await visitor.visit({ ...a(NOON + 1000), ...mara })).status).toBe(403);
  });

  test("a request that names two sessions is refused", async () => {
    const settings = { ...bound.settings, authIdCharacteristics: [{ type: "cookie" as const, name: "sid" }] };
    const { engine } = start({ ...bound, settings });
    const outcome = await engine.decide(engineRequest({ ...a(), headers: { cookie: "sid=1; sid=2" } }));
    expect(outcome).toMatchObject({ kind: "answer", refusal: "ambiguous_session", answer: { status: 400 } });
  });
});
