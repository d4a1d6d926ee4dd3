/** Limits of the language, each with its unit and its reason. */

/** Levels of `(`, `not`, `any(` and calls on one path; the reference engine's default. */
export const MAX_NESTING_DEPTH = 128;

/** Levels of Array and Map in one type; the reference engine's limit. */
export const MAX_TYPE_NESTING = 32;

/** Characters of one expression that the documented product accepts; a rule of the host, not of the language. */
export const MAX_EXPRESSION_CHARACTERS = 4096;

/** `#` around a raw string; the reference engine keeps the count in one byte. */
export const MAX_RAW_HASHES = 255;

/** Errors reported for one expression: more would bury the first. */
export const MAX_REPORTED_ERRORS = 20;

/** Largest array index that can be written: an unsigned 32-bit number. */
export const MAX_INDEX = 0xffff_ffff;

/** Levels of groups and classes in one regular expression; the default of the reference's regex syntax. */
export const MAX_REGEX_NESTING = 250;

/**
 * Instructions of one compiled regular expression. The reference allows 10 MiB of program, about 300,000
 * instructions. Matching normally takes one step per byte; when the automaton outgrows its memory it takes
 * up to one per byte and instruction, so what an instruction may cost is bounded by their number.
 */
export const MAX_REGEX_INSTRUCTIONS = 20_000;

/** Rounds of `url_decode(…, "r")`: an attacker chooses how often a value is encoded. */
export const MAX_DECODE_ROUNDS = 10;

/** Bytes of a document that `lookup_json_*` reads; larger ones count as missing. */
export const MAX_JSON_BYTES = 1 << 20;
