/** Phase `http_ratelimit`: what counts, by what, when, and what the visitor is told. */
import { describe, expect, test } from "vitest";
import type { RateLimits } from "../../src/engine/index.ts";
import { StateUnavailableError } from "../../src/sequence/index.ts";
import type { Ratelimit, Rule, Ruleset } from "../../src/ruleset/index.ts";
import {
  account,
  createVisitor,
  engineRequest,
  hashText,
  headerOf,
  memoryLimits,
  NOON,
  rule,
  ruleset,
  startEngine,
  zone,
} from "../support/engine.ts";
import type { EngineExtras, RequestInput } from "../support/engine.ts";

const IS_X = 'http.request.uri.path eq "/x"';
const BY_ALL = ["cf.colo.id"];
const BY_IP = ["ip.src", "cf.colo.id"];

const limit = (ratelimit: Partial<Ratelimit>, members: Partial<Rule> = {}): Rule =>
  rule(IS_X, {
    ratelimit: {
      characteristics: BY_ALL,
      period: 10,
      requests_per_period: 2,
      mitigation_timeout: 0,
      ...ratelimit,
    },
    ...members,
  });
const limits = (rules: readonly Rule[], members: Partial<Ruleset> = {}): Ruleset =>
  ruleset(rules, { phase: "http_ratelimit", id: "7".repeat(32), ...members });
const limitedZone = (...rules: readonly Rule[]) => zone({ rulesets: [limits(rules)] });

const start = (rules: readonly Rule[], extras: EngineExtras = {}) =>
  startEngine([limitedZone(...rules)], undefined, extras);

/** Statuses of requests to `/x`, one after another. */
async function statuses(rules: readonly Rule[], requests: readonly Partial<RequestInput>[], origin = {}) {
  const { visit } = createVisitor(start(rules).engine);
  const seen: number[] = [];
  for (const request of requests) seen.push((await visit({ target: "/x", ...request }, origin)).status);
  return seen;
}
const times = (count: number, request: Partial<RequestInput> = {}) =>
  Array.from({ length: count }, () => request);

describe("when it acts", () => {
  test("the request after the limit, until the window ends", async () => {
    expect(await statuses([limit({})], [...times(3), { at: NOON + 9_999 }, { at: NOON + 10_000 }])).toEqual([
      200, 200, 429, 429, 200,
    ]);
  });

  test("with a mitigation timeout on everything until it ends", async () => {
    const rules = [limit({ mitigation_timeout: 60 })];
    const later = [{ at: NOON + 11_000 }, { at: NOON + 59_999 }, { at: NOON + 60_000 }];
    expect(await statuses(rules, [...times(3), ...later])).toEqual([200, 200, 429, 429, 429, 200]);
  });

  test("a request that the expression does not match neither counts nor is limited", async () => {
    expect(
      await statuses([limit({})], [...times(3, { target: "/y" }), ...times(2), { target: "/y" }]),
    ).toEqual([200, 200, 200, 200, 200, 200]);
  });

  test("log only leaves an event and tells the visitor nothing", async () => {
    const { engine, events } = start([limit({ requests_per_period: 1 }, { action: "log" })]);
    const { visit } = createVisitor(engine);
    await visit({ target: "/x" });
    const second = await visit({ target: "/x" });
    expect(second.status).toBe(200);
    expect(headerOf(second.headers, "ratelimit")).toBeUndefined();
    expect(events).toMatchObject([{ action: "log", outcome: "applied", status: 200 }]);
  });

  test("a changed rule counts anew, an unchanged one goes on", async () => {
    const original = limit({});
    const { engine, source } = start([original]);
    const { visit } = createVisitor(engine);
    for (const _ of times(2)) await visit({ target: "/x" });
    source.set([zone({ rulesets: [limits([original, limit({}, { expression: "false" })])] })]);
    expect((await visit({ target: "/x" })).status).toBe(429);
    source.set([zone({ rulesets: [limits([{ ...original, version: "2" }])] })]);
    expect((await visit({ target: "/x" })).status).toBe(200);
  });
});

/** Whether two requests, given a limit of one, fall into one bucket. */
const together = async (
  characteristic: string,
  first: Partial<RequestInput>,
  second: Partial<RequestInput>,
) =>
  (
    await statuses(
      [limit({ characteristics: [characteristic, "cf.colo.id"], requests_per_period: 1 })],
      [first, second],
    )
  )[1] === 429;
const header = (value: string) => ({ headers: { "x-key": value } });

