import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { MAX_COUNT, createCounter, hitCounter, isSpent } from "../../src/ratelimit/index.ts";
import type { RateLimitPolicy } from "../../src/ratelimit/index.ts";

const T0 = 1_790_000_000_000;
const throttle = (limit: number, periodMs = 10_000): RateLimitPolicy => ({ limit, periodMs, lockoutMs: 0 });
const lockout = (limit: number, lockoutMs: number, periodMs = 10_000): RateLimitPolicy => ({
  limit,
  periodMs,
  lockoutMs,
});

/** Runs `[ms after T0, amount]` steps and says for each whether the rule acts. */
function run(policy: RateLimitPolicy, steps: readonly (readonly [number, number])[]): boolean[] {
  const counter = createCounter();
  return steps.map(([at, amount]) => hitCounter(counter, policy, T0 + at, amount).acts);
}

describe("throttling", () => {
  test("with a limit of N the request N + 1 acts, and no earlier one", () => {
    for (const limit of [1, 2, 7, 100]) {
      const acts = run(
        throttle(limit),
        Array.from({ length: 10 * limit }, () => [0, 1] as const),
      );
      expect(acts.filter((acted) => !acted)).toHaveLength(limit);
      expect(acts.indexOf(true)).toBe(limit);
    }
  });

  test("the window begins with the first counted request and ends after the period", () => {
    expect(
      run(throttle(1), [
        [0, 1],
        [9999, 1],
        [10_000, 1],
        [19_999, 1],
        [20_000, 1],
      ]),
    ).toEqual([false, true, false, true, false]);
  });

  test("around the end of a window at most 2 N - 1 requests pass within a period", () => {
    const limit = 5;
    const steps: [number, number][] = [[0, 1]];
    for (let i = 0; i < 20; i += 1) steps.push([9990, 1]);
    for (let i = 0; i < 20; i += 1) steps.push([10_000, 1]);
    const acts = run(throttle(limit), steps);
    const passedInBurst = acts.slice(1).filter((acted) => !acted).length;
    expect(passedInBurst).toBe(2 * limit - 1);
  });

  test("looking opens no window and costs nothing", () => {
    const counter = createCounter();
    const idle = { acts: false, remaining: 3, resetMs: 0, lockedMs: 0 };
    expect(hitCounter(counter, throttle(3), T0, 0)).toEqual(idle);
    hitCounter(counter, throttle(3), T0 + 500, 1);
    expect(hitCounter(counter, throttle(3), T0 + 600, 0)).toEqual({
      acts: false,
      remaining: 2,
      resetMs: 9900,
      lockedMs: 0,
    });
  });

  test("a counter that needs the response acts from the next request on (request rate, example B)", () => {
    const counter = createCounter();
    const policy = lockout(1, 600_000);
    const look = (at: number) => hitCounter(counter, policy, T0 + at, 0).acts;
    const count = (at: number) => hitCounter(counter, policy, T0 + at, 1);
    expect(look(0)).toBe(false);
    count(100);
    expect(look(1000)).toBe(false);
    expect(look(2000)).toBe(false);
    count(2100);
    expect(look(3000)).toBe(true);
    expect(look(602_099)).toBe(true);
    expect(look(602_100)).toBe(false);
  });
});

describe("lock-out", () => {
  test("acts on everything for as long as configured, however often the client tries", () => {
    const steps: [number, number][] = [
      [0, 1],
      [1, 1],
      [2, 1],
    ];
    for (let at = 1000; at <= 60_000; at += 1000) steps.push([at, 1]);
    steps.push([60_001, 1], [60_002, 1]);
    const acts = run(lockout(2, 60_000), steps);
    expect(acts.slice(0, 3)).toEqual([false, false, true]);
    expect(acts.slice(3, -1).every(Boolean)).toBe(true);
    expect(acts.at(-1)).toBe(false);
  });

  test("a window that outlives the lock-out stays exceeded: no window lets more than N pass", () => {
    const policy = lockout(2, 1000, 60_000);
    const steps = Array.from({ length: 60 }, (_, second) => [second * 1000, 1] as const);
    expect(run(policy, steps).filter((acted) => !acted)).toHaveLength(2);
    expect(run(policy, [...steps, [62_001, 1]]).at(-1)).toBe(false);
  });

  test("tells how long it lasts", () => {
    const counter = createCounter();
    hitCounter(counter, lockout(1, 60_000), T0, 1);
    const state = hitCounter(counter, lockout(1, 60_000), T0 + 5000, 1);
    expect(state).toEqual({ acts: true, remaining: 0, resetMs: 5000, lockedMs: 60_000 });
  });
});

describe("score", () => {
  test("acts when the sum exceeds the limit, not when it reaches it", () => {
    const counter = createCounter();
    const policy = throttle(400);
    hitCounter(counter, policy, T0, 399);
    expect(hitCounter(counter, policy, T0, 1).acts).toBe(false);
    expect(hitCounter(counter, policy, T0, 0).acts).toBe(false);
    hitCounter(counter, policy, T0, 1);
    expect(hitCounter(counter, policy, T0, 0).acts).toBe(true);
  });

  test("stops at the greatest exact number", () => {
    const counter = createCounter();
    hitCounter(counter, throttle(1), T0, MAX_COUNT);
    hitCounter(counter, throttle(1), T0, 1_000_000);
    expect(counter.count).toBe(MAX_COUNT);
  });
});

describe("a clock that is set back", () => {
  test("prolongs no window beyond one period and no lock-out beyond its length", () => {
    const counter = createCounter();
    const policy = lockout(1, 60_000);
    hitCounter(counter, policy, T0, 1);
    hitCounter(counter, policy, T0, 1);
    const state = hitCounter(counter, policy, T0 - 3_600_000, 1);
    expect(state.lockedMs).toBe(60_000);
    expect(state.resetMs).toBe(10_000);
    expect(hitCounter(counter, policy, T0 - 3_600_000 + 60_000, 1).acts).toBe(false);
  });
});

test("a counter is spent when neither a window nor a lock-out is open", () => {
  const counter = createCounter();
  expect(isSpent(counter, T0)).toBe(true);
  hitCounter(counter, lockout(1, 20_000), T0, 2);
  expect(isSpent(counter, T0 + 15_000)).toBe(false);
  expect(isSpent(counter, T0 + 20_000)).toBe(true);
});

test("laws: in no window do more than N pass, and what is told to the client is true", () => {
  const step = fc.record({ waitMs: fc.nat(8000), amount: fc.nat(3) });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 6 }),
      fc.constantFrom(0, 2000, 30_000),
      fc.array(step, { maxLength: 60 }),
      (limit, lockoutMs, steps) => {
        const policy = lockout(limit, lockoutMs, 10_000);
        const counter = createCounter();
        let now = T0;
        let windowEndsAt = 0;
        let passed = 0;
        for (const { waitMs, amount } of steps) {
          now += waitMs;
          const state = hitCounter(counter, policy, now, amount);
          if (now >= windowEndsAt) passed = 0;
          windowEndsAt = now + state.resetMs;
          if (!state.acts) passed += amount;
          expect(passed).toBeLessThanOrEqual(limit);
          expect(state.remaining).toBe(state.acts ? 0 : limit - passed);
          const retryAt = now + Math.max(state.lockedMs, state.resetMs);
          expect(state.acts && hitCounter({ ...counter }, policy, retryAt, 1).acts).toBe(false);
        }
      },
    ),
    { numRuns: 500 },
  );
});
