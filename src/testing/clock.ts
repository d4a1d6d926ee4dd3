/** A clock that only moves when it is told to: tests of "within ten minutes" take no time. */
import { toMilliseconds } from "../adapters/words.ts";
import type { Duration } from "../adapters/words.ts";

export interface TestClock {
  /** Epoch milliseconds; to be handed to the application under test as its `now`. */
  readonly now: () => number;
  advance(span: Duration): void;
}

/** @param startAt epoch milliseconds; the present unless given */
export function createTestClock(startAt: number = Date.now()): TestClock {
  let at = startAt;
  return {
    now: () => at,
    advance(span) {
      at += toMilliseconds(span);
    },
  };
}
