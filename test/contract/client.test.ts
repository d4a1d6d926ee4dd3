/**
 * The official client, unmodified: every method of the part of the Cloudflare API that Stepgate is about. Methods are
 * either called here, or listed as not supported and seen to end in a typed error.
 */
import Cloudflare, {
  BadRequestError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
} from "cloudflare";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createDiscoveryRecorder } from "../../src/analytics/index.ts";
import type { SnapshotStore } from "../../src/analytics/index.ts";
import { openSqliteSnapshots } from "../../src/store/index.ts";
import { startApi } from "../api/support/server.ts";
import type { RunningApi } from "../api/support/server.ts";

let api: RunningApi;
let client: Cloudflare;
let zone_id: string;
let account_id: string;

beforeAll(async () => {
  const store = openSqliteSnapshots(":memory:");
  api = await startApi({ traffic: { store, flush: async () => undefined } });
  await learnEndpoints(store, api.zone.id);
  ({ client } = api);
  zone_id = api.zone.id;
  account_id = api.store.defaultAccountId;
});
afterAll(() => api.close());

/** What a gateway learns of six hundred visitors. */
async function learnEndpoints(store: SnapshotStore, zoneId: string): Promise<void> {
  const recorder = createDiscoveryRecorder();
  const [host, status, now] = ["shop.example", 200, Date.now()];
  for (let visitor = 0; visitor < 600; visitor += 1) {
    recorder.observe({ method: "GET", host, path: `/orders/${visitor}`, status }, now);
    recorder.observe({ method: "POST", host, path: "/pay", status }, now);
  }
  const [day] = recorder.takeSnapshots(now);
  if (day !== undefined) await store.put([{ ...day, zoneId, kind: "discovery", source: "one" }], now);
}

/** The client leaves the types of rulesets open. */
interface WireRuleset {
  readonly id: string;
  readonly kind: string;
  readonly phase: string;
  readonly version: string;
  readonly description: string;
  readonly rules: readonly {
    readonly id: string;
    readonly version: string;
    readonly expression: string;
    readonly enabled: boolean;
  }[];
}
const asRuleset = (value: unknown): WireRuleset => value as WireRuleset;

const PHASE = "http_request_firewall_custom";
const called = new Set<string>();

/** Runs a method of the client by its path and notes that it was. */
async function call<Result>(name: string, run: () => PromiseLike<Result>): Promise<Result> {
  called.add(name);
  return run();
}

async function all<Item>(name: string, pages: AsyncIterable<Item>): Promise<Item[]> {
  called.add(name);
  const items: Item[] = [];
  for await (const item of pages) {
    items.push(item);
    if (items.length > 10_000) throw new Error("the list does not end");
  }
  return items;
}

async function groupId(name: string): Promise<string> {
  const groups = await all("user.tokens.permissionGroups.list", client.user.tokens.permissionGroups.list());
  return groups.find((group) => group.name === name)?.id ?? "";
}

describe("apiGateway.operations", () => {
  test("create normalises, and creating again gives the same operation", async () => {
    const input = {
      zone_id,
      method: "GET",
      host: "Shop.Example",
      endpoint: "/users/{user_id}/./orders/{order}",
    } as const;
    const created = await call("apiGateway.operations.create", () =>
      client.apiGateway.operations.create(input),
    );
    expect(created).toMatchObject({
      method: "GET",
      host: "shop.example",
      endpoint: "/users/{var1}/orders/{var2}",
    });
    expect(created.operation_id).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect((created as unknown as { short_id: string }).short_id).toBe(created.operation_id.slice(0, 8));
    const again = await client.apiGateway.operations.create(input);
    expect(again.operation_id).toBe(created.operation_id);
    expect(
      await all("apiGateway.operations.list", client.apiGateway.operations.list({ zone_id })),
    ).toHaveLength(1);
    const got = await call("apiGateway.operations.get", () =>
      client.apiGateway.operations.get(created.operation_id, { zone_id }),
    );
    expect(got).toMatchObject({
      operation_id: created.operation_id,
      endpoint: "/users/{var1}/orders/{var2}",
    });
    await call("apiGateway.operations.delete", () =>
      client.apiGateway.operations.delete(created.operation_id, { zone_id }),
    );
    await expect(client.apiGateway.operations.get(created.operation_id, { zone_id })).rejects.toBeInstanceOf(
      NotFoundError,
    );
  });

  test("bulkCreate, auto-paged list with filters and order, bulkDelete with a body only", async () => {
    const body = Array.from({ length: 47 }, (_, index) => ({
      method: index % 2 === 0 ? ("GET" as const) : ("POST" as const),
      host: `h${index % 3}.example`,
      endpoint: `/items/${String(index).padStart(2, "0")}`,
    }));
    const created = await all(
      "apiGateway.operations.bulkCreate",
      client.apiGateway.operations.bulkCreate({ zone_id, body }),
    );
    expect(created.map(({ endpoint }) => endpoint)).toEqual(body.map(({ endpoint }) => endpoint));
    expect(new Set(created.map(({ operation_id }) => operation_id.slice(0, 8))).size).toBe(47);
    const list = (params: object) =>
      all("apiGateway.operations.list", client.apiGateway.operations.list({ zone_id, ...params }));
    expect(await list({ per_page: 5 })).toHaveLength(47);
    expect(await list({ per_page: 7, method: ["POST"] })).toHaveLength(23);
    expect(await list({ host: ["h0.example", "h1.example"] })).toHaveLength(32);
    expect(await list({ endpoint: "/items/4" })).toHaveLength(7);
    const sorted = await list({ order: "endpoint", direction: "desc" });
    expect(sorted[0]?.endpoint).toBe("/items/46");
    const page = await client.apiGateway.operations.list({ zone_id, per_page: 5, page: 99 });
    expect(page.result).toEqual([]);
    await expect(
      call("apiGateway.operations.bulkDelete", () => client.apiGateway.operations.bulkDelete({ zone_id })),
    ).rejects.toBeInstanceOf(BadRequestError);
    expect(await list({})).toHaveLength(47);
    const ids = created.slice(0, 40).map(({ operation_id }) => ({ operation_id }));
    await client.apiGateway.operations.bulkDelete({ zone_id }, { body: ids });
    expect(await list({})).toHaveLength(7);
  });

  test("every mistake is told at once, with pointers", async () => {
    const body = [
      { method: "GET", host: "a.example", endpoint: "/ok" },
      { method: "FETCH", host: "a b", endpoint: "no-slash" },
      { method: "GET", host: "a.example", endpoint: "/a?b=c" },
    ];
    const failure = await client.apiGateway.operations
      .bulkCreate({ zone_id, body: body as never })
      .then(() => undefined)
      .catch((error: unknown) => error as BadRequestError);
    expect(failure).toBeInstanceOf(BadRequestError);
    expect(
      failure?.errors.map((error) => (error as { source?: { pointer: string } }).source?.pointer),
    ).toEqual(["/1/method", "/1/host", "/1/endpoint", "/2/endpoint"]);
  });

  test("schemas.list gives an OpenAPI document for each host", async () => {
    await client.apiGateway.operations.create({
      zone_id,
      method: "GET",
      host: "doc.example",
      endpoint: "/a/{x}/b",
    });
    const { schemas = [], timestamp } = await call("apiGateway.schemas.list", () =>
      client.apiGateway.schemas.list({ zone_id, host: ["doc.example"] }),
    );
    expect(timestamp).toMatch(/Z$/);
    expect(schemas).toHaveLength(1);
    expect(schemas[0]).toMatchObject({
      openapi: "3.0.0",
      servers: [{ url: "https://doc.example" }],
      paths: { "/a/{var1}/b": { get: { parameters: [{ name: "var1", in: "path", required: true }] } } },
    });
  });
});

