/** Phase `http_request_firewall_custom`: every action, at both levels. */
import { describe, expect, test } from "vitest";
import type { Rule, Ruleset } from "../../src/ruleset/index.ts";
import type { EngineExtras } from "../support/engine.ts";
import {
  account,
  createVisitor,
  engineRequest,
  NOON,
  rule,
  ruleset,
  startEngine,
  zone,
} from "../support/engine.ts";

const PATH = 'http.request.uri.path eq "/x"';
const root = (rules: readonly Rule[], members: Partial<Ruleset> = {}) =>
  ruleset(rules, { id: "1".repeat(32), kind: "root", ...members });
const custom = (rules: readonly Rule[], members: Partial<Ruleset> = {}) =>
  ruleset(rules, { id: "2".repeat(32), kind: "custom", ...members });
const named = (ref: string, action: Rule["action"] = "log", members: Partial<Rule> = {}): Rule =>
  rule(PATH, { ref, action, ...members });
const execute = (id = "2".repeat(32), expression = PATH): Rule =>
  rule(expression, { action: "execute", action_parameters: { id } });
const skip = (ref: string, action_parameters: object, members: Partial<Rule> = {}): Rule =>
  named(ref, "skip", { action_parameters: { ...action_parameters }, ...members });

/** Status and the refs of the rules that fired, for one request to `/x`. */
async function fired(
  zoneRules: readonly Rule[],
  accountRulesets: readonly Ruleset[] = [],
  extras: EngineExtras = {},
) {
  const { engine, events } = startEngine([zone({ rulesets: [ruleset(zoneRules)] })], undefined, {
    accounts: [account({ rulesets: accountRulesets })],
    ...extras,
  });
  const { status } = await createVisitor(engine).visit({ target: "/x" });
  return [status, ...events.map(({ ruleRef }) => ruleRef)];
}

describe("levels", () => {
  test("the account's rules come before the zone's, and may end the request", async () => {
    expect(await fired([named("zone")], [root([named("root")])])).toEqual([200, "root", "zone"]);
    expect(await fired([named("zone")], [root([named("root", "block")])])).toEqual([403, "root"]);
  });

  test("an entry point executes custom rulesets where it says so", async () => {
    const rulesets = [
      root([named("before"), execute(), named("after")]),
      custom([named("inner"), named("last", "log", { enabled: false })]),
    ];
    expect(await fired([], rulesets)).toEqual([200, "before", "inner", "after"]);
    expect(await fired([named("zone")], [root([execute()]), custom([named("inner", "block")])])).toEqual([
      403,
      "inner",
    ]);
  });

  test("an expression that does not hold executes nothing", async () => {
    const rulesets = [
      root([execute(undefined, 'http.host eq "other.example"')]),
      custom([named("inner", "block")]),
    ];
    expect(await fired([], rulesets)).toEqual([200]);
  });

  test("a custom ruleset that nobody executes does nothing", async () => {
    expect(await fired([], [custom([named("inner", "block")])])).toEqual([200]);
  });

  test("executing a ruleset that does not exist is refused when the configuration is loaded", () => {
    expect(() =>
      startEngine([zone()], undefined, { accounts: [account({ rulesets: [root([execute()])] })] }),
    ).toThrow(`ruleset ${"1".repeat(32)} of http_request_firewall_custom: rule`);
  });

  test("another account's rules are not asked", async () => {
    const other = account({ id: "b".repeat(32), rulesets: [root([named("root", "block")])] });
    expect(await fired([], [], { accounts: [other] })).toEqual([200]);
  });
});

const limit = (ref: string) =>
  named(ref, "block", {
    ratelimit: {
      characteristics: ["cf.colo.id"],
      period: 10,
      requests_per_period: 1,
      mitigation_timeout: 10,
    },
  });

