import { describe, expect, test } from "vitest";

import { createCounter, hitCounter, rateLimitHeaders, retryAfterSeconds } from "../../src/ratelimit/index.ts";
import type { RateLimitReport, RateLimitState } from "../../src/ratelimit/index.ts";

const free: RateLimitState = { acts: false, remaining: 40, resetMs: 29_001, lockedMs: 0 };
const over: RateLimitState = { acts: true, remaining: 0, resetMs: 12_000, lockedMs: 0 };
const report = (over_: Partial<RateLimitReport>): RateLimitReport => ({
  name: "api",
  unit: "requests",
  policy: { limit: 100, periodMs: 60_000, lockoutMs: 0 },
  state: free,
  ...over_,
});

describe("fields of draft-ietf-httpapi-ratelimit-headers-11", () => {
  test("quota, window, what is left and for how long", () => {
    expect(rateLimitHeaders([report({})])).toEqual([
      "ratelimit-policy",
      '"api";q=100;w=60',
      "ratelimit",
      '"api";r=40;t=30',
    ]);
  });

  test("several policies are members of one list", () => {
    const headers = rateLimitHeaders([
      report({ name: "permin" }),
      report({ name: "perhr", policy: { limit: 1000, periodMs: 3_600_000, lockoutMs: 0 } }),
    ]);
    expect(headers[1]).toBe('"permin";q=100;w=60, "perhr";q=1000;w=3600');
    expect(headers[3]).toBe('"permin";r=40;t=30, "perhr";r=40;t=30');
  });

  test("without a window there is nothing to say about its end", () => {
    const state = { acts: false, remaining: 100, resetMs: 0, lockedMs: 0 };
    expect(rateLimitHeaders([report({ state })])[3]).toBe('"api";r=100');
  });

  test.each([
    ['a"b', '"a\\"b"'],
    ["a\\b", '"a\\\\b"'],
    ["a\r\nset-cookie: x", '"aset-cookie: x"'],
    ["naïve 日本", '"nave "'],
    ["x".repeat(200), `"${"x".repeat(64)}"`],
  ])("a name cannot break out of its field: %j", (name, quoted) => {
    expect(rateLimitHeaders([report({ name })])[3]).toBe(`${quoted};r=40;t=30`);
  });

  test("scores have no registered unit and are told in Retry-After only", () => {
    expect(rateLimitHeaders([report({ unit: "score" })])).toEqual([]);
    expect(rateLimitHeaders([report({ unit: "score", state: over })])).toEqual(["retry-after", "12"]);
  });
});

describe("Retry-After", () => {
  test.each<[string, RateLimitState, number]>([
    ["a rule that does not act", free, 0],
    ["throttling: when the window ends", over, 12],
    ["fractions are rounded up", { ...over, resetMs: 12_001 }, 13],
    ["never 0 while the rule acts", { ...over, resetMs: 1 }, 1],
    ["a lock-out that outlives the window", { ...over, lockedMs: 600_000 }, 600],
    ["a window that outlives the lock-out", { ...over, resetMs: 50_000, lockedMs: 10_000 }, 50],
  ])("%s", (_, state, seconds) => {
    expect(retryAfterSeconds(state)).toBe(seconds);
  });

  test("is the longest of all rules that act, and not before the effective window (section 6)", () => {
    const headers = rateLimitHeaders([
      report({ state: over }),
      report({ name: "b", state: { ...over, lockedMs: 90_000 } }),
      report({ name: "c" }),
    ]);
    expect(headers.slice(4)).toEqual(["retry-after", "90"]);
    expect(headers[3]).toBe('"api";r=0;t=12, "b";r=0;t=90, "c";r=40;t=30');
  });

  test("a client that waits for so long passes, one that waits a second less does not", () => {
    for (const waitsLessMs of [0, 1001]) {
      const counter = createCounter();
      const policy = { limit: 3, periodMs: 10_000, lockoutMs: 12_000 };
      let state = hitCounter(counter, policy, 1000, 1);
      for (let hit = 0; hit < 5; hit += 1) state = hitCounter(counter, policy, 1500, 1);
      const at = 1500 + retryAfterSeconds(state) * 1000 - waitsLessMs;
      expect(hitCounter(counter, policy, at, 1).acts).toBe(waitsLessMs > 0);
    }
  });
});