const EC_KEY = {
  kty: "EC" as const,
  crv: "P-256" as const,
  alg: "ES256" as const,
  kid: "k1",
  // The example key of RFC 7517 appendix A.1.
  x: "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
  y: "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
};
const OCT_KEY = { kty: "oct" as const, alg: "HS256" as const, kid: "k2", k: "A".repeat(43) };
const TOKEN_CONFIG = {
  title: "app",
  description: "tokens of the app",
  token_type: "JWT" as const,
  token_sources: ['http.request.headers["authorization"][0]'],
  credentials: { keys: [EC_KEY] },
};

const PETS = `openapi: 3.0.3
info: { title: pets, version: "1" }
servers: [{ url: https://pets.example/v1 }]
paths:
  /pets:
    get: { responses: { "200": { description: all pets } } }
  /pets/{id}.json:
    get: { responses: { "200": { description: one pet } } }
`;

describe("schemaValidation and apiGateway.userSchemas", () => {
  test("schemas: create, auto-paged list, get, edit, delete", async () => {
    const created = await call("schemaValidation.schemas.create", () =>
      client.schemaValidation.schemas.create({
        zone_id,
        kind: "openapi_v3",
        name: "pets",
        source: PETS,
        validation_enabled: false,
      }),
    );
    expect(created).toMatchObject({
      kind: "openapi_v3",
      name: "pets",
      source: PETS,
      validation_enabled: false,
    });
    const { schemas } = client.schemaValidation;
    const listed = await all("schemaValidation.schemas.list", schemas.list({ zone_id, omit_source: true }));
    const { source: _source, ...head } = created;
    expect(listed).toEqual([head]);
    expect(
      await all("schemaValidation.schemas.list", schemas.list({ zone_id, validation_enabled: true })),
    ).toEqual([]);
    const { schema_id: id } = created;
    expect(await call("schemaValidation.schemas.get", () => schemas.get(id, { zone_id }))).toEqual(created);
    expect(await call("schemaValidation.schemas.edit", () => schemas.edit(id, { zone_id }))).toEqual(created);
    await expect(schemas.edit(id, { zone_id, validation_enabled: true })).rejects.toBeInstanceOf(
      BadRequestError,
    );
    await call("schemaValidation.schemas.delete", () => schemas.delete(id, { zone_id }));
    await expect(schemas.get(id, { zone_id })).rejects.toBeInstanceOf(NotFoundError);
  });

  test("userSchemas: create from a form, list, get, edit, operations, hosts, delete", async () => {
    const { userSchemas } = client.apiGateway;
    const file = new File([PETS], "pets.yaml");
    const { schema, upload_details: details } = await call("apiGateway.userSchemas.create", () =>
      userSchemas.create({ zone_id, file, kind: "openapi_v3", name: "pets", validation_enabled: "false" }),
    );
    expect(schema).toMatchObject({ kind: "openapi_v3", name: "pets", source: PETS });
    expect(details?.warnings).toMatchObject([{ locations: ["$['paths']['/pets/{id}.json']['get']"] }]);
    const { schema_id: id } = schema;
    expect(await all("apiGateway.userSchemas.list", userSchemas.list({ zone_id }))).toEqual([schema]);
    expect(await call("apiGateway.userSchemas.get", () => userSchemas.get(id, { zone_id }))).toEqual(schema);
    await expect(
      call("apiGateway.userSchemas.edit", () => userSchemas.edit(id, { zone_id, validation_enabled: true })),
    ).rejects.toBeInstanceOf(BadRequestError);
    expect(await all("apiGateway.userSchemas.hosts.list", userSchemas.hosts.list({ zone_id }))).toMatchObject(
      [{ schema_id: id, name: "pets", hosts: ["pets.example"] }],
    );
    const basic = { method: "GET", host: "pets.example", endpoint: "/v1/pets" } as const;
    const operations = (operation_status: "new" | "existing") =>
      all(
        "apiGateway.userSchemas.operations.list",
        userSchemas.operations.list(id, { zone_id, operation_status }),
      );
    expect([await operations("new"), await operations("existing")]).toEqual([[basic], []]);
    const saved = await client.apiGateway.operations.create({ zone_id, ...basic });
    expect([await operations("new"), await operations("existing")]).toEqual([[], [saved]]);
    await call("apiGateway.userSchemas.delete", () => userSchemas.delete(id, { zone_id }));
    expect((await userSchemas.list({ zone_id })).result).toEqual([]);
    await client.apiGateway.operations.delete(saved.operation_id, { zone_id });
  });

  test("settings say that nothing is validated, and take nothing else", async () => {
    const nothing = {
      validation_default_mitigation_action: "none",
      validation_override_mitigation_action: null,
    } as const;
    for (const [name, settings] of [
      ["schemaValidation.settings", client.schemaValidation.settings],
      ["apiGateway.settings.schemaValidation", client.apiGateway.settings.schemaValidation],
    ] as const) {
      expect(await call(`${name}.get`, async () => settings.get({ zone_id }))).toEqual(nothing);
      expect(await call(`${name}.update`, async () => settings.update({ zone_id, ...nothing }))).toEqual(
        nothing,
      );
      expect(await call(`${name}.edit`, async () => settings.edit({ zone_id }))).toEqual(nothing);
      const block = { zone_id, validation_default_mitigation_action: "block" } as const;
      await expect(settings.update(block)).rejects.toBeInstanceOf(BadRequestError);
    }
    const { operation_id: id } = await client.apiGateway.operations.create({
      zone_id,
      method: "GET",
      host: "pets.example",
      endpoint: "/validated",
    });
    const none = { operation_id: id, mitigation_action: "none" } as const;
    const { operations } = client.schemaValidation.settings;
    const name = "schemaValidation.settings.operations";
    expect(
      await call(`${name}.update`, () => operations.update(id, { zone_id, mitigation_action: null })),
    ).toEqual(none);
    expect(await call(`${name}.get`, () => operations.get(id, { zone_id }))).toEqual(none);
    expect(await all(`${name}.list`, operations.list({ zone_id }))).toEqual([]);
    const several = { [id]: { mitigation_action: "none" } } as const;
    expect(await call(`${name}.bulkEdit`, () => operations.bulkEdit({ zone_id, body: several }))).toEqual(
      several,
    );
    expect(await call(`${name}.delete`, () => operations.delete(id, { zone_id }))).toEqual({
      operation_id: id,
    });
    await expect(operations.get("0".repeat(8), { zone_id })).rejects.toBeInstanceOf(NotFoundError);
    const { schemaValidation: older } = client.apiGateway.operations;
    const old = "apiGateway.operations.schemaValidation";
    expect(await call(`${old}.get`, () => older.get(id, { zone_id }))).toEqual(none);
    expect(
      await call(`${old}.update`, () => older.update(id, { zone_id, mitigation_action: "none" })),
    ).toEqual(none);
    expect(
      await call(`${old}.edit`, () => older.edit({ zone_id, settings_multiple_request: several })),
    ).toEqual(several);
    await expect(older.update(id, { zone_id, mitigation_action: "block" })).rejects.toBeInstanceOf(
      BadRequestError,
    );
    await client.apiGateway.operations.delete(id, { zone_id });
  });
});

