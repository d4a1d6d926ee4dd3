/** Journey f: what is older than an hour, and the eleventh, are gone. The gateway's clock is the test's. */
import { join } from "node:path";
import { parseConfig } from "../src/cli/config.ts";
import { startStepgate } from "../src/cli/start.ts";
import { expect, test as base } from "./fixtures.ts";
import { createApiClient } from "./support/api.ts";
import type { ApiClient } from "./support/api.ts";
import { needsAllBefore } from "./support/rules.ts";
import { ACCOUNTS, BALANCE, callFrom, PROFILE, TRANSFER } from "./support/visitor.ts";

interface Clocked {
  readonly url: string;
  readonly api: ApiClient;
  /** Moves the gateway's clock forward; the browser's stays as it is. */
  advance(ms: number): void;
}

const test = base.extend<{ clocked: Clocked }>({
  clocked: async ({ dataDir, certsDir }, use) => {
    let offsetMs = 0;
    const stepgate = await startStepgate({
      config: parseConfig(
        {
          gateway: { port: 0, hostname: "127.0.0.1" },
          api: { port: 0 },
          dataDir,
          certsDir,
          log: { level: "silent" },
        },
        "test",
      ),
      now: () => Date.now() + offsetMs,
    });
    const api = await createApiClient({
      apiUrl: stepgate.apiUrl,
      tokenFile: stepgate.tokenFile,
      caFile: join(certsDir, "ca.crt"),
    });
    await use({
      url: `https://localhost:${stepgate.gatewayPort}`,
      api,
      advance: (ms) => {
        offsetMs += ms;
      },
    });
    await api.close();
    await stepgate.close(0);
  },
});

test.beforeEach(async ({ clocked: { api, url }, page }) => {
  const { transfer, balance } = await api.bankOperations();
  await api.setSequenceCookies(true);
  await api.setCustomRules([needsAllBefore(transfer.shortId, [balance.shortId])]);
  await page.goto(`${url}/not-found.html`);
});

const MINUTE_MS = 60_000;

const others = (count: number) =>
  Array.from({ length: count }, (_, index) => (index % 2 === 0 ? ACCOUNTS : PROFILE));

test("an operation is remembered for an hour, and no longer", async ({ page, context, clocked }) => {
  await callFrom(page, BALANCE);
  clocked.advance(59 * MINUTE_MS);
  expect((await callFrom(page, TRANSFER)).status).toBe(200);
  clocked.advance(2 * MINUTE_MS);
  // The transfer in between kept the cookie alive, but not the look at the balance an hour ago.
  expect((await callFrom(page, TRANSFER)).status).toBe(403);
  await callFrom(page, BALANCE);
  expect((await callFrom(page, TRANSFER)).status).toBe(200);

  await context.clearCookies();
  await callFrom(page, BALANCE);
  clocked.advance(61 * MINUTE_MS);
  expect((await callFrom(page, TRANSFER)).status).toBe(403);
});

test("an operation is among the last ten, and not the eleventh", async ({ page, clocked }) => {
  await callFrom(page, BALANCE);
  for (const call of others(9)) await callFrom(page, call);
  expect((await callFrom(page, TRANSFER)).status).toBe(200);
  // That transfer was the tenth after the look: the look is the eleventh now.
  expect((await callFrom(page, TRANSFER)).status).toBe(403);
  clocked.advance(1_000);
  await callFrom(page, BALANCE);
  for (const call of others(10)) await callFrom(page, call);
  expect((await callFrom(page, TRANSFER)).status).toBe(403);
});

test("a sequence goes on through three hours, each with a key of its own", async ({ page, clocked }) => {
  for (let step = 0; step < 9; step += 1) {
    await callFrom(page, BALANCE);
    clocked.advance(20 * MINUTE_MS);
    expect([step, (await callFrom(page, TRANSFER)).status]).toEqual([step, 200]);
  }
});
