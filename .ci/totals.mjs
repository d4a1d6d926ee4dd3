/**
 * Prints `PASSED FAILED SKIPPED`: the totals of the reports that vitest and Playwright wrote into a folder. Below it, one
 * line for each group of skipped tests: their names say why.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";

const [, , folder = "."] = process.argv;

const NOT_RUN = { passed: 0, failed: 1, skipped: 0, names: [] };

/** A report that is missing, damaged or empty is one failure: the part it tells of did not run. */
function totals(name, count) {
  try {
    const counted = count(JSON.parse(readFileSync(join(folder, name), "utf8")));
    return counted.passed + counted.failed > 0 ? counted : NOT_RUN;
  } catch {
    return NOT_RUN;
  }
}

/** Test files that could not even be loaded have no failed test of their own. */
const brokenFiles = ({ testResults }) =>
  testResults.filter(
    ({ status, assertionResults }) =>
      status === "failed" && assertionResults.every((result) => result.status !== "failed"),
  ).length;

const grouped = (names) =>
  [...new Set(names)].map((name) => `skipped: ${name} (${names.filter((other) => other === name).length})`);

const vitest = totals("vitest.json", (report) => ({
  passed: report.numPassedTests,
  failed: report.numFailedTests + brokenFiles(report),
  skipped: report.numPendingTests + report.numTodoTests,
  names: grouped(
    report.testResults.flatMap(({ assertionResults }) =>
      assertionResults
        .filter(({ status }) => ["pending", "skipped", "todo"].includes(status))
        .map(({ ancestorTitles, title }) => ancestorTitles[0] ?? title),
    ),
  ),
}));

/** All specs of a Playwright report, however deep their suites are. */
const specsOf = ({ suites = [], specs = [] }) => [...specs, ...suites.flatMap(specsOf)];

const playwright = totals("playwright.json", ({ stats, errors, suites }) => ({
  passed: stats.expected,
  failed: stats.unexpected + stats.flaky + errors.length,
  skipped: stats.skipped,
  names: grouped(
    specsOf({ suites })
      .filter(({ tests }) => tests.some(({ status }) => status === "skipped"))
      .map(({ file, title }) => `${file}: ${title}`),
  ),
}));

const sum = (key) => vitest[key] + playwright[key];
const lines = [`${sum("passed")} ${sum("failed")} ${sum("skipped")}`, ...vitest.names, ...playwright.names];
process.stdout.write(`${lines.join("\n")}\n`);