test("apiGateway.discovery: get, auto-paged list with filters, bulkEdit", async () => {
  const { discovery } = client.apiGateway;
  const name = "apiGateway.discovery";
  const list = (query: object = {}) =>
    all(`${name}.operations.list`, discovery.operations.list({ zone_id, per_page: 5, ...query }));
  const found = await list({ order: "endpoint", direction: "asc" });
  expect(found).toMatchObject([
    { method: "GET", host: "shop.example", endpoint: "/orders/{var1}", state: "review", origin: ["ML"] },
    {
      method: "POST",
      host: "shop.example",
      endpoint: "/pay",
      features: { traffic_stats: { requests: 600 } },
    },
  ]);
  expect(await list({ method: ["POST"], state: "review", diff: true })).toEqual([found[1]]);
  const { schemas } = await call(`${name}.get`, () => discovery.get({ zone_id }));
  expect(schemas).toMatchObject([{ openapi: "3.0.0", paths: { "/orders/{var1}": {}, "/pay": {} } }]);
  const change = { [found[0]?.id ?? ""]: { state: "ignored" } } as const;
  expect(
    await call(`${name}.operations.bulkEdit`, () => discovery.operations.bulkEdit({ zone_id, body: change })),
  ).toEqual(change);
  expect(await list({ state: "ignored" })).toMatchObject([{ endpoint: "/orders/{var1}" }]);
});

describe("tokenValidation.configuration", () => {
  test("create, list, get, edit, credentials and delete", async () => {
    const { configuration } = client.tokenValidation;
    const prefix = "tokenValidation.configuration";
    const created = await call(`${prefix}.create`, () => configuration.create({ zone_id, ...TOKEN_CONFIG }));
    expect(created).toMatchObject(TOKEN_CONFIG);
    const { id } = created;
    expect(await all(`${prefix}.list`, configuration.list({ zone_id }))).toEqual([created]);
    expect(await call(`${prefix}.get`, () => configuration.get(id, { zone_id }))).toEqual(created);
    const edited = await call(`${prefix}.edit`, () => configuration.edit(id, { zone_id, title: "new" }));
    expect(edited).toMatchObject({ id, title: "new", description: TOKEN_CONFIG.description });
    for (const name of ["update", "edit"] as const) {
      const { keys } = await call(`${prefix}.credentials.${name}`, () =>
        configuration.credentials[name](id, { zone_id, keys: [EC_KEY, OCT_KEY] }),
      );
      // A shared secret goes in and never comes out again.
      expect(keys).toEqual([EC_KEY, { kty: "oct", alg: "HS256", kid: "k2" }]);
    }
    const audit = api.store.auditLog({ accountId: account_id, direction: "asc", offset: 0, limit: 1000 });
    expect(audit.filter(({ resource }) => resource.type === "token_config")).toHaveLength(4);
    expect(JSON.stringify([audit, await configuration.get(id, { zone_id })])).not.toContain(OCT_KEY.k);
    expect(await call(`${prefix}.delete`, () => configuration.delete(id, { zone_id }))).toMatchObject({ id });
    await expect(configuration.get(id, { zone_id })).rejects.toBeInstanceOf(NotFoundError);
  });

  test.each([
    ["another token type", { token_type: "SAML" }, "/token_type"],
    ["no sources", { token_sources: [] }, "/token_sources"],
    ["a source of another form", { token_sources: ["http.host"] }, "/token_sources/0"],
    ["no keys", { credentials: { keys: [] } }, "/credentials/keys"],
    ["a private key", { credentials: { keys: [{ ...EC_KEY, d: "AAAA" }] } }, "/credentials/keys/0/d"],
    ["a key that is none", { credentials: { keys: [{ ...EC_KEY, x: EC_KEY.y }] } }, "/credentials/keys/0"],
    ["no algorithm", { credentials: { keys: [{ ...EC_KEY, alg: "none" }] } }, "/credentials/keys/0/alg"],
    ["a short secret", { credentials: { keys: [{ ...OCT_KEY, k: "AAAA" }] } }, "/credentials/keys/0/k"],
    ["no title", { title: "" }, "/title"],
  ])("%s is refused", async (_, members, pointer) => {
    const failure = await client.tokenValidation.configuration
      .create({ zone_id, ...TOKEN_CONFIG, ...(members as object) })
      .then(() => undefined)
      .catch((error: unknown) => error as BadRequestError);
    expect(failure).toBeInstanceOf(BadRequestError);
    expect(failure?.errors[0]).toMatchObject({ source: { pointer } });
  });

  test("a zone has at most 16", async () => {
    const { configuration } = client.tokenValidation;
    const ids: string[] = [];
    for (let count = 0; count < 16; count += 1) {
      const { id } = await configuration.create({ zone_id, ...TOKEN_CONFIG });
      ids.push(id);
    }
    await expect(configuration.create({ zone_id, ...TOKEN_CONFIG })).rejects.toMatchObject({
      errors: [{ code: 20106 }],
    });
    for (const id of ids) await configuration.delete(id, { zone_id });
  });
});

