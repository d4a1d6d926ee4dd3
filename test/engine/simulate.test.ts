/** Log mode tells the truth: rulesets on trial, and rules that only log. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EMPTY_SEQUENCE } from "../../src/sequence/index.ts";
import type { Rule, RuleAction, Ruleset } from "../../src/ruleset/index.ts";
import type { SequenceTracker, TrackerFactory } from "../../src/engine/index.ts";
import {
  account,
  createVisitor,
  engineRequest,
  headerOf,
  hexId,
  NOON,
  redirectList,
  rule,
  ruleset,
  startEngine,
  zone,
} from "../support/engine.ts";

const PATH = 'http.request.uri.path eq "/x"';
const trial = (rules: readonly Rule[], members: Partial<Ruleset> = {}): Ruleset =>
  ruleset(rules, { simulate: true, id: hexId(), ...members });

const inner = (members: Partial<Ruleset>) =>
  ruleset([rule(PATH, { ref: "inner" })], { kind: "custom", id: "2".repeat(32), ...members });

const outer = (members: Partial<Ruleset>) =>
  ruleset(
    [
      rule(PATH, { action: "execute", action_parameters: { id: "2".repeat(32) } }),
      rule(PATH, { ref: "outer" }),
    ],
    { kind: "root", id: "1".repeat(32), ...members },
  );

const runAt = async (rulesets: readonly Ruleset[]) => {
  const { engine, events } = startEngine([zone()], undefined, { accounts: [account({ rulesets })] });
  const { status } = await createVisitor(engine).visit({ target: "/x" });
  return [status, ...events.map(({ ruleRef, outcome }) => `${ruleRef} ${outcome}`)];
};

describe("a ruleset on trial", () => {
  test.each<[string, Rule, Partial<Ruleset>, object]>([
    ["block", rule(PATH), {}, { action: "block", wouldBeStatus: 403 }],
    [
      "block with a response",
      rule(PATH, {
        action_parameters: { response: { status_code: 451, content_type: "text/plain", content: "" } },
      }),
      {},
      { action: "block", wouldBeStatus: 451 },
    ],
    [
      "managed_challenge",
      rule(PATH, { action: "managed_challenge" }),
      {},
      { action: "managed_challenge", wouldBeStatus: 403 },
    ],
    [
      "a single redirect",
      rule(PATH, {
        action: "redirect",
        action_parameters: { from_value: { target_url: { value: "/y" }, status_code: 302 } },
      }),
      { phase: "http_request_dynamic_redirect" },
      { action: "redirect", wouldBeStatus: 302, detail: "https://shop.example/y" },
    ],
    [
      "an unsafe redirect",
      rule(PATH, {
        action: "redirect",
        action_parameters: { from_value: { target_url: { expression: 'concat("//", http.host)' } } },
      }),
      { phase: "http_request_dynamic_redirect" },
      { action: "redirect", wouldBeStatus: 400 },
    ],
  ])("%s only says what would have happened", async (_name, tried, members, expected) => {
    const { engine, events } = startEngine([zone({ rulesets: [trial([tried], members)] })]);
    const { visit } = createVisitor(engine);
    expect((await visit({ target: "/x" })).status).toBe(200);
    expect(events).toMatchObject([{ outcome: "simulated", status: 200, ...expected }]);
  });

  test("a rate limit", async () => {
    const limit = rule(PATH, {
      ratelimit: { characteristics: ["cf.colo.id"], period: 10, requests_per_period: 1 },
    });
    const { engine, events } = startEngine([
      zone({ rulesets: [trial([limit], { phase: "http_ratelimit" })] }),
    ]);
    const { visit } = createVisitor(engine);
    await visit({ target: "/x" });
    const second = await visit({ target: "/x" });
    expect([
      second.status,
      headerOf(second.headers, "ratelimit"),
      headerOf(second.headers, "retry-after"),
    ]).toEqual([200, undefined, undefined]);
    expect(events).toMatchObject([{ outcome: "simulated", action: "block", wouldBeStatus: 429 }]);
  });

  test("a bulk redirect", async () => {
    const moved = redirectList("moved", [
      { source_url: "shop.example/x", target_url: "https://new.example/" },
    ]);
    const entry = rule("http.request.full_uri in $moved", {
      action: "redirect",
      action_parameters: { from_list: { name: "moved", key: "http.request.full_uri" } },
    });
    const { engine, events } = startEngine([zone()], undefined, {
      accounts: [
        account({
          lists: [moved],
          rulesets: [trial([entry], { kind: "root", phase: "http_request_redirect" })],
        }),
      ],
    });
    expect((await createVisitor(engine).visit({ target: "/x" })).status).toBe(200);
    expect(events).toMatchObject([
      { outcome: "simulated", wouldBeStatus: 301, detail: "https://new.example/" },
    ]);
  });

  test("rulesets in force go on: a trial takes no protection away", async () => {
    const rulesets = [
      trial([rule(PATH, { ref: "trial" })]),
      ruleset(
        [
          rule(PATH, {
            ref: "limit",
            ratelimit: { characteristics: ["cf.colo.id"], period: 10, requests_per_period: 1 },
          }),
        ],
        {
          phase: "http_ratelimit",
          id: hexId(),
        },
      ),
    ];
    const { engine, events } = startEngine([zone({ rulesets })]);
    const { visit } = createVisitor(engine);
    expect((await visit({ target: "/x" })).status).toBe(200);
    expect((await visit({ target: "/x" })).status).toBe(429);
    expect(events.map(({ ruleRef, outcome }) => [ruleRef, outcome])).toEqual([
      ["trial", "simulated"],
      ["trial", "simulated"],
      ["limit", "applied"],
    ]);
  });

  test("an executed ruleset on trial does not end the one that executes it; one in force is on trial inside a trial", async () => {
    expect(await runAt([inner({ simulate: true }), outer({})])).toEqual([
      403,
      "inner simulated",
      "outer applied",
    ]);
    expect(await runAt([inner({}), outer({ simulate: true })])).toEqual([200, "inner simulated"]);
  });
});

/** Sequences from a header instead of cookies: recorded requests bring their history along. */
const trackerFor: TrackerFactory = (): SequenceTracker => ({
  read(request, nowMs) {
    const text = request.header("x-history") ?? "";
    const entries =
      text === "" ? [] : text.split(" ").map((op, index) => ({ op, at: nowMs - (index + 1) * 700 }));
    return { sequence: entries.length === 0 ? EMPTY_SEQUENCE : { entries }, id: text, record: () => [] };
  },
});

