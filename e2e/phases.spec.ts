/** Journeys through every phase and action: what a visitor's browser, a program and the application see. */
import { readFile } from "node:fs/promises";
import { Agent, request } from "undici";
import { expect, test as base } from "./fixtures.ts";
import type { ApiClient } from "./support/api.ts";
import { startStepgateProcess } from "./support/process.ts";
import type { StepgateProcess } from "./support/process.ts";
import { isCurrent, wasBefore } from "./support/rules.ts";
import { startShop } from "./support/shop.ts";
import type { Shop } from "./support/shop.ts";

interface Fixtures {
  shop: Shop;
  rules: RuleWriter;
}

/** Writes entry points, of the zone or of its account. */
interface RuleWriter {
  readonly accountId: string;
  zone(phase: string, rules: readonly object[], members?: object): Promise<void>;
  account(phase: string, rules: readonly object[]): Promise<void>;
}

type Row = Readonly<Record<string, unknown>>;

const must = async (api: ApiClient, ...call: readonly [method: string, path: string, body?: unknown]) => {
  const { status, body } = await api.send(...call);
  expect([call[0], call[1], status, body.errors]).toEqual([call[0], call[1], 200, []]);
  return body.result;
};

/** A short difficulty: the journeys are about the way, not about the work. */
const CHALLENGE = { difficultyBits: 8, clearanceSeconds: 3 };

const test = base.extend<Fixtures>({
  // oxlint-disable-next-line no-empty-pattern -- Playwright reads the fixtures that are asked for from the pattern
  shop: async ({}, use) => {
    const shop = await startShop();
    await use(shop);
    await shop.close();
  },
  stepgate: async ({ dataDir, certsDir, shop }, use, testInfo) => {
    const zones = [{ name: "localhost", origin: shop.url }];
    const config = { zones, challenge: CHALLENGE };
    const stepgate: StepgateProcess = await startStepgateProcess({ dataDir, certsDir, config });
    try {
      await use(stepgate);
    } finally {
      await stepgate.stop();
      if (testInfo.status !== testInfo.expectedStatus) {
        await testInfo.attach("stepgate", { body: stepgate.output(), contentType: "text/plain" });
      }
    }
  },
  rules: async ({ api }, use) => {
    await api.setSequenceCookies(true);
    const [account] = (await must(api, "GET", "/accounts")) as readonly Row[];
    const accountId = String(account?.["id"]);
    const put = async (level: string, phase: string, body: object): Promise<void> => {
      await must(api, "PUT", `/${level}/rulesets/phases/${phase}/entrypoint`, body);
    };
    await use({
      accountId,
      zone: (phase, rules, members = {}) => put(`zones/${api.zoneId}`, phase, { rules, ...members }),
      account: (phase, rules) => put(`accounts/${accountId}`, phase, { rules }),
    });
  },
});

const eventsOf = async (api: ApiClient): Promise<readonly Row[]> =>
  (await must(api, "GET", `/zones/${api.zoneId}/stepgate/events`)) as readonly Row[];

/** A program without a browser, which trusts the installation's CA. */
async function callAsProgram(stepgate: StepgateProcess, path: string) {
  const dispatcher = new Agent({ connect: { ca: await readFile(stepgate.caFile, "utf8") } });
  try {
    const { statusCode, headers, body } = await request(`${stepgate.gatewayUrl}${path}`, { dispatcher });
    return { status: statusCode, headers, text: await body.text() };
  } finally {
    await dispatcher.destroy();
  }
}

