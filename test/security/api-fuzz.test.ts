/** Any body on any writing route: an answer in an envelope, never a failure of ours (threat row A4). */
import { randomBytes } from "node:crypto";
import * as fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { createApi } from "../../src/api/index.ts";
import { openStore } from "../../src/store/index.ts";
import type { Store, ZoneRow } from "../../src/store/index.ts";

const RUNS = Number(process.env["STEPGATE_FUZZ_RUNS"] ?? 2500);

const store: Store = openStore({
  path: ":memory:",
  now: Date.now,
  random: (lengthBytes) => randomBytes(lengthBytes),
});
const [zone] = store.ensureZones([
  { name: "shop.example", hosts: ["shop.example"], origin: "http://127.0.0.1:9" },
]) as [ZoneRow];
const token = store.ensureAdminToken() ?? "";
const failures: unknown[] = [];
const { app } = createApi({
  store,
  now: Date.now,
  logger: { info: () => undefined, error: (facts) => void failures.push(facts) },
});
afterAll(() => store.close());

const z = `/zones/${zone.id}`;
const a = `/accounts/${store.defaultAccountId}`;

async function send(method: string, path: string, body: string | Uint8Array): Promise<Response> {
  return app.request(`http://localhost/client/v4${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    body: body as BodyInit,
  });
}

async function sendJson(method: string, path: string, body: unknown): Promise<{ result: never }> {
  const response = await send(method, path, JSON.stringify(body));
  return (await response.json()) as { result: never };
}

const operation = (await sendJson("POST", `${z}/api_gateway/operations/item`, {
  method: "GET",
  host: "shop.example",
  endpoint: "/a",
})) as { result: { operation_id: string } };
const ruleset = (await sendJson("PUT", `${z}/rulesets/phases/http_request_firewall_custom/entrypoint`, {
  rules: [{ action: "log", expression: "ssl" }],
})) as { result: { id: string; rules: { id: string }[] } };
const list = (await sendJson("POST", `${a}/rules/lists`, { name: "l", kind: "redirect" })) as {
  result: { id: string };
};
const groups = (await (
  await app.request("http://localhost/client/v4/user/tokens/permission_groups", {
    headers: { authorization: `Bearer ${token}` },
  })
).json()) as { result: { id: string }[] };

const rule = {
  id: ruleset.result.rules[0]?.id,
  ref: "r",
  action: "block",
  expression: 'http.request.uri.path eq "/a"',
  description: "d",
  enabled: true,
  logging: { enabled: true },
  action_parameters: { response: { status_code: 403, content_type: "text/plain", content: "no" } },
};
const limit = {
  ...rule,
  ratelimit: {
    characteristics: ["ip.src", "cf.colo.id"],
    period: 60,
    requests_per_period: 5,
    mitigation_timeout: 10,
    counting_expression: "ssl",
    requests_to_origin: true,
  },
};
const headers = {
  "X-A": { operation: "set", value: "1" },
  "X-B": { operation: "set", expression: "http.host" },
};
const tokenBody = {
  name: "t",
  policies: [
    {
      effect: "allow",
      permission_groups: [{ id: groups.result[0]?.id }],
      resources: { [`com.cloudflare.api.account.zone.${zone.id}`]: "*" },
    },
  ],
  condition: { request_ip: { in: ["127.0.0.1/8"], not_in: ["::1"] } },
  expires_on: "2999-01-01T00:00:00Z",
};
const redirect = {
  redirect: {
    source_url: "example.com/a",
    target_url: "https://example.com/b",
    status_code: 301,
    include_subdomains: true,
    subpath_matching: true,
    preserve_query_string: false,
    preserve_path_suffix: true,
  },
  comment: "c",
};
const document = (
  (await (
    await app.request(`http://localhost/client/v4${z}/stepgate/export`, {
      headers: { authorization: `Bearer ${token}` },
    })
  ).json()) as { result: object }
).result;
const entrypoint = (level: string, phase: string): string => `${level}/rulesets/phases/${phase}/entrypoint`;

