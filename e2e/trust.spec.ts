/** The certificate is really trusted: nothing in these tests ignores a certificate error. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "@playwright/test";
import { readTestTools } from "../test/setup/tools.ts";
import { expect, test } from "./fixtures.ts";
import { launchOptionsFor } from "./support/browser.ts";
import { prepareHome } from "./support/trust.ts";

test("a browser that trusts the local CA opens the bank over HTTP/2", async ({ page, stepgate }) => {
  const response = await page.goto("/");
  expect(response?.status()).toBe(200);
  await expect(page.getByRole("heading", { name: "Your accounts" })).toBeVisible();
  expect(await page.evaluate(() => globalThis.isSecureContext)).toBe(true);
  const protocol = await page.evaluate(
    () => performance.getEntriesByType("navigation")[0]?.toJSON().nextHopProtocol,
  );
  expect(protocol).toBe("h2");
  const { hostname, port } = new URL(stepgate.gatewayUrl);
  expect(hostname).toBe("localhost");
  // The leaf is for the address too; no zone answers there, which is another matter.
  const byAddress = await page.goto(`https://127.0.0.1:${port}/`);
  expect(byAddress?.status()).toBe(421);
});

test("a browser that does not trust it refuses", async ({ stepgate }) => {
  const home = await mkdtemp(join(tmpdir(), "stepgate-e2e-"));
  await prepareHome(home, readTestTools().certutil);
  const browser = await chromium.launch(launchOptionsFor(home));
  try {
    const page = await browser.newPage();
    await expect(page.goto(stepgate.gatewayUrl)).rejects.toThrow(/ERR_CERT_AUTHORITY_INVALID/);
  } finally {
    await browser.close();
    await rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
});
