import { describe, expect, test } from "vitest";
import {
  A,
  B,
  C,
  createVisitor,
  engineRequest,
  HOUR_MS,
  NOON,
  rule,
  ruleset,
  startEngine,
  zone,
} from "../support/engine.ts";

const IS_B = 'cf.sequence.current_op eq "bbbbbbbb"';
const AFTER_A = 'any(cf.sequence.previous_ops[*] == "aaaaaaaa")';

/** A zone that blocks B unless A came before. */
const guarded = (members = {}) =>
  zone({ rulesets: [ruleset([rule(`${IS_B} and not ${AFTER_A}`)])], ...members });
const getA = (at = NOON) => ({ target: "/a", at });
const postB = (at = NOON + 10) => ({ method: "POST", target: "/b", at });

describe("order", () => {
  test("B alone is blocked, B after A passes", async () => {
    const { visit } = createVisitor(startEngine([guarded()]).engine);
    expect((await visit(postB())).status).toBe(403);
    expect((await visit(getA())).status).toBe(200);
    expect((await visit(postB(NOON + 50))).status).toBe(200);
  });

  test("a blocked request is not recorded: B, B stays blocked for a rule that needs B before B", async () => {
    const needsB = zone({
      rulesets: [ruleset([rule(`${IS_B} and not any(cf.sequence.previous_ops[*] == "bbbbbbbb")`)])],
    });
    const { visit, jar } = createVisitor(startEngine([needsB]).engine);
    expect((await visit(postB())).status).toBe(403);
    expect((await visit(postB(NOON + 100))).status).toBe(403);
    expect(jar.size).toBe(0);
  });

  test("the current request is in none of the history fields", async () => {
    const engine = startEngine([
      zone({ rulesets: [ruleset([rule(`${IS_B} and len(cf.sequence.previous_ops) ge 1`)])] }),
    ]);
    const { visit } = createVisitor(engine.engine);
    expect((await visit(postB())).status).toBe(200);
    expect((await visit(postB(NOON + 20))).status).toBe(403);
  });

  test("an hour later A is forgotten", async () => {
    const { visit } = createVisitor(startEngine([guarded()]).engine);
    await visit(getA());
    expect((await visit(postB(NOON + HOUR_MS - 1))).status).toBe(200);
    expect((await visit(postB(NOON + HOUR_MS))).status).toBe(403);
  });

  test("the eleventh operation pushes the first one out", async () => {
    const { visit } = createVisitor(startEngine([guarded()]).engine);
    await visit(getA());
    for (let index = 1; index <= 9; index += 1) await visit({ target: `/c/${index}`, at: NOON + index });
    expect((await visit(postB(NOON + 20))).status).toBe(200);
    // That B was the eleventh.
    expect((await visit(postB(NOON + 30))).status).toBe(403);
  });
});

const recorded = async (
  request: Parameters<ReturnType<typeof createVisitor>["visit"]>[0],
  status = 200,
  operations = [A, B, C],
): Promise<boolean> => {
  const { visit, jar } = createVisitor(startEngine([guarded({ operations })]).engine);
  await visit(request, { status });
  return jar.size > 0;
};

