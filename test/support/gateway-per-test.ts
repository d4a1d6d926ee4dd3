/** A gateway before an origin of its own, for one test. */
import { afterEach } from "vitest";
import { startGateway, startOrigin, zoneAt } from "./gateway.ts";
import type { TestGateway, TestGatewayOptions, TestOrigin } from "./gateway.ts";

interface GatewayPerTest {
  /** What ends a test, the latest first. */
  readonly cleanups: (() => Promise<unknown> | void)[];
  readonly start: (
    options?: Omit<TestGatewayOptions, "zones">,
    respond?: Parameters<typeof startOrigin>[0],
  ) => Promise<{ readonly origin: TestOrigin; readonly gateway: TestGateway }>;
}

/** To be called once by a file of tests. */
export function gatewayPerTest(): GatewayPerTest {
  const cleanups: GatewayPerTest["cleanups"] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  });
  return {
    cleanups,
    async start(options = {}, respond) {
      const origin = await startOrigin(respond);
      cleanups.push(() => origin.close());
      const gateway = await startGateway({ zones: [zoneAt(origin)], ...options });
      cleanups.push(() => gateway.close());
      return { origin, gateway };
    },
  };
}