test("who skips the cart is sent to it, and can check out from there", async ({
  page,
  api,
  rules,
  shop,
  stepgate,
}) => {
  const cart = await api.saveOperation("GET", "/cart");
  const checkout = await api.saveOperation("GET", "/checkout");
  const list = (await must(api, "POST", `/accounts/${rules.accountId}/rules/lists`, {
    name: "starts",
    kind: "redirect",
  })) as Row;
  const { host } = new URL(stepgate.gatewayUrl);
  await must(api, "POST", `/accounts/${rules.accountId}/rules/lists/${String(list["id"])}/items`, [
    { redirect: { source_url: "localhost/checkout", target_url: `https://${host}/cart`, status_code: 302 } },
  ]);
  await rules.account("http_request_redirect", [
    {
      description: "checkout begins with the cart",
      expression: `http.request.full_uri in $starts and ${isCurrent(checkout.shortId)} and not ${wasBefore(cart.shortId)}`,
      action: "redirect",
      action_parameters: { from_list: { name: "starts", key: "http.request.full_uri" } },
    },
  ]);
  await page.goto("/checkout");
  await expect(page).toHaveURL(/\/cart$/);
  await page.getByRole("link", { name: "Check out" }).click();
  await expect(page.getByRole("heading")).toHaveText("Checkout");
  expect(shop.seen.filter(({ path }) => path === "/checkout")).toHaveLength(1);
  const [event] = await eventsOf(api);
  expect(event).toMatchObject({
    action: "redirect",
    status: 302,
    detail: `https://${host}/cart`,
    current_op: checkout.shortId,
    missing: [{ op: cart.shortId }],
  });
});

test("the application learns the sequence in a header that no visitor can forge", async ({
  page,
  api,
  rules,
  shop,
}) => {
  const cart = await api.saveOperation("GET", "/cart");
  const checkout = await api.saveOperation("GET", "/checkout");
  await rules.zone("http_request_late_transform", [
    {
      expression: "true",
      action: "rewrite",
      action_parameters: {
        headers: {
          "X-Current-Op": { operation: "set", expression: "cf.sequence.current_op" },
          "X-Previous-Ops": { operation: "set", expression: 'join(cf.sequence.previous_ops, ",")' },
        },
      },
    },
  ]);
  await page.setExtraHTTPHeaders({ "X-Previous-Ops": "forged", "X-Current-Op": "forged" });
  await page.goto("/cart");
  await page.goto("/checkout");
  await page.goto("/");
  const told = shop.seen
    .filter(({ path }) => path !== "/favicon.ico")
    .map(({ path, headers }) => [path, headers["x-current-op"], headers["x-previous-ops"]]);
  expect(told).toEqual([
    ["/cart", cart.shortId, undefined],
    ["/checkout", checkout.shortId, cart.shortId],
    ["/", undefined, `${checkout.shortId},${cart.shortId}`],
  ]);
});

test("response headers are set, added and removed before the browser sees them", async ({ page, rules }) => {
  await rules.zone("http_response_headers_transform", [
    {
      expression: 'http.response.content_type.media_type eq "text/html"',
      action: "rewrite",
      action_parameters: {
        headers: {
          "X-Frame-Options": { operation: "set", value: "DENY" },
          "X-Status": { operation: "set", expression: "to_string(http.response.code)" },
          "X-Powered-By": { operation: "remove" },
        },
      },
    },
  ]);
  const answer = await page.goto("/nothing-here");
  expect(answer?.headers()).toMatchObject({ "x-frame-options": "DENY", "x-status": "404" });
  expect(answer?.headers()).not.toHaveProperty("x-powered-by");
});

test("too many requests: 429 with Retry-After, and after that time it goes on", async ({
  page,
  rules,
  api,
}) => {
  await rules.zone("http_ratelimit", [
    {
      ref: "cart-limit",
      expression: 'http.request.uri.path eq "/cart"',
      action: "block",
      ratelimit: {
        characteristics: ["ip.src", "cf.colo.id"],
        // Long enough for two page loads on a busy machine, short enough to wait for its end.
        period: 5,
        requests_per_period: 1,
        mitigation_timeout: 0,
      },
    },
  ]);
  await page.goto("/");
  expect((await page.goto("/cart"))?.status()).toBe(200);
  const limited = await page.goto("/cart");
  expect(limited?.status()).toBe(429);
  await expect(page.getByRole("heading")).toHaveText("Too many requests");
  const headers = limited?.headers() ?? {};
  expect(headers["ratelimit"]).toMatch(/^"cart-limit";r=0;t=[1-5]$/);
  await page.waitForTimeout(Number(headers["retry-after"]) * 1_000);
  expect((await page.goto("/cart"))?.status()).toBe(200);
  expect(await eventsOf(api)).toMatchObject([{ action: "block", phase: "http_ratelimit", status: 429 }]);
});

