/** Every limit of this folder, with its unit and the reason for its size. */

/** Rounds of a challenge: enough that the slowest visitor in a hundred waits less than twice the average. */
export const CHALLENGE_ROUNDS = 16;

/** Leading zero bits of one round unless configured otherwise: 16 · 2^12 hashes, about a second on a laptop. */
export const DEFAULT_DIFFICULTY_BITS = 12;

/** Bits that can be configured: from next to nothing to a minute on a laptop. */
export const MIN_DIFFICULTY_BITS = 4;
export const MAX_DIFFICULTY_BITS = 18;

/** How long a challenge can be answered: a slow telephone, and a visitor who looked away. */
export const CHALLENGE_LIFETIME_MS = 300_000;

/** Longest answer token that is looked at. */
export const MAX_ANSWER_TOKEN_LENGTH = 2048;