describe("apiGateway.configurations", () => {
  test("update and get", async () => {
    const { id } = await client.tokenValidation.configuration.create({ zone_id, ...TOKEN_CONFIG });
    const auth_id_characteristics = [
      { type: "header" as const, name: "authorization" },
      { type: "cookie" as const, name: "session" },
      { type: "jwt" as const, name: `${id}:$.user.id` },
    ];
    const updated = await call("apiGateway.configurations.update", () =>
      client.apiGateway.configurations.update({ zone_id, auth_id_characteristics }),
    );
    expect(updated).toEqual({ auth_id_characteristics });
    expect(
      await call("apiGateway.configurations.get", () => client.apiGateway.configurations.get({ zone_id })),
    ).toEqual(updated);
    await expect(client.tokenValidation.configuration.delete(id, { zone_id })).rejects.toMatchObject({
      status: 400,
      errors: [{ code: 20105 }],
    });
    await client.apiGateway.configurations.update({ zone_id, auth_id_characteristics: [] });
    await client.tokenValidation.configuration.delete(id, { zone_id });
  });

  test.each([
    ["a header name with a space", [{ type: "header", name: "a b" }], "/auth_id_characteristics/0/name"],
    ["a claim without configuration", [{ type: "jwt", name: "$.sub" }], "/auth_id_characteristics/0/name"],
    [
      "the same header in two spellings",
      [
        { type: "header", name: "X-Id" },
        { type: "header", name: "x-id" },
      ],
      "/auth_id_characteristics/1/name",
    ],
    [
      "a claim of a configuration that the zone does not have",
      [{ type: "jwt", name: "0123456789abcdef0123456789abcdef:$.sub" }],
      "/auth_id_characteristics/0/name",
    ],
    ["an unknown type", [{ type: "query", name: "x" }], "/auth_id_characteristics/0/type"],
  ])("%s is refused", async (_, auth_id_characteristics, pointer) => {
    const failure = await client.apiGateway.configurations
      .update({ zone_id, auth_id_characteristics: auth_id_characteristics as never })
      .then(() => undefined)
      .catch((error: unknown) => error as BadRequestError);
    expect(failure).toBeInstanceOf(BadRequestError);
    expect(failure?.errors[0]).toMatchObject({ source: { pointer } });
  });
});

