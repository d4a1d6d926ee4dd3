/** Evaluating rules: against hand-written closures, against other engines, and as rulesets grow. */
import { evaluate as evaluateCel, parse as parseCel } from "cel-js";
import { compileExpression } from "filtrex";
import { Engine } from "json-rules-engine";
import type { FieldValues, Predicate, Value } from "../../src/expression/index.ts";
import { compileRules, fieldSlot } from "../../src/ruleset/index.ts";
import { collectGarbage } from "../support/garbage.ts";

interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
}

/** The three-term sequence rule of the documents: b, after a, and not within a second of it. */
const RULE =
  'cf.sequence.current_op eq "bbbbbbbb" and any(cf.sequence.previous_ops[*] == "aaaaaaaa") and cf.sequence.msec_since_op["aaaaaaaa"] ge 1000';

const PHASE = "http_request_firewall_custom";
const ROUNDS = 15;
const ROUND_MICROSECONDS = 10_000;
/** Requests go round this many: one alone would be answered from what the processor remembers. */
const REQUESTS = 64;
/** Rounds of all requests in one call of a task: a look at the clock costs as much as several rules. */
const SYNC_REPEATS = 50;

/** One request as each engine wants it. */
interface Facts {
  readonly currentOp: string;
  readonly previousOps: readonly string[];
  readonly msecSinceOp: Readonly<Record<string, number>>;
  readonly values: FieldValues;
}

/** Field values by slot, as the engine's own are. */
class SlotValues implements FieldValues {
  readonly #bySlot: Value[] = [];

  constructor(currentOp: string, previousOps: readonly string[], msecSinceOp: ReadonlyMap<string, number>) {
    this.#bySlot[fieldSlot("cf.sequence.current_op")] = currentOp;
    this.#bySlot[fieldSlot("cf.sequence.previous_ops")] = previousOps;
    this.#bySlot[fieldSlot("cf.sequence.msec_since_op")] = msecSinceOp;
  }

  get(slot: number): Value | undefined {
    return this.#bySlot[slot];
  }
}

function makeFacts(index: number, currentOp: string): Facts {
  // Ten operations; three requests of four have called a, half of those long enough ago.
  const others = Array.from({ length: 10 }, (_, at) => `${at}${index % 10}cccccc`);
  const previousOps = index % 4 === 0 ? others : others.with(index % 10, "aaaaaaaa");
  const msecSinceOp = Object.fromEntries(previousOps.map((op, at) => [op, 300 * (at + 1)]));
  return {
    currentOp,
    previousOps,
    msecSinceOp,
    values: new SlotValues(currentOp, previousOps, new Map(Object.entries(msecSinceOp))),
  };
}

const FACTS: readonly Facts[] = Array.from({ length: REQUESTS }, (_, index) =>
  makeFacts(index, index % 8 === 7 ? "dddddddd" : "bbbbbbbb"),
);

function holds({ currentOp, previousOps, msecSinceOp }: Facts): boolean {
  return (
    currentOp === "bbbbbbbb" &&
    previousOps.includes("aaaaaaaa") &&
    (msecSinceOp["aaaaaaaa"] ?? Number.NEGATIVE_INFINITY) >= 1000
  );
}

type Contestant = (facts: Facts) => boolean;

const and =
  (first: Predicate, second: Predicate, third: Predicate): Predicate =>
  (values) =>
    first(values) && second(values) && third(values);

const equals =
  (slot: number, literal: string): Predicate =>
  (values) =>
    values.get(slot) === literal;

const has =
  (slot: number, literal: string): Predicate =>
  (values) =>
    (values.get(slot) as readonly string[]).includes(literal);

const isAtLeast =
  (slot: number, key: string, literal: number): Predicate =>
  (values) => {
    const value = (values.get(slot) as ReadonlyMap<string, number>).get(key);
    return value !== undefined && value >= literal;
  };

/** The same condition as closures that a person would write. */
function handClosure(): Predicate {
  return and(
    equals(fieldSlot("cf.sequence.current_op"), "bbbbbbbb"),
    has(fieldSlot("cf.sequence.previous_ops"), "aaaaaaaa"),
    isAtLeast(fieldSlot("cf.sequence.msec_since_op"), "aaaaaaaa", 1000),
  );
}

