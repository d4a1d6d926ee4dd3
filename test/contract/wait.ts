/** Waiting, always with an end. */

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Waits until `check` is true.
 *
 * @returns how long that took, in milliseconds
 */
export async function until(check: () => boolean | Promise<boolean>, limitMs: number): Promise<number> {
  const startedAt = performance.now();
  while (!(await check())) {
    if (performance.now() - startedAt > limitMs) throw new Error(`not so within ${limitMs} ms`);
    await sleep(5);
  }
  return performance.now() - startedAt;
}