describe("what is recorded", () => {
  test.each([
    ["a GET of the operation", getA(), 200, true],
    ["an error of the origin counts by default", getA(), 500, true],
    ["HEAD of a GET operation is enforced but not recorded", { method: "HEAD", target: "/a" }, 200, false],
    ["a path that is no operation", { target: "/other" }, 200, false],
    ["another spelling that the origin accepts", { target: "/A/" }, 200, true],
    ["another spelling that the origin refuses", { target: "/A/" }, 404, false],
    ["a variable segment", { target: "/c/7" }, 200, true],
    ["an empty variable segment", { target: "/c/" }, 200, false],
  ])("%s", async (_name, request, status, expected) => {
    expect(await recorded(request, status)).toBe(expected);
  });

  test.each([
    [200, true],
    [304, true],
    [399, true],
    [400, false],
    [503, false],
  ])("with `record: success` an answer of %i counts: %s", async (status, expected) => {
    expect(await recorded(getA(), status, [{ ...A, record: "success" }, B, C])).toBe(expected);
  });

  test("a CORS preflight meets no rule, is not recorded and gets no cookie; another OPTIONS is ordinary", async () => {
    const options = { ...B, method: "OPTIONS" as const };
    const blocksAll = zone({
      operations: [options],
      rulesets: [ruleset([rule('http.request.method eq "OPTIONS"')])],
    });
    const { visit, jar } = createVisitor(startEngine([blocksAll]).engine);
    const preflight = { origin: "https://x.example", "access-control-request-method": "POST" };
    expect((await visit({ method: "OPTIONS", target: "/b", headers: preflight })).status).toBe(200);
    expect(jar.size).toBe(0);
    expect((await visit({ method: "OPTIONS", target: "/b" })).status).toBe(403);
  });

  test.each([
    ["sec-purpose", "prefetch;prerender"],
    ["purpose", "prefetch"],
    ["x-moz", "prefetch"],
    ["x-sec-purpose", "prefetch"],
    ["next-router-prefetch", "1"],
  ])("a prefetch marked by %s is recorded, ignored or refused as the operation says", async (name, value) => {
    const outcomes = [];
    for (const prefetch of ["record", "ignore", "refuse"] as const) {
      const { visit, jar } = createVisitor(startEngine([zone({ operations: [{ ...A, prefetch }] })]).engine);
      const { status } = await visit({ target: "/a", headers: { [name]: value } });
      outcomes.push([status, jar.size]);
    }
    expect(outcomes).toEqual([
      [200, 1],
      [200, 0],
      [503, 0],
    ]);
  });
});

describe("off, paused, unknown", () => {
  test("a disabled zone sets no cookie and its fields are empty, so that the documented rules are inert", async () => {
    const off = { sequenceCookies: { enabled: false }, cookieScope: zone().settings.cookieScope };
    const { engine, source } = startEngine([guarded({ settings: off })]);
    const { visit, jar } = createVisitor(engine);
    expect((await visit(postB())).status).toBe(200);
    await visit(getA());
    expect(jar.size).toBe(0);
    source.set([guarded()]);
    expect((await visit(postB(NOON + 20))).status).toBe(403);
    source.set([guarded({ settings: off })]);
    expect((await visit(postB(NOON + 30))).status).toBe(200);
  });

  test("a paused zone only forwards", async () => {
    const { visit, jar } = createVisitor(startEngine([guarded({ paused: true })]).engine);
    expect((await visit(postB())).status).toBe(200);
    expect(jar.size).toBe(0);
  });

  test.each([
    ["another host", { target: "/a", authority: "other.example" }, 421],
    ["no host", { target: "/a", authority: undefined }, 400],
    ["a host that is none", { target: "/a", authority: "shop.example/x" }, 400],
    ["another case and a final dot", { target: "/a", authority: "SHOP.example." }, 200],
    ["a port", { target: "/a", authority: "shop.example:8443" }, 200],
    ["absolute form with the same host", { target: "https://shop.example/a" }, 200],
    ["absolute form with another host", { target: "https://evil.example/a" }, 400],
    ["asterisk form", { method: "OPTIONS", target: "*" }, 400],
    ["an encoded slash", { target: "/a%2fb" }, 400],
    ["a fragment", { target: "/a#b" }, 400],
  ])("%s", async (_name, input, status) => {
    const { engine } = startEngine([zone()]);
    const request = {
      ...engineRequest(input),
      authority: "authority" in input ? input.authority : "shop.example",
    };
    const outcome = await engine.decide(request);
    expect(outcome.kind === "answer" ? outcome.answer.status : 200).toBe(status);
  });
});

