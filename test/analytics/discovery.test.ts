import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createDiscovery } from "../../src/analytics/index.ts";
import type { Discovery } from "../../src/analytics/index.ts";
import { createRandom } from "./markov.ts";
import { APIS, expectedEndpoints, sampleRequests } from "./openapi-traffic.ts";

const NOW = 1_800_000_000_000;
const DAY_MS = 86_400_000;

function observe(discovery: Discovery, paths: readonly string[], host = "api.example", times = 1): void {
  for (let at = 0; at < times; at += 1) {
    for (const path of paths) discovery.observe({ method: "GET", host, path, status: 200 }, NOW);
  }
}

function endpointsOf(discovery: Discovery): string[] {
  return discovery.endpoints().map(({ method, endpoint }) => `${method} ${endpoint}`);
}

/** Different words, without digits. */
function words(count: number, seed = 1): string[] {
  const random = createRandom(seed);
  const letter = (): string => "abcdefghijklmnopqrstuvwxyz"[Math.floor(random() * 26)]!;
  return Array.from({ length: count }, () => Array.from({ length: 8 }, letter).join(""));
}

describe("templates of well-known APIs", () => {
  const results = Object.entries(APIS).map(([api, description]) => {
    const discovery = createDiscovery({ minRequests: 100 });
    for (const request of sampleRequests(description, { perOperation: 200, noise: 0.03, seed: 1 })) {
      discovery.observe(request, NOW);
    }
    const expected = expectedEndpoints(description);
    const found = endpointsOf(discovery);
    return {
      api,
      expected: expected.size,
      missing: [...expected].filter((endpoint) => !found.includes(endpoint)),
      wrong: found.filter((endpoint) => !expected.has(endpoint)),
      reported: found.length,
    };
  });

  test("at least ten of them", () => {
    expect(results.length).toBeGreaterThanOrEqual(10);
    expect(results.reduce((sum, { expected }) => sum + expected, 0)).toBeGreaterThan(600);
  });

  test.each(results)(
    "at least 95 % of $api are found, and hardly anything else",
    ({ expected, missing, wrong, reported }) => {
      expect({ missing, isEnough: missing.length <= expected * 0.05 }).toMatchObject({ isEnough: true });
      expect({ wrong, isFewEnough: wrong.length <= Math.max(1, reported * 0.02) }).toMatchObject({
        isFewEnough: true,
      });
    },
  );

  test("at most 2 % of all that is reported are wrong", () => {
    const wrong = results.reduce((sum, result) => sum + result.wrong.length, 0);
    const reported = results.reduce((sum, result) => sum + result.reported, 0);
    expect(wrong / reported).toBeLessThanOrEqual(0.02);
  });
});

