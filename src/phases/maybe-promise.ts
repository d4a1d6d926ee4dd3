/** Work that waits only when it has to: a store in memory answers at once, and a request should not notice it. */

export type MaybePromise<T> = T | Promise<T>;

/**
 * Runs a generator that yields what it waits for.
 *
 * @returns the result itself when nothing it yielded was a promise
 */
export function drive<Asked, Result>(
  steps: Generator<MaybePromise<Asked>, Result, Asked>,
): MaybePromise<Result> {
  let step = steps.next();
  while (step.done !== true) {
    if (step.value instanceof Promise) return driveAsync(steps, step.value);
    step = steps.next(step.value);
  }
  return step.value;
}

async function driveAsync<Asked, Result>(
  steps: Generator<MaybePromise<Asked>, Result, Asked>,
  first: Promise<Asked>,
): Promise<Result> {
  let pending: MaybePromise<Asked> = first;
  for (;;) {
    const settled: Settled<Asked> = await settle(pending);
    const step: IteratorResult<MaybePromise<Asked>, Result> = "error" in settled
      ? steps.throw(settled.error)
      : steps.next(settled.value);
    if (step.done === true) return step.value;
    pending = step.value;
  }
}

/** The outcome of waiting, kept apart from what the generator throws when it goes on. */
type Settled<T> = { readonly value: T } | { readonly error: unknown };

async function settle<T>(pending: MaybePromise<T>): Promise<Settled<T>> {
  try {
    return { value: await pending };
  } catch (error) {
    return { error };
  }
}