describe("what it counts by", () => {
  test.each<[string, string, Partial<RequestInput>, Partial<RequestInput>, boolean]>([
    ["the same header value", 'http.request.headers["x-key"]', header("a"), header("a"), true],
    ["another header value", 'http.request.headers["x-key"]', header("a"), header("b"), false],
    ["no header twice", 'http.request.headers["x-key"]', {}, {}, true],
    ["no header and an empty one", 'http.request.headers["x-key"]', {}, header(""), false],
    ["letter case of a value", 'http.request.headers["x-key"]', header("a"), header("A"), false],
    [
      "a cookie",
      'http.request.cookies["s"]',
      { headers: { cookie: "s=1" } },
      { headers: { cookie: "t=2; s=1" } },
      true,
    ],
    ["an argument", 'http.request.uri.args["k"]', { target: "/x?k=1" }, { target: "/x?k=2" }, false],
    ["the path", "http.request.uri.path", {}, { target: "//x" }, true],
    ["the host", "http.host", {}, { authority: "SHOP.example." }, true],
    [
      "an expression",
      "lower(http.user_agent)",
      { headers: { "user-agent": "A" } },
      { headers: { "user-agent": "a" } },
      true,
    ],
    ["the address", "ip.src", {}, {}, true],
  ])("%s", async (_name, characteristic, first, ...[second, expected]) => {
    expect(await together(characteristic, first, second)).toBe(expected);
  });

  test("another address has another counter", async () => {
    const { engine } = start([limit({ characteristics: BY_IP, requests_per_period: 1 })]);
    const from = async (clientAddress: string) => {
      const outcome = await engine.decide({ ...engineRequest({ target: "/x" }), clientAddress });
      return outcome.kind;
    };
    expect([await from("192.0.2.1"), await from("192.0.2.2"), await from("192.0.2.1")]).toEqual([
      "forward",
      "forward",
      "answer",
    ]);
    expect([await from("2001:db8::1"), await from("2001:0db8:0::1")]).toEqual(["forward", "answer"]);
  });

  test("the sequence: each visitor's own, and one for all without", async () => {
    const bySequence = limit({ characteristics: ["cf.sequence.id", "cf.colo.id"], requests_per_period: 1 });
    const { engine } = start([bySequence]);
    const [first, second] = [createVisitor(engine), createVisitor(engine)];
    for (const { visit } of [first, second]) await visit({ target: "/a" });
    expect((await first.visit({ target: "/x" })).status).toBe(200);
    expect((await second.visit({ target: "/x" })).status).toBe(200);
    expect((await first.visit({ target: "/x" })).status).toBe(429);
    expect((await createVisitor(engine).visit({ target: "/x" })).status).toBe(200);
    expect((await createVisitor(engine).visit({ target: "/x" })).status).toBe(429);
  });

  test("only requests to an operation, by the documented expression", async () => {
    const onB = limit(
      { requests_per_period: 1 },
      {
        expression:
          'cf.sequence.current_op eq "bbbbbbbb" and not any(cf.sequence.previous_ops[*] == "aaaaaaaa")',
      },
    );
    const { visit } = createVisitor(start([onB]).engine);
    const post = { method: "POST", target: "/b" };
    expect((await visit(post)).status).toBe(200);
    await visit({ target: "/a", at: NOON + 1 });
    expect((await visit({ ...post, at: NOON + 2 })).status).toBe(200);
    expect((await createVisitor(start([onB]).engine).visit(post)).status).toBe(200);
  });
});

describe("counting expressions", () => {
  test("of the request: what counts is not what is limited", async () => {
    const rules = [
      limit({ counting_expression: 'http.request.uri.path eq "/login"', requests_per_period: 1 }),
    ];
    expect(await statuses(rules, [...times(3), ...times(2, { target: "/login" }), {}])).toEqual([
      200, 200, 200, 200, 200, 429,
    ]);
  });

  test("of the response: acts from the request after", async () => {
    const rules = [limit({ counting_expression: "http.response.code eq 401", requests_per_period: 1 })];
    expect(await statuses(rules, times(4), { status: 200 })).toEqual([200, 200, 200, 200]);
    expect(await statuses(rules, times(4), { status: 401 })).toEqual([401, 401, 429, 429]);
  });

  test("of a response header", async () => {
    const rules = [
      limit({ counting_expression: 'http.response.headers["x-fail"][0] eq "1"', requests_per_period: 1 }),
    ];
    expect(await statuses(rules, times(3), { headers: ["X-Fail", "1"] })).toEqual([200, 200, 429]);
  });

  test("that never holds counts nothing", async () => {
    expect(await statuses([limit({ counting_expression: 'http.host eq "other"' })], times(5))).toEqual(
      times(5).map(() => 200),
    );
  });

  test("an answer of ours is no response of the origin: it does not count", async () => {
    const block = ruleset([rule('http.request.headers["x-block"][0] eq "1"')]);
    const counted = limits([
      limit({ counting_expression: "http.response.code ge 400", requests_per_period: 1 }),
    ]);
    const { visit } = createVisitor(startEngine([zone({ rulesets: [block, counted] })]).engine);
    for (const _ of times(3)) await visit({ target: "/x", headers: { "x-block": "1" } });
    expect((await visit({ target: "/x" })).status).toBe(200);
  });
});