describe("what is folded", () => {
  test.each([
    ["numbers", ["/orders/1", "/orders/27", "/orders/300"], "/orders/{var1}"],
    [
      "UUIDs",
      ["/o/0f8fad5b-d9cb-469f-a165-70867728950e", "/o/7c9e6679-7425-40de-944b-e07fc1f90ae7"],
      "/o/{var1}",
    ],
    ["hashes", ["/c/9fceb02d0ae598e95dc970b74767f19372d61af8", "/c/1a2b3c4d5e6f"], "/c/{var1}"],
    ["prefixed keys", ["/c/cus_9s6XKzkNRiz8i3", "/c/cus_NffrFeUfNV2Hib"], "/c/{var1}"],
    ["dates", ["/d/2026-01-01", "/d/2026-01-02"], "/d/{var1}"],
    ["e-mail addresses", ["/u/a@b.example", "/u/c@d.example"], "/u/{var1}"],
    ["numbered names", ["/n/node-1", "/n/node-2", "/n/node-3", "/n/node-4", "/n/node-5"], "/n/{var1}"],
    ["files of keys", ["/f/AC5ef8732a3c49700934481addd5ce1659.json", "/f/17.json,18.json"], "/f/{var1}"],
    ["one number for all", ["/account/42"], "/account/{var1}"],
  ])("%s", (_, paths, expected) => {
    const discovery = createDiscovery({ minRequests: 30 });
    observe(discovery, paths, "api.example", 30);
    expect(endpointsOf(discovery)).toEqual([`GET ${expected}`]);
  });

  test.each([
    ["a version in a path", "/v2/users"],
    ["an API named by a date", "/2010-04-01/accounts"],
    ["an API named by a number", "/rest/api/3/issue"],
    ["names with digits", "/oauth2/token"],
    ["a procedure", "/api/chat.postMessage"],
    ["the root", "/"],
  ])("not %s", (_, path) => {
    const discovery = createDiscovery({ minRequests: 30 });
    observe(discovery, [path], "api.example", 30);
    expect(endpointsOf(discovery)).toEqual([`GET ${path}`]);
  });

  test("words of which there are always new ones, but not the names beside them", () => {
    const discovery = createDiscovery({ minRequests: 100 });
    observe(
      discovery,
      words(300).flatMap((user) => [`/users/${user}`, `/users/${user}/posts`, "/users/me"]),
    );
    expect(endpointsOf(discovery).toSorted()).toEqual([
      "GET /users/me",
      "GET /users/{var1}",
      "GET /users/{var1}/posts",
    ]);
  });

  test("few and popular words, if the same follows all of them", () => {
    const discovery = createDiscovery({ minRequests: 100 });
    const tenants = words(9).flatMap((tenant) =>
      ["pods", "secrets", "services"].map((kind) => `/t/${tenant}/${kind}`),
    );
    observe(discovery, tenants, "api.example", 100);
    expect(endpointsOf(discovery).toSorted()).toEqual([
      "GET /t/{var1}/pods",
      "GET /t/{var1}/secrets",
      "GET /t/{var1}/services",
    ]);
  });

  test("never names that lead to different things, however many there are", () => {
    const discovery = createDiscovery({ minRequests: 100 });
    const names = words(80);
    observe(
      discovery,
      names.flatMap((name, at) => [`/v1/${name}`, `/v1/${name}/17`, `/v1/${name}/17/${words(80, 2)[at]}`]),
      "api.example",
      100,
    );
    expect(endpointsOf(discovery)).toHaveLength(240);
  });

  test("methods apart, preflights and failures not at all", () => {
    const discovery = createDiscovery({ minRequests: 1 });
    const request = { host: "api.example", path: "/orders/1" };
    for (const [method, status] of [
      ["GET", 200],
      ["POST", 201],
      ["GET", 204],
      ["OPTIONS", 204],
      ["DELETE", 404],
      ["PUT", 500],
      ["PATCH", 302],
      ["BREW", 200],
    ] as const) {
      discovery.observe({ ...request, method, status }, NOW + status);
    }
    expect(discovery.endpoints()).toEqual([
      { method: "GET", host: "api.example", endpoint: "/orders/{var1}", requests: 2, lastAt: NOW + 204 },
      { method: "POST", host: "api.example", endpoint: "/orders/{var1}", requests: 1, lastAt: NOW + 201 },
    ]);
  });

  test("hosts of tenants, but not a host that behaves otherwise", () => {
    const discovery = createDiscovery({ minRequests: 100 });
    for (const tenant of words(20))
      observe(discovery, ["/orders/1", "/orders", "/customers/7"], `${tenant}.shop.example`, 30);
    observe(discovery, ["/metrics", "/reports/1"], "admin.shop.example", 100);
    observe(discovery, ["/login"], "shop.example", 100);
    observe(discovery, ["/login"], "10.0.0.1", 100);
    expect(
      discovery
        .endpoints()
        .map(({ host, endpoint }) => `${host}${endpoint}`)
        .toSorted(),
    ).toEqual([
      "10.0.0.1/login",
      "admin.shop.example/metrics",
      "admin.shop.example/reports/{var1}",
      "shop.example/login",
      "{hostVar1}.shop.example/customers/{var1}",
      "{hostVar1}.shop.example/orders",
      "{hostVar1}.shop.example/orders/{var1}",
    ]);
  });
});

