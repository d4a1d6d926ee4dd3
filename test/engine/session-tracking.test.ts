/** Sequences by session identifier: clients without cookies, under the same rules. */
import { randomBytes } from "node:crypto";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { describe, expect, test } from "vitest";
import { createSequenceCarrier } from "../../src/cli/sequence-cookies.ts";
import type { MasterKey } from "../../src/cookie/index.ts";
import { DEFAULT_SEQUENCE_SETTINGS } from "../../src/engine/index.ts";
import type { SequenceSettings, TokenConfig, Zone, ZoneSettings } from "../../src/engine/index.ts";
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

const SEQUENCE = { maxEntries: 10, maxAgeSeconds: 3600, leads: 2 };
const CONFIG_ID = "11111111-2222-4333-8444-555555555555";

const NEEDS_A = 'cf.sequence.current_op eq "bbbbbbbb" and not any(cf.sequence.previous_ops[*] == "aaaaaaaa")';
const REFUSES_A = 'cf.sequence.current_op eq "bbbbbbbb" and any(cf.sequence.previous_ops[*] == "aaaaaaaa")';

const a = (headers: Readonly<Record<string, string>>, at = NOON): RequestInput => ({
  target: "/a",
  headers,
  at,
});
const b = (headers: Readonly<Record<string, string>>, at = NOON + 1000): RequestInput => ({
  method: "POST",
  target: "/b",
  headers,
  at,
});

function sessionZone(
  sequence: Partial<SequenceSettings> = {},
  settings: Partial<ZoneSettings> = {},
  members: Partial<Zone> = {},
): Zone {
  const base = zone();
  return zone({
    rulesets: [ruleset([rule(NEEDS_A)])],
    ...members,
    settings: {
      ...base.settings,
      sequenceCookies: { enabled: false },
      authIdCharacteristics: [{ type: "header", name: "x-session" }],
      sequence: { ...DEFAULT_SEQUENCE_SETTINGS, tracking: "session", ...sequence },
      ...settings,
    },
  });
}

/** Keeps what reached the store. */
function spyStore(inner: SequenceStore = createMemorySequenceStore()) {
  const keys: string[] = [];
  const store: SequenceStore = {
    read: (session, nowMs) => (keys.push(session.key), inner.read(session, nowMs)),
    append: (session, entry, nowMs) => (keys.push(session.key), inner.append(session, entry, nowMs)),
  };
  return { store, keys };
}

function start(
  zones: readonly Zone[],
  {
    masters = testKeys(),
    store = createMemorySequenceStore(),
  }: { readonly masters?: readonly MasterKey[]; readonly store?: SequenceStore } = {},
): TestEngine {
  const clock = { now: () => NOON };
  const { trackerFor, tokenVerifierFor } = createSequenceCarrier(
    masters,
    SEQUENCE,
    {},
    { sequences: store, ...clock },
  );
  return startEngine(zones, masters, { trackerFor, tokenVerifierFor });
}

async function call({ engine }: TestEngine, input: RequestInput): Promise<number> {
  const { status } = await createVisitor(engine).visit(input);
  return status;
}

const bearer = (token: string): Readonly<Record<string, string>> => ({ authorization: `Bearer ${token}` });

function down(): never {
  throw new StateUnavailableError("ERR_STATE_DOWN", "down");
}

function defect(): never {
  throw new TypeError("defect");
}

const mara = { "x-session": "mara" };
const jonas = { "x-session": "jonas" };

