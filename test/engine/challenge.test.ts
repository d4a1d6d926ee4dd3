/** Challenges: the page, the work, the clearance, and everything that is not one. */
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { hasLeadingZeroBits, parseSolution } from "../../src/challenge/index.ts";
import { createClearanceGate, createKeyRing } from "../../src/cookie/index.ts";
import { randomBytes } from "node:crypto";
import type { MasterKey } from "../../src/cookie/index.ts";
import type { Rule } from "../../src/ruleset/index.ts";
import { addressPrefix } from "../../src/cookie/address-prefix.ts";
import {
  createVisitor,
  headerOf,
  HOUR_MS,
  NOON,
  rule,
  ruleset,
  startEngine,
  testKeys,
  zone,
  ZONE_ID,
} from "../support/engine.ts";

const ANSWER_PATH = "/.well-known/stepgate/challenge";
const PATH = 'http.request.uri.path eq "/x"';
const challenged = (action: Rule["action"] = "managed_challenge", members: Partial<Rule> = {}) =>
  zone({ rulesets: [ruleset([rule(PATH, { action, ...members })])] });

interface Task {
  readonly token: string;
  readonly seed: string;
  readonly bits: number;
  readonly rounds: number;
}

function readPage(body: string): Task {
  const data = (name: string): string => new RegExp(`data-${name}="([^"]*)"`).exec(body)?.[1] ?? "";
  return {
    token: data("token"),
    seed: data("seed"),
    bits: Number(data("bits")),
    rounds: Number(data("rounds")),
  };
}

function solve({ seed, bits, rounds }: Task): string {
  const nonces = Array.from({ length: rounds }, (_, round) => {
    for (let nonce = 0; ; nonce += 1) {
      const digest = createHash("sha256").update(`${seed}:${round}:${nonce}`).digest();
      if (hasLeadingZeroBits(digest, bits)) return nonce;
    }
  });
  return nonces.join(",");
}

const answer = (token: string, solution: string, at = NOON) => ({
  method: "POST",
  target: ANSWER_PATH,
  at,
  headers: { "stepgate-challenge": token, "stepgate-solution": solution },
});

describe("passing", () => {
  test.each(["managed_challenge", "js_challenge", "challenge"] as const)(
    "%s: a page, the work, a clearance; then every challenge of the zone is passed until it ends",
    async (action) => {
      const { engine, events } = startEngine([challenged(action)]);
      const { visit, jar } = createVisitor(engine);
      const page = await visit({ target: "/x" });
      expect(page.status).toBe(403);
      const task = readPage(page.body);
      expect((await visit(answer(task.token, solve(task)))).status).toBe(200);
      expect(jar.has("__Host-sg_clearance")).toBe(true);
      expect((await visit({ target: "/x", at: NOON + 1_799_000 })).status).toBe(200);
      expect((await visit({ target: "/x", at: NOON + 1_800_000 })).status).toBe(403);
      expect(events.map((event) => [event.action, event.outcome, event.status])).toEqual([
        [action, "applied", 403],
        [action, "solved", 200],
        [action, "bypassed", 200],
        [action, "applied", 403],
      ]);
    },
  );

  test("neither rules nor the origin see the clearance", async () => {
    const { engine } = startEngine([
      zone({
        rulesets: [
          ruleset([rule(PATH, { action: "managed_challenge" }), rule('http.cookie contains "clearance"')]),
        ],
      }),
    ]);
    const { visit } = createVisitor(engine);
    const task = readPage((await visit({ target: "/x" })).body);
    await visit(answer(task.token, solve(task)));
    const passed = await visit(
      { target: "/x" },
      { headers: ["set-cookie", "__Host-sg_clearance=stolen; Path=/; Secure"] },
    );
    expect(passed.outcome).toMatchObject({ kind: "forward", visit: { cookie: undefined } });
    expect(headerOf(passed.headers, "set-cookie")).toBeUndefined();
  });

  test("a program that runs scripts gets the task as JSON", async () => {
    const { visit } = createVisitor(startEngine([challenged()]).engine);
    const { body, headers, status } = await visit({ target: "/x", headers: { accept: "application/json" } });
    expect([status, headerOf(headers, "stepgate-mitigated")]).toEqual([403, "challenge"]);
    const { challenge } = JSON.parse(body) as {
      challenge: { token: string; seed: string; difficulty_bits: number; rounds: number };
    };
    const solution = solve({ ...challenge, bits: challenge.difficulty_bits });
    expect((await visit(answer(challenge.token, solution))).status).toBe(200);
  });

  test("a rate limit's challenge: the counter begins anew, and a clearance does not spare the next one", async () => {
    const limit = rule(PATH, {
      action: "managed_challenge",
      ratelimit: {
        characteristics: ["cf.colo.id"],
        period: 60,
        requests_per_period: 2,
        mitigation_timeout: 0,
      },
    });
    const { engine, events } = startEngine([
      zone({ rulesets: [ruleset([limit], { phase: "http_ratelimit" })] }),
    ]);
    const { visit } = createVisitor(engine);
    const statuses = async (count: number) => {
      const seen: number[] = [];
      for (let index = 0; index < count; index += 1) seen.push((await visit({ target: "/x" })).status);
      return seen;
    };
    expect(await statuses(2)).toEqual([200, 200]);
    const task = readPage((await visit({ target: "/x" })).body);
    expect((await visit(answer(task.token, solve(task)))).status).toBe(200);
    expect(await statuses(3)).toEqual([200, 200, 403]);
    expect(events.map(({ outcome }) => outcome)).toEqual(["applied", "solved", "applied"]);
  });
});

