/** A clock that only moves when it is told to: tests of "within ten minutes" take no time. */
import { toMilliseconds } from "../adapters/words.ts";
import type { Duration } from "../adapters/words.ts";

/** Time that passes when a test says so. */
export interface TestClock {
  /** Epoch milliseconds; to be handed to the application under test as its `now`. */
  readonly now: () => number;
  /** Lets time pass. */
  advance(span: Duration): void;
}

/**
 * Makes a clock that stands still.
 *
 * @param startAt epoch milliseconds; the present unless given
 */
export function createTestClock(startAt: number = Date.now()): TestClock {
  let at = startAt;
  return {
    now: () => at,
    advance(span) {
      at += toMilliseconds(span);
    },
  };
}