describe("by header, without cookies", () => {
  test("the same rule as for cookies: B needs A of the same session", async () => {
    const engine = start([sessionZone()]);
    expect(await call(engine, b(mara))).toBe(403);
    expect(await call(engine, a(mara))).toBe(200);
    expect(await call(engine, b(mara))).toBe(200);
    expect(await call(engine, b(jonas))).toBe(403);
  });

  test("a blocked request is not remembered, and no response sets a cookie or loses its caching", async () => {
    const engine = start([
      sessionZone({}, {}, { rulesets: [ruleset([rule('cf.sequence.current_op eq "aaaaaaaa"')])] }),
    ]);
    expect(await call(engine, a(mara))).toBe(403);
    engine.source.set([sessionZone()]);
    expect(await call(engine, b(mara))).toBe(403);
    const visitor = createVisitor(engine.engine);
    const { headers } = await visitor.visit(a(mara), { headers: ["cache-control", "public, max-age=60"] });
    expect(headers.join("\n")).not.toMatch(/set-cookie|private/i);
    expect(headers).toContain("public, max-age=60");
  });

  test("a session ends after ten idle minutes, and each request prolongs it", async () => {
    let now = NOON;
    const masters = testKeys();
    const store = createMemorySequenceStore();
    const { trackerFor } = createSequenceCarrier(masters, SEQUENCE, {}, { sequences: store, now: () => now });
    const engine = startEngine([sessionZone()], masters, { trackerFor });
    const at = (minutes: number): number => (now = NOON + minutes * 60_000);
    expect(await call(engine, a(mara, at(0)))).toBe(200);
    expect(await call(engine, { target: "/c/1", headers: mara, at: at(9) })).toBe(200);
    expect(await call(engine, b(mara, at(18)))).toBe(200);
    expect(await call(engine, b(mara, at(28.1)))).toBe(403);
  });

  test("requests without an identifier have no sequence, whatever others do", async () => {
    const engine = start([sessionZone()]);
    await call(engine, a(mara));
    await call(engine, a({}));
    expect(await call(engine, b({}))).toBe(403);
  });

  test("identifiers reach the store as HMACs of the zone only, which another key ring does not give", async () => {
    const spies = [spyStore(), spyStore()];
    for (const { store } of spies)
      await call(start([sessionZone()], { store }), a({ "x-session": "secret-mara" }));
    const [first, second] = spies.map(({ keys }) => new Set(keys));
    expect(first?.size).toBe(1);
    expect([...first!][0]).toMatch(/^[0-9a-f]{32}:s:[A-Za-z0-9_-]{43}$/);
    expect([...first!, ...second!].join()).not.toContain("mara");
    expect(first).not.toEqual(second);
  });

  test("a rotation of keys ends no session", async () => {
    const [old, next] = [testKeys()[0] as MasterKey, { ...(testKeys()[0] as MasterKey), id: "next" }];
    const masters = [old, { ...next, activeFrom: NOON + 500 }];
    const { store, keys } = spyStore();
    const engine = start([sessionZone()], { masters, store });
    await call(engine, a(mara, NOON));
    expect(await call(engine, b(mara, NOON + 1000))).toBe(200);
    expect(new Set(keys).size).toBe(2);
    // Long after it the former key is not looked for any more.
    keys.length = 0;
    await call(engine, a(mara, NOON + 700_000));
    expect(new Set(keys).size).toBe(1);
  });
});

describe("several identifiers", () => {
  const both = sessionZone(
    {},
    {
      authIdCharacteristics: [
        { type: "header", name: "x-session" },
        { type: "cookie", name: "sid" },
      ],
    },
  );

  test("the first that is present in the configured order counts; equal values of two are two sessions", async () => {
    const engine = start([both]);
    await call(engine, a({ "x-session": "mara", cookie: "sid=jonas" }));
    expect(await call(engine, b({ "x-session": "mara" }))).toBe(200);
    expect(await call(engine, b({ cookie: "sid=jonas" }))).toBe(403);
    expect(await call(engine, b({ cookie: "sid=mara" }))).toBe(403);
  });

  test.each([
    { duplicates: "reject" as const, status: 400 },
    { duplicates: "first" as const, status: 200 },
    { duplicates: "last" as const, status: 403 },
  ])("two cookies of the identifier's name: $duplicates gives $status", async ({ duplicates, status }) => {
    const engine = start([
      sessionZone({ duplicates }, { authIdCharacteristics: [{ type: "cookie", name: "sid" }] }),
    ]);
    await call(engine, a({ cookie: "sid=mara" }));
    expect(await call(engine, b({ cookie: "sid=mara; sid=jonas" }))).toBe(status);
  });

  test("in cookie tracking two values of an identifier do not matter", async () => {
    const engine = start([
      sessionZone({ tracking: "cookie" }, { authIdCharacteristics: [{ type: "cookie", name: "sid" }] }),
    ]);
    expect(await call(engine, a({ cookie: "sid=mara; sid=jonas" }))).toBe(200);
  });
});

