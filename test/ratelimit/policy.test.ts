import { describe, expect, test } from "vitest";

import { parseScore, rateLimitUnit, toRateLimitPolicy } from "../../src/ratelimit/index.ts";

describe("a rule's figures", () => {
  test("seconds become milliseconds, and an absent time-out throttles", () => {
    expect(toRateLimitPolicy({ period: 60, requests_per_period: 100 })).toEqual({
      limit: 100,
      periodMs: 60_000,
      lockoutMs: 0,
    });
    expect(toRateLimitPolicy({ period: 10, requests_per_period: 1, mitigation_timeout: 600 })).toEqual({
      limit: 1,
      periodMs: 10_000,
      lockoutMs: 600_000,
    });
  });

  test("score_per_period is the limit where requests are not counted", () => {
    const parameters = { period: 60, score_per_period: 400 };
    expect(toRateLimitPolicy(parameters).limit).toBe(400);
    expect(rateLimitUnit(parameters)).toBe("score");
    expect(rateLimitUnit({ period: 60, requests_per_period: 1 })).toBe("requests");
  });

  test.each([
    [{ period: 60 }, /`requests_per_period` or `score_per_period`/],
    [{ period: 60, requests_per_period: 0 }, /`limit`.*found `0`/],
    [{ period: 0, requests_per_period: 1 }, /`period`/],
    [{ period: Number.NaN, requests_per_period: 1 }, /`period`/],
    [{ period: 60, requests_per_period: 1, mitigation_timeout: -1 }, /`mitigation_timeout`/],
  ])("refuses %j, which would count nothing", (parameters, message) => {
    expect(() => toRateLimitPolicy(parameters)).toThrow(message);
  });
});

describe("a score reported by the origin", () => {
  test.each<[string | undefined, number]>([
    ["1", 1],
    ["1000000", 1_000_000],
    [" 42\t", 42],
    ["007", 7],
    [undefined, 0],
    ["", 0],
    ["0", 0],
    ["1000001", 0],
    ["99999999999999999999", 0],
    ["-5", 0],
    ["1.5", 0],
    ["1e3", 0],
    ["0x10", 0],
    ["5, 5", 0],
    ["١٢", 0],
    ["Infinity", 0],
  ])("%j counts %d", (value, score) => {
    expect(parseScore(value)).toBe(score);
  });
});
