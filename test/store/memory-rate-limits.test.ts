import { describe, expect, test } from "vitest";

import { createMemoryRateLimitStore } from "../../src/store/memory-rate-limits.ts";

const T0 = 1_790_000_000_000;
const policy = { limit: 100, periodMs: 60_000, lockoutMs: 0 };

/** Hits one key `times` times. */
function hitMany(
  store: ReturnType<typeof createMemoryRateLimitStore>,
  key: string,
  times: number,
  nowMs: number = T0,
): void {
  for (let hit = 0; hit < times; hit += 1) store.hit(key, policy, nowMs, 1);
}

/** What a look at a key says is left of its limit. */
function remaining(store: ReturnType<typeof createMemoryRateLimitStore>, key: string, nowMs = T0): number {
  return store.hit(key, policy, nowMs, 0).remaining;
}

describe("a flood of fresh keys", () => {
  test("never holds more counters than configured", () => {
    const store = createMemoryRateLimitStore({ maxCounters: 1000 });
    for (let key = 0; key < 100_000; key += 1) store.hit(`k${key}`, policy, T0 + key, 1);
    expect(store.size).toBe(1000);
  });

  test("forgets no counter that was hit twice or more, as long as these do not fill the table", () => {
    const store = createMemoryRateLimitStore({ maxCounters: 1000 });
    for (let key = 0; key < 900; key += 1) hitMany(store, `live${key}`, 2);
    for (let key = 0; key < 200_000; key += 1) store.hit(`fresh${key}`, policy, T0 + 1, 1);
    for (let key = 0; key < 900; key += 1) expect(remaining(store, `live${key}`, T0 + 1)).toBe(98);
  });

  test("of keys hit c / 2 times forgets no counter that stands at c (the stated bound)", () => {
    const store = createMemoryRateLimitStore({ maxCounters: 1000 });
    hitMany(store, "victim", 64);
    for (let key = 0; key < 5000; key += 1) hitMany(store, `flood${key}`, 32);
    expect(remaining(store, "victim")).toBe(36);
    for (let key = 0; key < 1000; key += 1) hitMany(store, `flood-harder${key}`, 64);
    expect(remaining(store, "victim")).toBe(100);
  });

  test("lifts no lock-out", () => {
    const store = createMemoryRateLimitStore({ maxCounters: 100 });
    const strict = { limit: 1, periodMs: 10_000, lockoutMs: 600_000 };
    store.hit("locked", strict, T0, 1);
    store.hit("locked", strict, T0, 1);
    for (let key = 0; key < 1000; key += 1) hitMany(store, `flood${key}`, 200);
    expect(store.hit("locked", strict, T0 + 500_000, 0)).toMatchObject({ acts: true, lockedMs: 100_000 });
  });
});

describe("counters that have nothing left to say", () => {
  test("make room before any live one", () => {
    const store = createMemoryRateLimitStore({ maxCounters: 100 });
    for (let key = 0; key < 90; key += 1) hitMany(store, `spent${key}`, 50);
    const later = T0 + policy.periodMs;
    for (let key = 0; key < 10; key += 1) store.hit(`live${key}`, policy, later, 1);
    for (let key = 0; key < 80; key += 1) store.hit(`new${key}`, policy, later, 1);
    for (let key = 0; key < 10; key += 1) expect(remaining(store, `live${key}`, later)).toBe(99);
  });

  test("are cleared away while new ones come, so that a quiet table is a small one", () => {
    const store = createMemoryRateLimitStore({ maxCounters: 100_000 });
    for (let key = 0; key < 10_000; key += 1) store.hit(`a${key}`, policy, T0, 1);
    for (let key = 0; key < 6000; key += 1) store.hit(`b${key}`, policy, T0 + policy.periodMs, 1);
    expect(store.size).toBeLessThan(7000);
  });

  test("lose their rank with their window", () => {
    const store = createMemoryRateLimitStore({ maxCounters: 10 });
    hitMany(store, "old", 64);
    const later = T0 + policy.periodMs;
    store.hit("old", policy, later, 1);
    for (let key = 0; key < 9; key += 1) hitMany(store, `busy${key}`, 4, later);
    store.hit("one more", policy, later, 1);
    expect(remaining(store, "old", later)).toBe(100);
    expect(remaining(store, "busy0", later)).toBe(96);
  });
});

test("looking at keys that were never counted takes no place", () => {
  const store = createMemoryRateLimitStore();
  for (let key = 0; key < 1000; key += 1) store.hit(`k${key}`, policy, T0, 0);
  expect(store.size).toBe(0);
});

test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])(
  "refuses a table of %d counters",
  (maxCounters) => {
    expect(() => createMemoryRateLimitStore({ maxCounters })).toThrow(/`maxCounters`/);
  },
);

test("attacker keys that name members of objects are ordinary keys", () => {
  const store = createMemoryRateLimitStore();
  for (const key of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
    expect(store.hit(key, policy, T0, 1).remaining).toBe(99);
  }
});
