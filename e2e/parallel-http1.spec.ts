/** Journey c over HTTP/1.1: eight calls at once on as many connections as the browser opens. */
import { expect, test } from "./fixtures.ts";
import { burst, MAX_COOKIE_BYTES } from "./support/burst.ts";
import { protocolOf } from "./support/visitor.ts";

test.use({ protocol: "http/1.1" });

test("200 rounds of eight parallel calls lose nothing", async ({ page, api }, testInfo) => {
  test.setTimeout(300_000);
  let largest = 0;
  await burst(page, api, (own) => (largest = Math.max(largest, own.length)));
  expect(await protocolOf(page)).toBe("http/1.1");
  testInfo.annotations.push({ type: "largest Cookie header, our part", description: `${largest} bytes` });
  expect(largest).toBeGreaterThan(0);
  expect(largest).toBeLessThanOrEqual(MAX_COOKIE_BYTES);
});
