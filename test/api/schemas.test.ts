/** Uploaded OpenAPI documents: what is taken, what is refused, and the operations that are made of them. */
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { createOpenApiReader } from "../../src/api/read-openapi.ts";
import { startApi } from "./support/server.ts";
import type { Answer, RunningApi } from "./support/server.ts";

let api: RunningApi;
let zone: string;

beforeAll(async () => {
  api = await startApi();
  zone = `/zones/${api.zone.id}`;
});
afterAll(() => api.close());

const responses = { "200": { description: "done" } };

/** @param parts of the document, beside what every one has to have */
function document(parts: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return { openapi: "3.1.0", info: { title: "Shop", version: "1" }, ...parts };
}

function upload(source: unknown, extra: Readonly<Record<string, unknown>> = {}): Promise<Answer> {
  return api.request("POST", `${zone}/schema_validation/schemas`, {
    body: {
      kind: "openapi_v3",
      name: "shop",
      source: typeof source === "string" ? source : JSON.stringify(source),
      validation_enabled: false,
      ...extra,
    },
  });
}

/** Uploads, previews, and deletes again. */
async function previewOf(source: unknown, query = ""): Promise<Answer["json"]> {
  const uploaded = await upload(source);
  expect(uploaded.json.errors).toEqual([]);
  const id = uploaded.json.result.schema_id as string;
  const preview = await api.request("GET", `${zone}/stepgate/schemas/${id}/operations${query}`);
  expect((await api.request("DELETE", `${zone}/schema_validation/schemas/${id}`)).status).toBe(200);
  return preview.json.result;
}

const placesOf = (operations: readonly { method: string; host: string; endpoint: string }[]): string[] =>
  operations.map(({ method, host, endpoint }) => `${method} ${host}${endpoint}`);

describe("what is made of a document", () => {
  test.each([
    ["3.0.3 as YAML", "3.0.3", stringify],
    ["3.1.0 as YAML", "3.1.0", stringify],
    ["3.0.3 as JSON", "3.0.3", JSON.stringify],
    ["3.1.0 as JSON", "3.1.0", JSON.stringify],
  ])("%s", async (_, openapi, write) => {
    const { new: fresh, skipped } = await previewOf(
      write(
        document({
          openapi,
          servers: [{ url: "https://Api.Shop.Example:8443/v1/" }],
          paths: {
            "/users/{user}/orders/{order}": { get: { responses }, delete: { responses } },
            "/users": { parameters: [], post: { responses } },
          },
        }),
      ),
    );
    expect(placesOf(fresh)).toEqual([
      "GET api.shop.example/v1/users/{var1}/orders/{var2}",
      "DELETE api.shop.example/v1/users/{var1}/orders/{var2}",
      "POST api.shop.example/v1/users",
    ]);
    expect(fresh[0].pointer).toBe("/paths/~1users~1{user}~1orders~1{order}/get");
    expect(skipped).toEqual([]);
  });

  test("servers: several, relative, of paths and of operations, with variables", async () => {
    const { new: fresh } = await previewOf(
      document({
        servers: [
          { url: "https://{region}.shop.example/{base}", variables: variables() },
          { url: "//cdn.shop.example" },
        ],
        paths: {
          "/a": { get: { responses } },
          "/b": { servers: [{ url: "/own" }], get: { responses } },
          "/c": { get: { responses, servers: [{ url: "https://{tenant}.shop.example" }] } },
        },
      }),
    );
    expect(placesOf(fresh)).toEqual([
      "GET eu.shop.example/api/v2/a",
      "GET us.shop.example/api/v2/a",
      "GET cdn.shop.example/a",
      "GET shop.example/own/b",
      "GET {hostVar1}.shop.example/c",
    ]);
  });

  test("paths that are references inside of the document", async () => {
    const { new: fresh } = await previewOf(
      document({
        paths: { "/a": { $ref: "#/components/pathItems/a" } },
        components: { pathItems: { a: { $ref: "#/components/pathItems/b" }, b: { put: { responses } } } },
      }),
    );
    expect(placesOf(fresh)).toEqual(["PUT shop.example/a"]);
  });

  test("what no operation can be made of is listed with its pointer", async () => {
    const { new: fresh, skipped } = await previewOf(
      document({
        servers: [{ url: "https://{nothing}" }, { url: "https://shop.example" }],
        paths: {
          "/files/{name}.{suffix}": { get: { responses } },
          "/pets/{id}": { get: { responses } },
          "/pets/{name}": { get: { responses } },
          "/circle": { $ref: "#/paths/~1circle" },
          "/text": { $ref: "#/info" },
        },
        webhooks: { paid: { post: { responses } } },
      }),
    );
    expect(placesOf(fresh)).toEqual(["GET shop.example/pets/{var1}"]);
    expect(skipped.map(({ pointer }: { pointer: string }) => pointer)).toEqual([
      "/servers/0",
      "/paths/~1circle",
      "/webhooks",
      "/paths/~1files~1{name}.{suffix}/get",
      "/paths/~1pets~1{name}/get",
    ]);
    expect(skipped.every(({ reason }: { reason: string }) => reason.length > 10)).toBe(true);
  });

  test("preview, create some, create the rest, on another host", async () => {
    const id = await uploadedId(
      document({
        servers: [{ url: "https://create.example" }],
        paths: { "/a": { get: { responses }, post: { responses } }, "/b": { get: { responses } } },
      }),
    );
    const path = `${zone}/stepgate/schemas/${id}/operations`;
    const dry = await api.request("POST", `${path}?dry_run=true`);
    expect(dry).toMatchObject({ status: 200, json: { result: null } });
    const wrong = await api.request("POST", path, { body: { pointers: ["/paths/~1a/get", "/nothing"] } });
    expect(wrong).toMatchObject({
      status: 400,
      json: { errors: [{ code: 20103, source: { pointer: "/pointers/1" } }] },
    });
    const some = await api.request("POST", path, { body: { pointers: ["/paths/~1a/get"] } });
    expect(placesOf(some.json.result.created)).toEqual(["GET create.example/a"]);
    const preview = await api.request("GET", path);
    expect(placesOf(preview.json.result.existing)).toEqual(["GET create.example/a"]);
    expect(preview.json.result.existing[0].operation_id).toBe(some.json.result.created[0].operation_id);
    expect(preview.json.result.new).toHaveLength(2);
    const rest = await api.request("POST", path);
    expect(placesOf(rest.json.result.created)).toEqual(["POST create.example/a", "GET create.example/b"]);
    expect(rest.json.result.existing).toHaveLength(1);
    const elsewhere = await api.request("POST", path, { body: { host: "Shop.Example" } });
    expect(placesOf(elsewhere.json.result.created)).toContain("GET shop.example/b");
    const badHost = await api.request("GET", `${path}?host=a%20b`);
    expect(badHost).toMatchObject({ status: 400, json: { errors: [{ source: { pointer: "/host" } }] } });
    expect(api.store.count("operations", api.zone.id)).toBe(6);
    await api.request("DELETE", `${zone}/schema_validation/schemas/${id}`);
    expect(api.store.count("operations", api.zone.id)).toBe(6);
  });
});

