/** What is there at once, or later: a store in memory answers at once, and a request should not notice it. */
export type MaybePromise<T> = T | Promise<T>;
