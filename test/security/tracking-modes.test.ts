/** Rollback, replay, withheld, cloned, mixed, dropped, fixated and forged cookies, mode by mode; a test of the README keeps its table equal. */
import { describe, expect, test } from "vitest";
import { createSequenceCarrier } from "../../src/cli/sequence-cookies.ts";
import { DEFAULT_SEQUENCE_SETTINGS } from "../../src/engine/index.ts";
import type { SequenceSettings } from "../../src/engine/index.ts";
import { createMemorySequenceStore } from "../../src/store/index.ts";
import { createVisitor, NOON, rule, ruleset, startEngine, testKeys, zone } from "../support/engine.ts";
import type { RequestInput, TestEngine } from "../support/engine.ts";
import { ATTACKS, MODES } from "./tracking-modes.ts";
import type { AttackName } from "./tracking-modes.ts";

const RULES = {
  "no B after A": 'any(cf.sequence.previous_ops[*] == "aaaaaaaa")',
  "B needs A": 'not any(cf.sequence.previous_ops[*] == "aaaaaaaa")',
  "B only right after A": 'not cf.sequence.previous_ops[0] == "aaaaaaaa"',
} as const;

const OTHER_ZONE = "fedcba9876543210fedcba9876543210";

function start(ruleName: keyof typeof RULES, settings: Partial<SequenceSettings>): TestEngine {
  const masters = testKeys();
  const { trackerFor } = createSequenceCarrier(
    masters,
    { maxEntries: 10, maxAgeSeconds: 3600, leads: 2 },
    {},
    { sequences: createMemorySequenceStore(), now: () => NOON },
  );
  const base = zone();
  const guarded = zone({
    rulesets: [ruleset([rule(`cf.sequence.current_op eq "bbbbbbbb" and ${RULES[ruleName]}`)])],
    settings: {
      ...base.settings,
      authIdCharacteristics: [{ type: "header", name: "x-session" }],
      sequence: { ...DEFAULT_SEQUENCE_SETTINGS, ...settings },
    },
  });
  const other = {
    ...guarded,
    id: OTHER_ZONE,
    name: "other.example",
    hosts: ["other.example"],
    rulesets: [],
    operations: guarded.operations.map((operation) => ({ ...operation, host: "other.example" })),
  };
  return startEngine([guarded, other], masters, { trackerFor });
}

type Client = ReturnType<typeof createVisitor>;

let clock = NOON;

async function go(
  client: Client,
  step: "A" | "B" | "C",
  session: string | undefined,
  host = "shop.example",
): Promise<number> {
  clock += 1000;
  const inputs: Readonly<Record<typeof step, RequestInput>> = {
    A: { target: "/a" },
    B: { method: "POST", target: "/b" },
    C: { target: "/c/1" },
  };
  const input = {
    ...inputs[step],
    authority: host,
    headers: session === undefined ? {} : { "x-session": session },
    at: clock,
  };
  return (await client.visit(input)).status;
}

function putBack(client: Client, cookies: ReadonlyMap<string, string>): void {
  client.jar.clear();
  for (const [name, value] of cookies) client.jar.set(name, value);
}

function flipBit(value: string): string {
  const last = value.length - 3;
  return value.slice(0, last) + (value[last] === "A" ? "B" : "A") + value.slice(last + 1);
}

/** Each does what the attacker wants to be allowed, and returns the status of it. */
const SCRIPTS: Readonly<Record<AttackName, (settings: Partial<SequenceSettings>) => Promise<number>>> = {
  async rollback(settings) {
    const { engine } = start("no B after A", settings);
    const client = createVisitor(engine);
    await go(client, "C", "mara");
    const before = new Map(client.jar);
    await go(client, "A", "mara");
    expect(await go(client, "B", "mara")).toBe(403);
    putBack(client, before);
    return go(client, "B", "mara");
  },
  async replay(settings) {
    const { engine } = start("B only right after A", settings);
    const client = createVisitor(engine);
    await go(client, "A", "mara");
    const between = new Map(client.jar);
    expect(await go(client, "B", "mara")).toBe(200);
    expect(await go(client, "B", "mara")).toBe(403);
    putBack(client, between);
    return go(client, "B", "mara");
  },
  async withheld(settings) {
    const { engine } = start("no B after A", settings);
    const client = createVisitor(engine);
    await go(client, "C", "mara");
    const before = new Map(client.jar);
    await go(client, "A", "mara");
    putBack(client, before);
    return go(client, "B", "mara");
  },
  async cloned(settings) {
    const { engine } = start("B needs A", settings);
    const [victim, thief] = [createVisitor(engine), createVisitor(engine)];
    await go(victim, "A", "mara");
    putBack(thief, victim.jar);
    return go(thief, "B", "jonas");
  },
  async mixed(settings) {
    const { engine } = start("B needs A", settings);
    const [own, other] = [createVisitor(engine), createVisitor(engine)];
    await go(own, "C", "mara");
    await go(own, "C", "mara");
    clock += 60_000;
    await go(other, "A", "jonas");
    // The own chain is the established one: it has been written to more than once, and later.
    await go(own, "C", "mara");
    putBack(own, new Map([...own.jar, ...other.jar]));
    return go(own, "B", "mara");
  },
  async merged(settings) {
    const { engine } = start("B needs A", settings);
    const [own, other] = [createVisitor(engine), createVisitor(engine)];
    await go(own, "C", "mara");
    await go(other, "A", "jonas");
    putBack(own, new Map([...own.jar, ...other.jar]));
    return go(own, "B", "mara");
  },
  async dropped(settings) {
    const { engine } = start("no B after A", settings);
    const client = createVisitor(engine);
    await go(client, "A", "mara");
    client.jar.clear();
    return go(client, "B", "mara");
  },
  async anonymous(settings) {
    const { engine } = start("no B after A", settings);
    const client = createVisitor(engine);
    await go(client, "A", undefined);
    return go(client, "B", "mara");
  },
  async fixated(settings) {
    const { engine } = start("B needs A", settings);
    const [attacker, victim] = [createVisitor(engine), createVisitor(engine)];
    await go(attacker, "A", "jonas");
    putBack(victim, attacker.jar);
    return go(victim, "B", "mara");
  },
  async forged(settings) {
    const { engine } = start("B needs A", settings);
    const [client, forger] = [createVisitor(engine), createVisitor(engine)];
    await go(client, "A", "mara");
    putBack(forger, new Map([...client.jar].map(([name, value]) => [name, flipBit(value)])));
    const flipped = await go(forger, "B", "jonas");
    const elsewhere = createVisitor(engine);
    await go(elsewhere, "A", "jonas", "other.example");
    const moved = await go(elsewhere, "B", "jonas");
    return Math.min(flipped, moved);
  },
};

describe.each(ATTACKS)("$title", ({ name, stopped }) => {
  test.each(MODES.map(({ name: mode, settings }, index) => ({ mode, settings, isStopped: stopped[index] })))(
    "$mode: stopped is $isStopped",
    async ({ settings, isStopped }) => {
      expect(await SCRIPTS[name](settings)).toBe(isStopped === true ? 403 : 200);
    },
  );
});
