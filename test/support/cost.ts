/** Cost by growth, not by the clock: a test that waits for a number of milliseconds fails on a busy machine. */
import { expect } from "vitest";

/** The best of several runs: what the work takes when nothing disturbs it, milliseconds. */
export function fastestMs(work: () => unknown, runs = 15): number {
  let fastest = Number.POSITIVE_INFINITY;
  for (let run = 0; run < runs; run += 1) {
    const startedAt = performance.now();
    work();
    fastest = Math.min(fastest, performance.now() - startedAt);
  }
  return fastest;
}

/** Below this a measurement says more about the machine than about the work. */
const NOISE_MS = 0.5;

/**
 * Expects work on four times the input to take about four times as long: quadratic work takes sixteen.
 *
 * @param make builds the input for a size in bytes
 */
export function expectLinear<Input>(
  bytes: number,
  make: (bytes: number) => Input,
  work: (input: Input) => unknown,
): void {
  const [quarter, whole] = [make(Math.floor(bytes / 4)), make(bytes)];
  const small = Math.max(
    fastestMs(() => work(quarter)),
    NOISE_MS,
  );
  expect(fastestMs(() => work(whole)) / small).toBeLessThan(10);
}