describe("by token", async () => {
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  const stranger = await generateKeyPair("ES256");
  const config: TokenConfig = {
    id: CONFIG_ID,
    title: "app",
    description: "",
    tokenSources: ['http.request.headers["authorization"][0]'],
    keys: [{ ...(await exportJWK(publicKey)), alg: "ES256", kid: "k1" }],
    audience: ["bank"],
    issuer: "",
    createdAt: 0,
    lastUpdatedAt: 0,
  };
  const sign = async (claims: Record<string, unknown>, key = privateKey): Promise<string> =>
    new SignJWT({ aud: "bank", exp: NOON / 1000 + 60, ...claims })
      .setProtectedHeader({ alg: "ES256", kid: "k1" })
      .sign(key);
  const tokenZone = sessionZone(
    {},
    { authIdCharacteristics: [{ type: "jwt", name: `${CONFIG_ID}:$.sub` }], tokenConfigs: [config] },
  );

  test("the claim names the session, whatever token carries it", async () => {
    const engine = start([tokenZone]);
    expect(await call(engine, a(bearer(await sign({ sub: "mara" }))))).toBe(200);
    expect(await call(engine, b(bearer(await sign({ sub: "mara", jti: "another" }))))).toBe(200);
    expect(await call(engine, b(bearer(await sign({ sub: "jonas" }))))).toBe(403);
  });

  test.each([
    ["signed with another key", { sub: "mara" }, stranger.privateKey],
    ["expired", { sub: "mara", exp: NOON / 1000 - 60 }, privateKey],
    ["not valid yet", { sub: "mara", nbf: NOON / 1000 + 60 }, privateKey],
    ["for another audience", { sub: "mara", aud: "shop" }, privateKey],
    ["without the claim", {}, privateKey],
  ])("a token that is %s is no identity", async (_, claims, key) => {
    const engine = start([tokenZone]);
    await call(engine, a(bearer(await sign({ sub: "mara" }))));
    expect(await call(engine, b(bearer(await sign(claims, key))))).toBe(403);
  });

  test("a zone whose token configuration is not there is refused, not served without identities", () => {
    const settings = { ...tokenZone.settings, tokenConfigs: [] };
    expect(() => start([{ ...tokenZone, settings }])).toThrow(/token configuration/);
  });
});

describe("both", () => {
  const settings = { sequenceCookies: { enabled: true } };

  test("the session identifier wins where the request carries one, cookies serve the rest", async () => {
    const engine = start([sessionZone({ tracking: "both" }, settings)]);
    const browser = createVisitor(engine.engine);
    expect((await browser.visit(a({}))).status).toBe(200);
    expect(browser.jar.size).toBe(1);
    expect((await browser.visit(b({}))).status).toBe(200);
    // The browser's cookies say nothing about the session that it names, and the other way round.
    expect((await browser.visit(b(mara))).status).toBe(403);
    expect((await browser.visit(a(mara))).status).toBe(200);
    expect(await call(engine, b(mara))).toBe(200);
  });

  test("with sequence cookies off, only sessions are kept", async () => {
    const engine = start([sessionZone({ tracking: "both" })]);
    const browser = createVisitor(engine.engine);
    await browser.visit(a({}));
    expect(browser.jar.size).toBe(0);
    await call(engine, a(mara));
    expect(await call(engine, b(mara))).toBe(200);
  });
});

