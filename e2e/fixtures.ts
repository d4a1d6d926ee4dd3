/** What every journey starts from: a running Stepgate with the demo bank, and a browser that really trusts it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test as base } from "@playwright/test";
import { ensureDevCertificate } from "../src/tls/index.ts";
import { readTestTools } from "../test/setup/tools.ts";
import { createApiClient } from "./support/api.ts";
import type { ApiClient, BankOperations } from "./support/api.ts";
import { launchOptionsFor } from "./support/browser.ts";
import type { Protocol } from "./support/browser.ts";
import { startStepgateProcess } from "./support/process.ts";
import type { StepgateProcess } from "./support/process.ts";
import { prepareHome } from "./support/trust.ts";

interface WorkerOptions {
  /** What the browser speaks to the gateway. */
  protocol: Protocol;
}

interface WorkerFixtures {
  /** A home directory with `certs/`, and a trust store that holds the CA of these. */
  home: string;
  certsDir: string;
}

interface Fixtures {
  /** An empty directory that is removed afterwards. */
  dataDir: string;
  stepgate: StepgateProcess;
  api: ApiClient;
  operations: BankOperations;
}

async function temporaryFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "stepgate-e2e-"));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}

export const test = base.extend<Fixtures, WorkerOptions & WorkerFixtures>({
  protocol: ["h2", { option: true, scope: "worker" }],

  home: [
    // oxlint-disable-next-line no-empty-pattern -- Playwright reads the fixtures that are asked for from the pattern
    async ({}, use) => {
      await temporaryFolder(async (home) => {
        const { caFile } = await ensureDevCertificate({ dir: join(home, "certs"), nowMs: Date.now() });
        await prepareHome(home, readTestTools().certutil, caFile);
        await use(home);
      });
    },
    { scope: "worker" },
  ],

  certsDir: [async ({ home }, use) => use(join(home, "certs")), { scope: "worker" }],

  launchOptions: [
    async ({ home, protocol }, use) => use(launchOptionsFor(home, protocol)),
    { scope: "worker" },
  ],

  // oxlint-disable-next-line no-empty-pattern -- as above
  dataDir: async ({}, use) => temporaryFolder(use),

  stepgate: async ({ dataDir, certsDir }, use, testInfo) => {
    const stepgate = await startStepgateProcess({ dataDir, certsDir });
    try {
      await use(stepgate);
    } finally {
      await stepgate.stop();
      if (testInfo.status !== testInfo.expectedStatus) {
        await testInfo.attach("stepgate", { body: stepgate.output(), contentType: "text/plain" });
      }
    }
  },

  baseURL: async ({ stepgate }, use) => use(stepgate.gatewayUrl),

  api: async ({ stepgate }, use) => {
    const api = await createApiClient(stepgate);
    await use(api);
    await api.close();
  },

  operations: async ({ api }, use) => use(await api.bankOperations()),
});

export { expect } from "@playwright/test";