describe("what is forwarded", () => {
  test("the canonical path that was matched, the query untouched, the cookies without ours", async () => {
    const { engine } = startEngine([zone()]);
    const { visit } = createVisitor(engine);
    await visit(getA());
    const { outcome } = await visit({ target: "//x/../%61?q=%2F%2f&r", headers: {} });
    expect(outcome).toMatchObject({ kind: "forward", visit: { target: "/a?q=%2F%2f&r", cookie: undefined } });
  });

  test("an origin can neither set nor delete a cookie of ours, nor fake a ray id", async () => {
    const { engine } = startEngine([zone()]);
    const { visit } = createVisitor(engine);
    const { headers } = await visit(
      { target: "/other" },
      {
        headers: [
          "Set-Cookie",
          "__Host-sq.AAAAA=; Max-Age=0",
          "Set-Cookie",
          "__Host-sessid=1",
          "Stepgate-Ray",
          "fake",
        ],
      },
    );
    expect(headers).toEqual(["Set-Cookie", "__Host-sessid=1", "stepgate-ray", "0123456789abcdef"]);
  });
});

describe("answers and events", () => {
  test("a block gives a page or JSON by what the client accepts, with the ray id in page and header", async () => {
    const { visit } = createVisitor(startEngine([guarded()]).engine);
    const page = await visit({
      ...postB(),
      headers: { accept: "text/html,application/xhtml+xml,application/json;q=0.8" },
    });
    expect(page.body).toContain("0123456789abcdef");
    expect(page.headers).toContain("text/html; charset=utf-8");
    const json = await visit({ ...postB(), headers: { accept: "application/json" } });
    expect(JSON.parse(json.body)).toMatchObject({ error: { code: "blocked", ray_id: "0123456789abcdef" } });
    expect(json.headers.join()).toContain("stepgate-ray,0123456789abcdef");
    expect(json.headers.join()).toContain("private, no-store");
  });

  test("a rule's own response replaces the page", async () => {
    const response = { status_code: 451, content_type: "text/plain", content: "look at the balance first" };
    const custom = rule(`${IS_B} and not ${AFTER_A}`, { action_parameters: { response } });
    const { visit } = createVisitor(startEngine([zone({ rulesets: [ruleset([custom])] })]).engine);
    expect(await visit(postB())).toMatchObject({ status: 451, body: "look at the balance first" });
  });

  test("log leaves an event and goes on; the first block ends the phase", async () => {
    const rules = [
      rule(IS_B, { action: "log", description: "seen", ref: "r1" }),
      rule(IS_B, { description: "stopped", ref: "r2" }),
      rule(IS_B, { description: "never reached" }),
    ];
    const { engine, events } = startEngine([zone({ rulesets: [ruleset(rules)] })]);
    const { visit } = createVisitor(engine);
    await visit(getA());
    await visit({ ...postB(NOON + 250), headers: { "user-agent": "probe" } });
    expect(events.map(({ ruleRef, action }) => [ruleRef, action])).toEqual([
      ["r1", "log"],
      ["r2", "block"],
    ]);
    expect(events[1]).toMatchObject({
      rayId: "0123456789abcdef",
      ruleDescription: "stopped",
      phase: "http_request_firewall_custom",
      currentOp: "bbbbbbbb",
      previousOps: [{ op: "aaaaaaaa", ageMs: 250 }],
      method: "POST",
      path: "/b",
      clientAddress: "192.0.2.7",
      userAgent: "probe",
    });
  });

  test("a disabled rule is no rule", async () => {
    const { visit } = createVisitor(
      startEngine([zone({ rulesets: [ruleset([rule(IS_B, { enabled: false })])] })]).engine,
    );
    expect((await visit(postB())).status).toBe(200);
  });

  test("rules that do not look at sequences work on paths that are no operation", async () => {
    const deny = rule('http.request.uri.path wildcard "/admin*"');
    const { visit } = createVisitor(startEngine([zone({ rulesets: [ruleset([deny])] })]).engine);
    expect((await visit({ target: "/admin/x" })).status).toBe(403);
    expect((await visit({ target: "/x" })).status).toBe(200);
  });

  test("history is there for a rule about any path, not only operations", async () => {
    const afterA = rule(`http.request.uri.path eq "/page" and ${AFTER_A}`);
    const { visit } = createVisitor(startEngine([zone({ rulesets: [ruleset([afterA])] })]).engine);
    expect((await visit({ target: "/page" })).status).toBe(200);
    await visit(getA());
    expect((await visit({ target: "/page", at: NOON + 5 })).status).toBe(403);
  });
});
