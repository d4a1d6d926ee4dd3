/** The main job, as a person does it on the bank's page. */
import { expect, test } from "./fixtures.ts";
import { needsAllBefore } from "./support/rules.ts";

const RAY_ID = /^[0-9a-f]{16}$/;

test("a transfer without a look at the balance is refused, and the same transfer after it passes", async ({
  page,
  api,
  operations,
  stepgate,
}) => {
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") problems.push(message.text());
  });
  const call = page.getByTestId("call").first();
  const result = page.getByTestId("transfer-result").locator("[data-outcome]");
  const everyday = page.getByTestId("balance-40021001");
  const look = page.getByTestId("show-balance-40021001");

  // Nothing guards the order yet: the transfer goes through.
  await page.goto("/");
  await page.getByTestId("transfer-submit").click();
  await expect(result).toHaveAttribute("data-outcome", "ok");
  await expect(page.getByTestId("guide-1")).toHaveAttribute("data-done", "");
  expect(problems).toEqual([]);

  // Both PUTs, as the terminal suggests them.
  await api.setSequenceCookies(true);
  await api.setCustomRules([needsAllBefore(operations.transfer.shortId, [operations.balance.shortId])]);

  await page.getByTestId("transfer-submit").click();
  await expect(result).toHaveAttribute("data-outcome", "refused");
  await expect(result).toContainText("Refused by Stepgate");
  await expect(call).toHaveAttribute("data-outcome", "refused");
  await expect(call.getByTestId("call-status")).toHaveText("403");
  const rayId = (await page.getByTestId("transfer-ray").textContent()) ?? "";
  expect(rayId).toMatch(RAY_ID);
  await expect(call.getByTestId("call-ray")).toHaveText(rayId);
  await expect(page.getByTestId("guide-2")).toHaveAttribute("data-done", "");
  // The browser itself reports the 403, and nothing else is wrong.
  expect(problems).toEqual([expect.stringContaining("403")]);

  // The decision is an event in the log, found by the ray id that the person saw.
  const line = stepgate
    .output()
    .split("\n")
    .find((text) => text.startsWith("{") && text.includes(rayId));
  expect(line, "an event with the ray id").toBeDefined();
  expect(line).toContain("needs all before");
  expect(line).toContain(operations.transfer.shortId);

  // Only the first transfer happened.
  await look.click();
  await expect(everyday).toHaveText("€2,455.75");

  await page.getByTestId("transfer-submit").click();
  await expect(result).toHaveAttribute("data-outcome", "ok");
  await expect(page.getByTestId("guide-3")).toHaveAttribute("data-done", "");
  await look.click();
  await expect(everyday).toHaveText("€2,430.75");
});

test("the bank's own refusals are not taken for Stepgate's", async ({ page }) => {
  await page.goto("/");
  await page.getByTestId("transfer-amount").fill("9999.99");
  await page.getByTestId("transfer-submit").click();
  const result = page.getByTestId("transfer-result").locator("[data-outcome]");
  await expect(result).toHaveAttribute("data-outcome", "declined");
  await expect(result).toContainText("Insufficient funds");
  await expect(page.getByTestId("call").first()).toHaveAttribute("data-status", "422");
});

test("an amount that is none is said at the field, and nothing is called", async ({ page }) => {
  await page.goto("/");
  await expect(page.getByTestId("show-balance-40021001")).toBeVisible();
  const calls = await page.getByTestId("call").count();
  await page.getByTestId("transfer-amount").fill("ten");
  await page.getByTestId("transfer-amount").press("Enter");
  await expect(page.getByTestId("transfer-amount-error")).toContainText("at most two decimals");
  await expect(page.getByTestId("transfer-amount")).toBeFocused();
  expect(await page.getByTestId("call").count()).toBe(calls);
});

test("a refusal with a page and a status of the operator's own is known as Stepgate's too", async ({
  page,
  api,
  operations,
}) => {
  await api.setSequenceCookies(true);
  await api.setCustomRules([
    {
      ...needsAllBefore(operations.transfer.shortId, [operations.balance.shortId]),
      action_parameters: {
        response: {
          status_code: 418,
          content_type: "text/html",
          content: "<!doctype html><title>Look first</title><h1>Look at the balance first</h1>",
        },
      },
    },
  ]);
  await page.goto("/");
  await page.getByTestId("transfer-submit").click();
  const call = page.getByTestId("call").first();
  await expect(call).toHaveAttribute("data-outcome", "refused");
  await expect(call).toHaveAttribute("data-status", "418");
  await expect(call.getByTestId("call-ray")).toHaveText(RAY_ID);
  await call.locator("summary").click();
  await expect(call).toContainText("HTML page: Look first");
});

test("a person who opens a guarded address sees a page with the ray id", async ({
  page,
  api,
  operations,
}) => {
  await api.setSequenceCookies(true);
  await api.setCustomRules([needsAllBefore(operations.profile.shortId, [operations.accounts.shortId])]);
  const refused = await page.goto("/api/v1/users/mara/profile");
  expect(refused?.status()).toBe(403);
  await expect(page.getByRole("heading", { name: "Request blocked" })).toBeVisible();
  await expect(page.locator("#ray-id")).toHaveText((await refused?.headerValue("stepgate-ray")) ?? "none");
  await page.goto("/api/v1/users/mara/accounts");
  expect((await page.goto("/api/v1/users/mara/profile"))?.status()).toBe(200);
});

test("the page is whole with the keyboard alone", async ({ page }) => {
  await page.goto("/");
  await expect(page.getByTestId("show-balance-40021001")).toBeVisible();
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to your accounts" })).toBeFocused();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("profile")).toContainText("mara@harbour.example");
  await page.keyboard.press("Escape");
  await expect(page.getByTestId("profile")).toBeHidden();
  await expect(page.getByTestId("profile-button")).toBeFocused();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("balance-40021001")).toHaveText("€2,480.75");
});
