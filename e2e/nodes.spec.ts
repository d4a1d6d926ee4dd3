/** Journey e: two gateways with the same keys, every request to the other one. */
import { cp, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "./fixtures.ts";
import { createApiClient } from "./support/api.ts";
import { startBalancer } from "./support/balancer.ts";
import { startStepgateProcess } from "./support/process.ts";
import type { StepgateProcess } from "./support/process.ts";
import { needsAllBefore } from "./support/rules.ts";
import { ACCOUNTS, BALANCE, callAtOnce, callFrom, PROFILE, TRANSFER } from "./support/visitor.ts";

/** What the documentation tells operators of several nodes to set. */
const SEVERAL_NODES = { sequence: { leads: 1 } };

/** The same configuration in two data directories, as a deployment brings it; with the same keys or not. */
async function prepareNodes(
  dataDir: string,
  certsDir: string,
  hasSameKeys: boolean,
): Promise<readonly string[]> {
  const first = join(dataDir, "first");
  const second = join(dataDir, "second");
  await mkdir(first);
  const stepgate = await startStepgateProcess({ dataDir: first, certsDir });
  const api = await createApiClient(stepgate);
  const { accounts, balance, profile, transfer } = await api.bankOperations();
  await api.setSequenceCookies(true);
  await api.setCustomRules([
    needsAllBefore(
      transfer.shortId,
      [accounts, balance, profile].map(({ shortId }) => shortId),
    ),
  ]);
  await api.close();
  await stepgate.stop();
  await cp(first, second, { recursive: true, filter: (file) => hasSameKeys || !file.endsWith("keys.json") });
  return [first, second];
}

for (const { title, hasSameKeys, status } of [
  { title: "with the same keys the journey works, whichever node answers", hasSameKeys: true, status: 200 },
  { title: "with keys of their own they do not understand each other", hasSameKeys: false, status: 403 },
]) {
  test(title, async ({ page, context, dataDir, certsDir }) => {
    test.setTimeout(120_000);
    const nodes: StepgateProcess[] = [];
    try {
      for (const folder of await prepareNodes(dataDir, certsDir, hasSameKeys)) {
        nodes.push(await startStepgateProcess({ dataDir: folder, certsDir, config: SEVERAL_NODES }));
      }
      const [cert, key, ca] = await Promise.all(
        ["server.crt", "server.key", "ca.crt"].map((name) => readFile(join(certsDir, name), "utf8")),
      );
      const balancer = await startBalancer({
        cert: cert ?? "",
        key: key ?? "",
        ca: ca ?? "",
        targets: nodes.map(({ gatewayUrl }) => gatewayUrl),
      });
      try {
        await page.goto(`${balancer.url}/not-found.html`);
        expect((await callFrom(page, TRANSFER)).status).toBe(403);
        for (let round = 0; round < 10; round += 1) {
          await context.clearCookies();
          // One after the other in even rounds, so that each goes to the other node; at once in odd ones.
          const calls = [ACCOUNTS, BALANCE, PROFILE];
          for (const call of round % 2 === 0 ? calls : []) await callFrom(page, call);
          if (round % 2 === 1) await callAtOnce(page, calls);
          expect([round, (await callFrom(page, TRANSFER)).status]).toEqual([round, status]);
        }
        const [first = 0, second = 0] = balancer.counts;
        expect(Math.abs(first - second)).toBeLessThanOrEqual(1);
      } finally {
        await balancer.close();
      }
    } finally {
      for (const node of nodes) await node.stop();
    }
  });
}