describe("what is refused", () => {
  const bomb = ["a: &a [x,x,x,x,x,x,x,x,x,x]"];
  for (let level = 1; level < 8; level += 1)
    bomb.push(
      `${"abcdefgh"[level]}: &${"abcdefgh"[level]} [${Array.from({ length: 10 }, () => `*${"abcdefgh"[level - 1]}`).join(",")}]`,
    );

  test.each([
    ["nothing of the kind", "hello", /version 3\.0 or 3\.1, found none/],
    ["version 2", '{"swagger":"2.0"}', /found none; convert it/],
    ["version 3.2", JSON.stringify(document({ openapi: "3.2.0", paths: {} })), /found version `3\.2\.0`/],
    ["broken JSON", '{"openapi":', /at line 1/],
    ["broken YAML", "openapi: [", /at line 1/],
    [
      "a violation of the specification",
      document({ paths: { "/a": { get: { responses: { "200": {} } } } } }),
      /at `\/paths\/~1a\/get\/responses\/200`: must have required property 'description'/,
    ],
    ["a member given twice", "openapi: 3.1.0\nopenapi: 3.1.0", /unique/],
    ["an alias bomb", bomb.join("\n"), /alias/i],
    ["an alias of itself", "openapi: 3.1.0\na: &a [*a]", /levels/],
    [
      "a reference to a file",
      document({ paths: { "/a": { $ref: "file:///etc/passwd" } } }),
      /only internal refs/,
    ],
    [
      "a reference to another server",
      document({ components: { schemas: { a: { $ref: "http://127.0.0.1:1/a" } } } }),
      /only internal refs/,
    ],
    ["a reference to nothing", document({ paths: { "/a": { $ref: "#/nothing" } } }), /Can't resolve/],
    [
      "depth",
      document({ paths: {}, "x-deep": JSON.parse("[".repeat(150) + "]".repeat(150)) }),
      /at most 100 levels/,
    ],
    ["a prototype", '{"openapi":"3.1.0","__proto__":{"paths":{}}}', /__proto__/],
    ["large YAML", `openapi: 3.1.0\nx: "${"a".repeat(2_200_000)}"`, /bytes of YAML/],
  ])("%s", async (_, source, reason) => {
    const { status, json } = await upload(source);
    expect(status).toBe(400);
    expect(json.errors[0]).toMatchObject({ code: 21400, source: { pointer: "/source" } });
    expect(json.errors[0].message).toMatch(reason);
  });

  test("what takes too long to read, and the next document is read again", async () => {
    const read = createOpenApiReader(1500);
    const valid = JSON.stringify(document({ paths: {} }));
    const [slow, next] = await Promise.all([read("[[[[".repeat(200_000)), read(valid)]);
    expect(slow).toMatchObject({
      kind: "error",
      problems: [{ reason: expect.stringContaining("in 1.5 s") as string }],
    });
    expect(next).toMatchObject({ kind: "document", version: "3.1.0" });
  });

  test("validation, which would not happen", async () => {
    const source = document({ paths: {} });
    const refused = await upload(source, { validation_enabled: true });
    expect(refused).toMatchObject({
      status: 400,
      json: { errors: [{ code: 20107, source: { pointer: "/validation_enabled" } }] },
    });
    for (const [method, path, body] of [
      ["PUT", "/schema_validation/settings", { validation_default_mitigation_action: "block" }],
      ["PATCH", "/api_gateway/settings/schema_validation", { validation_default_mitigation_action: "log" }],
    ] as const) {
      const answer = await api.request(method, zone + path, { body });
      expect(answer).toMatchObject({ status: 400, json: { errors: [{ code: 20107 }] } });
    }
  });

  test("more than ten schemas, other kinds, bodies that are too large", async () => {
    const ids: string[] = [];
    for (let at = 0; at < 10; at += 1) ids.push(await uploadedId(document({ paths: {} })));
    expect(await upload(document({ paths: {} }))).toMatchObject({
      status: 400,
      json: { errors: [{ code: 20106 }] },
    });
    for (const id of ids) await api.request("DELETE", `${zone}/schema_validation/schemas/${id}`);
    expect(await upload("{}", { kind: "graphql" })).toMatchObject({
      json: { errors: [{ source: { pointer: "/kind" } }] },
    });
    expect((await upload("x".repeat(17_000_000))).status).toBe(413);
    expect((await upload("x".repeat(9_000_000))).status).toBe(400);
  });
});

test("a schema outlives its zone's other changes and goes with the zone", async () => {
  const created = await api.request("POST", "/zones", {
    body: { name: "gone.example", account: { id: api.store.defaultAccountId } },
  });
  const other = created.json.result.id as string;
  const { json } = await api.request("POST", `/zones/${other}/schema_validation/schemas`, {
    body: {
      kind: "openapi_v3",
      name: "x",
      source: JSON.stringify(document({ paths: {} })),
      validation_enabled: false,
    },
  });
  const path = `schema_validation/schemas/${json.result.schema_id}`;
  expect((await api.request("GET", `/zones/${other}/${path}`)).status).toBe(200);
  expect((await api.request("GET", `${zone}/${path}`)).status).toBe(404);
  expect((await api.request("DELETE", `/zones/${other}`)).status).toBe(200);
  expect(api.store.all("schemas")).toEqual([]);
});

test(
  "no form and no text brings the server down: fuzzed uploads are taken or refused",
  { timeout: 30_000 },
  async () => {
    const valid = JSON.stringify(
      document({
        servers: [{ url: "https://{a}.example/{b}" }],
        paths: { "/a/{b}": { get: { responses } } },
      }),
    );
    const mutated = fc
      .tuple(fc.nat(valid.length), fc.nat(12), fc.string({ maxLength: 8 }))
      .map(([at, length, text]) => valid.slice(0, at) + text + valid.slice(at + length));
    const parts = fc.record(
      {
        openapi: fc.constantFrom("3.0.0", "3.1.0"),
        info: fc.jsonValue(),
        servers: fc.jsonValue(),
        paths: fc.jsonValue(),
      },
      { requiredKeys: ["openapi"] },
    );
    const source = fc.oneof(
      mutated,
      parts.map((value) => JSON.stringify(document(value))),
    );
    await fc.assert(
      fc.asyncProperty(source, fc.boolean(), async (text, asForm) => {
        const boundary = "xyz";
        const { status, json } = asForm
          ? await api.request("POST", `${zone}/api_gateway/user_schemas`, {
              headers: { "content-type": `multipart/form-data; boundary=${boundary}` },
              rawBody: `--${boundary}\r\ncontent-disposition: form-data; name="kind"\r\n\r\nopenapi_v3\r\n--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n${text}\r\n--${boundary}--\r\n`,
            })
          : await upload(text);
        expect(status).toBeLessThan(500);
        const id = json.result?.schema_id ?? json.result?.schema?.schema_id;
        if (status === 200) await api.request("DELETE", `${zone}/schema_validation/schemas/${id}`);
      }),
      { numRuns: 60 },
    );
    for (const [type, body] of [
      ["multipart/form-data", "x"],
      ["multipart/form-data; boundary=", "x"],
      ["multipart/form-data; boundary=a", "--a\r\n\r\n"],
      ["multipart/form-data; boundary=a", "--b--"],
      ["application/json", "{}"],
      [
        "multipart/form-data; boundary=a",
        '--a\r\ncontent-disposition: form-data; name="__proto__"\r\n\r\nx\r\n--a--\r\n',
      ],
    ] as const) {
      const answer = await api.request("POST", `${zone}/api_gateway/user_schemas`, {
        headers: { "content-type": type },
        rawBody: body,
      });
      expect(answer.status).toBe(400);
    }
  },
);

function variables() {
  return { region: { default: "eu", enum: ["eu", "us"] }, base: { default: "api/v2" } };
}

async function uploadedId(source: unknown): Promise<string> {
  const { json } = await upload(source);
  return json.result.schema_id as string;
}