describe("skip", () => {
  const RATELIMIT = { phase: "http_ratelimit" } as const;
  /** Two requests; the second is limited unless the limit is skipped. */
  async function limited(
    zoneRules: readonly Rule[],
    rootRules: readonly Rule[],
    limitLevel: "zone" | "root",
  ) {
    const zoneRulesets = [ruleset(zoneRules, { id: "3".repeat(32) })];
    const rootRulesets = [root(rootRules)];
    const limits = ruleset([limit("limit")], { ...RATELIMIT, id: "4".repeat(32), kind: limitLevel });
    (limitLevel === "zone" ? zoneRulesets : rootRulesets).push(limits);
    const { engine } = startEngine([zone({ rulesets: zoneRulesets })], undefined, {
      accounts: [account({ rulesets: rootRulesets })],
    });
    const { visit } = createVisitor(engine);
    await visit({ target: "/x" });
    return (await visit({ target: "/x" })).status;
  }

  test("`ruleset: current` skips the rest of its ruleset only", async () => {
    const rest = [skip("skip", { ruleset: "current" }), named("never", "block")];
    expect(await fired(rest)).toEqual([200, "skip"]);
    expect(await fired([named("zone", "block")], [root(rest)])).toEqual([403, "skip", "zone"]);
    expect(await fired([], [root([execute(), named("after")]), custom(rest)])).toEqual([
      200,
      "skip",
      "after",
    ]);
  });

  test("`phase: current` skips the rest of the phase", async () => {
    expect(
      await fired([skip("skip", { phase: "current", products: ["waf"] }), named("never", "block")]),
    ).toEqual([200, "skip"]);
  });

  test("`rules` and `rulesets` skip what they name, later and elsewhere", async () => {
    const target = named("target", "block");
    const zoneRuleset = ruleset([target]).id;
    expect(await fired([skip("skip", { rules: { [zoneRuleset]: [target.id] } }), target])).toEqual([
      200,
      "skip",
    ]);
    expect(
      await fired([named("zone", "block")], [root([skip("skip", { rulesets: [zoneRuleset] })])]),
    ).toEqual([200, "skip"]);
    const rulesets = [
      root([skip("skip", { rulesets: ["2".repeat(32)] }), execute(), named("after")]),
      custom([named("inner", "block")]),
    ];
    expect(await fired([], rulesets)).toEqual([200, "skip", "after"]);
  });

  test.each<[string, object, "zone" | "root", "zone" | "root", number]>([
    ["a zone's rule skips the zone's limits", { phases: ["http_ratelimit"] }, "zone", "zone", 200],
    ["a zone's rule does not skip the account's", { phases: ["http_ratelimit"] }, "zone", "root", 429],
    ["an account's rule skips the zone's limits", { phases: ["http_ratelimit"] }, "root", "zone", 200],
    ["an account's rule skips the account's limits", { phases: ["http_ratelimit"] }, "root", "root", 200],
    ["the product that is this phase", { products: ["rateLimit"] }, "zone", "zone", 200],
    [
      "products that do not exist here",
      { products: ["waf", "bic", "uaBlock", "hot", "zoneLockdown", "securityLevel"] },
      "zone",
      "zone",
      429,
    ],
    [
      "phases that do not exist here",
      { phases: ["http_request_sbfm", "http_request_firewall_managed"] },
      "zone",
      "zone",
      429,
    ],
  ])("%s", async (_name, parameters, ...[skipLevel, limitLevel, status]) => {
    const rules = [skip("skip", parameters)];
    expect(
      await limited(skipLevel === "zone" ? rules : [], skipLevel === "root" ? rules : [], limitLevel),
    ).toBe(status);
  });

  test("leaves an event unless `logging` is off; that never hides a block's effect", async () => {
    const silent = { logging: { enabled: false } };
    expect(await fired([skip("skip", { ruleset: "current" }, silent), named("never", "block")])).toEqual([
      200,
    ]);
    expect(await fired([named("block", "block", silent)])).toEqual([403]);
  });
});

describe("log", () => {
  test("leaves an event and goes on", async () => {
    expect(await fired([named("a"), named("b"), named("c", "block"), named("d")])).toEqual([
      403,
      "a",
      "b",
      "c",
    ]);
  });
});

describe("events", () => {
  test("carry the status that the visitor saw and the origin's, and count backwards", async () => {
    const { engine, events } = startEngine([zone({ rulesets: [ruleset([named("a"), named("b")])] })]);
    await createVisitor(engine).visit(
      { target: "/x?q=1", at: NOON, headers: { "user-agent": "probe", referer: "https://r.example/p" } },
      { status: 404 },
    );
    expect(events).toMatchObject([
      {
        ruleRef: "a",
        matchIndex: 1,
        status: 404,
        originStatus: 404,
        outcome: "applied",
        path: "/x",
        query: "q=1",
        protocol: "HTTP/2",
        scheme: "https",
        referer: "https://r.example/p",
        userAgent: "probe",
        at: NOON,
      },
      { ruleRef: "b", matchIndex: 0 },
    ]);
  });

  test("of a request whose origin gave no answer say what the visitor got instead", async () => {
    const { engine, events } = startEngine([zone({ rulesets: [ruleset([named("a")])] })]);
    const gone = await engine.decide(engineRequest({ target: "/x" }));
    if (gone.kind !== "forward") throw new Error("expected a request that is forwarded");
    gone.visit.onUnanswered({ status: 502, headers: [], body: "" });
    gone.visit.onClientGone();
    expect(events).toMatchObject([{ ruleRef: "a", status: 502, originStatus: 0 }]);
  });

  test("of a visitor who left say 499", async () => {
    const { engine, events } = startEngine([zone({ rulesets: [ruleset([named("a")])] })]);
    const gone = await engine.decide(engineRequest({ target: "/x" }));
    if (gone.kind === "forward") gone.visit.onClientGone();
    expect(events).toMatchObject([{ status: 499, originStatus: 0 }]);
  });
});

describe("configuration", () => {
  test("what does not change is not prepared again; what does is in force at once", async () => {
    const stays = ruleset([named("stays")]);
    const { engine, events, source } = startEngine([zone({ rulesets: [stays] })]);
    const { visit } = createVisitor(engine);
    await visit({ target: "/x" });
    source.set([zone({ rulesets: [ruleset([named("new", "block")])] })]);
    expect((await visit({ target: "/x" })).status).toBe(403);
    expect(events.map(({ ruleRef }) => ruleRef)).toEqual(["stays", "new"]);
  });

  test("a change that cannot be compiled leaves everything as it was", async () => {
    const { engine, source } = startEngine([zone({ rulesets: [ruleset([named("old", "block")])] })]);
    const { visit } = createVisitor(engine);
    expect(() => source.set([zone({ rulesets: [ruleset([rule("no.such.field")])] })])).toThrow(
      "unknown identifier",
    );
    expect((await visit({ target: "/x" })).status).toBe(403);
  });

  test("an action that its phase does not have is refused", () => {
    const wrong = ruleset([named("x", "block")], { phase: "http_request_late_transform" });
    expect(() => startEngine([zone({ rulesets: [wrong] })])).toThrow(
      "action block does not exist in this phase",
    );
  });
});
