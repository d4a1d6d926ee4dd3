/** No value of `url_normalization` is a way around a rule about an operation: set over the API, tried at the gateway. */
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import express from "express";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startApi } from "../api/support/server.ts";
import type { RunningApi } from "../api/support/server.ts";
import { requestHttp1, startGateway } from "../support/gateway.ts";
import type { Reply, TestGateway } from "../support/gateway.ts";

let api: RunningApi;
let origin: Server;
let gateway: TestGateway;
const seen: string[] = [];

beforeAll(async () => {
  // Express routes on the path before it decodes it, and neither merges slashes nor removes dot segments.
  const app = express()
    .get("/cart/confirm", (_req, res) => void res.send("confirm"))
    .get("/cart/:id", (_req, res) => void res.send("cart"))
    .get("/legacy/*rest", (_req, res) => void res.send("legacy"))
    .get("/{*rest}", (_req, res) => void res.send("other"));
  origin = createServer((req, res) => {
    seen.push(req.url ?? "");
    app(req, res);
  });
  await new Promise<void>((resolve) => {
    origin.listen(0, "127.0.0.1", resolve);
  });
  api = await startApi();
  const url = `http://127.0.0.1:${(origin.address() as AddressInfo).port}`;
  api.store.ensureZones([{ name: "shop.example", hosts: ["shop.example"], origin: url }]);
  gateway = await startGateway({ zones: [], gateway: { source: api.store } });
  const zone = `/zones/${api.zone.id}`;
  const must = async (method: string, path: string, body: unknown): Promise<unknown> => {
    const { status, json } = await api.request(method, `${zone}${path}`, { body });
    expect([path, status]).toEqual([path, 200]);
    return json.result;
  };
  const operations = (await must("POST", "/api_gateway/operations", [
    { method: "GET", host: "shop.example", endpoint: "/cart/{id}" },
    { method: "GET", host: "shop.example", endpoint: "/cart/confirm" },
  ])) as readonly { operation_id: string }[];
  const [cart = "", confirm = ""] = operations.map(({ operation_id }) => operation_id.slice(0, 8));
  await must("PUT", "/fraud_detection/sequence_cookies", { enabled: true });
  await must("PUT", "/rulesets/phases/http_request_firewall_custom/entrypoint", {
    rules: [
      {
        ref: "confirm",
        action: "block",
        expression: `cf.sequence.current_op eq "${confirm}" and not any(cf.sequence.previous_ops[*] == "${cart}")`,
      },
      { ref: "path", action: "block", expression: 'http.request.uri.path eq "/~seen"' },
    ],
  });
});

afterAll(async () => {
  await gateway.close();
  await api.close();
  await new Promise((resolve) => {
    origin.close(resolve);
    origin.closeAllConnections();
  });
});

const ask = (path: string, cookie?: string): Promise<Reply> =>
  requestHttp1(gateway.port, { path, ...(cookie === undefined ? {} : { headers: { cookie } }) });

const SETTINGS = (["incoming", "both", "none"] as const).flatMap((scope) =>
  (["cloudflare", "rfc3986"] as const).map((type) => ({ scope, type })),
);

describe.each(SETTINGS)("scope $scope, type $type", (setting) => {
  beforeAll(async () => {
    await api.client.urlNormalization.update({ zone_id: api.zone.id, ...setting });
  });

  test.each([
    ["plainly", "/cart/confirm"],
    ["a letter encoded", "/cart/%63onfirm"],
    ["slashes doubled", "//cart//confirm"],
    ["slashes doubled and a letter encoded", "/cart//%63onfirm"],
    ["dot segments", "/cart/./confirm"],
    ["dot segments under a prefix that is served", "/legacy/../cart/confirm"],
    ["encoded dot segments", "/cart/x/%2e%2e/confirm"],
    ["an absolute-form target", "http://shop.example//cart/%63onfirm"],
    ["another case and a parameter", "/cart/CONFIRM;x=1"],
  ])("skipping the cart, %s, is blocked", async (_, path) => {
    const before = seen.length;
    expect((await ask(path)).status).toBe(403);
    expect(seen.length).toBe(before);
  });

  test.each([
    ["an operation that runs for a prefix", "/cart/confirm/../../nothing", "/nothing"],
    ["a page under a prefix", "/cart/confirm/%2e%2E/../nothing", "/nothing"],
  ])("hiding %s behind dot segments gets what the rules saw", async (_, path, forwarded) => {
    expect((await ask(path)).body).toBe("other");
    expect(seen.at(-1)).toBe(forwarded);
  });

  test("what is remembered as confirmed was run as that, not as the cart of an undecoded name", async () => {
    const { body, headers } = await ask("/cart/%37");
    expect(body).toBe("cart");
    const cookie = String(headers["set-cookie"]).split(";")[0] ?? "";
    expect((await ask("/cart/%63onfirm", cookie)).body).toBe("confirm");
  });
});

test.each([
  ["both", "cloudflare", 403, undefined],
  ["both", "rfc3986", 200, "//~seen"],
  ["incoming", "cloudflare", 403, undefined],
  ["none", "cloudflare", 200, "//%7Eseen"],
] as const)("rules on paths see what scope %s and type %s say", async (scope, type, status, forwarded) => {
  await api.client.urlNormalization.update({ zone_id: api.zone.id, scope, type });
  const before = seen.length;
  expect((await ask("//%7Eseen")).status).toBe(status);
  expect(seen.slice(before)).toEqual(forwarded === undefined ? [] : [forwarded]);
});

test("an application that signs its URLs gets them as they were sent, from the next request on", async () => {
  const signed = "/proxy/https://files.example/a%7Eb//c?sig=%41//x";
  await api.client.urlNormalization.update({ zone_id: api.zone.id, scope: "incoming", type: "cloudflare" });
  await ask(signed);
  expect(seen.at(-1)).toBe(signed);
  await api.client.urlNormalization.delete({ zone_id: api.zone.id });
  await ask(signed);
  expect(seen.at(-1)).toBe("/proxy/https:/files.example/a~b/c?sig=%41//x");
});
