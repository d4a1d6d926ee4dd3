import { join } from "node:path";
import { defineConfig } from "vitest/config";

/** A folder for machine-readable results, given by CI. */
const reportDir = process.env["STEPGATE_REPORT_DIR"];

export default defineConfig({
  root: new URL("..", import.meta.url).pathname,
  test: {
    include: ["test/**/*.test.ts"],
    benchmark: { include: ["test/bench/**/*.bench.ts"] },
    testTimeout: 30_000,
    hookTimeout: 60_000,
    coverage: { provider: "v8", include: ["src/**"], reporter: ["text-summary", "json-summary"] },
    ...(reportDir === undefined
      ? {}
      : { reporters: ["default", ["json", { outputFile: join(reportDir, "vitest.json") }]] }),
  },
});
