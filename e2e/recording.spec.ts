/** What Chromium records, replayed by `stepgate test`, and its JUnit report read as XML. */
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "./fixtures.ts";
import { needsAllBefore } from "./support/rules.ts";

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));

interface Replayed {
  readonly code: number;
  readonly output: string;
}

function replay(recording: string, origin: string, caFile: string): Promise<Replayed> {
  const args = [MAIN, "test", recording, "--url", origin, "--junit", `${recording}.xml`];
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: caFile };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, { env }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, output: stdout + stderr }),
    );
  });
}

/** As a server of continuous integration reads it: with a parser of XML, by the names of elements. */
interface Junit {
  readonly tests: string | null;
  readonly failures: string | null;
  readonly cases: readonly string[];
  readonly messages: readonly (string | null)[];
}

test("a recorded visit passes again, and without its look at the balance is refused", async ({
  browser,
  page,
  api,
  operations,
  stepgate,
  dataDir,
}) => {
  await api.setSequenceCookies(true);
  await api.setCustomRules([needsAllBefore(operations.transfer.shortId, [operations.balance.shortId])]);
  const recording = join(dataDir, "visit.har");
  const context = await browser.newContext({ recordHar: { path: recording } });
  const visit = await context.newPage();
  await visit.goto(stepgate.gatewayUrl);
  await visit.getByTestId("show-balance-40021001").click();
  await expect(visit.getByTestId("balance-40021001")).toContainText("€");
  await visit.getByTestId("transfer-submit").click();
  await expect(visit.getByTestId("transfer-result").locator("[data-outcome]")).toHaveAttribute(
    "data-outcome",
    "ok",
  );
  await context.close();

  const again = await replay(recording, stepgate.gatewayUrl, stepgate.caFile);
  expect(again.output).toContain("✓ visit.har");
  expect(again.code).toBe(0);

  const har = JSON.parse(await readFile(recording, "utf8")) as {
    readonly log: { readonly entries: { readonly request: { readonly url: string } }[] };
  };
  const hurried = har.log.entries.filter(({ request }) => !request.url.includes("/balance"));
  expect(hurried.length).toBeLessThan(har.log.entries.length);
  const shortcut = join(dataDir, "shortcut.har");
  await writeFile(shortcut, JSON.stringify({ log: { ...har.log, entries: hurried } }));
  const refused = await replay(shortcut, stepgate.gatewayUrl, stepgate.caFile);
  expect(refused.output).toContain("found blocked (403)");
  expect(refused.code).toBe(1);

  const xml = await readFile(`${shortcut}.xml`, "utf8");
  const junit = await page.evaluate((text): Junit => {
    const document = new DOMParser().parseFromString(text, "application/xml");
    const suite = document.querySelector("testsuite");
    return {
      tests: suite?.getAttribute("tests") ?? null,
      failures: suite?.getAttribute("failures") ?? null,
      cases: [...document.querySelectorAll("testcase")].map((found) => found.getAttribute("name") ?? ""),
      messages: [...document.querySelectorAll("testcase > failure")].map((found) =>
        found.getAttribute("message"),
      ),
    };
  }, xml);
  expect(junit).toEqual({
    tests: "1",
    failures: "1",
    cases: ["shortcut.har"],
    messages: [expect.stringContaining("found blocked (403)")],
  });
});