describe("noise and floods", () => {
  test("a scanner that finds everything adds nothing", () => {
    const discovery = createDiscovery({ minRequests: 100 });
    const random = createRandom(2);
    const noise = words(60_000, 3);
    for (let at = 0; at < 60_000; at += 1) {
      observe(discovery, [random() < 0.96 ? `/api/orders/${at}` : `/${noise[at]}`]);
    }
    expect(endpointsOf(discovery)).toEqual(["GET /api/orders/{var1}"]);
  });

  test("ever new paths, hosts and depths take no more memory", { timeout: 120_000 }, () => {
    const discovery = createDiscovery();
    const random = createRandom(4);
    const names = words(5000, 5);
    const anyName = (): string => names[Math.floor(random() * names.length)]!;
    const most = { nodes: 0 };
    for (let at = 0; at < 60_000; at += 1) {
      const path = `/${Array.from({ length: 1 + Math.floor(random() * 14) }, anyName).join("/")}`;
      discovery.observe({ method: "GET", host: `${anyName()}.${anyName()}.example`, path, status: 200 }, NOW);
      most.nodes = Math.max(most.nodes, discovery.nodes);
    }
    expect(most.nodes).toBeLessThanOrEqual(30_020);
    expect(discovery.endpoints().length).toBeLessThan(50);
  });

  test("any path is learned from or ignored, never an exception", () => {
    const discovery = createDiscovery({ minRequests: 1 });
    const path = fc.oneof(
      fc.webPath(),
      fc.string().map((text) => `/${text}`),
      fc.constantFrom("", "//", "/__proto__/constructor", `/${"a".repeat(9000)}`, "/a".repeat(5000)),
    );
    fc.assert(
      fc.property(path, fc.string(), (text, host) => {
        discovery.observe({ method: "GET", host, path: text, status: 200 }, NOW);
        expect(
          discovery
            .endpoints()
            .every(({ endpoint }) => endpoint.startsWith("/") && !endpoint.includes("undefined")),
        ).toBe(true);
      }),
    );
    expect(createDiscovery().addState(JSON.parse(JSON.stringify(discovery.state())))).toBe(true);
  });

  test("what nobody requests any more is forgotten after some weeks", () => {
    const discovery = createDiscovery({ minRequests: 100 });
    const counts: number[] = [];
    observe(discovery, ["/old"], "api.example", 300);
    for (let day = 0; day <= 40; day += 1) {
      discovery.observe(
        { method: "GET", host: "api.example", path: "/new", status: 200 },
        NOW + day * DAY_MS,
      );
      counts.push(discovery.endpoints()[0]?.requests ?? 0);
    }
    // Halved every ten days.
    expect([9, 10, 20].map((day) => counts[day])).toEqual([300, 150, 0]);
  });
});

describe("the state", () => {
  test("is JSON, and adds up", () => {
    const [one, two, both] = [createDiscovery(), createDiscovery(), createDiscovery()];
    const api = APIS["petstore"]!;
    for (const [at, request] of sampleRequests(api, { perOperation: 600, noise: 0.01, seed: 7 }).entries()) {
      (at % 2 === 0 ? one : two).observe(request, NOW + at);
      both.observe(request, NOW + at);
    }
    const restored = createDiscovery();
    for (const discovery of [one, two])
      expect(restored.addState(JSON.parse(JSON.stringify(discovery.state())))).toBe(true);
    expect(endpointsOf(restored).toSorted()).toEqual(endpointsOf(both).toSorted());
    expect(endpointsOf(restored)).toHaveLength(expectedEndpoints(api).size);
    expect(restored.endpoints()[0]?.lastAt).toBeGreaterThan(NOW);
  });

  test.each([
    undefined,
    null,
    1,
    "x",
    [],
    {},
    { version: 2, hosts: [] },
    { version: 1, hosts: {} },
    { version: 1, hosts: [["a"]] },
    { version: 1, hosts: [["a", []]] },
    { version: 1, hosts: [["", [1, [], [], 0, 0, 0]]] },
    { version: 1, hosts: [["a", [-1, [], [], 0, 0, 0]]] },
    { version: 1, hosts: [["a", [1, [["GET", 1]], [], 0, 0, 0]]] },
    { version: 1, hosts: [["a", [1, [["GET", 1.5, 0]], [], 0, 0, 0]]] },
    { version: 1, hosts: [["a", [1, [], [["b", 1]], 0, 0, 0]]] },
    { version: 1, hosts: [["a", [1, [], [], [1], 0, 0]]] },
    { version: 1, hosts: Array.from({ length: 65 }, (_, at) => [`${at}`, [1, [], [], 0, 0, 0]]) },
  ])("of another form is refused: %j", (state) => {
    const discovery = createDiscovery();
    expect(discovery.addState(state)).toBe(false);
    expect(discovery.nodes).toBe(0);
  });

  test("that is deeper or larger than any of ours is refused", () => {
    let deep: unknown = [1, [], [], 0, 0, 0];
    for (let depth = 0; depth < 10_000; depth += 1) deep = [1, [], [], deep, 0, 0];
    expect(createDiscovery().addState({ version: 1, hosts: [["a", deep]] })).toBe(false);
    const wide = Array.from({ length: 30_001 }, (_, at) => [`n${at}`, [1, [], [], 0, 0, 0]]);
    expect(createDiscovery().addState({ version: 1, hosts: [["a", [1, [], wide, 0, 0, 0]]] })).toBe(false);
  });
});