const ACTIONS: readonly RuleAction[] = ["block", "log", "managed_challenge", "skip"];
const EXPRESSIONS = [
  'cf.sequence.current_op eq "bbbbbbbb" and not any(cf.sequence.previous_ops[*] == "aaaaaaaa")',
  'cf.sequence.current_op eq "bbbbbbbb" and not cf.sequence.msec_since_op["aaaaaaaa"] ge 1000',
  'cf.sequence.current_op eq "cccccccc" and cf.sequence.previous_ops[0] == "bbbbbbbb"',
  "len(cf.sequence.previous_ops) ge 3",
  'http.request.method eq "POST"',
  'http.request.uri.query contains "q"',
  'any(cf.sequence.previous_ops[*] == "cccccccc")',
];

/** A rule set such as operators write, and the same with every terminating action on trial. */
function configuration(seed: number, simulate: boolean) {
  let state = seed;
  const next = (below: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
  const expression = (): string => EXPRESSIONS[next(EXPRESSIONS.length)] as string;
  const id = (): string =>
    next(2 ** 30)
      .toString(16)
      .padStart(32, "e");
  const custom = Array.from({ length: 8 }, (): Rule => {
    const action = ACTIONS[next(ACTIONS.length)] as RuleAction;
    const parameters = action === "skip" ? { action_parameters: { phases: ["http_ratelimit"] } } : {};
    const ruleId = id();
    return { ...rule(expression(), { action, ...parameters }), id: ruleId, ref: ruleId };
  });
  const limits = Array.from({ length: 4 }, (): Rule => {
    const ruleId = id();
    const ratelimit = {
      characteristics: ["ip.src", "cf.colo.id"],
      period: 10,
      requests_per_period: 5 + next(20),
      mitigation_timeout: next(2) * 10,
      ...(next(3) === 0 ? { counting_expression: "http.response.code ge 400" } : {}),
      ...(next(3) === 0 ? { requests_to_origin: true } : {}),
    };
    return {
      ...rule(expression(), { ratelimit, action: next(4) === 0 ? "log" : "block" }),
      id: ruleId,
      ref: ruleId,
    };
  });
  const moved = redirectList("moved", [
    { source_url: "shop.example/b", target_url: "https://shop.example/a" },
  ]);
  const redirects = Array.from({ length: 2 }, (): Rule => {
    const ruleId = id();
    const parameters = { action_parameters: { from_list: { name: "moved", key: "http.request.full_uri" } } };
    return {
      ...rule(`http.request.full_uri in $moved and ${expression()}`, { action: "redirect", ...parameters }),
      id: ruleId,
      ref: ruleId,
    };
  });
  const level = { simulate, id: hexId() };
  const root = ruleset(custom.slice(0, 4), { ...level, id: id(), kind: "root" });
  return {
    zones: [
      zone({
        rulesets: [
          ruleset(custom.slice(4), { ...level, id: id() }),
          ruleset(limits, { ...level, id: id(), phase: "http_ratelimit" }),
        ],
      }),
    ],
    accounts: [
      account({
        lists: [moved],
        rulesets: [
          root,
          ruleset(redirects, { ...level, id: id(), kind: "root", phase: "http_request_redirect" }),
        ],
      }),
    ],
  };
}

interface Recorded {
  readonly method: string;
  readonly target: string;
  readonly history: string;
  readonly client: number;
  readonly status: number;
}

const RECORDED: fc.Arbitrary<Recorded> = fc.record({
  method: fc.constantFrom("GET", "POST"),
  target: fc.constantFrom("/a", "/b", "/b?q=1", "/c/1", "/x", "/x?q"),
  history: fc
    .array(fc.constantFrom("aaaaaaaa", "bbbbbbbb", "cccccccc"), { maxLength: 4 })
    .map((ops) => ops.join(" ")),
  client: fc.nat({ max: 20 }),
  status: fc.constantFrom(200, 302, 401, 500),
});

/** For each request the rules that fired, in order. */
async function replay(
  requests: readonly Recorded[],
  seed: number,
  simulate: boolean,
): Promise<readonly string[]> {
  const { zones, accounts } = configuration(seed, simulate);
  const { engine, events } = startEngine(zones, undefined, { accounts, trackerFor });
  const fired: string[] = [];
  let from = 0;
  for (const [index, { method, target, history, client, status }] of requests.entries()) {
    const request = {
      ...engineRequest({ method, target, headers: { "x-history": history }, at: NOON + index * 5 }),
      clientAddress: `192.0.2.${client}`,
    };
    const outcome = await engine.decide(request);
    if (outcome.kind === "forward") await outcome.visit.onResponse(status, []);
    fired.push(
      events
        .slice(from)
        .map(({ ruleId, action }) => `${ruleId} ${action}`)
        .join(","),
    );
    from = events.length;
  }
  return fired;
}

test("100,000 recorded requests: the same rules match in block and in simulate mode", async () => {
  let compared = 0;
  let ended = 0;
  for (let seed = 1; seed <= 20; seed += 1) {
    const requests = fc.sample(RECORDED, { numRuns: 5_000, seed });
    const inForce = await replay(requests, seed, false);
    const onTrial = await replay(requests, seed, true);
    expect(onTrial).toEqual(inForce);
    compared += inForce.length;
    ended += inForce.filter((fired) => /block|challenge|redirect/.test(fired)).length;
  }
  expect(compared).toBe(100_000);
  // The recordings are worth something: rules ended a good part of the requests, and not all.
  expect(ended).toBeGreaterThan(10_000);
  expect(ended).toBeLessThan(90_000);
}, 120_000);

test("a rule that only logs matches what it would have blocked", async () => {
  for (const expression of EXPRESSIONS) {
    const requests = fc.sample(RECORDED, { numRuns: 300, seed: 7 });
    const run = async (action: RuleAction): Promise<readonly number[]> => {
      const { engine, events } = startEngine(
        [zone({ rulesets: [ruleset([rule(expression, { action })])] })],
        undefined,
        { trackerFor },
      );
      const counts: number[] = [];
      for (const { method, target, history } of requests) {
        const outcome = await engine.decide(
          engineRequest({ method, target, headers: { "x-history": history } }),
        );
        if (outcome.kind === "forward") await outcome.visit.onResponse(200, []);
        counts.push(events.length);
      }
      return counts;
    };
    expect(await run("log")).toEqual(await run("block"));
  }
});
