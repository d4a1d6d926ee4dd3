/** What every store of rate-limit counters does. */
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { createCounter, hitCounter } from "../../src/ratelimit/index.ts";
import type { RateLimitPolicy, RateLimitStore } from "../../src/ratelimit/index.ts";

/** A store with its clock. */
export interface RateLimitHarness {
  readonly store: RateLimitStore;
  /** Epoch milliseconds for callers. */
  now(): number;
  /** Lets so much time pass for the store. */
  advance(ms: number): Promise<void>;
  close(): Promise<void>;
}

const throttle = (limit: number, periodMs: number): RateLimitPolicy => ({ limit, periodMs, lockoutMs: 0 });

/** @param toleranceMs how far spans may be off because time passes during a call */
export function describeRateLimitStore(
  name: string,
  open: () => Promise<RateLimitHarness>,
  toleranceMs: number,
): void {
  describe(`store: ${name}`, () => {
    let harness: RateLimitHarness;
    let keys = 0;
    const freshKey = (): string => `zone:rl:rule.1:=${(keys += 1)}`;
    const hit = async (key: string, policy: RateLimitPolicy, amount = 1) =>
      harness.store.hit(key, policy, harness.now(), amount);
    beforeAll(async () => {
      harness = await open();
    });
    afterAll(async () => {
      await harness.close();
    });

    test.each([1, 3, 10, 50])(
      "with a limit of %d exactly so many of ten times as many parallel hits pass",
      async (limit) => {
        const key = freshKey();
        const policy = throttle(limit, 60_000);
        const states = await Promise.all(Array.from({ length: 10 * limit }, () => hit(key, policy)));
        expect(states.filter(({ acts }) => !acts)).toHaveLength(limit);
        expect(
          states
            .filter(({ acts }) => !acts)
            .map(({ remaining }) => remaining)
            .toSorted((a, b) => a - b),
        ).toEqual(Array.from({ length: limit }, (_, left) => left));
      },
    );

    test("keys do not know of each other", async () => {
      const [a, b] = [freshKey(), freshKey()];
      const policy = throttle(1, 60_000);
      await hit(a, policy);
      expect((await hit(a, policy)).acts).toBe(true);
      expect((await hit(b, policy)).acts).toBe(false);
    });

    test("says how much is left, and for how long", async () => {
      const key = freshKey();
      const state = await hit(key, throttle(3, 60_000));
      expect(state).toMatchObject({ acts: false, remaining: 2, lockedMs: 0 });
      expect(state.resetMs).toBeGreaterThan(60_000 - toleranceMs - 1);
      expect(state.resetMs).toBeLessThanOrEqual(60_000);
    });

    test("looking counts nothing and opens no window", async () => {
      const key = freshKey();
      const idle = { acts: false, remaining: 2, resetMs: 0, lockedMs: 0 };
      expect(await hit(key, throttle(2, 60_000), 0)).toEqual(idle);
      expect(await hit(key, throttle(2, 60_000), 0)).toEqual(idle);
      await hit(key, throttle(2, 60_000));
      expect(await hit(key, throttle(2, 60_000), 0)).toMatchObject({ acts: false, remaining: 1 });
    });

    test("a window ends after its period, and the next one is full", async () => {
      const key = freshKey();
      const policy = throttle(1, 300);
      await hit(key, policy);
      const { acts, resetMs } = await hit(key, policy);
      expect(acts).toBe(true);
      await harness.advance(resetMs + 1);
      expect(await hit(key, policy)).toMatchObject({ acts: false, remaining: 0 });
    });

    test("a lock-out acts on everything, is not prolonged by trying, and ends", async () => {
      const key = freshKey();
      const policy = { limit: 1, periodMs: 100, lockoutMs: 1000 };
      await hit(key, policy);
      const first = await hit(key, policy);
      expect(first).toMatchObject({ acts: true, lockedMs: 1000 });
      await harness.advance(200);
      const second = await hit(key, policy);
      expect(second.acts).toBe(true);
      expect(second.lockedMs).toBeLessThanOrEqual(800);
      expect((await hit(key, policy, 0)).acts).toBe(true);
      await harness.advance(second.lockedMs + 1);
      expect((await hit(key, policy)).acts).toBe(false);
    });

    test("a window that outlives the lock-out stays exceeded", async () => {
      const key = freshKey();
      const policy = { limit: 1, periodMs: 60_000, lockoutMs: 50 };
      await hit(key, policy);
      await hit(key, policy);
      await harness.advance(80);
      expect(await hit(key, policy, 0)).toMatchObject({ acts: true, lockedMs: 50 });
    });

    test("scores add up, and act when their sum exceeds the limit", async () => {
      const key = freshKey();
      const policy = throttle(400, 60_000);
      expect(await hit(key, policy, 300)).toMatchObject({ acts: false, remaining: 100 });
      expect(await hit(key, policy, 100)).toMatchObject({ acts: false, remaining: 0 });
      expect((await hit(key, policy, 1)).acts).toBe(true);
      expect((await hit(key, policy, 1_000_000)).acts).toBe(true);
    });

    test("a passed challenge begins anew", async () => {
      const key = freshKey();
      const policy = { limit: 1, periodMs: 60_000, lockoutMs: 60_000 };
      await hit(key, policy);
      expect((await hit(key, policy)).acts).toBe(true);
      await harness.store.reset(key);
      expect(await hit(key, policy)).toMatchObject({ acts: false, remaining: 0, lockedMs: 0 });
    });

    test("figures of an edited rule hold from the next hit on", async () => {
      const key = freshKey();
      await hit(key, { limit: 1, periodMs: 3_600_000, lockoutMs: 3_600_000 });
      await hit(key, { limit: 1, periodMs: 3_600_000, lockoutMs: 3_600_000 });
      const state = await hit(key, { limit: 5, periodMs: 1000, lockoutMs: 0 });
      expect(state.acts).toBe(false);
      expect(state.resetMs).toBeLessThanOrEqual(1000);
    });

    test("property: decides as the counter of src/ratelimit does", async () => {
      const step = fc.record({
        key: fc.nat(2),
        amount: fc.constantFrom(0, 1, 1, 1, 2, 7),
      });
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: 8 }),
          fc.constantFrom(0, 600_000),
          fc.array(step, { minLength: 1, maxLength: 25 }),
          async (limit, lockoutMs, steps) => {
            // Spans are so long that the time that passes during the run decides nothing.
            const policy = { limit, periodMs: 3_600_000, lockoutMs };
            const models = [createCounter(), createCounter(), createCounter()];
            const names = [freshKey(), freshKey(), freshKey()];
            for (const { key, amount } of steps) {
              const expected = hitCounter(models[key] as (typeof models)[0], policy, 1_000_000, amount);
              const found = await hit(names[key] as string, policy, amount);
              expect({ acts: found.acts, remaining: found.remaining, isLocked: found.lockedMs > 0 }).toEqual({
                acts: expected.acts,
                remaining: expected.remaining,
                isLocked: expected.lockedMs > 0,
              });
            }
          },
        ),
        { numRuns: 60 },
      );
    });
  });
}
