/** The control plane in a browser: its reference page, and what a page of another site can do to it. */
import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { RequestListener, Server } from "node:http";
import type { AddressInfo } from "node:net";
import { chromium, expect, test } from "@playwright/test";
import type { Browser, Page } from "@playwright/test";
import { createApi } from "../src/api/index.ts";
import { openStore } from "../src/store/index.ts";
import type { Store } from "../src/store/index.ts";
import { readTestTools } from "../test/setup/tools.ts";

let browser: Browser;
let store: Store;
let api: Server;
let evil: Server;
let token: string;

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

function listen(handler: RequestListener): Promise<Server> {
  const server = createServer(handler);
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

test.beforeAll(async () => {
  store = openStore({ path: ":memory:", now: Date.now, random: (lengthBytes) => randomBytes(lengthBytes) });
  store.ensureZones([{ name: "shop.example", hosts: ["shop.example"], origin: "http://127.0.0.1:9" }]);
  token = store.ensureAdminToken() ?? "";
  api = await listen(createApi({ store, now: Date.now }).handler);
  evil = await listen((_, response) => response.end("<!doctype html><title>another site</title>"));
  browser = await chromium.launch({
    executablePath: readTestTools().chromium,
    args: ["--no-sandbox", `--host-resolver-rules=MAP rebound.example 127.0.0.1`],
  });
});

test.afterAll(async () => {
  await browser.close();
  for (const server of [api, evil]) server.closeAllConnections();
  api.close();
  evil.close();
  store.close();
});

test("the reference page shows every path, asks no other host, and breaks no policy", async () => {
  const page = await browser.newPage();
  const hosts = new Set<string>();
  const problems: string[] = [];
  page.on("request", (request) => hosts.add(new URL(request.url()).host));
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  page.on("pageerror", (error) => problems.push(error.message));
  await page.goto(`http://127.0.0.1:${portOf(api)}/docs`);
  await expect(page.getByRole("heading", { name: /Stepgate/ })).toBeVisible();
  const paths = await operationsByTag(page);
  for (const [tag, operations] of paths) {
    const section = page.locator(".opblock-tag-section", { has: page.locator(`[data-tag="${tag}"]`) });
    await section.locator(".opblock-tag").click();
    await expect(section.locator(".opblock")).toHaveCount(operations);
    await section.locator(".opblock-tag").click();
  }
  expect(paths.size).toBeGreaterThan(10);
  await page.locator('[data-tag="rulesets"]').click();
  await page
    .locator(".opblock-summary", { hasText: "/zones/{zone_id}/rulesets/phases/{phase}/entrypoint" })
    .first()
    .click();
  await expect(page.locator(".opblock.is-open")).toBeVisible();
  expect([...hosts].filter((host) => host !== "" && host !== `127.0.0.1:${portOf(api)}`)).toEqual([]);
  expect(problems).toEqual([]);
  await page.close();
});

/** How many operations the API's own document has under each tag. */
async function operationsByTag(page: Page): Promise<ReadonlyMap<string, number>> {
  const response = await page.request.get(`http://127.0.0.1:${portOf(api)}/openapi.json`);
  const { paths } = (await response.json()) as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly tags?: readonly string[] }>>>>;
  };
  const counts = new Map<string, number>();
  for (const { tags = [] } of Object.values(paths).flatMap((path) => Object.values(path)))
    for (const tag of tags) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  return counts;
}

test("a page of another site can neither read nor write, even with the token in its hands", async () => {
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${portOf(evil)}/`);
  const zone = store.all("zones")[0]?.id ?? "";
  const url = `http://127.0.0.1:${portOf(api)}/client/v4/zones/${zone}/fraud_detection/sequence_cookies`;
  const outcomes = await page.evaluate(
    async ([address, secret]) => {
      const attempt = (init: RequestInit): Promise<string> =>
        fetch(address as string, init).then(
          (response) => response.type,
          () => "refused",
        );
      const body = '{"enabled":true}';
      return [
        await attempt({ headers: { authorization: `Bearer ${secret}` } }),
        await attempt({ method: "PUT", headers: { authorization: `Bearer ${secret}` }, body }),
        await attempt({ method: "POST", body, credentials: "include", mode: "no-cors" }),
        await attempt({ credentials: "include" }),
      ];
    },
    [url, token],
  );
  expect(outcomes).toEqual(["refused", "refused", "opaque", "refused"]);
  expect(store.all("zones")[0]?.settings.sequenceCookies.enabled).toBe(false);
  await page.close();
});

test("a name of another site that is pointed here (DNS rebinding) is not answered", async () => {
  const page = await browser.newPage();
  const response = await page.goto(`http://rebound.example:${portOf(api)}/docs`);
  expect(response?.status()).toBe(421);
  const status = await page.evaluate(
    async (secret) =>
      (await fetch("/client/v4/zones", { headers: { authorization: `Bearer ${secret}` } })).status,
    token,
  );
  expect(status).toBe(421);
  await page.close();
});