describe("rulesets", () => {
  test("entry points: get before and after the first update, versions, delete", async () => {
    await expect(
      call("rulesets.phases.get", () => client.rulesets.phases.get(PHASE, { zone_id })),
    ).rejects.toMatchObject({ status: 404, errors: [{ code: 10003 }] });
    const created = asRuleset(
      await call("rulesets.phases.update", () =>
        client.rulesets.phases.update(PHASE, {
          zone_id,
          description: "mine",
          rules: [
            { action: "block", expression: 'http.request.uri.path eq "/a"', ref: "first", description: "A" },
          ],
        }),
      ),
    );
    expect(created).toMatchObject({
      kind: "zone",
      phase: PHASE,
      name: "default",
      version: "1",
      description: "mine",
    });
    expect(created.rules[0]).toMatchObject({ version: "1", ref: "first", enabled: true });
    expect(await client.rulesets.phases.get(PHASE, { zone_id })).toEqual(created);
    const second = await client.rulesets.phases.update(PHASE, { zone_id, rules: [] });
    expect(second).toMatchObject({ id: created.id, version: "2", rules: [], description: "mine" });
    const versions = await all(
      "rulesets.phases.versions.list",
      client.rulesets.phases.versions.list(PHASE, { zone_id }),
    );
    expect(versions.map(({ version }) => version)).toEqual(["1", "2"]);
    const first = await call("rulesets.phases.versions.get", () =>
      client.rulesets.phases.versions.get("1", { zone_id, ruleset_phase: PHASE }),
    );
    expect(first).toEqual(created);
    await call("rulesets.delete", () => client.rulesets.delete(created.id, { zone_id }));
    await expect(client.rulesets.phases.get(PHASE, { zone_id })).rejects.toBeInstanceOf(NotFoundError);
  });

  test("create, list with cursors, get, update, versions", async () => {
    const created = (await call("rulesets.create", () =>
      client.rulesets.create({
        zone_id,
        kind: "zone",
        name: "limits",
        phase: "http_ratelimit",
        rules: [
          {
            action: "block",
            expression: "ssl",
            ratelimit: { characteristics: ["ip.src", "cf.colo.id"], period: 60, requests_per_period: 10 },
          },
        ],
      }),
    )) as Cloudflare.Rulesets.RulesetGetResponse;
    await client.rulesets.create({ zone_id, kind: "zone", name: "custom", phase: PHASE, rules: [] });
    const listed = await all("rulesets.list", client.rulesets.list({ zone_id, per_page: 1 }));
    expect(listed.map(({ phase }) => phase)).toEqual([PHASE, "http_ratelimit"]);
    expect(listed[0]).not.toHaveProperty("rules");
    const id = (created as { id: string }).id;
    expect(await call("rulesets.get", () => client.rulesets.get(id, { zone_id }))).toEqual(created);
    const updated = (await call("rulesets.update", () =>
      client.rulesets.update(id, { zone_id, description: "slower", rules: [] }),
    )) as { version: string; rules: unknown[] };
    expect(updated).toMatchObject({ version: "2", description: "slower", rules: [] });
    const versions = await all("rulesets.versions.list", client.rulesets.versions.list(id, { zone_id }));
    expect(versions.map(({ version }) => version)).toEqual(["1", "2"]);
    expect(
      await call("rulesets.versions.get", () =>
        client.rulesets.versions.get("1", { zone_id, ruleset_id: id }),
      ),
    ).toEqual(created);
    await call("rulesets.versions.delete", () =>
      client.rulesets.versions.delete("1", { zone_id, ruleset_id: id }),
    );
    await expect(client.rulesets.versions.get("1", { zone_id, ruleset_id: id })).rejects.toBeInstanceOf(
      NotFoundError,
    );
    await expect(client.rulesets.versions.delete("2", { zone_id, ruleset_id: id })).rejects.toBeInstanceOf(
      BadRequestError,
    );
    await expect(
      client.rulesets.create({ zone_id, kind: "zone", name: "again", phase: "http_ratelimit", rules: [] }),
    ).rejects.toMatchObject({ status: 400, errors: [{ code: 20217, source: { pointer: "/kind" } }] });
    await client.rulesets.delete(id, { zone_id });
  });

  test("rules: create at a position, edit, move, delete; each answers with the whole ruleset", async () => {
    const { id: rulesetId } = asRuleset(
      await client.rulesets.phases.update(PHASE, {
        zone_id,
        rules: [{ action: "log", expression: "ssl" }],
      }),
    );
    type Answer = {
      version: string;
      rules: { id: string; version: string; expression: string; enabled: boolean }[];
    };
    const added = (await call("rulesets.rules.create", () =>
      client.rulesets.rules.create(rulesetId, {
        zone_id,
        action: "block",
        expression: "not ssl",
        position: { before: "" },
      }),
    )) as Answer;
    expect(added.rules.map(({ expression }) => expression)).toEqual(["not ssl", "ssl"]);
    const [first] = added.rules;
    const edited = (await call("rulesets.rules.edit", () =>
      client.rulesets.rules.edit(first?.id ?? "", {
        zone_id,
        ruleset_id: rulesetId,
        action: "block",
        expression: "not ssl",
        enabled: false,
      }),
    )) as Answer;
    expect(edited.rules[0]).toMatchObject({ id: first?.id, version: "2", enabled: false });
    const moved = (await client.rulesets.rules.edit(first?.id ?? "", {
      zone_id,
      ruleset_id: rulesetId,
      position: { index: 2 },
    })) as Answer;
    expect(moved.rules.map(({ id, version }) => [id, version])).toEqual([
      [edited.rules[1]?.id, "1"],
      [first?.id, "2"],
    ]);
    const removed = (await call("rulesets.rules.delete", () =>
      client.rulesets.rules.delete(first?.id ?? "", { zone_id, ruleset_id: rulesetId }),
    )) as Answer;
    expect(removed.rules).toHaveLength(1);
    expect(Number(removed.version)).toBe(Number(moved.version) + 1);
    await expect(
      client.rulesets.rules.delete(first?.id ?? "", { zone_id, ruleset_id: rulesetId }),
    ).rejects.toBeInstanceOf(NotFoundError);
  });

  test("a dry run checks and stores nothing", async () => {
    const before = await client.rulesets.phases.get(PHASE, { zone_id });
    const dry = await client.rulesets.phases.update(PHASE, { zone_id, rules: [], dry_run: true });
    expect(dry).toBeNull();
    expect(await client.rulesets.phases.get(PHASE, { zone_id })).toEqual(before);
    await expect(
      client.rulesets.phases.update(PHASE, {
        zone_id,
        dry_run: true,
        rules: [{ action: "block", expression: "nonsense" }],
      }),
    ).rejects.toBeInstanceOf(BadRequestError);
    await expect(
      client.put(`/zones/${zone_id}/rulesets/phases/${PHASE}/entrypoint?dry_run=maybe`, { body: {} }),
    ).rejects.toBeInstanceOf(BadRequestError);
    await client.rulesets.delete(before.id, { zone_id, dry_run: true });
    expect(await client.rulesets.phases.get(PHASE, { zone_id })).toEqual(before);
  });

  test("account level: custom rulesets and the entry point that executes them", async () => {
    const custom = (await client.rulesets.create({
      account_id,
      kind: "custom",
      name: "shared",
      phase: PHASE,
      rules: [{ action: "log", expression: "ssl" }],
    })) as { id: string };
    const root = asRuleset(
      await client.rulesets.phases.update(PHASE, {
        account_id,
        rules: [{ action: "execute", expression: "ssl", action_parameters: { id: custom.id } }],
      }),
    );
    expect(root.kind).toBe("root");
    await expect(client.rulesets.delete(custom.id, { account_id })).rejects.toMatchObject({
      status: 400,
      errors: [{ code: 20105 }],
    });
    await expect(client.rulesets.get(custom.id, { zone_id })).rejects.toBeInstanceOf(NotFoundError);
    await client.rulesets.delete(root.id, { account_id });
    await client.rulesets.delete(custom.id, { account_id });
  });

  test.each([
    ["a phase that Stepgate does not run", "http_request_cache_settings", "zone"],
    ["bulk redirects of a zone", "http_request_redirect", "zone"],
    ["single redirects of an account", "http_request_dynamic_redirect", "account"],
  ] as const)("%s: refused by name, with what is supported", async (_, phase, level) => {
    const owner = level === "zone" ? { zone_id } : { account_id };
    const failure = await client.rulesets.phases
      .update(phase, { ...owner, rules: [] })
      .then(() => undefined)
      .catch((error: unknown) => error as BadRequestError);
    expect(failure).toBeInstanceOf(BadRequestError);
    expect(failure?.message).toContain(phase);
    expect(failure?.message).toContain("supported here: ");
  });

  test("http_request_ratelimit is taken for http_ratelimit", async () => {
    const rules = [
      {
        action: "log",
        expression: "ssl",
        ratelimit: { characteristics: ["cf.colo.id", "ip.src"], period: 10, requests_per_period: 5 },
      },
    ];
    const answer = asRuleset(
      await client.rulesets.phases.update("http_request_ratelimit" as never, {
        zone_id,
        rules: rules as never,
      }),
    );
    expect(answer.phase).toBe("http_ratelimit");
  });
});

