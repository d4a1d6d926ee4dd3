/** Bounds of what the bank accepts. */

/** A transfer is about a hundred bytes; 4 KiB leaves room for any honest client. */
export const MAX_BODY_BYTES = 4_096;

/** The largest transfer, in cents: one million. All the money in the bank stays far below 2^53 cents. */
export const MAX_TRANSFER_CENTS = 100_000_000;

/** Milliseconds that a request may take to arrive, so that a slow sender keeps no connection. */
export const REQUEST_TIMEOUT_MS = 10_000;

/** Seconds that a token of the mobile app is valid: an evening of trying things out. */
export const TOKEN_SECONDS = 14_400;