test("a limit counts per sequence: one visitor's burst does not lock out another of the same address", async ({
  browser,
  rules,
  api,
  baseURL,
}) => {
  await api.saveOperation("GET", "/cart");
  await rules.zone("http_ratelimit", [
    {
      expression: 'http.request.uri.path eq "/checkout"',
      action: "block",
      ratelimit: {
        characteristics: ["cf.sequence.id", "cf.colo.id"],
        period: 60,
        requests_per_period: 1,
        mitigation_timeout: 0,
      },
    },
  ]);
  const visitor = async () => (await browser.newContext({ baseURL: baseURL ?? "" })).newPage();
  const [first, second] = [await visitor(), await visitor()];
  for (const page of [first, second]) await page.goto("/cart");
  expect((await first.goto("/checkout"))?.status()).toBe(200);
  expect((await first.goto("/checkout"))?.status()).toBe(429);
  expect((await second.goto("/checkout"))?.status()).toBe(200);
});

test("a challenge: a browser passes it without help, a program does not", async ({
  page,
  rules,
  api,
  stepgate,
  shop,
}) => {
  await rules.zone("http_request_firewall_custom", [
    { expression: 'http.request.uri.path eq "/cart"', action: "managed_challenge" },
  ]);
  const program = await callAsProgram(stepgate, "/cart");
  expect([program.status, program.headers["stepgate-mitigated"]]).toEqual([403, "challenge"]);
  expect(program.text).toContain("Checking your browser");

  const problems: string[] = [];
  page.on("console", (message) => {
    if (/content security policy|refused/i.test(message.text())) problems.push(message.text());
  });
  page.on("pageerror", (error) => problems.push(error.message));
  const shown = await page.goto("/cart");
  expect(shown?.status()).toBe(403);
  await expect(page.getByRole("heading", { name: "Cart" })).toBeVisible({ timeout: 30_000 });
  expect(problems).toEqual([]);
  expect(shop.seen.filter(({ path }) => path === "/cart")).toHaveLength(1);
  // The clearance is nobody's business but ours.
  expect(shop.seen.every(({ headers }) => !(headers.cookie ?? "").includes("clearance"))).toBe(true);
  expect((await page.goto("/cart"))?.status()).toBe(200);
  await page.waitForTimeout(CHALLENGE.clearanceSeconds * 1_000);
  expect((await page.goto("/cart"))?.status()).toBe(403);
  const outcomes = (await eventsOf(api)).map(({ outcome }) => outcome);
  expect(outcomes.filter((outcome) => outcome === "solved").length).toBeGreaterThanOrEqual(1);
});

test("a challenge tells people with screen readers how far it is, and works with the keyboard alone", async ({
  page,
  rules,
  context,
}) => {
  await rules.zone("http_request_firewall_custom", [
    { expression: 'http.request.uri.path eq "/pay"', action: "managed_challenge" },
  ]);
  await page.goto("/checkout");
  await page.getByRole("button", { name: "Pay" }).click();
  // A form is not sent again behind the visitor's back.
  const again = page.getByRole("button", { name: "Load the page again" });
  await expect(again).toBeFocused({ timeout: 30_000 });
  await expect(page.getByRole("status")).toHaveText(
    "Done. What you sent has not arrived yet: send it again.",
  );
  await expect(page.getByRole("progressbar", { name: "Progress of the check" })).toHaveAttribute(
    "value",
    "16",
  );
  expect((await context.cookies()).map(({ name }) => name)).toContain("__Host-sg_clearance");
  await page.goto("/checkout");
  await page.getByRole("button", { name: "Pay" }).press("Enter");
  await expect(page.getByRole("heading")).toHaveText("Paid");
});

