/** Life times and bounds of the development certificates. */

export const DAY_MS = 86_400_000;

/**
 * Life time of the leaf: the longest that browsers took of a public certificate (398 days) less one,
 * so that a development process need not be restarted for a renewal.
 */
export const LEAF_LIFETIME_MS = 397 * DAY_MS;

/** The leaf is made anew at a start that finds less than this left. */
export const LEAF_RENEWAL_MS = 30 * DAY_MS;

/**
 * Life time of the CA. Ten years, because trusting it is the one step a person has to do by hand; it can afford
 * that since its name constraints let it vouch for the hosts of this installation only.
 */
export const CA_LIFETIME_MS = 3_650 * DAY_MS;

/** How far validity reaches back, for clients whose clock is a little behind. */
export const CLOCK_SKEW_MS = 3_600_000;

/** More is no certificate chain: 1 MiB. */
export const MAX_PEM_BYTES = 1_048_576;

/** How long a start waits for another one that is making certificates in the same folder. */
export const LOCK_WAIT_MS = 10_000;

/** A lock older than this was left by a process that died: making certificates takes about 50 ms. */
export const LOCK_STALE_MS = 5_000;
