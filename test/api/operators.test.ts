/** What operators and their tools do besides the documented calls, and the answers that help them on. */
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

/** What the API's `fetch` answers, without reading JSON. */
const send = (method: string, path: string, headers: Readonly<Record<string, string>> = {}) =>
  fetch(api.baseUrl + path, { method, headers: { authorization: `Bearer ${api.token}`, ...headers } });

describe("methods", () => {
  test("HEAD tells what GET would, without the body", async () => {
    for (const path of [zone, `${zone}/rulesets`, "/zones?per_page=1"]) {
      const [get, head] = [await send("GET", path), await send("HEAD", path)];
      expect([path, head.status, await head.text()]).toEqual([path, 200, ""]);
      expect(head.headers.get("etag")).toBe(get.headers.get("etag"));
      expect(head.headers.get("content-type")).toBe(get.headers.get("content-type"));
    }
    expect((await send("HEAD", `/zones/${"0".repeat(32)}`)).status).toBe(404);
    expect((await fetch(api.baseUrl + zone, { method: "HEAD" })).status).toBe(400);
  });

  test("HEAD of a stream ends at once", async () => {
    const head = await send("HEAD", `${zone}/stepgate/events/stream`);
    expect(await head.text()).toBe("");
  });

  test("OPTIONS names the methods, to those who may know, and never lets another site in", async () => {
    const options = await send("OPTIONS", `${zone}/rulesets`, {
      origin: "https://evil.example",
      "access-control-request-method": "POST",
    });
    expect([options.status, options.headers.get("allow")]).toEqual([204, "GET, HEAD, POST, OPTIONS"]);
    expect([...options.headers.keys()].filter((name) => name.startsWith("access-control"))).toEqual([]);
    expect((await fetch(api.baseUrl + zone, { method: "OPTIONS" })).status).toBe(400);
    expect((await send("OPTIONS", "/nothing")).status).toBe(404);
  });

  test("a method that the path does not have", async () => {
    const answer = await send("PATCH", `${zone}/rulesets`);
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET, HEAD, POST, OPTIONS"]);
  });

  test.each(["/zones//rulesets", "//zones", "/zones/%2e%2e/x"])("%s is no path", async (path) => {
    expect((await send("GET", path)).status).toBe(404);
  });

  test("a trailing slash changes nothing", async () => {
    expect((await send("GET", `${zone}/`)).status).toBe(200);
    expect((await send("GET", `${zone}/rulesets/`)).status).toBe(200);
  });
});

describe("messages say what to write", () => {
  test.each([
    [`/zones?per_page=1000000000`, "/per_page", "it must be at most 1000"],
    [`/zones?page=-1`, "/page", "it must be at least 1"],
    [`/zones?page=1.5`, "/page", "it must be a whole number"],
    [`{zone}/api_gateway/operations?order=color`, "/order", "it must be one of `method`, `host`, `endpoint`"],
  ])("%s", async (path, pointer, reason) => {
    const { status, json } = await api.request("GET", path.replace("{zone}", zone));
    expect([status, json.errors[0].source.pointer]).toEqual([400, pointer]);
    expect(json.errors[0].message).toContain(reason);
  });

  test("a zone in an account that does not exist", async () => {
    const body = { name: "n.example", account: { id: "f".repeat(32) } };
    const { status, json } = await api.request("POST", "/zones", { body });
    expect([status, json.errors[0]]).toMatchObject([
      400,
      { code: 20103, source: { pointer: "/account/id" } },
    ]);
  });
});

describe("names of other scripts", () => {
  test("a host of a list is kept as requests name it", async () => {
    const list = (
      await api.request("POST", `${account}/rules/lists`, { body: { name: "hosts", kind: "hostname" } })
    ).json.result.id as string;
    const items = `${account}/rules/lists/${list}/items`;
    const add = (url_hostname: string) =>
      api.request("POST", items, { body: [{ hostname: { url_hostname } }] });
    for (const name of ["bücher.example", "*.BÜCHER.example", "例え.example"])
      expect([name, (await add(name)).status]).toEqual([name, 200]);
    for (const name of ["user@bücher.example", "bücher.example/x", "bü cher.example", "*.*.bücher.example"])
      expect([name, (await add(name)).status]).toEqual([name, 400]);
    const { json } = await api.request("GET", items);
    expect(
      json.result.map(({ hostname }: { hostname: { url_hostname: string } }) => hostname.url_hostname),
    ).toEqual(["xn--bcher-kva.example", "*.xn--bcher-kva.example", "xn--r8jz45g.example"]);
  });

  test("permission groups by a name that is encoded, as the original wants it, or is not", async () => {
    for (const name of ["Zone Read", "Zone%20Read"]) {
      const { json } = await api.request(
        "GET",
        `/user/tokens/permission_groups?name=${encodeURIComponent(name)}`,
      );
      expect(json.result.map((group: { name: string }) => group.name)).toEqual(["Zone Read"]);
    }
    expect((await api.request("GET", "/user/tokens/permission_groups?name=%25zz")).json.result).toEqual([]);
  });
});

