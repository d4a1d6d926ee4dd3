import { join } from "node:path";
import { defineConfig } from "@playwright/test";
import type { ReporterDescription } from "@playwright/test";

/** A folder for machine-readable results, given by CI. */
const reportDir = process.env["STEPGATE_REPORT_DIR"];
const reports: ReporterDescription[] =
  reportDir === undefined ? [] : [["json", { outputFile: join(reportDir, "playwright.json") }]];

export default defineConfig({
  testDir: ".",
  outputDir: "../test-results",
  timeout: 60_000,
  // Every test has a Stepgate of its own on free ports, so that they can run side by side.
  fullyParallel: true,
  workers: 2,
  // A journey that passes only at the second try has found something.
  retries: 0,
  forbidOnly: process.env["CI"] !== undefined,
  reporter: [["list"], ...reports],
  use: { locale: "en-GB", timezoneId: "UTC", screenshot: "only-on-failure" },
  projects: [{ name: "chromium", use: { browserName: "chromium", viewport: { width: 1280, height: 800 } } }],
});