describe("rules.lists", () => {
  test("lists and items of each kind, auto-paged", async () => {
    const bodies = {
      ip: [{ ip: "192.0.2.1" }, { ip: "198.51.100.77/24", comment: "office" }, { ip: "2001:DB8::/32" }],
      asn: [{ asn: 64496 }, { asn: 4294967295 }],
      hostname: [{ hostname: { url_hostname: "*.Example.com", exclude_exact_hostname: true } }],
      redirect: [
        {
          redirect: {
            source_url: "example.com/blog",
            target_url: "https://example.com/news",
            status_code: 302 as const,
          },
        },
      ],
    };
    for (const kind of ["ip", "asn", "hostname", "redirect"] as const) {
      const list = await call("rules.lists.create", () =>
        client.rules.lists.create({ account_id, kind, name: `my_${kind}`, description: "d" }),
      );
      const { operation_id } = await call("rules.lists.items.create", () =>
        client.rules.lists.items.create(list.id, { account_id, body: bodies[kind] }),
      );
      const operation = await call("rules.lists.bulkOperations.get", () =>
        client.rules.lists.bulkOperations.get(operation_id, { account_id }),
      );
      expect(operation).toMatchObject({ id: operation_id, status: "completed" });
      const items = await all(
        "rules.lists.items.list",
        client.rules.lists.items.list(list.id, { account_id, per_page: 1 }),
      );
      expect(items).toHaveLength(bodies[kind].length);
      const one = await call("rules.lists.items.get", () =>
        client.rules.lists.items.get(items[0]?.id ?? "", { account_id, list_id: list.id }),
      );
      expect(one).toEqual(items[0]);
      const addresses = items.flatMap((item) => ("ip" in item ? [item.ip] : []));
      expect(addresses).toEqual(kind === "ip" ? ["192.0.2.1", "198.51.100.0/24", "2001:db8::/32"] : []);
      const got = await call("rules.lists.get", () => client.rules.lists.get(list.id, { account_id }));
      expect(got).toMatchObject({ num_items: bodies[kind].length, num_referencing_filters: 0, kind });
      await call("rules.lists.items.delete", () =>
        client.rules.lists.items.delete(list.id, { account_id, items: [{ id: items[0]?.id ?? "" }] }),
      );
      await call("rules.lists.items.update", () =>
        client.rules.lists.items.update(list.id, { account_id, body: bodies[kind] }),
      );
      expect(
        await all("rules.lists.items.list", client.rules.lists.items.list(list.id, { account_id })),
      ).toHaveLength(bodies[kind].length);
      const updated = await call("rules.lists.update", () =>
        client.rules.lists.update(list.id, { account_id, description: "e" }),
      );
      expect(updated.description).toBe("e");
    }
    const lists = await all("rules.lists.list", client.rules.lists.list({ account_id }));
    expect(lists.map(({ name }) => name)).toEqual(["my_asn", "my_hostname", "my_ip", "my_redirect"]);
    for (const { id } of lists) {
      expect(
        await call("rules.lists.delete", () => client.rules.lists.delete(id, { account_id })),
      ).toMatchObject({ id });
    }
  });

  test("a list that a rule names stays, and a rule names only lists that fit", async () => {
    const list = await client.rules.lists.create({ account_id, kind: "ip", name: "blocked" });
    const { id } = asRuleset(
      await client.rulesets.phases.update(PHASE, {
        zone_id,
        rules: [{ action: "block", expression: "ip.src in $blocked" }],
      }),
    );
    await expect(client.rules.lists.delete(list.id, { account_id })).rejects.toMatchObject({
      errors: [{ code: 20105 }],
    });
    expect((await client.rules.lists.get(list.id, { account_id })).num_referencing_filters).toBe(1);
    for (const expression of ["ip.src in $missing", "http.host in $blocked"]) {
      await expect(
        client.rulesets.phases.update(PHASE, { zone_id, rules: [{ action: "block", expression }] }),
      ).rejects.toMatchObject({ errors: [{ code: 20127, source: { pointer: "/rules/0/expression" } }] });
    }
    await client.rulesets.delete(id, { zone_id });
    await client.rules.lists.delete(list.id, { account_id });
  });
});

describe("zones", () => {
  test("create, settings, list, get, edit, delete", async () => {
    const created = await call("zones.create", () =>
      client.zones.create({ account: { id: account_id }, name: "New.Example", type: "full" }),
    );
    expect(created).toMatchObject({ name: "new.example", status: "pending", account: { id: account_id } });
    await client.patch(`/zones/${created.id}/stepgate/settings`, {
      body: { origin: "http://127.0.0.1:8080" },
    });
    const got = await call("zones.get", () => client.zones.get({ zone_id: created.id }));
    expect(got.status).toBe("active");
    const zones = await all("zones.list", client.zones.list({ per_page: 1 }));
    expect(zones.map(({ name }) => name)).toEqual(["new.example", "shop.example"]);
    expect(await all("zones.list", client.zones.list({ name: "contains:shop" }))).toHaveLength(1);
    expect(await all("zones.list", client.zones.list({ account: { id: "f".repeat(32) } }))).toHaveLength(0);
    const paused = await call("zones.edit", () => client.zones.edit({ zone_id: created.id, paused: true }));
    expect(paused.paused).toBe(true);
    expect(api.store.current().zones.find(({ id }) => id === created.id)?.paused).toBe(true);
    await expect(client.zones.edit({ zone_id: created.id, type: "partial" })).rejects.toBeInstanceOf(
      BadRequestError,
    );
    await expect(
      client.zones.create({ account: { id: account_id }, name: "new.example" }),
    ).rejects.toBeInstanceOf(BadRequestError);
    expect(await call("zones.delete", () => client.zones.delete({ zone_id: created.id }))).toEqual({
      id: created.id,
    });
    await expect(client.zones.get({ zone_id: created.id })).rejects.toMatchObject({ status: 404 });
  });

  test("urlNormalization", async () => {
    const set = await call("urlNormalization.update", () =>
      client.urlNormalization.update({ zone_id, scope: "incoming", type: "rfc3986" }),
    );
    expect(set).toMatchObject({ scope: "incoming", type: "rfc3986" });
    await call("urlNormalization.delete", () => client.urlNormalization.delete({ zone_id }));
    expect(await call("urlNormalization.get", () => client.urlNormalization.get({ zone_id }))).toMatchObject({
      scope: "both",
      type: "cloudflare",
    });
  });

  test("sequence cookies by the raw verbs", async () => {
    const path = `/zones/${zone_id}/fraud_detection/sequence_cookies`;
    const envelope = await client.put(path, { body: { enabled: true } });
    expect(envelope).toEqual({ result: { enabled: true }, success: true, errors: [], messages: [] });
    expect(await client.get(path)).toEqual(envelope);
  });
});