const entrypoint = () => `${zone}/rulesets/phases/http_request_firewall_custom/entrypoint`;
const about = (shortId: string) => ({
  body: { rules: [{ action: "block", expression: `cf.sequence.current_op eq "${shortId}"` }] },
});

describe("rules about operations that are not there", () => {
  test("are told when the rule is written, and when the operation goes", async () => {
    const body = { method: "GET", host: "shop.example", endpoint: "/quoted" };
    const created = await api.request("POST", `${zone}/api_gateway/operations/item`, { body });
    const { operation_id: id, short_id: shortId } = created.json.result;
    const known = await api.request("PUT", entrypoint(), about(shortId));
    expect([known.status, known.json.messages]).toEqual([200, []]);
    const deleted = await api.request("DELETE", `${zone}/api_gateway/operations/${id}`);
    const ruleId = known.json.result.rules[0].id as string;
    expect([deleted.status, deleted.json.messages]).toEqual([
      200,
      [
        {
          code: 20103,
          message: `rule ${ruleId} still asks for operation \`${shortId}\`, which is no longer there`,
          type: null,
        },
      ],
    ]);
    const unknown = await api.request("PUT", entrypoint(), about("deadbeef"));
    expect(unknown.status).toBe(200);
    expect(unknown.json.messages[0].message).toContain("asks for operation `deadbeef`, and the zone has no");
    const edited = await api.request(
      "PATCH",
      `${zone}/rulesets/${unknown.json.result.id}/rules/${unknown.json.result.rules[0].id}`,
      {
        body: { action: "log", expression: `cf.sequence.msec_since_op["${shortId}"] lt 5` },
      },
    );
    expect(edited.json.messages[0].message).toContain(shortId);
    await api.request("PUT", entrypoint(), { body: { rules: [] } });
  });
});

describe("nobody locks everybody out", () => {
  test("the last token that may manage tokens stays, until there is another", async () => {
    const own = (await api.request("GET", "/user/tokens/verify")).json.result.id as string;
    const groups = (await api.request("GET", "/user/tokens/permission_groups")).json.result as {
      id: string;
      name: string;
    }[];
    const idOf = (name: string): string => groups.find((group) => group.name === name)?.id ?? "";
    const policiesOf = (group: string, resource: string) => [
      { effect: "allow", permission_groups: [{ id: idOf(group) }], resources: { [resource]: "*" } },
    ];
    const zonesOnly = policiesOf("Zone Read", "com.cloudflare.api.account.zone.*");
    const refused = [
      await api.request("DELETE", `/user/tokens/${own}`),
      await api.request("DELETE", `/user/tokens/${own}?dry_run=true`),
      await api.request("PUT", `/user/tokens/${own}`, { body: { name: "admin", policies: zonesOnly } }),
    ];
    for (const { status, json } of refused) expect([status, json.errors[0].code]).toEqual([400, 20105]);
    const deputy = await api.request("POST", "/user/tokens", {
      body: { name: "deputy", policies: policiesOf("API Tokens Write", "com.cloudflare.api.user.*") },
    });
    expect(deputy.status).toBe(200);
    const { id } = deputy.json.result as { id: string };
    const disabled = {
      name: "deputy",
      status: "disabled",
      policies: policiesOf("API Tokens Write", "com.cloudflare.api.user.*"),
    };
    expect((await api.request("PUT", `/user/tokens/${id}`, { body: disabled })).status).toBe(200);
    expect((await api.request("DELETE", `/user/tokens/${own}`)).status).toBe(400);
    expect(
      (await api.request("PUT", `/user/tokens/${id}`, { body: { ...disabled, status: "active" } })).status,
    ).toBe(200);
    expect((await api.request("DELETE", `/user/tokens/${own}`)).status).toBe(200);
    expect((await api.request("GET", zone)).status).toBe(403);
  });
});