test("cf.api_gateway.auth_id_present says whether the request names a session, in each phase and tracking", async () => {
  for (const tracking of ["cookie", "session", "both"] as const) {
    const engine = start([
      sessionZone(
        { tracking },
        {},
        {
          rulesets: [
            ruleset([rule("not cf.api_gateway.auth_id_present")]),
            ruleset(
              [
                rule('http.request.uri.path eq "/c/x" and cf.api_gateway.auth_id_present', {
                  action: "redirect",
                  action_parameters: { from_value: { target_url: { value: "/named" }, status_code: 302 } },
                }),
              ],
              { id: "e".repeat(32), phase: "http_request_dynamic_redirect" },
            ),
          ],
        },
      ),
    ]);
    expect(await call(engine, a(mara))).toBe(200);
    expect(await call(engine, a({}))).toBe(403);
    expect(await call(engine, { target: "/c/x", headers: mara })).toBe(302);
  }
});

describe("state that cannot be had", () => {
  const stores: Readonly<Record<string, SequenceStore>> = {
    "at once": { read: down, append: down },
    later: { read: async () => down(), append: async () => down() },
  };

  test.each(Object.entries(stores))("%s: no request fails for it", async (_, store) => {
    const engine = start([sessionZone({}, {}, { rulesets: [] })], { store });
    expect(await call(engine, a(mara))).toBe(200);
    expect(await call(engine, b(mara))).toBe(200);
  });

  test.each(Object.entries(stores))(
    "%s: what is read works again when only writing failed",
    async (_, broken) => {
      const store = { ...createMemorySequenceStore(), append: broken.append.bind(broken) };
      const engine = start([sessionZone()], { store });
      expect(await call(engine, a(mara))).toBe(200);
      expect(await call(engine, b(mara))).toBe(403);
    },
  );

  test.each([
    { on_state_error: undefined, status: 200 },
    { on_state_error: "allow", status: 200 },
    { on_state_error: "block", status: 403 },
  ] as const)(
    "a rule that asks for the sequence, on_state_error $on_state_error: $status",
    async ({ on_state_error, status }) => {
      const policy = on_state_error === undefined ? {} : { on_state_error };
      for (const expression of [NEEDS_A, REFUSES_A, REFUSES_A.replace("any(", "not any(")]) {
        const rules = [rule(expression, policy), rule('http.request.uri.path eq "/c/x"')];
        const engine = start([sessionZone({}, {}, { rulesets: [ruleset(rules)] })], {
          store: stores["later"] as SequenceStore,
        });
        expect(await call(engine, b(mara))).toBe(status);
        expect(engine.events.map(({ detail }) => detail)).toEqual(
          status === 403 ? ["the sequence cannot be had; `on_state_error` is block"] : [],
        );
        // Other operations and other rules are none of its business.
        expect(await call(engine, a(mara))).toBe(200);
        expect(await call(engine, { target: "/c/x", headers: mara })).toBe(403);
      }
    },
  );

  describe("on_state_error: block matches what some sequence would match, and nothing else", () => {
    const store = stores["at once"] as SequenceStore;
    const withRules = (expressions: readonly string[]) =>
      start(
        [
          sessionZone(
            {},
            {},
            {
              rulesets: [
                ruleset(expressions.map((expression) => rule(expression, { on_state_error: "block" }))),
              ],
            },
          ),
        ],
        { store },
      );

    test.each([
      ['http.request.uri.path eq "/a" and not any(cf.sequence.previous_ops[*] == "bbbbbbbb")', 403, 200],
      ['http.request.uri.path eq "/a" and any(cf.sequence.previous_ops[*] == "bbbbbbbb")', 403, 200],
      [`${NEEDS_A} and not cf.api_gateway.auth_id_present`, 200, 200],
      [`${NEEDS_A} and ip.src eq 203.0.113.9`, 200, 200],
      [
        'cf.sequence.current_op eq "bbbbbbbb" and not cf.sequence.msec_since_op["aaaaaaaa"] ge 1000',
        200,
        403,
      ],
      // What the sequence is called is known, whatever is in it.
      ['cf.sequence.id eq ""', 200, 200],
    ])("%s: A %i, B %i", async (expression, statusOfA, statusOfB) => {
      const engine = withRules([expression]);
      expect(await call(engine, a(mara))).toBe(statusOfA);
      expect(await call(engine, b(mara))).toBe(statusOfB);
    });

    test("the event says so, also of a rule that is written otherwise, and calls nothing missing", async () => {
      // The name of the field in a text is no question about the sequence.
      const engine = withRules([
        'http.user_agent contains "cf.sequence.previous_ops" and cf.sequence.current_op eq "bbbbbbbb"',
        'cf.sequence.current_op eq "bbbbbbbb" and len(cf.sequence.previous_ops[0]) eq 0',
      ]);
      expect(await call(engine, b({ ...mara, "user-agent": "cf.sequence.previous_ops" }))).toBe(403);
      expect(await call(engine, b(mara))).toBe(403);
      expect(engine.events.map(({ detail, missing }) => [detail, missing])).toEqual([
        [undefined, []],
        ["the sequence cannot be had; `on_state_error` is block", []],
      ]);
    });
  });

  test.each([
    ["allow", 200],
    ["block", 429],
    ["log", 200],
    [undefined, 200],
  ] as const)(
    "a rate limit whose expression asks for the sequence goes by its own on_state_error: %s, %i",
    async (on_state_error, status) => {
      const limit = rule(NEEDS_A, {
        ratelimit: {
          characteristics: ["cf.colo.id"],
          period: 60,
          requests_per_period: 1,
          mitigation_timeout: 0,
          ...(on_state_error === undefined ? {} : { on_state_error }),
        },
      });
      const engine = start(
        [sessionZone({}, {}, { rulesets: [ruleset([limit], { phase: "http_ratelimit" })] })],
        { store: stores["at once"] as SequenceStore },
      );
      // The counters can be had: the first request is within the limit.
      expect(await call(engine, b(mara))).toBe(200);
      expect(await call(engine, b(mara))).toBe(status);
    },
  );

  test("who must not be let off for knowing nothing is not: a skip rule does not match", async () => {
    const rules = [
      rule(REFUSES_A.replace("any(", "not any("), {
        action: "skip",
        action_parameters: { ruleset: "current" },
      }),
      rule('cf.sequence.current_op eq "bbbbbbbb"'),
    ];
    const engine = start([sessionZone({}, {}, { rulesets: [ruleset(rules)] })], {
      store: stores["later"] as SequenceStore,
    });
    expect(await call(engine, b(mara))).toBe(403);
  });

  test("a defect of the store is a defect, not an empty sequence", async () => {
    const engine = start([sessionZone()], { store: { read: defect, append: defect } });
    await expect(async () => engine.engine.decide(engineRequest(a(mara)))).rejects.toThrow("defect");
  });
});

test("one rule set, two sources: what cookies and sessions show to rules is the same", async () => {
  const rules = [ruleset([rule(NEEDS_A), rule(REFUSES_A.replace("aaaaaaaa", "cccccccc"))])];
  const paths = ["a", "b", "c"] as const;
  for (let round = 0; round < 60; round += 1) {
    const bySession = start([sessionZone({}, {}, { rulesets: rules })]);
    const byCookie = start([
      sessionZone({ tracking: "cookie" }, { sequenceCookies: { enabled: true } }, { rulesets: rules }),
    ]);
    const app = createVisitor(bySession.engine);
    const browser = createVisitor(byCookie.engine);
    const steps = Array.from(randomBytes(8), (byte) => paths[byte % 3] ?? "a");
    for (const [index, step] of steps.entries()) {
      const input = {
        ...(step === "b" ? { method: "POST" } : {}),
        target: step === "c" ? "/c/1" : `/${step}`,
        at: NOON + index * 10,
      };
      const statuses = [
        (await app.visit({ ...input, headers: mara })).status,
        (await browser.visit({ ...input, headers: mara })).status,
      ];
      expect(statuses[0], `${steps.join(" ")} at ${index}`).toBe(statuses[1]);
    }
  }
});
