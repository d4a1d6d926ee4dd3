/**
 * `node --import rush.ts …`: once the process gets SIGUSR2, it makes what a rush of requests would make and prints how
 * many megabytes of what it makes afterwards, and drops at once, are left by collections of the young.
 */
import { collectGarbage } from "../support/garbage.ts";

type Request = readonly { readonly value: number }[];

/** So that nothing is made in vain, which the compiler would leave out. */
let last: unknown;

function makeRequest(): Request {
  return Array.from({ length: 100 }, (_, value) => ({ value }));
}

/** Many of them wait at the same time, so that all outlive several collections. */
function rush(): void {
  for (let round = 0; round < 10; round += 1) last = Array.from({ length: 20_000 }, makeRequest);
}

function leftAfterwards(): number {
  collectGarbage();
  const usedBefore = process.memoryUsage().heapUsed;
  for (let round = 0; round < 20; round += 1) {
    for (let index = 0; index < 1_000; index += 1) last = makeRequest();
    collectGarbage({ type: "minor" });
  }
  return process.memoryUsage().heapUsed - usedBefore;
}

process.once("SIGUSR2", () => {
  rush();
  process.stdout.write(`left ${(leftAfterwards() / 1e6).toFixed(1)} MB\n`, () => {
    if (last === undefined) process.exitCode = 1;
  });
});