const begin = async (at = NOON) => {
  const started = startEngine([challenged()]);
  const visitor = createVisitor(started.engine);
  const task = readPage((await visitor.visit({ target: "/x", at })).body);
  return { ...started, ...visitor, task };
};

describe("not passing", () => {
  test("curl: the same page again and again", async () => {
    const { visit } = createVisitor(startEngine([challenged()]).engine);
    for (const _ of [1, 2, 3]) expect((await visit({ target: "/x" })).status).toBe(403);
  });

  test.each<[string, (task: Task) => string]>([
    ["nothing", () => ""],
    ["zeros", ({ rounds }) => Array.from({ length: rounds }, () => "0").join(",")],
    ["one round too few", (task) => solve(task).replace(/,\d+$/, "")],
    ["one round too many", (task) => `${solve(task)},1`],
    ["the rounds in another order", (task) => solve(task).split(",").toReversed().join(",")],
    ["another seed's work", (task) => solve({ ...task, seed: "0".repeat(32) })],
    ["less work than asked", (task) => solve({ ...task, bits: 1 })],
    ["a nonce with a sign", (task) => solve(task).replace(/^\d+/, "+$&")],
    ["a nonce with leading zeros", (task) => `0${solve(task)}`],
    ["a nonce in exponents", (task) => solve(task).replace(/^\d+/, "1e3")],
    ["a megabyte", () => "1,".repeat(1 << 19)],
  ])("%s is no solution", async (_name, solutionOf) => {
    const { visit, jar, task, events } = await begin();
    const { status } = await visit(answer(task.token, solutionOf(task)));
    expect([status, jar.size]).toEqual([403, 0]);
    expect(events.at(-1)).toMatchObject({ outcome: "unsolved" });
  });

  test("the same solution a second time: one challenge is one clearance", async () => {
    const { visit, task } = await begin();
    const solution = solve(task);
    expect((await visit(answer(task.token, solution))).status).toBe(200);
    expect((await visit(answer(task.token, solution))).status).toBe(403);
  });

  test("of 20 parallel answers with one solution exactly one is given a clearance", async () => {
    const { engine, task } = await begin();
    const visitors = Array.from({ length: 20 }, () => createVisitor(engine));
    const solution = solve(task);
    const seen = await Promise.all(visitors.map(({ visit }) => visit(answer(task.token, solution))));
    expect(seen.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  test("five minutes later", async () => {
    const { visit, task } = await begin();
    expect((await visit(answer(task.token, solve(task), NOON + 300_000))).status).toBe(403);
  });

  test("a clearance as a challenge, a challenge as a clearance, and both changed in any bit", async () => {
    const { visit, jar, task, engine } = await begin();
    await visit(answer(task.token, solve(task)));
    const clearance = jar.get("__Host-sg_clearance") as string;
    expect((await visit(answer(clearance, solve(task)))).status).toBe(403);
    const withCookie = async (value: string) => {
      const other = createVisitor(engine);
      other.jar.set("__Host-sg_clearance", value);
      return (await other.visit({ target: "/x" })).status;
    };
    expect(await withCookie(clearance)).toBe(200);
    expect(await withCookie(task.token)).toBe(403);
    for (let at = 0; at < clearance.length; at += 1) {
      const code = clearance.charCodeAt(at);
      const flipped = clearance.slice(0, at) + String.fromCharCode(code ^ 1) + clearance.slice(at + 1);
      expect([at, await withCookie(flipped)]).toEqual([at, 403]);
    }
  });

  test("the clearance of another zone, or of another installation", async () => {
    const keys = testKeys();
    const other = zone({ id: "b".repeat(32), hosts: ["other.example"], rulesets: challenged().rulesets });
    const { engine } = startEngine([challenged(), other], keys);
    const { visit, jar } = createVisitor(engine);
    const task = readPage((await visit({ target: "/x" })).body);
    await visit(answer(task.token, solve(task)));
    expect((await visit({ target: "/x", authority: "other.example" })).status).toBe(403);
    const elsewhere = createVisitor(startEngine([challenged()], testKeys()).engine);
    elsewhere.jar.set("__Host-sg_clearance", jar.get("__Host-sg_clearance") as string);
    expect((await elsewhere.visit({ target: "/x" })).status).toBe(403);
  });

  test.each(["GET", "HEAD", "PUT", "OPTIONS"])("%s at the place for answers", async (method) => {
    const { visit, task } = await begin();
    const { status, headers } = await visit({ ...answer(task.token, solve(task)), method });
    expect([status, headerOf(headers, "allow")]).toEqual([405, "POST"]);
  });

  test("the place for answers is never forwarded, whatever its spelling", async () => {
    const { visit } = await begin();
    for (const target of [
      ANSWER_PATH,
      `/${ANSWER_PATH}`,
      `${ANSWER_PATH}?x`,
      "/.well-known/stepgate/%63hallenge",
    ]) {
      expect((await visit({ method: "POST", target })).outcome.kind).toBe("answer");
    }
    const preflight = { origin: "https://evil.example", "access-control-request-method": "POST" };
    expect((await visit({ method: "OPTIONS", target: ANSWER_PATH, headers: preflight })).status).toBe(405);
  });

  test("without a gate a challenge blocks", async () => {
    const gate = {
      issue: () => undefined,
      redeem: () => ({ kind: "invalid" }) as const,
      isCleared: () => false,
    };
    const { visit } = createVisitor(startEngine([challenged()], undefined, { clearance: gate }).engine);
    const { status, body } = await visit({ target: "/x" });
    expect([status, body.includes("Request blocked")]).toEqual([403, true]);
  });
});

describe("the page", () => {
  test("needs no third party and no origin, and lets no other script run", async () => {
    const { visit } = createVisitor(startEngine([challenged()]).engine);
    const { body, headers } = await visit({ target: "/x" });
    const policy = headerOf(headers, "content-security-policy") as string;
    const [, nonce] = /script-src 'nonce-([0-9a-f]{32})'/.exec(policy)!;
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain("unsafe");
    expect(body.match(/<script/g)).toHaveLength(1);
    expect(body).toContain(`<script nonce="${nonce}">`);
    expect(body).not.toMatch(/(?:src|href)=|https?:\/\//);
    const second = await visit({ target: "/x" });
    expect(headerOf(second.headers, "content-security-policy")).not.toBe(policy);
  });

  test("tells people who use screen readers how far it is, and those without scripts what to do", async () => {
    const { visit } = createVisitor(startEngine([challenged()]).engine);
    const { body } = await visit({ target: "/x" });
    expect(body).toContain('<html lang="en">');
    expect(body).toMatch(/<progress [^>]*aria-label="Progress of the check"/);
    expect(body).toMatch(/<p id="status" role="status" aria-live="polite">/);
    expect(body).toMatch(/<noscript>.*JavaScript.*<\/noscript>/);
    expect(body).toContain("0123456789abcdef");
  });

  test("shows nothing of what the visitor wrote", async () => {
    const { visit } = createVisitor(startEngine([challenged()]).engine);
    const { body } = await visit({
      target: "/x?<script>evil</script>",
      headers: { referer: "evil", "user-agent": "evil" },
    });
    expect(body).not.toContain("evil");
  });

  test("a form that was sent is not sent again without the visitor", async () => {
    const { visit } = createVisitor(startEngine([challenged()]).engine);
    expect((await visit({ target: "/x" })).body).toContain('data-repeatable="true"');
    expect((await visit({ method: "POST", target: "/x" })).body).toContain('data-repeatable="false"');
  });

  test("response header rules cannot take its policy away", async () => {
    const strip = ruleset(
      [
        rule("true", {
          action: "rewrite",
          action_parameters: { headers: { "content-security-policy": { operation: "remove" } } },
        }),
      ],
      { phase: "http_response_headers_transform", id: "5".repeat(32) },
    );
    const { visit } = createVisitor(
      startEngine([zone({ rulesets: [...challenged().rulesets, strip] })]).engine,
    );
    expect(headerOf((await visit({ target: "/x" })).headers, "content-security-policy")).toContain(
      "script-src",
    );
  });
});

const gateOf = (masters: readonly MasterKey[], more: object = {}) =>
  createClearanceGate({
    keyRing: createKeyRing(masters),
    random: (size) => randomBytes(size),
    difficultyBits: 4,
    ...more,
  });

const from = (clientAddress: string) => ({ clientAddress });

describe("clearances", () => {
  const reason = { ruleId: "0".repeat(32) };
  const clear = (gate: ReturnType<typeof gateOf>, address: string, at = NOON): string => {
    const issued = gate.issue(ZONE_ID, reason, at)!;
    const solution = solve({ ...issued, bits: issued.difficultyBits });
    const redeemed = gate.redeem(ZONE_ID, { token: issued.token, solution }, from(address), at);
    if (redeemed.kind !== "solved") throw new Error("expected a solution");
    return redeemed.setCookie.split(";", 1)[0] as string;
  };

  test("another process with the same keys takes them, across the hour", () => {
    const keys = testKeys();
    const cookie = clear(gateOf(keys), "192.0.2.1", NOON + HOUR_MS - (NOON % HOUR_MS) - 1000);
    expect(
      gateOf(keys).isCleared(ZONE_ID, cookie, from("192.0.2.1"), NOON - (NOON % HOUR_MS) + HOUR_MS + 600_000),
    ).toBe(true);
  });

  test("bound to a network only where that is configured", () => {
    const keys = testKeys();
    const bound = gateOf(keys, { bindAddress: true });
    const cookie = clear(bound, "192.0.2.1");
    expect(bound.isCleared(ZONE_ID, cookie, from("192.0.2.200"), NOON)).toBe(true);
    expect(bound.isCleared(ZONE_ID, cookie, from("192.0.3.1"), NOON)).toBe(false);
    expect(
      gateOf(keys).isCleared(ZONE_ID, clear(gateOf(keys), "192.0.2.1"), from("198.51.100.1"), NOON),
    ).toBe(true);
  });

  test.each([
    ["192.0.2.7", "192.0.2"],
    ["2001:db8::1", "2001:db8:0:0"],
    ["2001:0DB8:0001:0002:3:4:5:6", "2001:db8:1:2"],
    ["::1", "0:0:0:0"],
    ["fe80::1:2:3:4", "fe80:0:0:0"],
    ["1:2:3:4:5:6:7::", "1:2:3:4"],
  ])("network of %s", (address, prefix) => {
    expect(addressPrefix(address)).toBe(prefix);
  });

  test.each([
    { difficultyBits: 3 },
    { difficultyBits: 19 },
    { clearanceSeconds: 0 },
    { clearanceSeconds: 86_401 },
    { difficultyBits: 4.5 },
  ])("%o is refused", (options) => {
    expect(() => gateOf(testKeys(), options)).toThrow("expected `");
  });

  test("a flood of cookies by this name costs two look-ups", () => {
    const gate = gateOf(testKeys());
    const cookie = clear(gate, "192.0.2.1");
    const flood = `${"__Host-sg_clearance=x; ".repeat(2_000)}${cookie}`;
    const before = performance.now();
    expect(gate.isCleared(ZONE_ID, flood, from("192.0.2.1"), NOON)).toBe(false);
    expect(performance.now() - before).toBeLessThan(20);
  });
});

describe("the work", () => {
  test.each([
    [[0, 0xff], 8, true],
    [[0, 0xff], 9, false],
    [[0x0f], 4, true],
    [[0x10], 4, false],
    [[0, 0, 1], 23, true],
    [[0, 0, 1], 24, false],
    [[], 0, true],
    [[], 1, false],
  ] as const)("%o has %i leading zero bits: %s", (bytes, bits, expected) => {
    expect(hasLeadingZeroBits(Uint8Array.from(bytes), bits)).toBe(expected);
  });

  test.each([
    ["1,2", 2, ["1", "2"]],
    ["1,2", 3, undefined],
    ["1, 2", 2, undefined],
    ["1,-2", 2, undefined],
    ["1,02", 2, undefined],
    ["", 1, undefined],
    ["1,9999999999999999", 2, undefined],
  ] as const)("solution `%s` of %i rounds", (text, rounds, expected) => {
    expect(parseSolution(text, rounds)).toEqual(expected);
  });
});