describe("scores", () => {
  const byScore = limit({
    score_per_period: 400,
    score_response_header_name: "X-Score",
  });
  const scored = (() => {
    const { requests_per_period: _none, ...ratelimit } = byScore.ratelimit!;
    return { ...byScore, ratelimit };
  })();

  test("are added up from the origin's header", async () => {
    const { visit } = createVisitor(start([scored]).engine);
    const seen: number[] = [];
    for (const score of ["300", "100", "1", "1"])
      seen.push((await visit({ target: "/x" }, { headers: ["x-score", score] })).status);
    expect(seen).toEqual([200, 200, 200, 429]);
  });

  test.each(["-5", "1e9", "1000001", "0", "abc", "401.5", ""])("`%s` is none", async (score) => {
    expect(await statuses([scored], times(3), { headers: ["x-score", score] })).toEqual([200, 200, 200]);
  });
});

describe("requests_to_origin", () => {
  test("counts what is forwarded, not what is answered here", async () => {
    const block = ruleset([rule('http.request.headers["x-block"][0] eq "1"')], {
      phase: "http_request_firewall_custom",
    });
    const { visit } = createVisitor(
      startEngine([
        zone({ rulesets: [block, limits([limit({ requests_to_origin: true, requests_per_period: 1 })])] }),
      ]).engine,
    );
    for (const _ of times(5)) await visit({ target: "/x", headers: { "x-block": "1" } });
    const seen: number[] = [];
    for (const _ of times(3)) seen.push((await visit({ target: "/x" })).status);
    expect(seen).toEqual([200, 200, 429]);
  });
});

describe("several rules", () => {
  test("in order: the first that acts ends it, and the rest neither count nor leave events", async () => {
    const first = limit({ requests_per_period: 1 }, { ref: "first" });
    const second = limit({ requests_per_period: 3 }, { ref: "second" });
    const { engine, events } = start([first, second]);
    const { visit } = createVisitor(engine);
    for (const _ of times(9)) await visit({ target: "/x" });
    expect(new Set(events.map(({ ruleRef }) => ruleRef))).toEqual(new Set(["first"]));
    // The second counted the one request that the first let pass.
    const after = await visit({ target: "/x", at: NOON + 10_000 });
    expect(headerOf(after.headers, "ratelimit")).toContain('"second";r=2');
  });

  test("the account's limits come before the zone's, custom rulesets where they are executed", async () => {
    const root = limits(
      [
        rule("true", { action: "execute", action_parameters: { id: "8".repeat(32) } }),
        limit({ requests_per_period: 9 }, { ref: "root" }),
      ],
      { kind: "root", id: "9".repeat(32) },
    );
    const executed = limits([limit({ requests_per_period: 1 }, { ref: "executed" })], {
      kind: "custom",
      id: "8".repeat(32),
    });
    const { engine, events } = startEngine([limitedZone(limit({}, { ref: "zone" }))], undefined, {
      accounts: [account({ rulesets: [root, executed] })],
    });
    const { visit } = createVisitor(engine);
    const first = await visit({ target: "/x" });
    expect(headerOf(first.headers, "ratelimit-policy")).toBe(
      '"executed";q=1;w=10, "root";q=9;w=10, "zone";q=2;w=10',
    );
    expect((await visit({ target: "/x" })).status).toBe(429);
    expect(events).toMatchObject([{ ruleRef: "executed" }]);
  });

  test("an account's limit counts each zone for itself", async () => {
    const root = limits([limit({ requests_per_period: 1 })], { kind: "root" });
    const other = zone({ id: "b".repeat(32), hosts: ["other.example"], name: "other.example" });
    const { engine } = startEngine([zone(), other], undefined, { accounts: [account({ rulesets: [root] })] });
    const { visit } = createVisitor(engine);
    const authority = "other.example";
    expect((await visit({ target: "/x" })).status).toBe(200);
    expect((await visit({ target: "/x", authority })).status).toBe(200);
    expect((await visit({ target: "/x", authority })).status).toBe(429);
  });
});