function ourRule(): Predicate {
  const [rule] = compileRules([{ expression: RULE, enabled: true }], { phase: PHASE }).rules;
  if (rule === undefined) throw new Error("expected the rule to be compiled");
  return rule.matches;
}

function filtrex(): Contestant {
  const run = compileExpression(
    'currentOp == "bbbbbbbb" and has(previousOps, "aaaaaaaa") and since("aaaaaaaa", msecSinceOp) >= 1000',
    {
      extraFunctions: {
        has: (list: readonly string[], op: string) => list.includes(op),
        since: (op: string, map: Readonly<Record<string, number>>) => map[op] ?? -1,
      },
    },
  ) as (facts: Facts) => unknown;
  return (facts) => run(facts) === true;
}

function cel(): Contestant {
  const parsed = parseCel(
    'currentOp == "bbbbbbbb" && "aaaaaaaa" in previousOps && since(msecSinceOp, "aaaaaaaa") >= 1000',
  );
  if (!parsed.isSuccess) throw new Error(parsed.errors.join());
  const functions = { since: (map: Readonly<Record<string, number>>, op: string) => map[op] ?? -1 };
  // Parsed once; the library evaluates the tree it gave.
  return ({ currentOp, previousOps, msecSinceOp }) =>
    evaluateCel(parsed.cst, { currentOp, previousOps, msecSinceOp }, functions) === true;
}

interface JsonLogic {
  readonly apply: (rule: unknown, data: unknown) => unknown;
}

async function jsonLogicRule(): Promise<Contestant> {
  // The package has no types: by a name that the compiler does not look up, it is what we say it is.
  const name: string = "json-logic-js";
  const { default: jsonLogic } = (await import(name)) as { readonly default: JsonLogic };
  const rule = {
    and: [
      { "==": [{ var: "currentOp" }, "bbbbbbbb"] },
      { in: ["aaaaaaaa", { var: "previousOps" }] },
      { ">=": [{ var: "msecSinceOp.aaaaaaaa" }, 1000] },
    ],
  };
  return (facts) => jsonLogic.apply(rule, facts) === true;
}

function jsonRulesEngine(): (facts: Facts) => Promise<boolean> {
  const engine = new Engine();
  engine.addRule({
    conditions: {
      all: [
        { fact: "currentOp", operator: "equal", value: "bbbbbbbb" },
        { fact: "previousOps", operator: "contains", value: "aaaaaaaa" },
        { fact: "msecSinceOp", operator: "greaterThanInclusive", value: 1000, path: "$.aaaaaaaa" },
      ],
    },
    event: { type: "matched" },
  });
  return async ({ currentOp, previousOps, msecSinceOp }) =>
    (await engine.run({ currentOp, previousOps, msecSinceOp })).events.length > 0;
}

function opOf(index: number): string {
  return index.toString(16).padStart(8, "0");
}

/** Rules that each ask for an operation of their own, and requests that go round the operations. */
function rulesetTask(count: number): () => number {
  const compiled = compileRules(
    Array.from({ length: count }, (_, index) => ({
      expression: RULE.replace("bbbbbbbb", opOf(index)),
      enabled: true,
    })),
    { phase: PHASE },
  );
  const requests = Array.from({ length: REQUESTS }, (_, index) =>
    makeFacts(index, opOf((index * 7919) % count)),
  );
  let matched = 0;
  const visit = () => {
    matched += 1;
    return true;
  };
  const run = () => {
    matched = 0;
    for (const { values, currentOp } of requests) compiled.match(values, currentOp, visit);
    return matched;
  };
  const expected = requests.filter((facts) => holds({ ...facts, currentOp: "bbbbbbbb" })).length;
  if (run() !== expected)
    throw new Error(`expected ${expected} matches among ${count} rules, found ${run()}`);
  return run;
}

type Task = () => unknown;

/** Calls until enough CPU time has passed for the clock to be exact. @returns nanoseconds per call */
async function timeOf(task: Task): Promise<number> {
  const start = process.cpuUsage();
  for (let calls = 1; ; calls += 1) {
    const result = task();
    if (result instanceof Promise) await result;
    const { user, system } = process.cpuUsage(start);
    if (user + system >= ROUND_MICROSECONDS) return ((user + system) * 1000) / calls;
  }
}