/** Every writing route with a body that it takes. */
const ROUTES: readonly (readonly [method: string, path: string, body: unknown])[] = [
  [
    "POST",
    `${z}/api_gateway/operations/item`,
    { method: "GET", host: "shop.example", endpoint: "/a/{b}", record: "success" },
  ],
  [
    "POST",
    `${z}/api_gateway/operations`,
    [{ method: "PUT", host: "{hostVar1}.shop.example", endpoint: "/x" }],
  ],
  [
    "PATCH",
    `${z}/api_gateway/operations/${operation.result.operation_id}`,
    { record: "forwarded", prefetch: "refuse" },
  ],
  ["DELETE", `${z}/api_gateway/operations`, [{ operation_id: operation.result.operation_id }]],
  [
    "PUT",
    `${z}/api_gateway/configuration`,
    { auth_id_characteristics: [{ type: "jwt", name: `${"a".repeat(32)}:$.sub` }] },
  ],
  ["PUT", `${z}/url_normalization`, { scope: "both", type: "cloudflare" }],
  ["PUT", `${z}/fraud_detection/sequence_cookies`, { enabled: true }],
  [
    "PATCH",
    `${z}/stepgate/settings`,
    { hosts: ["shop.example"], cookie_scope: { same_site: "None", partitioned: true, domain: null } },
  ],
  ["PUT", `${z}/stepgate/import`, document],
  [
    "PUT",
    `${z}/api_gateway/seqrules`,
    { rules: [{ title: "t", kind: "block", action: "log", sequence: ["a", "b"], priority: 1 }] },
  ],
  [
    "POST",
    `${z}/api_gateway/seqrules/rules`,
    { title: "t", kind: "allow", action: "block", sequence: ["a", "b"], position: { index: 1 } },
  ],
  ["PATCH", `${z}/api_gateway/seqrules/rules/x`, { title: "t" }],
  ["PUT", entrypoint(z, "http_request_firewall_custom"), { description: "d", rules: [rule] }],
  ["PUT", entrypoint(z, "http_ratelimit"), { rules: [limit] }],
  [
    "PUT",
    entrypoint(z, "http_request_late_transform"),
    { rules: [{ action: "rewrite", expression: "ssl", action_parameters: { headers } }] },
  ],
  [
    "PUT",
    entrypoint(z, "http_response_headers_transform"),
    { rules: [{ action: "rewrite", expression: "ssl", action_parameters: { headers } }] },
  ],
  [
    "PUT",
    entrypoint(z, "http_request_dynamic_redirect"),
    {
      rules: [
        {
          action: "redirect",
          expression: "ssl",
          action_parameters: { from_value: { target_url: { value: "/a" }, status_code: 302 } },
        },
      ],
    },
  ],
  [
    "PUT",
    entrypoint(a, "http_request_redirect"),
    {
      rules: [
        {
          action: "redirect",
          expression: "http.request.full_uri in $l",
          action_parameters: { from_list: { name: "l", key: "http.request.full_uri" } },
        },
      ],
    },
  ],
  [
    "PUT",
    entrypoint(a, "http_request_firewall_custom"),
    {
      rules: [
        { action: "execute", expression: "ssl", action_parameters: { id: "a".repeat(32) } },
        { action: "skip", expression: "ssl", action_parameters: { rules: { a: ["b"] } } },
      ],
    },
  ],
  [
    "POST",
    `${z}/rulesets`,
    { name: "n", kind: "zone", phase: "http_ratelimit", description: "d", rules: [limit] },
  ],
  ["PUT", `${z}/rulesets/${ruleset.result.id}`, { rules: [rule], description: "d" }],
  [
    "POST",
    `${z}/rulesets/${ruleset.result.id}/rules`,
    { ...rule, id: undefined, ref: undefined, position: { before: "" } },
  ],
  ["PATCH", `${z}/rulesets/${ruleset.result.id}/rules/${rule.id}`, { ...rule, position: { index: 1 } }],
  ["POST", `${a}/rules/lists`, { name: "x", kind: "ip", description: "d" }],
  ["PUT", `${a}/rules/lists/${list.result.id}`, { description: "d" }],
  ["POST", `${a}/rules/lists/${list.result.id}/items`, [redirect]],
  ["PUT", `${a}/rules/lists/${list.result.id}/items`, [redirect]],
  ["DELETE", `${a}/rules/lists/${list.result.id}/items`, { items: [{ id: "a".repeat(32) }] }],
  ["POST", "/zones", { name: "x.example", account: { id: store.defaultAccountId }, type: "full" }],
  ["PATCH", z, { paused: false }],
  ["POST", "/user/tokens", tokenBody],
  ["PUT", `/user/tokens/${"a".repeat(32)}`, { ...tokenBody, status: "disabled" }],
  ["POST", `${a}/tokens`, tokenBody],
];

/** Values that programs trip over. */
const nasty = fc.constantFrom<unknown>(
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e308,
  -0,
  2 ** 53,
  "",
  " ",
  "\u0000",
  "__proto__",
  "constructor",
  "a".repeat(5000),
  "é".repeat(300),
  "\u202e",
  "../..",
  "http://[",
  "%",
  "$",
  "{",
  "{}",
  "[*]",
  "ip.src in $x",
  "(".repeat(300),
  'r#"',
  "ssl and not ssl",
  'http.request.uri.path matches "(a+)+$"',
  [],
  {},
  [[]],
  [null],
  [{}],
  { a: null },
  { "": 1 },
  { "a/b~c": 1 },
  { toString: 1 },
);