describe("what the visitor is told", () => {
  test("limits on every counted response, Retry-After only when limited", async () => {
    const { visit } = createVisitor(start([limit({}, { ref: "checkout" })]).engine);
    const passed = await visit({ target: "/x" });
    expect(headerOf(passed.headers, "ratelimit")).toBe('"checkout";r=1;t=10');
    expect(headerOf(passed.headers, "retry-after")).toBeUndefined();
    await visit({ target: "/x", at: NOON + 1_000 });
    const limited = await visit({ target: "/x", at: NOON + 2_500 });
    expect(limited.status).toBe(429);
    expect(headerOf(limited.headers, "retry-after")).toBe("8");
    expect(headerOf(limited.headers, "ratelimit")).toBe('"checkout";r=0;t=8');
    expect(limited.body).toContain("Too many requests");
  });

  test("a custom response keeps Retry-After", async () => {
    const response = { status_code: 420, content_type: "application/json", content: '{"calm":true}' };
    const rules = [limit({ requests_per_period: 1 }, { action_parameters: { response } })];
    const { visit } = createVisitor(start(rules).engine);
    await visit({ target: "/x" });
    const limited = await visit({ target: "/x" });
    expect([limited.status, limited.body, headerOf(limited.headers, "retry-after")]).toEqual([
      420,
      '{"calm":true}',
      "10",
    ]);
  });

  test("JSON for a program", async () => {
    const { visit } = createVisitor(start([limit({ requests_per_period: 1 })]).engine);
    await visit({ target: "/x" });
    const { body } = await visit({ target: "/x", headers: { accept: "application/json" } });
    expect(JSON.parse(body)).toMatchObject({ error: { code: "rate_limited", status: 429 } });
  });
});

const down = (): RateLimits => ({
  store: {
    hit: () => Promise.reject(new StateUnavailableError("ERR_STATE_DOWN", "down")),
    reset: () => Promise.reject(new StateUnavailableError("ERR_STATE_DOWN", "down")),
  },
  hash: hashText,
});

describe("a store that does not answer", () => {
  test.each<[Ratelimit["on_state_error"], number, number]>([
    [undefined, 200, 0],
    ["allow", 200, 0],
    ["log", 200, 1],
    ["block", 429, 1],
  ])("on_state_error %s", async (policy, status, eventCount) => {
    const rules = [limit(policy === undefined ? {} : { on_state_error: policy })];
    const { engine, events } = start(rules, { rateLimits: down() });
    expect((await createVisitor(engine).visit({ target: "/x" })).status).toBe(status);
    expect(events).toHaveLength(eventCount);
    expect(
      events.every(({ outcome, detail }) => outcome === "failed" && detail?.includes("ERR_STATE_DOWN")),
    ).toBe(true);
  });

  test("is asked once by a request, however many rules there are", async () => {
    let asked = 0;
    const store = {
      hit: () => {
        asked += 1;
        return Promise.reject(new StateUnavailableError("ERR_STATE_TIMEOUT", "late"));
      },
      reset: () => undefined,
    };
    const rules = [limit({}), limit({}), limit({ on_state_error: "block" })];
    const { engine } = start(rules, { rateLimits: { store, hash: hashText } });
    expect((await createVisitor(engine).visit({ target: "/x" })).status).toBe(429);
    expect(asked).toBe(1);
  });

  test("does not keep a response from its visitor", async () => {
    const rules = [limit({ counting_expression: "http.response.code ge 100" })];
    const { engine } = start(rules, { rateLimits: down() });
    expect((await createVisitor(engine).visit({ target: "/x" })).status).toBe(200);
  });

  test("a defect of a store is no state error: the carrier answers 500", async () => {
    const broken = {
      store: { hit: () => Promise.reject(new TypeError("bug")), reset: () => undefined },
      hash: hashText,
    };
    const { engine } = start([limit({})], { rateLimits: broken });
    await expect(createVisitor(engine).visit({ target: "/x" })).rejects.toThrow("bug");
  });
});

describe("exactness", () => {
  test.each([1, 7, 50])("of 10 N parallel requests exactly N pass, N = %i", async (count) => {
    const memory = memoryLimits();
    const slow: RateLimits = {
      ...memory,
      store: {
        hit: async (...hit) => {
          await new Promise((resolve) => setImmediate(resolve));
          return memory.store.hit(...hit);
        },
        reset: (key) => memory.store.reset(key),
      },
    };
    for (const rateLimits of [memoryLimits(), slow]) {
      const { engine } = start([limit({ requests_per_period: count, period: 60 })], { rateLimits });
      const outcomes = await Promise.all(
        times(10 * count).map(async () => engine.decide(engineRequest({ target: "/x" }))),
      );
      expect(outcomes.filter(({ kind }) => kind === "forward")).toHaveLength(count);
    }
  });
});
