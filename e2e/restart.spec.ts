/** What was configured and what a visitor did survive the end of the process, however sudden. */
import { expect, test } from "./fixtures.ts";
import { createApiClient } from "./support/api.ts";
import { startStepgateProcess } from "./support/process.ts";
import { needsAllBefore } from "./support/rules.ts";
import { BALANCE, callFrom, TRANSFER } from "./support/visitor.ts";

test("a rule and a sequence outlive kill -9", async ({ page, dataDir, certsDir }) => {
  let stepgate = await startStepgateProcess({ dataDir, certsDir });
  try {
    const api = await createApiClient(stepgate);
    const saved = await api.bankOperations();
    await api.setSequenceCookies(true);
    await api.setCustomRules([needsAllBefore(saved.transfer.shortId, [saved.balance.shortId])]);
    await api.close();
    await page.goto(`${stepgate.gatewayUrl}/not-found.html`);
    await callFrom(page, BALANCE);
    await stepgate.kill();

    stepgate = await startStepgateProcess({ dataDir, certsDir });
    const again = await createApiClient(stepgate);
    expect(await again.bankOperations()).toEqual(saved);
    await again.close();
    // Another port, the same host: the browser sends the same cookies.
    await page.goto(`${stepgate.gatewayUrl}/not-found.html`);
    expect((await callFrom(page, TRANSFER)).status).toBe(200);
    await page.context().clearCookies();
    expect((await callFrom(page, TRANSFER)).status).toBe(403);
  } finally {
    expect(await stepgate.stop()).toBe(0);
  }
});
