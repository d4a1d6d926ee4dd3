import { describe, expect, test } from "vitest";

import { DEFAULT_SESSION_LIMITS } from "../../src/sequence/index.ts";
import type { Session } from "../../src/sequence/index.ts";
import {
  DEFAULT_MAX_BYTES,
  DEFAULT_MAX_SESSIONS,
  createMemorySequenceStore,
} from "../../src/store/memory-sequences.ts";
import { collectGarbage } from "../support/garbage.ts";
import type { MemorySequenceStore } from "../../src/store/memory-sequences.ts";

const T0 = 1_790_000_000_000;
const limits = DEFAULT_SESSION_LIMITS;
const session = (key: string, source?: string): Session =>
  source === undefined ? { key, limits } : { key, source, limits };

function use(store: MemorySequenceStore, key: string, at: number, source?: string): void {
  store.append(session(key, source), { op: "aaaaaaaa", at }, at);
}

function isKnown(store: MemorySequenceStore, key: string, at: number): boolean {
  return store.read(session(key), at).sequence.entries.length > 0;
}

function address(index: number): string {
  return `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
}

/** A key like those of `sessionKey`. */
function fullKey(index: number): string {
  return ["0123456789abcdef0123456789abcdef:s:", index.toString(36).padStart(22, "A")].join("");
}

/** Every live session makes two requests. */
function establish(
  store: MemorySequenceStore,
  count: number,
  at: number,
  source?: (index: number) => string,
): void {
  for (let round = 0; round < 2; round += 1) {
    for (let index = 0; index < count; index += 1) use(store, `live${index}`, at + round, source?.(index));
  }
}

function countKnown(store: MemorySequenceStore, count: number, at: number): number {
  let known = 0;
  for (let index = 0; index < count; index += 1) known += isKnown(store, `live${index}`, at) ? 1 : 0;
  return known;
}

describe("a flood of fresh identifiers", () => {
  test("keeps 10,000 live sessions intact, from any number of addresses", () => {
    const store = createMemorySequenceStore({ maxSessions: 30_000 });
    establish(store, 10_000, T0);
    for (let index = 0; index < 150_000; index += 1) {
      use(store, `fresh${index}`, T0 + 10, address(index));
    }
    expect(store.size).toBeLessThanOrEqual(30_000);
    expect(countKnown(store, 10_000, T0 + 20)).toBe(10_000);
  });

  test("from one address stays within its share once half of the room is taken", () => {
    const store = createMemorySequenceStore({ maxSessions: 10_000, maxSessionsPerSource: 100 });
    for (let index = 0; index < 6000; index += 1)
      use(store, `other${index}`, T0, `10.0.${index >> 8}.${index & 255}`);
    const before = store.size;
    for (let index = 0; index < 50_000; index += 1) use(store, `fresh${index}`, T0 + 1, "192.0.2.1");
    expect(store.size - before).toBeLessThanOrEqual(100);
    let lost = 0;
    for (let index = 0; index < 6000; index += 1) lost += isKnown(store, `other${index}`, T0 + 2) ? 0 : 1;
    // One other address in 65,536 shares the flooder's bucket.
    expect(lost).toBeLessThanOrEqual(4);
  });

  test("does not touch newcomers of other addresses while the flooder has more than its share", () => {
    const store = createMemorySequenceStore({ maxSessions: 1000, maxSessionsPerSource: 10 });
    for (let index = 0; index < 600; index += 1) use(store, `flood${index}`, T0, "192.0.2.1");
    use(store, "newcomer", T0 + 1, "198.51.100.7");
    for (let index = 600; index < 10_000; index += 1) use(store, `flood${index}`, T0 + 2, "192.0.2.1");
    expect(isKnown(store, "newcomer", T0 + 3)).toBe(true);
  });

  test("that proves each identifier with a second request still evicts the attacker's own first", () => {
    const store = createMemorySequenceStore({ maxSessions: 10_000, maxSessionsPerSource: 100 });
    establish(store, 2000, T0, (index) => `10.0.${index >> 8}.${index & 255}`);
    for (let index = 0; index < 30_000; index += 1) {
      use(store, `proved${index}`, T0 + 10, "192.0.2.1");
      use(store, `proved${index}`, T0 + 11, "192.0.2.1");
    }
    expect(countKnown(store, 2000, T0 + 20)).toBeGreaterThanOrEqual(1996);
    expect(store.size).toBeLessThanOrEqual(5000 + 100);
  });

  test("never holds more than the bytes allowed, and never throws", () => {
    const store = createMemorySequenceStore({ maxBytes: 1_000_000 });
    for (let index = 0; index < 20_000; index += 1) use(store, `fresh${index}`, T0 + index);
    expect(store.bytes).toBeLessThanOrEqual(1_000_000);
    expect(store.size).toBeGreaterThan(2000);
  });
});

describe("established sessions", () => {
  test("outlive sessions on probation that are younger", () => {
    const store = createMemorySequenceStore({ maxSessions: 100 });
    establish(store, 50, T0);
    for (let index = 0; index < 60; index += 1) use(store, `once${index}`, T0 + 10);
    expect(countKnown(store, 50, T0 + 20)).toBe(50);
    expect(isKnown(store, "once0", T0 + 20)).toBe(false);
    expect(isKnown(store, "once59", T0 + 20)).toBe(true);
  });

  test("give up a fifth of the room, the one used longest ago first (the stated bound)", () => {
    const store = createMemorySequenceStore({ maxSessions: 100 });
    establish(store, 100, T0);
    use(store, "live0", T0 + 5);
    for (let index = 0; index < 30; index += 1) use(store, `fresh${index}`, T0 + 10);
    const known = Array.from({ length: 100 }, (_, index) => isKnown(store, `live${index}`, T0 + 20));
    expect(known.filter(Boolean)).toHaveLength(80);
    expect(known[0]).toBe(true);
    expect(known.at(-1)).toBe(true);
  });

  test("survive others that are used twice, as long as four fifths of the room hold them all", () => {
    const store = createMemorySequenceStore({ maxSessions: 1000 });
    for (let round = 0; round < 50; round += 1) {
      const at = T0 + round * 1000;
      establish(store, 100, at);
      for (let index = 0; index < 600; index += 1) {
        use(store, `r${round}.${index}`, at + 10);
        use(store, `r${round}.${index}`, at + 11);
      }
      expect(countKnown(store, 100, at + 20)).toBe(100);
    }
  });
});

describe("idle sessions", () => {
  test("go before any other when room is short", () => {
    const store = createMemorySequenceStore({ maxSessions: 100 });
    establish(store, 70, T0);
    const later = T0 + limits.maxIdleMs + 2;
    for (let index = 0; index < 100; index += 1) use(store, `new${index}`, later);
    for (let index = 0; index < 100; index += 1) expect(isKnown(store, `new${index}`, later)).toBe(true);
  });

  test("are cleared away while new ones come", () => {
    const store = createMemorySequenceStore();
    for (let index = 0; index < 10_000; index += 1) use(store, `old${index}`, T0);
    for (let index = 0; index < 6000; index += 1) use(store, `new${index}`, T0 + limits.maxIdleMs + 1);
    expect(store.size).toBeLessThan(7000);
  });
});

function heapBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

describe("memory", () => {
  test("a million sessions take no more than is said, and that is within the default bound", () => {
    const store = createMemorySequenceStore();
    const before = heapBytes();
    for (let index = 0; index < 1_000_000; index += 1) use(store, fullKey(index), T0, address(index));
    expect(store.size).toBe(1_000_000);
    expect(heapBytes() - before).toBeLessThanOrEqual(store.bytes);
    expect(store.bytes).toBeLessThanOrEqual(DEFAULT_MAX_BYTES);
  }, 120_000);

  test("so do full ones: a million of ten operations each fit", () => {
    const store = createMemorySequenceStore();
    const before = heapBytes();
    for (let index = 0; index < 20_000; index += 1) {
      for (let step = 0; step < 10; step += 1) {
        store.append(
          session(fullKey(index)),
          { op: `1000000${step}`, at: T0 + step * 5000 },
          T0 + step * 5000,
        );
      }
    }
    expect(heapBytes() - before).toBeLessThanOrEqual(store.bytes);
    expect((store.bytes / store.size) * DEFAULT_MAX_SESSIONS).toBeLessThanOrEqual(DEFAULT_MAX_BYTES);
  }, 120_000);
});

test("requests that only read leave nothing behind", () => {
  const store = createMemorySequenceStore();
  for (let index = 0; index < 1000; index += 1) store.read(session(`k${index}`, "192.0.2.1"), T0);
  expect(store.size).toBe(0);
  expect(store.bytes).toBe(0);
});

test.each([
  [{ maxSessions: 0 }, /`maxSessions`/],
  [{ maxBytes: 1000 }, /`maxBytes`/],
  [{ maxSessionsPerSource: 0.5 }, /`maxSessionsPerSource`/],
])("refuses %j", (options, message) => {
  expect(() => createMemorySequenceStore(options)).toThrow(message);
});