test("without JavaScript the challenge says what to do", async ({ browser, rules, baseURL }) => {
  await rules.zone("http_request_firewall_custom", [{ expression: "true", action: "js_challenge" }]);
  const context = await browser.newContext({ javaScriptEnabled: false, baseURL: baseURL ?? "" });
  const page = await context.newPage();
  await page.goto("/cart");
  // Text locators leave out what stands in a noscript element, also where it is rendered.
  await expect(page.locator("noscript p")).toBeVisible();
  await expect(page.locator("noscript p")).toContainText("The check needs JavaScript.");
  await context.close();
});

test("block with a response of the operator's own; log goes on; skip leaves the rest out", async ({
  page,
  rules,
  api,
}) => {
  await rules.zone("http_request_firewall_custom", [
    { ref: "seen", expression: 'http.request.uri.path in {"/cart" "/checkout"}', action: "log" },
    {
      ref: "staff",
      expression: 'http.request.uri.query eq "staff"',
      action: "skip",
      action_parameters: { ruleset: "current" },
    },
    {
      ref: "closed",
      expression: 'http.request.uri.path eq "/checkout"',
      action: "block",
      action_parameters: {
        response: { status_code: 451, content_type: "text/html", content: "<h1>Closed today</h1>" },
      },
    },
  ]);
  expect((await page.goto("/cart"))?.status()).toBe(200);
  expect((await page.goto("/checkout"))?.status()).toBe(451);
  await expect(page.getByRole("heading")).toHaveText("Closed today");
  expect((await page.goto("/checkout?staff"))?.status()).toBe(200);
  const fired = (await eventsOf(api)).map(({ rule_ref: ref, status }) => [ref, status]);
  expect(fired.toReversed()).toEqual([
    ["seen", 200],
    ["seen", 451],
    ["closed", 451],
    ["seen", 200],
    ["staff", 200],
  ]);
});

test("a single redirect keeps what the visitor asked for", async ({ page, rules }) => {
  await rules.zone("http_request_dynamic_redirect", [
    {
      expression: 'starts_with(http.request.uri.path, "/old/")',
      action: "redirect",
      action_parameters: {
        from_value: {
          target_url: { expression: 'regex_replace(http.request.uri.path, "^/old", "")' },
          status_code: 302,
          preserve_query_string: true,
        },
      },
    },
  ]);
  await page.goto("/old/cart?color=blue");
  await expect(page).toHaveURL(/\/cart\?color=blue$/);
  await expect(page.getByRole("heading")).toHaveText("Cart");
});

test("a ruleset on trial says what it would do, and does it when it is in force", async ({
  page,
  api,
  rules,
}) => {
  const cart = await api.saveOperation("GET", "/cart");
  const checkout = await api.saveOperation("GET", "/checkout");
  const guard = {
    expression: `${isCurrent(checkout.shortId)} and not ${wasBefore(cart.shortId)}`,
    action: "block",
  };
  await rules.zone("http_request_firewall_custom", [guard], { simulate: true });
  expect((await page.goto("/checkout"))?.status()).toBe(200);
  const [trial] = await eventsOf(api);
  expect(trial).toMatchObject({
    outcome: "simulated",
    would_be_status: 403,
    status: 200,
    missing: [{ op: cart.shortId }],
  });
  await rules.zone("http_request_firewall_custom", [guard], { simulate: false });
  const blocked = await page.goto("/checkout");
  expect(blocked?.status()).toBe(403);
  // Whoever asks why finds the answer by the number on the page.
  const rayId = await page.locator("#ray-id").textContent();
  const [event] = (await must(api, "GET", `/zones/${api.zoneId}/stepgate/events/${rayId}`)) as readonly Row[];
  expect(event).toMatchObject({
    outcome: "applied",
    status: 403,
    ray_id: blocked?.headers()["stepgate-ray"],
  });
});
