/** Prints `PASSED FAILED SKIPPED`: the totals of the reports that vitest and Playwright wrote into a folder. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

const [, , folder = "."] = process.argv;

const NOT_RUN = { passed: 0, failed: 1, skipped: 0 };

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

const vitest = totals("vitest.json", (report) => ({
  passed: report.numPassedTests,
  failed: report.numFailedTests + brokenFiles(report),
  skipped: report.numPendingTests + report.numTodoTests,
}));

const playwright = totals("playwright.json", ({ stats, errors }) => ({
  passed: stats.expected,
  failed: stats.unexpected + stats.flaky + errors.length,
  skipped: stats.skipped,
}));

const sum = (key) => vitest[key] + playwright[key];
process.stdout.write(`${sum("passed")} ${sum("failed")} ${sum("skipped")}\n`);