describe("tokens", () => {
  test("user tokens: create, verify, list, get, update, roll, delete", async () => {
    const policies = [
      {
        effect: "allow" as const,
        permission_groups: [{ id: await groupId("API Gateway Write") }],
        resources: { [`com.cloudflare.api.account.zone.${zone_id}`]: "*" },
      },
    ];
    const created = await call("user.tokens.create", () =>
      client.user.tokens.create({ name: "ci", policies }),
    );
    expect(created.value).toMatch(/^sg_[\w-]{43}$/);
    const own = api.clientWith(created.value ?? "");
    expect(await call("user.tokens.verify", () => own.user.tokens.verify())).toMatchObject({
      id: created.id,
      status: "active",
    });
    await own.apiGateway.operations.create({ zone_id, method: "GET", host: "t.example", endpoint: "/" });
    await expect(own.rulesets.list({ zone_id })).rejects.toBeInstanceOf(PermissionDeniedError);
    await expect(own.user.tokens.list()).rejects.toBeInstanceOf(PermissionDeniedError);
    const id = created.id ?? "";
    const listed = await all("user.tokens.list", client.user.tokens.list({ per_page: 1 }));
    expect(listed.map(({ name }) => name ?? "").toSorted()).toEqual(["admin", "ci"]);
    expect(JSON.stringify(listed)).not.toContain("hash");
    expect(await call("user.tokens.get", () => client.user.tokens.get(id))).toMatchObject({ name: "ci" });
    const value = await call("user.tokens.value.update", () =>
      client.user.tokens.value.update(id, { body: {} }),
    );
    await expect(own.user.tokens.verify()).rejects.toMatchObject({ status: 401 });
    expect(await api.clientWith(value).user.tokens.verify()).toMatchObject({ id });
    const updated = await call("user.tokens.update", () =>
      client.user.tokens.update(id, { name: "ci", status: "disabled", policies }),
    );
    expect(updated.status).toBe("disabled");
    await expect(api.clientWith(value).apiGateway.operations.list({ zone_id })).rejects.toBeInstanceOf(
      PermissionDeniedError,
    );
    expect(await call("user.tokens.delete", () => client.user.tokens.delete(id))).toEqual({ id });
    await expect(client.user.tokens.get(id)).rejects.toBeInstanceOf(NotFoundError);
  });

  test("account tokens", async () => {
    const policies = [
      {
        effect: "allow" as const,
        permission_groups: [{ id: await groupId("Zone Read") }],
        resources: {
          [`com.cloudflare.api.account.${account_id}`]: { "com.cloudflare.api.account.zone.*": "*" },
        },
      },
    ];
    const created = await call("accounts.tokens.create", () =>
      client.accounts.tokens.create({ account_id, name: "shared", policies }),
    );
    const id = created.id ?? "";
    const own = api.clientWith(created.value ?? "");
    expect(
      await call("accounts.tokens.verify", () => own.accounts.tokens.verify({ account_id })),
    ).toMatchObject({ id });
    await expect(own.user.tokens.verify()).rejects.toMatchObject({ status: 401 });
    expect((await own.zones.list()).result.map(({ name }) => name)).toEqual(["shop.example"]);
    expect(await all("accounts.tokens.list", client.accounts.tokens.list({ account_id }))).toHaveLength(1);
    expect(
      await call("accounts.tokens.get", () => client.accounts.tokens.get(id, { account_id })),
    ).toMatchObject({
      policies: [{ resources: policies[0]?.resources }],
    });
    await call("accounts.tokens.update", () =>
      client.accounts.tokens.update(id, { account_id, name: "renamed", policies }),
    );
    const value = await call("accounts.tokens.value.update", () =>
      client.accounts.tokens.value.update(id, { account_id }),
    );
    expect(value).toMatch(/^sg_/);
    expect(
      await all(
        "accounts.tokens.permissionGroups.list",
        client.accounts.tokens.permissionGroups.list({ account_id, name: "Zone Read" }),
      ),
    ).toHaveLength(1);
    expect(
      await call("accounts.tokens.permissionGroups.get", () =>
        client.accounts.tokens.permissionGroups.get({ account_id }),
      ),
    ).toContainEqual(expect.objectContaining({ name: "Zone Read" }));
    await call("accounts.tokens.delete", () => client.accounts.tokens.delete(id, { account_id }));
  });
});

describe("accounts and audit logs", () => {
  test("say who changed what, newest first", async () => {
    expect(await all("accounts.list", client.accounts.list())).toHaveLength(1);
    expect(await call("accounts.get", () => client.accounts.get({ account_id }))).toMatchObject({
      id: account_id,
    });
    const before = await all("auditLogs.list", client.auditLogs.list({ account_id, per_page: 50 }));
    const operation = await client.apiGateway.operations.create({
      zone_id,
      method: "PUT",
      host: "audit.example",
      endpoint: "/x",
    });
    const after = await all("auditLogs.list", client.auditLogs.list({ account_id, per_page: 50 }));
    expect(after).toHaveLength(before.length + 1);
    expect(after[0]).toMatchObject({
      action: { type: "create", result: true },
      actor: { ip: "127.0.0.1" },
      resource: { type: "operation", id: operation.operation_id },
      metadata: { zone_id },
    });
    expect(JSON.parse(after[0]?.newValue ?? "")).toMatchObject({ endpoint: "/x" });
    const filtered = await all(
      "auditLogs.list",
      client.auditLogs.list({ account_id, action: { type: "roll" }, zone: { name: "shop.example" } }),
    );
    expect(filtered).toHaveLength(0);
    expect(
      await all("auditLogs.list", client.auditLogs.list({ account_id, since: "2999-01-01" })),
    ).toHaveLength(0);
    const asc = await client.auditLogs.list({ account_id, direction: "asc", per_page: 1 });
    expect(asc.result[0]?.id).toBe(after.at(-1)?.id);
  });
});

describe("typed errors and retries", () => {
  test("unknown objects are NotFoundError", async () => {
    await expect(client.zones.get({ zone_id: "0".repeat(32) })).rejects.toMatchObject({
      status: 404,
      errors: [{ code: 7003 }, { code: 7000 }],
    });
  });

  test("a forbidden thing and an unknown one look the same to who may see neither", async () => {
    const created = await client.user.tokens.create({
      name: "narrow",
      policies: [
        {
          effect: "allow",
          permission_groups: [{ id: await groupId("Zone Read") }],
          resources: { [`com.cloudflare.api.account.zone.${zone_id}`]: "*" },
        },
      ],
    });
    const narrow = api.clientWith(created.value ?? "");
    const other = await client.zones.create({ account: { id: account_id }, name: "other.example" });
    const failures = await Promise.all(
      [other.id, "0".repeat(32)].map((id) =>
        narrow.zones.get({ zone_id: id }).catch((error: unknown) => error as PermissionDeniedError),
      ),
    );
    expect(
      failures.map((failure) => [
        failure.constructor.name,
        JSON.stringify((failure as PermissionDeniedError).errors),
      ]),
    ).toEqual(
      Array.from({ length: 2 }, () => [
        "PermissionDeniedError",
        '[{"code":10000,"message":"Authentication error"}]',
      ]),
    );
    await client.zones.delete({ zone_id: other.id });
  });

  test("validation is never retried: one request each", async () => {
    let requests = 0;
    const counting = new Cloudflare({
      baseURL: api.baseUrl,
      apiToken: api.token,
      fetch: (url, init) => {
        requests += 1;
        return fetch(url, init);
      },
    });
    await expect(
      counting.rulesets.phases.update(PHASE, { zone_id, rules: [{ action: "block", expression: "" }] }),
    ).rejects.toBeInstanceOf(BadRequestError);
    await expect(counting.zones.get({ zone_id: "0".repeat(32) })).rejects.toBeInstanceOf(NotFoundError);
    expect(requests).toBe(2);
  });

  test("too many failed logins are RateLimitError, without retries; a good token still works", async () => {
    let requests = 0;
    const guessing = new Cloudflare({
      baseURL: api.baseUrl,
      apiToken: "sg_wrong",
      fetch: (url, init) => {
        requests += 1;
        return fetch(url, init);
      },
    });
    const outcomes: string[] = [];
    for (let attempt = 0; attempt < 30; attempt += 1) {
      outcomes.push(
        await guessing.zones.list().then(
          () => "ok",
          (error: unknown) => (error as Error).constructor.name,
        ),
      );
    }
    expect(outcomes[0]).toBe("PermissionDeniedError");
    expect(outcomes.at(-1)).toBe("RateLimitError");
    expect(requests).toBe(30);
    expect((await client.zones.list()).result).toHaveLength(1);
    expect(new RateLimitError(429, undefined as never, "", new Headers())).toBeInstanceOf(Error);
  });
});

