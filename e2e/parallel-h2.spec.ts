/** Journey c over HTTP/2: eight calls at once on one connection, all with the same cookies. */
import { expect, test } from "./fixtures.ts";
import { burst, MAX_COOKIE_BYTES } from "./support/burst.ts";
import { protocolOf } from "./support/visitor.ts";

test("200 rounds of eight parallel calls lose nothing", async ({ page, api }, testInfo) => {
  test.setTimeout(300_000);
  let largest = 0;
  await burst(page, api, (own) => (largest = Math.max(largest, own.length)));
  expect(await protocolOf(page)).toBe("h2");
  testInfo.annotations.push({ type: "largest Cookie header, our part", description: `${largest} bytes` });
  expect(largest).toBeGreaterThan(0);
  expect(largest).toBeLessThanOrEqual(MAX_COOKIE_BYTES);
});
