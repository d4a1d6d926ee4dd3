/** Every limit of this folder, with its unit and the reason for its size. */

/**
 * Longest request target, in bytes. RFC 9112 section 3 asks for at least 8000 octets of request line, and
 * nginx (8k) and Apache (8190) stop at about the same place: whatever is longer would not reach an origin.
 */
export const MAX_TARGET_BYTES = 8192;

/** Longest path template, in characters (API Shield's `endpoint` field). */
export const MAX_ENDPOINT_LENGTH = 4096;

/** Longest host template, in characters (API Shield's `host` field). */
export const MAX_HOST_TEMPLATE_LENGTH = 255;

/** Longest host name in text form, without the final dot (RFC 1035 section 3.1: 255 octets on the wire). */
export const MAX_HOST_LENGTH = 253;

/** Longest label of a host name (RFC 1035 section 2.3.4). */
export const MAX_LABEL_LENGTH = 63;

/** Longest quotation of user text in an error message, in characters: enough to find it, too little to flood a log. */
export const MAX_QUOTED_LENGTH = 100;

/**
 * Draws of an operation id before giving up. With 10,000 operations a draw is taken once in 430,000 times, so a
 * second refusal in a row already means that the source of randomness is broken.
 */
export const MAX_ID_DRAWS = 16;
