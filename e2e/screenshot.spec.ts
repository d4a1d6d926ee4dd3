/** The picture of the demo in the README, made by the run itself. */
import { stat } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "./fixtures.ts";
import { needsAllBefore } from "./support/rules.ts";

/** The committed picture is rewritten only when asked for, so that a run leaves the tree as it was. */
const isWanted = process.env["STEPGATE_SCREENSHOT"] === "1";
const COMMITTED = fileURLToPath(new URL("demo.png", import.meta.url));
const MAX_BYTES = 300_000;

test("the demo, with a transfer refused and the same transfer passed", async ({
  page,
  api,
  operations,
}, testInfo) => {
  const transferAndSee = async (outcome: "ok" | "refused"): Promise<void> => {
    await page.getByTestId("transfer-submit").click();
    await expect(page.getByTestId("call").first()).toHaveAttribute("data-outcome", outcome);
    await expect(page.getByTestId("transfer-result").locator("[data-outcome]")).toHaveAttribute(
      "data-outcome",
      outcome,
    );
  };
  await page.goto("/");
  await transferAndSee("ok");
  await api.setSequenceCookies(true);
  await api.setCustomRules([needsAllBefore(operations.transfer.shortId, [operations.balance.shortId])]);
  await transferAndSee("refused");
  await page.getByTestId("show-balance-40021001").click();
  await expect(page.getByTestId("balance-40021001")).toContainText("€");
  await transferAndSee("ok");
  await page.mouse.move(0, 0);

  const path = isWanted ? COMMITTED : testInfo.outputPath("demo.png");
  await page.screenshot({ path, animations: "disabled" });
  expect((await stat(path)).size).toBeLessThan(MAX_BYTES);
});