/** Median CPU nanoseconds per call, by name; the rounds of all tasks are interleaved. */
async function timesOf(tasks: ReadonlyMap<string, Task>): Promise<ReadonlyMap<string, number>> {
  const rounds = new Map<string, number[]>([...tasks.keys()].map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [name, task] of tasks) rounds.get(name)?.push(await timeOf(task));
  }
  return new Map(
    [...rounds].map(([name, times]) => [name, times.toSorted((a, b) => a - b)[ROUNDS >> 1] ?? Number.NaN]),
  );
}

/** All requests once; a contestant that answers one of them wrongly takes no part. */
async function asyncTask(name: string, contestant: (facts: Facts) => Promise<boolean>): Promise<Task> {
  for (const facts of FACTS) {
    if ((await contestant(facts)) !== holds(facts)) throw new Error(`${name} answers wrongly`);
  }
  return async () => {
    for (const facts of FACTS) await contestant(facts);
  };
}

/** Refuses a contestant that answers wrongly: fast and wrong is no result. */
function checkAnswers(name: string, contestant: Contestant): void {
  for (const facts of FACTS) {
    if (contestant(facts) !== holds(facts)) throw new Error(`${name} answers wrongly`);
  }
}

/**
 * A loop over all requests. Each has code of its own: one loop for all contestants would be compiled for
 * the first, and the others would pay for being different.
 */
function ruleTask(rule: Predicate): Task {
  checkAnswers("rule-eval", ({ values }) => rule(values));
  return () => {
    let matched = 0;
    for (let repeat = 0; repeat < SYNC_REPEATS; repeat += 1) {
      for (const { values } of FACTS) matched += rule(values) ? 1 : 0;
    }
    return matched;
  };
}

function handTask(hand: Predicate): Task {
  checkAnswers("hand-closure", ({ values }) => hand(values));
  return () => {
    let matched = 0;
    for (let repeat = 0; repeat < SYNC_REPEATS; repeat += 1) {
      for (const { values } of FACTS) matched += hand(values) ? 1 : 0;
    }
    return matched;
  };
}

/** The peers are so much dearer that sharing a loop makes no difference to them. */
function peerTask(name: string, contestant: Contestant): Task {
  checkAnswers(name, contestant);
  return () => {
    let matched = 0;
    for (let repeat = 0; repeat < SYNC_REPEATS; repeat += 1) {
      for (const facts of FACTS) matched += contestant(facts) ? 1 : 0;
    }
    return matched;
  };
}

/** One rule against hand-written closures, and then against the peers. */
async function ruleFigures(): Promise<readonly Figure[]> {
  const rule = ruleTask(ourRule());
  // By themselves: what the peers leave to be collected, in threads of its own, costs those who come next.
  const own = await timesOf(
    new Map<string, Task>([
      ["rule-eval", rule],
      ["hand-closure", handTask(handClosure())],
    ]),
  );
  const all = await timesOf(
    new Map<string, Task>([
      ["rule-eval", rule],
      ["filtrex", peerTask("filtrex", filtrex())],
      ["cel-js", peerTask("cel-js", cel())],
      ["json-logic-js", peerTask("json-logic-js", await jsonLogicRule())],
      ["json-rules-engine", await asyncTask("json-rules-engine", jsonRulesEngine())],
    ]),
  );
  return [
    ratioOf(own, "rule-eval", "hand-closure"),
    ratioOf(all, "filtrex", "rule-eval"),
    ratioOf(all, "cel-js", "rule-eval"),
    ratioOf(all, "json-logic-js", "rule-eval"),
    ratioOf(all, "json-rules-engine", "rule-eval", SYNC_REPEATS),
  ];
}

async function rulesetFigures(): Promise<readonly Figure[]> {
  const tasks = new Map<string, Task>([
    ["rules-10", rulesetTask(10)],
    ["rules-10k", rulesetTask(10_000)],
  ]);
  // Leaves the rules side by side in memory, as in a server that has run for a while.
  collectGarbage();
  return [ratioOf(await timesOf(tasks), "rules-10k", "rules-10")];
}

/** @param factor calls of one task that do as much as one call of the other */
function ratioOf(times: ReadonlyMap<string, number>, name: string, to: string, factor = 1): Figure {
  const value = ((times.get(name) ?? Number.NaN) * factor) / (times.get(to) ?? Number.NaN);
  return { name: `${name}/${to}`, value, unit: "times" };
}

export async function measure(): Promise<readonly Figure[]> {
  return [...(await ruleFigures()), ...(await rulesetFigures())];
}
