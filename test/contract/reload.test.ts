/** A change is in force when the API answers it, and no visitor notices that anything changed. */
import { InternalServerError } from "cloudflare";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { StoreError } from "../../src/store/index.ts";
import type { Store } from "../../src/store/index.ts";
import { startApi } from "../api/support/server.ts";
import type { RunningApi } from "../api/support/server.ts";
import { openHttp2, requestHttp1, requestHttp2, startGateway, startOrigin } from "../support/gateway.ts";
import type { TestGateway, TestOrigin } from "../support/gateway.ts";

const CHANGES = 120;

describe("reloading under traffic", () => {
  let api: RunningApi;
  let origin: TestOrigin;
  let gateway: TestGateway;

  beforeAll(async () => {
    origin = await startOrigin();
    api = await startApi();
    api.store.ensureZones([{ name: "shop.example", hosts: ["shop.example"], origin: origin.url }]);
    gateway = await startGateway({ zones: [], gateway: { source: api.store } });
  });
  afterAll(async () => {
    await gateway.close();
    await api.close();
    await origin.close();
  });

  test(`${CHANGES} changes of rules, operations and switches: each in force with its answer, no request dropped`, async () => {
    const session = await openHttp2(gateway.port);
    const statuses = new Map<number, number>();
    const traffic = { isDone: false };
    // Visitors who never touch what changes, over one connection and over new ones.
    const visit = async (): Promise<void> => {
      for (let round = 0; !traffic.isDone && round < 100_000; round += 1) {
        const reply =
          round % 4 === 0
            ? await requestHttp1(gateway.port, { path: "/steady" })
            : await requestHttp2(session, { path: "/steady" });
        statuses.set(reply.status, (statuses.get(reply.status) ?? 0) + 1);
      }
    };
    const visitors = Promise.all([visit(), visit(), visit()]);
    const zone = `/zones/${api.zone.id}`;
    const entrypoint = `${zone}/rulesets/phases/http_request_firewall_custom/entrypoint`;
    for (let change = 0; change < CHANGES; change += 1) {
      const path = `/changed/${change}`;
      const rules = [
        { ref: "a", action: "log", expression: 'http.request.uri.path eq "/never"' },
        { ref: "b", action: "block", expression: `http.request.uri.path eq "${path}"` },
      ];
      expect((await api.request("PUT", entrypoint, { body: { rules } })).status).toBe(200);
      expect((await requestHttp2(session, { path })).status).toBe(403);
      expect((await requestHttp2(session, { path: `/changed/${change - 1}` })).status).toBe(200);
      if (change % 10 === 0) {
        const body = { method: "GET", host: "shop.example", endpoint: path };
        await api.request("POST", `${zone}/api_gateway/operations/item`, { body });
        await api.request("PUT", `${zone}/fraud_detection/sequence_cookies`, {
          body: { enabled: change % 20 === 0 },
        });
      }
    }
    traffic.isDone = true;
    await visitors;
    session.close();
    expect([...statuses.keys()]).toEqual([200]);
    expect(statuses.get(200)).toBeGreaterThan(CHANGES);
    expect(gateway.problems).toEqual([]);
  }, 120_000);

  test("a rule that is refused changes nothing for visitors", async () => {
    const session = await openHttp2(gateway.port);
    const zone = `/zones/${api.zone.id}`;
    const body = {
      rules: [
        { action: "block", expression: "ssl" },
        { action: "block", expression: "nonsense" },
      ],
    };
    const answer = await api.request(
      "PUT",
      `${zone}/rulesets/phases/http_request_firewall_custom/entrypoint`,
      { body },
    );
    expect(answer.status).toBe(400);
    expect((await requestHttp2(session, { path: "/steady" })).status).toBe(200);
    session.close();
  });

  test("the data plane never answers for the control plane", async () => {
    const session = await openHttp2(gateway.port);
    const headers = { authorization: `Bearer ${api.token}` };
    const reply = await requestHttp2(session, { path: "/client/v4/zones", headers });
    expect(reply.body).toBe("origin /client/v4/zones");
    session.close();
  });
});

describe("a store that cannot write", () => {
  test("is 503, nothing has changed, and the client tries again until it can", async () => {
    const api = await startApi();
    let failures = 2;
    // What a full disk looks like to the API.
    const broken = new Proxy(api.store, {
      get(target, name) {
        const member = Reflect.get(target, name, target) as unknown;
        if (name !== "write") return typeof member === "function" ? (member.bind(target) as unknown) : member;
        return (...args: Parameters<Store["write"]>) => {
          if (failures > 0) {
            failures -= 1;
            throw new StoreError("ERR_STORE_WRITE", "database or disk is full");
          }
          return target.write(...args);
        };
      },
    });
    const failing = await startApi({ store: broken });
    const client = failing.clientWith(api.token);
    const input = { zone_id: api.zone.id, method: "GET", host: "retry.example", endpoint: "/" } as const;
    const saved = await client.apiGateway.operations.create(input);
    expect(saved.host).toBe("retry.example");
    failures = 100;
    const failure = await client.apiGateway.operations
      .create({ ...input, endpoint: "/x" }, { maxRetries: 1 })
      .catch((error: unknown) => error as InternalServerError);
    expect(failure).toBeInstanceOf(InternalServerError);
    expect(failure).toMatchObject({ status: 503, errors: [{ code: 20503 }] });
    expect(api.store.count("operations", api.zone.id)).toBe(1);
    await failing.close();
  }, 30_000);
});
