/** Journey d: first visits, tabs, reload and back. */
import { expect, test } from "./fixtures.ts";
import { needsAllBefore } from "./support/rules.ts";
import { ACCOUNTS, BALANCE, callAtOnce, callFrom, PROFILE, TRANSFER } from "./support/visitor.ts";
import type { PageCall } from "./support/visitor.ts";

/** Six operations beside the transfer: three of the bank's own, and three that a test saves. */
const SAVED: readonly PageCall[] = [
  { path: "/api/v1/accounts/40021002/balance" },
  { path: "/api/v1/users/jonas/profile" },
  { path: "/bank.css" },
];
const SIX: readonly PageCall[] = [ACCOUNTS, BALANCE, PROFILE, ...SAVED];

const ROUNDS = 25;

test.describe("with a transfer that needs six operations before it", () => {
  test.beforeEach(async ({ api, operations }) => {
    const saved = [];
    for (const { path } of SAVED) saved.push(await api.saveOperation("GET", path));
    const { accounts, balance, profile, transfer } = operations;
    await api.setSequenceCookies(true);
    await api.setCustomRules([
      needsAllBefore(
        transfer.shortId,
        [accounts, balance, profile, ...saved].map(({ shortId }) => shortId),
      ),
    ]);
  });

  test("a first visit with six parallel requests keeps all six", async ({ page, context }) => {
    await page.goto("/not-found.html");
    expect((await callFrom(page, TRANSFER)).status).toBe(403);
    for (let round = 0; round < ROUNDS; round += 1) {
      await context.clearCookies();
      await callAtOnce(page, SIX);
      expect([round, (await callFrom(page, TRANSFER)).status]).toEqual([round, 200]);
    }
  });

  test("two tabs at once keep what each of them did", async ({ page, context }) => {
    const other = await context.newPage();
    await page.goto("/not-found.html");
    await other.goto("/not-found.html");
    expect((await callFrom(other, TRANSFER)).status).toBe(403);
    for (let round = 0; round < ROUNDS; round += 1) {
      await context.clearCookies();
      await Promise.all([callAtOnce(page, SIX.slice(0, 3)), callAtOnce(other, SIX.slice(3))]);
      const tab = round % 2 === 0 ? page : other;
      expect([round, (await callFrom(tab, TRANSFER)).status]).toEqual([round, 200]);
    }
  });
});

test("a look in one tab counts in another, not in another person's browser", async ({
  page,
  context,
  browser,
  api,
  operations,
}) => {
  await api.setSequenceCookies(true);
  await api.setCustomRules([needsAllBefore(operations.transfer.shortId, [operations.balance.shortId])]);
  const other = await context.newPage();
  const stranger = await (await browser.newContext()).newPage();
  for (const tab of [page, other, stranger]) await tab.goto("/");
  await page.getByTestId("show-balance-40021002").click();
  await expect(page.getByTestId("balance-40021002")).toContainText("€");
  for (const [tab, outcome] of [
    [other, "ok"],
    [stranger, "refused"],
  ] as const) {
    await tab.getByTestId("transfer-submit").click();
    await expect(tab.getByTestId("transfer-result").locator("[data-outcome]")).toHaveAttribute(
      "data-outcome",
      outcome,
    );
  }
});

test("a reload and the way back change nothing about what was done", async ({ page, api, operations }) => {
  await api.setSequenceCookies(true);
  await api.setCustomRules([needsAllBefore(operations.transfer.shortId, [operations.balance.shortId])]);
  const result = page.getByTestId("transfer-result").locator("[data-outcome]");
  await page.goto("/");
  await page.reload();
  await page.getByTestId("transfer-submit").click();
  await expect(result).toHaveAttribute("data-outcome", "refused");

  await page.getByTestId("show-balance-40021001").click();
  await expect(page.getByTestId("balance-40021001")).toContainText("€");
  await page.reload();
  await page.getByTestId("transfer-submit").click();
  await expect(result).toHaveAttribute("data-outcome", "ok");

  await page.goto("/not-found.html");
  await page.goBack();
  await expect(page.getByTestId("show-balance-40021001")).toBeVisible();
  await page.getByTestId("transfer-submit").click();
  await expect(result).toHaveAttribute("data-outcome", "ok");
});
