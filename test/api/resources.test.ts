/** What the official client does not see: ETags, paging at the edges, settings, messages, versions, audit. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startApi } from "./support/server.ts";
import type { RunningApi } from "./support/server.ts";

let api: RunningApi;
let zone: string;
let account: string;
beforeAll(async () => {
  api = await startApi();
  zone = `/zones/${api.zone.id}`;
  account = `/accounts/${api.store.defaultAccountId}`;
});
afterAll(() => api.close());

const entrypoint = (): string => `${zone}/rulesets/phases/http_request_firewall_custom/entrypoint`;

describe("ETag and If-Match", () => {
  test("a write with the tag that was read passes, the next one with the same tag does not", async () => {
    const first = await api.request("PUT", entrypoint(), { body: { rules: [] } });
    const tag = first.headers.get("etag") ?? "";
    expect((await api.request("GET", entrypoint())).headers.get("etag")).toBe(tag);
    const body = { description: "a" };
    const passed = await api.request("PUT", entrypoint(), { body, headers: { "if-match": tag } });
    expect(passed.status).toBe(200);
    expect(passed.headers.get("etag")).not.toBe(tag);
    const late = await api.request("PUT", entrypoint(), {
      body: { description: "b" },
      headers: { "if-match": tag },
    });
    expect([late.status, late.json.errors[0].code]).toEqual([412, 20024]);
    expect((await api.request("GET", entrypoint())).json.result.description).toBe("a");
  });

  test("If-None-Match: * creates, and does not replace", async () => {
    const path = `${zone}/rulesets/phases/http_request_late_transform/entrypoint`;
    const create = () => api.request("PUT", path, { body: { rules: [] }, headers: { "if-none-match": "*" } });
    expect((await create()).status).toBe(200);
    expect((await create()).status).toBe(412);
    expect((await api.request("PUT", path, { body: {}, headers: { "if-match": '"x", *' } })).status).toBe(
      412,
    );
    expect((await api.request("PUT", path, { body: {}, headers: { "if-match": "*" } })).status).toBe(200);
  });

  test("every single resource has a tag that its own writes check", async () => {
    const token = (await api.request("GET", "/user/tokens")).json.result[0].id as string;
    const operation = (
      await api.request("POST", `${zone}/api_gateway/operations/item`, {
        body: { method: "GET", host: "tag.example", endpoint: "/" },
      })
    ).json.result.operation_id as string;
    const list = (
      await api.request("POST", `${account}/rules/lists`, { body: { name: "tagged", kind: "asn" } })
    ).json.result.id as string;
    const writes: readonly (readonly [read: string, method: string, write: string, body?: unknown])[] = [
      [zone, "PATCH", zone, { paused: false }],
      [`${zone}/stepgate/settings`, "PATCH", `${zone}/stepgate/settings`, {}],
      [
        `${zone}/api_gateway/configuration`,
        "PUT",
        `${zone}/api_gateway/configuration`,
        { auth_id_characteristics: [] },
      ],
      [
        `${zone}/url_normalization`,
        "PUT",
        `${zone}/url_normalization`,
        { scope: "both", type: "cloudflare" },
      ],
      [
        `${zone}/fraud_detection/sequence_cookies`,
        "PUT",
        `${zone}/fraud_detection/sequence_cookies`,
        { enabled: false },
      ],
      [`${zone}/api_gateway/seqrules`, "PUT", `${zone}/api_gateway/seqrules`, { rules: [] }],
      [
        `${zone}/api_gateway/operations/${operation}`,
        "DELETE",
        `${zone}/api_gateway/operations/${operation}`,
      ],
      [`${account}/rules/lists/${list}`, "DELETE", `${account}/rules/lists/${list}`],
      [`/user/tokens/${token}`, "PUT", `/user/tokens/${token}/value`],
    ];
    for (const [read, method, write, body] of writes) {
      const tag = (await api.request("GET", read)).headers.get("etag") ?? "";
      expect([read, tag]).toEqual([read, expect.stringMatching(/^"[\w.-]{10,}"$/)]);
      const options = body === undefined ? {} : { body };
      const stale = await api.request(method, write, { ...options, headers: { "if-match": '"stale"' } });
      expect([write, stale.status]).toEqual([write, 412]);
      if (method === "PUT" && write.endsWith("/value")) continue;
      expect((await api.request(method, write, { ...options, headers: { "if-match": tag } })).status).toBe(
        200,
      );
    }
  });

  test("parallel writers lose nothing: each gets 200 or 412, and all of their rules are there in the end", async () => {
    const writers = Number(process.env["STEPGATE_WRITERS"] ?? 40);
    await api.request("PUT", entrypoint(), { body: { rules: [] } });
    const statuses = new Set<number>();
    await Promise.all(
      Array.from({ length: writers }, async (_, writer) => {
        for (let attempt = 0; attempt < 50 * writers; attempt += 1) {
          const read = await api.request("GET", entrypoint());
          const rules = [...read.json.result.rules, { ref: `w${writer}`, action: "log", expression: "ssl" }];
          const written = await api.request("PUT", entrypoint(), {
            body: { rules },
            headers: { "if-match": read.headers.get("etag") ?? "" },
          });
          statuses.add(written.status);
          if (written.status === 200) return;
          // Somebody else was first; a short random pause lets the crowd pass one by one.
          await new Promise((resolve) => setTimeout(resolve, Math.random() * writers));
        }
      }),
    );
    expect(statuses).toEqual(new Set([200, 412]));
    const { rules } = (await api.request("GET", entrypoint())).json.result;
    expect(rules.map(({ ref }: { ref: string }) => ref).toSorted()).toEqual(
      Array.from({ length: writers }, (_, writer) => `w${writer}`).toSorted(),
    );
  }, 300_000);
});

describe("paging", () => {
  test.each([
    ["page=0", "/page"],
    ["page=-1", "/page"],
    ["page=x", "/page"],
    ["page=1.5", "/page"],
    ["per_page=0", "/per_page"],
    ["per_page=100000", "/per_page"],
    ["order=color", "/order"],
    ["direction=up", "/direction"],
  ])("?%s is refused with its place", async (query, pointer) => {
    const answer = await api.request("GET", `${zone}/api_gateway/operations?${query}`);
    expect([answer.status, answer.json.errors[0].source.pointer]).toEqual([400, pointer]);
  });

  test("a page far beyond the end is empty, with the totals", async () => {
    const { json } = await api.request("GET", `${zone}/api_gateway/operations?page=999999&per_page=50`);
    expect(json).toMatchObject({ result: [], result_info: { page: 999999, per_page: 50, count: 0 } });
  });

  test("cursors of 2,500 items miss nothing and repeat nothing, while items come and go", async () => {
    const list = (
      await api.request("POST", `${account}/rules/lists`, { body: { name: "many", kind: "asn" } })
    ).json.result.id as string;
    const items = `${account}/rules/lists/${list}/items`;
    await api.request("POST", items, { body: Array.from({ length: 2500 }, (_, asn) => ({ asn })) });
    const seen: number[] = [];
    let cursor = "";
    let pages = 0;
    do {
      const { json } = await api.request(
        "GET",
        `${items}?per_page=700${cursor === "" ? "" : `&cursor=${cursor}`}`,
      );
      seen.push(...json.result.map(({ asn }: { asn: number }) => asn));
      cursor = json.result_info.cursors.after ?? "";
      pages += 1;
      if (pages === 1) {
        await api.request("DELETE", items, { body: { items: [{ id: json.result[0].id }] } });
        await api.request("POST", items, { body: [{ asn: 99_999 }] });
      }
    } while (cursor !== "" && pages < 10);
    expect(seen).toEqual([...Array.from({ length: 2500 }, (_, asn) => asn), 99_999]);
    const search = await api.request("GET", `${items}?search=2499`);
    expect(search.json.result).toHaveLength(1);
    for (const bad of ["x", "YWZ0ZXI6eA", "%00"]) {
      expect((await api.request("GET", `${items}?cursor=${bad}`)).status).toBe(400);
    }
  });
});

const settings = (): string => `${zone}/stepgate/settings`;

const DEFAULT_SEQUENCE = {
  tracking: "cookie",
  bind: false,
  strict: false,
  duplicates: "reject",
  allow_fires_without_identity: null,
  lookback_requests: 10,
  lookback_seconds: 600,
};

const putIds = (ids: readonly object[]) =>
  api.request("PUT", `${zone}/api_gateway/configuration`, { body: { auth_id_characteristics: ids } });
const patchBind = (bind: boolean) => api.request("PATCH", settings(), { body: { sequence: { bind } } });

describe("settings of a zone", () => {
  test("say where the zone goes and how its cookies are set", async () => {
    expect((await api.request("GET", settings())).json.result).toEqual({
      owner: "file",
      origin: "http://127.0.0.1:9",
      hosts: ["shop.example"],
      cookie_scope: { same_site: "Lax", partitioned: false, domain: null },
      sequence: DEFAULT_SEQUENCE,
      analytics: { sample_decisions: false },
    });
  });

  test("say how sequences are kept; what a body leaves out stays", async () => {
    const patch = async (sequence: object) =>
      (await api.request("PATCH", settings(), { body: { sequence } })).json.result.sequence;
    expect(await patch({ tracking: "both", allow_fires_without_identity: false })).toEqual({
      ...DEFAULT_SEQUENCE,
      tracking: "both",
      allow_fires_without_identity: false,
    });
    expect(await patch({ lookback_requests: 20, lookback_seconds: 60, duplicates: "last" })).toEqual({
      ...DEFAULT_SEQUENCE,
      tracking: "both",
      allow_fires_without_identity: false,
      lookback_requests: 20,
      lookback_seconds: 60,
      duplicates: "last",
    });
    expect(api.store.current().zones[0]?.settings.sequence).toEqual({
      bind: false,
      strict: false,
      tracking: "both",
      allowFiresWithoutIdentity: false,
      lookbackRequests: 20,
      lookbackSeconds: 60,
      duplicates: "last",
    });
    expect(await patch(DEFAULT_SEQUENCE)).toEqual(DEFAULT_SEQUENCE);
  });

  test("the last session identifier stays while cookies are bound to it", async () => {
    expect((await putIds([{ type: "header", name: "x-session" }])).status).toBe(200);
    expect((await patchBind(true)).status).toBe(200);
    expect((await putIds([])).json.errors[0]).toMatchObject({ code: 20105 });
    expect((await patchBind(false)).status).toBe(200);
    expect((await putIds([])).status).toBe(200);
  });

  test("a document of a zone keeps how its sequences are kept, and says nothing of the default", async () => {
    const document = async () => (await api.request("GET", `${zone}/stepgate/export`)).json.result;
    expect((await document()).zone).not.toHaveProperty("sequence");
    const sequence = { ...DEFAULT_SEQUENCE, tracking: "session", lookback_seconds: 60 };
    await api.request("PATCH", settings(), { body: { sequence } });
    const tracked = await document();
    expect(tracked.zone.sequence).toEqual(sequence);
    await api.request("PATCH", settings(), { body: { sequence: DEFAULT_SEQUENCE } });
    expect((await api.request("PUT", `${zone}/stepgate/import`, { body: tracked })).status).toBe(200);
    expect((await api.request("GET", settings())).json.result.sequence).toEqual(sequence);
    await api.request("PATCH", settings(), { body: { sequence: DEFAULT_SEQUENCE } });
  });

  test.each([
    ["another tracking", { tracking: "ip" }, "/sequence/tracking"],
    ["a look-back of nothing", { lookback_requests: 0 }, "/sequence/lookback_requests"],
    ["a look-back beyond a day", { lookback_seconds: 86_401 }, "/sequence/lookback_seconds"],
    ["another way with repeats", { duplicates: "all" }, "/sequence/duplicates"],
    ["strict sessions", { tracking: "session", strict: true }, "/sequence/strict"],
    ["bound sessions", { tracking: "session", bind: true }, "/sequence/bind"],
    ["strict and bound", { strict: true, bind: true }, "/sequence/bind"],
    ["bound to nothing", { bind: true }, "/sequence/bind"],
    ["a member that is not known", { mode: "x" }, "/sequence"],
  ])("%s is refused", async (_, sequence, pointer) => {
    const answer = await api.request("PATCH", settings(), { body: { sequence } });
    expect(answer.status).toBe(400);
    expect(answer.json.errors[0].source).toEqual({ pointer });
  });

  test("writing what the file says already is no change", async () => {
    const body = { origin: "http://127.0.0.1:9", hosts: ["shop.example"] };
    expect((await api.request("PATCH", settings(), { body })).status).toBe(200);
  });

  test.each([
    ["partitioned cookies without SameSite=None", { partitioned: true }, "/cookie_scope/partitioned"],
    ["a domain of one label", { domain: "example" }, "/cookie_scope/domain"],
    ["an address as domain", { domain: "127.0.0.1" }, "/cookie_scope/domain"],
    ["a domain that the host is not below", { domain: "other.example" }, "/cookie_scope/domain"],
    ["a domain that is only the end of the host's letters", { domain: "op.example" }, "/cookie_scope/domain"],
    ["an unknown member", { path: "/" }, "/cookie_scope"],
    ["an unknown SameSite", { same_site: "lax" }, "/cookie_scope/same_site"],
  ])("%s: refused", async (_, cookie_scope, pointer) => {
    const answer = await api.request("PATCH", settings(), { body: { cookie_scope } });
    expect([answer.status, answer.json.errors[0].source.pointer]).toEqual([400, pointer]);
  });

  test("possible combinations reach the gateway", async () => {
    const cookie_scope = { same_site: "None", partitioned: true, domain: "shop.example" };
    expect((await api.request("PATCH", settings(), { body: { cookie_scope } })).status).toBe(200);
    expect(api.store.current().zones.find(({ id }) => id === api.zone.id)?.settings.cookieScope).toEqual({
      sameSite: "None",
      partitioned: true,
      domain: "shop.example",
    });
    const back = { same_site: "Lax", partitioned: false, domain: null };
    await api.request("PATCH", settings(), { body: { cookie_scope: back } });
  });

  test("two zones cannot answer for one host", async () => {
    expect((await api.request("POST", "/zones", { body: { name: "SHOP.example." } })).status).toBe(400);
    const other = (await api.request("POST", "/zones", { body: { name: "two.example" } })).json.result;
    const body = { hosts: ["two.example", "Shop.Example"] };
    const answer = await api.request("PATCH", `/zones/${other.id}/stepgate/settings`, { body });
    expect([answer.status, answer.json.errors[0].source.pointer]).toEqual([400, "/hosts/1"]);
  });
});

describe("rules", () => {
  test("are answered in the documented shape, unknown members included", async () => {
    const rule = {
      ref: "seq-1",
      description: "b must follow a",
      enabled: true,
      expression:
        'cf.sequence.current_op eq "bbbbbbbb" and not any(cf.sequence.previous_ops[*] == "aaaaaaaa")',
      action: "block",
      action_parameters: {
        response: { status_code: 403, content_type: "application/json", content: '{"error":"sequence"}' },
      },
      x_owner: { team: "payments" },
    };
    const { json } = await api.request("PUT", entrypoint(), { body: { rules: [rule] } });
    expect(json.result.rules[0]).toEqual({
      ...rule,
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
      version: "1",
      last_updated: expect.stringMatching(/Z$/),
    });
  });

  test("an edit by its full definition or a move by a position alone; half a definition is refused", async () => {
    const ruleset = (await api.request("GET", entrypoint())).json.result;
    const path = `${zone}/rulesets/${ruleset.id}/rules/${ruleset.rules[0].id}`;
    const half = await api.request("PATCH", path, { body: { enabled: false } });
    expect(half.json.errors.map((error: { source: { pointer: string } }) => error.source.pointer)).toEqual([
      "/expression",
      "/action",
    ]);
    for (const position of [{}, { index: 0 }, { index: 1, before: "" }, { at: 1 }, 1]) {
      expect((await api.request("PATCH", path, { body: { position } })).status).toBe(400);
    }
  });

  test("every mistake in a list of rules has its own pointer, and their number is bounded", async () => {
    const rules = Array.from({ length: 60 }, () => ({ action: "log", expression: "nonsense" }));
    const { status, json } = await api.request("PUT", entrypoint(), { body: { rules } });
    expect(status).toBe(400);
    expect(json.errors).toHaveLength(50);
    expect(json.errors[49]).toMatchObject({ code: 20127, source: { pointer: "/rules/49/expression" } });
  });

  test("a blank expression and a parse error have the original's words, and ours beside them", async () => {
    const rules = [
      { action: "log", expression: "" },
      { action: "log", expression: "http.hst eq 1" },
    ];
    const { json } = await api.request("PUT", entrypoint(), { body: { rules } });
    expect(json.errors).toEqual([
      {
        code: 20125,
        message: "'' is not a valid value for expression because the expression cannot be blank",
        source: { pointer: "/rules/0/expression" },
      },
      {
        code: 20127,
        message: expect.stringMatching(
          /^'http\.hst eq 1' is not a valid value for expression because could not parse filter expression: Filter parsing error \(1:1\):\nhttp\.hst eq 1\n\^{8} unknown identifier/,
        ),
        source: { pointer: "/rules/1/expression" },
        expression: { line: 1, column: 1, length: 8, code: "unknown_field" },
      },
    ]);
  });

  test("name, kind and phase of a ruleset stay", async () => {
    for (const body of [{ name: "other" }, { kind: "custom" }, { phase: "http_ratelimit" }]) {
      const answer = await api.request("PUT", entrypoint(), { body });
      expect([answer.status, answer.json.errors[0].source.pointer]).toEqual([
        400,
        `/${Object.keys(body)[0]}`,
      ]);
    }
    const same = { name: "default", kind: "zone", phase: "http_request_firewall_custom" };
    expect((await api.request("PUT", entrypoint(), { body: same })).status).toBe(200);
  });
});

test("the audit log has who, what, before and after, and no secret", async () => {
  const before = (await api.request("GET", `${zone}/fraud_detection/sequence_cookies`)).json.result;
  await api.request("PUT", `${zone}/fraud_detection/sequence_cookies`, {
    body: { enabled: !before.enabled },
  });
  const created = await api.request("POST", "/user/tokens", {
    body: {
      name: "audited",
      policies: [
        {
          effect: "allow",
          permission_groups: [
            {
              id: (await api.request("GET", "/user/tokens/permission_groups?name=Zone%20Read")).json.result[0]
                .id,
            },
          ],
          resources: { "com.cloudflare.api.account.zone.*": "*" },
        },
      ],
    },
  });
  const { json } = await api.request("GET", `${account}/audit_logs?per_page=2`);
  expect(json.result).toMatchObject([
    { action: { type: "create" }, resource: { type: "token", id: created.json.result.id }, oldValue: "" },
    {
      action: { type: "update" },
      resource: { type: "sequence_cookies", id: api.zone.id },
      oldValueJson: before,
      newValueJson: { enabled: !before.enabled },
      actor: { ip: "127.0.0.1", type: "user" },
    },
  ]);
  expect(JSON.stringify(json)).not.toContain(created.json.result.value);
  expect(JSON.stringify(json)).not.toContain('"hash"');
});