/** A body with one or more of its parts replaced, removed, doubled or moved. */
function mutated(body: unknown): fc.Arbitrary<unknown> {
  const places = placesOf(body);
  const mutation = fc.record({
    place: fc.nat(Math.max(places.length - 1, 0)),
    kind: fc.constantFrom("replace", "json", "remove", "extra", "wrap", "repeat"),
    value: nasty,
    json: fc.jsonValue({ maxDepth: 3 }),
    name: fc.oneof(
      fc.string(),
      fc.constantFrom("__proto__", "constructor", "length", "id", "rules", "position"),
    ),
  });
  return fc.array(mutation, { minLength: 1, maxLength: 4 }).map((mutations) =>
    mutations.reduce<unknown>((value, { place, kind, value: replacement, json, name }) => {
      const path = places[place] ?? [];
      if (kind === "remove") return edit(value, path, () => undefined);
      if (kind === "replace") return edit(value, path, () => replacement);
      if (kind === "json") return edit(value, path, () => json);
      if (kind === "wrap") return edit(value, path, (old) => [old]);
      if (kind === "repeat")
        return edit(value, path, (old) => (Array.isArray(old) ? old.concat(old, old) : old));
      return edit(value, path, (old) => (isObject(old) ? { ...old, [name]: replacement } : old));
    }, body),
  );
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function placesOf(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([name, member]) => placesOf(member, [...path, name]))];
}

function edit(value: unknown, path: readonly string[], change: (old: unknown) => unknown): unknown {
  const [name, ...rest] = path;
  if (name === undefined) return change(value);
  if (Array.isArray(value))
    return value.map((item, index) => (String(index) === name ? edit(item, rest, change) : item));
  return isObject(value) ? { ...value, [name]: edit(value[name], rest, change) } : value;
}

const anyRoute = fc.constantFrom(...ROUTES);

async function expectSane(method: string, path: string, body: string | Uint8Array): Promise<void> {
  const response = await send(method, path, body);
  const text = await response.text();
  if (![200, 204, 400, 404, 412, 413].includes(response.status)) {
    throw new Error(
      `${method} ${path}: ${response.status} for ${String(body)}: ${JSON.stringify(failures.at(-1))}`,
    );
  }
  if (response.status === 204) return;
  const envelope = JSON.parse(text) as {
    success: boolean;
    errors: { code: unknown; message: unknown }[];
    messages: unknown;
  };
  expect(envelope.success).toBe(response.status === 200);
  expect(Array.isArray(envelope.messages)).toBe(true);
  expect(envelope.errors.length > 0).toBe(!envelope.success);
  for (const error of envelope.errors) {
    expect([typeof error.code, typeof error.message]).toEqual(["number", "string"]);
  }
}

describe("bodies of all kinds", () => {
  test("the samples themselves are understood", async () => {
    for (const [method, path, body] of ROUTES) {
      const response = await send(method, `${path}?dry_run=true`, JSON.stringify(body));
      const { errors } = (await response.json()) as { errors: unknown[] };
      // References to what does not exist are all that may be wrong with them.
      expect([path, response.status, JSON.stringify(errors)]).toEqual([
        path,
        expect.toBeOneOf([200, 400, 404]),
        expect.toSatisfy(
          (text: string) =>
            text === "[]" ||
            /no operation|has no|could not find|exceeded|no custom|no item|must have 32/.test(text),
        ),
      ]);
    }
  });

  test("samples with mutations", { timeout: 3_600_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        anyRoute.chain(([method, path, body]) =>
          fc.tuple(fc.constant(method), fc.constant(path), mutated(body)),
        ),
        async ([method, path, body]) => expectSane(method, path, JSON.stringify(body) ?? ""),
      ),
      { numRuns: Math.ceil(RUNS * 0.6) },
    );
    expect(failures).toEqual([]);
  });

  test("any JSON", { timeout: 3_600_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(anyRoute, fc.json({ maxDepth: 6 }), async ([method, path], body) =>
        expectSane(method, path, body),
      ),
      { numRuns: Math.ceil(RUNS * 0.2) },
    );
    expect(failures).toEqual([]);
  });

  test("any bytes, and JSON cut or bent in any place", { timeout: 3_600_000 }, async () => {
    const bent = fc
      .tuple(anyRoute, fc.nat(), fc.uint8Array({ maxLength: 4 }), fc.boolean())
      .map(([[method, path, body], at, bytes, cut]) => {
        const text = Buffer.from(JSON.stringify(body) ?? "");
        const place = at % (text.length + 1);
        return [
          method,
          path,
          Buffer.concat([text.subarray(0, place), bytes, cut ? Buffer.alloc(0) : text.subarray(place)]),
        ] as const;
      });
    const noise = fc
      .tuple(anyRoute, fc.uint8Array({ maxLength: 200 }))
      .map(([[method, path], bytes]) => [method, path, bytes] as const);
    await fc.assert(
      fc.asyncProperty(fc.oneof(bent, noise), async ([method, path, body]) => expectSane(method, path, body)),
      { numRuns: Math.ceil(RUNS * 0.2) },
    );
    expect(failures).toEqual([]);
  });

  test("whatever was stored on the way can be read, exported and put back", async () => {
    const exported = (await (
      await app.request(`http://localhost/client/v4${z}/stepgate/export`, {
        headers: { authorization: `Bearer ${token}` },
      })
    ).json()) as { result: object };
    const again = await send("PUT", `${z}/stepgate/import`, JSON.stringify(exported.result));
    expect(again.status).toBe(200);
  });
});
