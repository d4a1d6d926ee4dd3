/**
 * Rate-limit counters of one process.
 *
 * Bounded by entries. When the table is full, a new counter takes the place of one that has nothing left to say;
 * where there is none, of the one with the fewest hits. Counters lie in levels by powers of two of their hits, and
 * the oldest of the lowest level goes first; those that lock somebody out lie above all others.
 *
 * The bound that follows: to push out a counter that stands at c hits, every other place of the table must hold a
 * live counter with more than c / 2 hits. With the default size that takes more than 100,000 · c hits within one
 * period. Fresh keys only push out fresh keys.
 */
import { createCounter, hitCounter, isSpent } from "../ratelimit/index.ts";
import type { Counter, RateLimitPolicy, RateLimitState, RateLimitStore } from "../ratelimit/index.ts";
import { LinkedList } from "./linked-list.ts";

/** Counters kept unless configured otherwise: about 60 MB when full, with keys of ordinary length. */
const DEFAULT_MAX_COUNTERS = 200_000;

/** Places looked at for a spent counter when a counter is added; twice the growth, so garbage cannot accumulate. */
const SWEEP_STEPS = 2;
/** The same when the table is full, before a live counter has to go. */
const FULL_SWEEP_STEPS = 32;

/** Level 31 − clz32(hits): 0 for one hit, 1 for two and three, … 31 for locked ones. */
const LEVELS = 32;
const LOCKED_LEVEL = LEVELS - 1;

export interface MemoryRateLimitOptions {
  /** Counters kept at most; 200,000 by default. */
  readonly maxCounters?: number;
}

export interface MemoryRateLimitStore extends RateLimitStore {
  hit(key: string, policy: RateLimitPolicy, nowMs: number, amount: number): RateLimitState;
  reset(key: string): void;
  /** Counters kept now, spent ones included. */
  readonly size: number;
}

/** @throws {RangeError} for a size that is not a whole number of at least 1 */
export function createMemoryRateLimitStore(options: MemoryRateLimitOptions = {}): MemoryRateLimitStore {
  const { maxCounters = DEFAULT_MAX_COUNTERS } = options;
  if (!Number.isSafeInteger(maxCounters) || maxCounters < 1) {
    throw new RangeError(
      `expected \`maxCounters\` to be a whole number of at least 1, found \`${maxCounters}\``,
    );
  }
  const table = new CounterTable(maxCounters);
  return {
    hit(key, policy, nowMs, amount) {
      const entry = table.get(key);
      if (entry !== undefined) return table.hit(entry, policy, nowMs, amount);
      // Looking at a key that was never counted must not take a place.
      if (amount === 0) return hitCounter(createCounter(), policy, nowMs, 0);
      return table.hit(table.insert(key, nowMs), policy, nowMs, amount);
    },
    reset: (key) => table.delete(key),
    get size() {
      return table.size;
    },
  };
}

/** A counter with its places: in the table of slots, and in the list of its level. */
class Entry implements Counter {
  count = 0;
  windowEndsAt = 0;
  lockedUntil = 0;
  readonly key: string;
  /** Counted hits of the open window. */
  hits = 0;
  /** Hits at which the counter moves up: always a power of two. */
  nextLevelAt = 2;
  level = 0;
  slot: number;
  older: Entry | undefined = undefined;
  newer: Entry | undefined = undefined;

  constructor(key: string, slot: number) {
    this.key = key;
    this.slot = slot;
  }
}

type Level = LinkedList<"older", "newer", Entry>;

class CounterTable {
  readonly #maxCounters: number;
  readonly #byKey = new Map<string, Entry>();
  readonly #slots: Entry[] = [];
  readonly #levels = Array.from({ length: LEVELS }, () => newLevel());
  /** Next slot to look at for a spent counter. */
  #hand = 0;

  constructor(maxCounters: number) {
    this.#maxCounters = maxCounters;
  }

  get size(): number {
    return this.#slots.length;
  }

  get(key: string): Entry | undefined {
    return this.#byKey.get(key);
  }

  hit(entry: Entry, policy: RateLimitPolicy, nowMs: number, amount: number): RateLimitState {
    const windowBefore = entry.windowEndsAt;
    const lockBefore = entry.lockedUntil;
    const state = hitCounter(entry, policy, nowMs, amount);
    if (amount > 0) entry.hits += 1;
    const isNewWindow = entry.windowEndsAt > windowBefore;
    if (isNewWindow) entry.hits = 1;
    if (isNewWindow || entry.hits >= entry.nextLevelAt || entry.lockedUntil > lockBefore) {
      this.#move(entry, state.lockedMs > 0);
    }
    return state;
  }

  insert(key: string, nowMs: number): Entry {
    this.#makeRoom(nowMs);
    const entry = new Entry(key, this.#slots.length);
    this.#slots.push(entry);
    this.#byKey.set(entry.key, entry);
    this.#levelOf(entry).add(entry);
    return entry;
  }

  delete(key: string): void {
    const entry = this.#byKey.get(key);
    if (entry !== undefined) this.#remove(entry);
  }

  #makeRoom(nowMs: number): void {
    const isFull = this.#slots.length >= this.#maxCounters;
    const steps = Math.min(isFull ? FULL_SWEEP_STEPS : SWEEP_STEPS, this.#slots.length);
    let removed = 0;
    for (let step = 0; step < steps && removed < SWEEP_STEPS; step += 1) {
      if (this.#sweepOne(nowMs)) removed += 1;
    }
    if (removed === 0 && isFull) this.#evictLeast();
  }

  /** Looks at the next slot and empties it when its counter is spent. */
  #sweepOne(nowMs: number): boolean {
    if (this.#hand >= this.#slots.length) this.#hand = 0;
    const entry = this.#slots[this.#hand];
    // Whatever takes the place of a removed counter was added last, and is looked at the next time round.
    this.#hand += 1;
    if (entry === undefined || !isSpent(entry, nowMs)) return false;
    this.#remove(entry);
    return true;
  }

  #evictLeast(): void {
    const victim = this.#levels.find(({ size }) => size > 0)?.oldest;
    if (victim !== undefined) this.#remove(victim);
  }

  #remove(entry: Entry): void {
    this.#byKey.delete(entry.key);
    this.#levelOf(entry).remove(entry);
    const last = this.#slots.pop();
    if (last === undefined || last === entry) return;
    last.slot = entry.slot;
    this.#slots[entry.slot] = last;
  }

  #move(entry: Entry, isLocked: boolean): void {
    const byHits = Math.min(31 - Math.clz32(Math.max(entry.hits, 1)), LOCKED_LEVEL - 1);
    entry.nextLevelAt = 2 ** (byHits + 1);
    const level = isLocked ? LOCKED_LEVEL : byHits;
    if (level === entry.level) return;
    this.#levelOf(entry).remove(entry);
    entry.level = level;
    this.#levelOf(entry).add(entry);
  }

  #levelOf(entry: Entry): Level {
    return this.#levels[entry.level] as Level;
  }
}

function newLevel(): Level {
  return new LinkedList("older", "newer");
}