/** Resources of the client that Stepgate is about: their methods are supported, or listed here as not. */
const RESOURCES = [
  "apiGateway",
  "schemaValidation",
  "tokenValidation",
  "fraud",
  "rulesets",
  "rules",
  "urlNormalization",
  "auditLogs",
  "user.tokens",
  "accounts.tokens",
] as const;

/** Methods of these resources that Stepgate does not have. */
const NOT_SUPPORTED = [
  ...[
    "list",
    ...["update", "delete", "bulkCreate", "bulkDelete", "edit", "get"].map((name) => `user.${name}`),
    "user.resources.operation.update",
    "managed.get",
    "managed.resources.operation.update",
  ].map((name) => `apiGateway.labels.${name}`),
  ...["create", "update", "delete", "bulkCreate", "bulkUpdate", "bulkDelete"].map(
    (name) => `apiGateway.operations.labels.${name}`,
  ),
  "apiGateway.expressionTemplate.fallthrough.create",
  ...["create", "list", "delete", "bulkCreate", "bulkEdit", "edit", "get"].map(
    (name) => `tokenValidation.rules.${name}`,
  ),
  "fraud.update",
  "fraud.get",
];

type Method = (this: unknown, ...args: readonly unknown[]) => PromiseLike<unknown>;

/** The resource that a path names, like `user.tokens`. */
function resourceAt(path: string): object {
  const found = path
    .split(".")
    .reduce<unknown>((node, name) => (node as Record<string, unknown>)[name], client);
  return found as object;
}

/** Names of all methods of a resource and of those below it, as the client has them. */
function methodsOf(resource: object, path: string): readonly string[] {
  const own: string[] = [];
  for (let type: object = Object.getPrototypeOf(resource); type !== Object.prototype;) {
    for (const name of Object.getOwnPropertyNames(type))
      if (!name.startsWith("_") && name !== "constructor") own.push(`${path}.${name}`);
    type = Object.getPrototypeOf(type);
  }
  return own.concat(
    Object.entries(resource).flatMap(([name, below]) =>
      name.startsWith("_") ? [] : methodsOf(below as object, `${path}.${name}`),
    ),
  );
}

/** Whatever a method may want to know for its path. */
const ANY_PARAMS = { name: "x", operation_id: "x", schema_id: "x", config_id: "x", body: [] };

test.each(NOT_SUPPORTED)("%s is not supported: NotFoundError", async (name) => {
  const cut = name.lastIndexOf(".");
  const resource = resourceAt(name.slice(0, cut));
  const method = (resource as Record<string, Method>)[name.slice(cut + 1)] as Method;
  const params = { zone_id, ...ANY_PARAMS };
  // Methods about one object take its id first.
  const answer = method.length === 3 ? method.call(resource, "x", params) : method.call(resource, params);
  await expect(Promise.resolve(answer)).rejects.toBeInstanceOf(NotFoundError);
});

test("no method of the client is forgotten: each is called above, or listed as not supported", () => {
  const known = RESOURCES.flatMap((path) => methodsOf(resourceAt(path), path));
  expect(known.length).toBeGreaterThan(100);
  const covered = [...called].filter((name) => RESOURCES.some((path) => name.startsWith(`${path}.`)));
  expect([...covered, ...NOT_SUPPORTED].toSorted()).toEqual(known.toSorted());
});

test("every supported method was called", () => {
  const supported = [
    ...["create", "list", "bulkCreate", "get", "delete", "bulkDelete"].map(
      (name) => `apiGateway.operations.${name}`,
    ),
    ...["get", "update"].map((name) => `apiGateway.configurations.${name}`),
    "apiGateway.schemas.list",
    ...["create", "list", "get", "edit", "delete"].flatMap((name) => [
      `schemaValidation.schemas.${name}`,
      `apiGateway.userSchemas.${name}`,
    ]),
    "apiGateway.userSchemas.operations.list",
    "apiGateway.userSchemas.hosts.list",
    ...["get", "operations.list", "operations.bulkEdit"].map((name) => `apiGateway.discovery.${name}`),
    ...["get", "update", "edit"].flatMap((name) => [
      `schemaValidation.settings.${name}`,
      `apiGateway.settings.schemaValidation.${name}`,
      `apiGateway.operations.schemaValidation.${name}`,
    ]),
    ...["update", "list", "delete", "bulkEdit", "get"].map(
      (name) => `schemaValidation.settings.operations.${name}`,
    ),
    ...["create", "list", "get", "edit", "delete", "credentials.update", "credentials.edit"].map(
      (name) => `tokenValidation.configuration.${name}`,
    ),
    ...["list", "create", "get", "update", "delete"].map((name) => `rulesets.${name}`),
    ...["get", "update", "versions.list", "versions.get"].map((name) => `rulesets.phases.${name}`),
    ...["create", "edit", "delete"].map((name) => `rulesets.rules.${name}`),
    ...["list", "get", "delete"].map((name) => `rulesets.versions.${name}`),
    ...["create", "list", "get", "update", "delete"].map((name) => `rules.lists.${name}`),
    ...["create", "update", "list", "delete", "get"].map((name) => `rules.lists.items.${name}`),
    "rules.lists.bulkOperations.get",
    ...["user", "accounts"].flatMap((owner) =>
      ["verify", "create", "list", "get", "update", "delete", "value.update", "permissionGroups.list"].map(
        (name) => `${owner}.tokens.${name}`,
      ),
    ),
    "accounts.tokens.permissionGroups.get",
    ...["create", "list", "get", "edit", "delete"].map((name) => `zones.${name}`),
    ...["get", "update", "delete"].map((name) => `urlNormalization.${name}`),
    "accounts.list",
    "accounts.get",
    "auditLogs.list",
  ];
  expect([...called].toSorted()).toEqual(supported.toSorted());
});
