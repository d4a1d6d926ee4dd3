/** Every limit of this folder, with its unit and the reason for its size. */

/** Rules in one ruleset; all of them may have to be evaluated for one request. */
export const MAX_RULES = 10_000;

/** Characters of an expression (the product's limit). */
export const MAX_EXPRESSION_LENGTH = 4096;

/** Bytes of `action_parameters.response.content` (the product's limits: custom rules, and rate limits). */
export const MAX_BLOCK_CONTENT_BYTES = 2048;
export const MAX_RATELIMIT_CONTENT_BYTES = 30_720;

/** Characters of a static header value (the product's limit of 4 KB). */
export const MAX_HEADER_VALUE_LENGTH = 4096;

/** Characters of a header name: Node and most servers refuse longer header lines anyway. */
export const MAX_HEADER_NAME_LENGTH = 256;

/** Headers that one rule changes. */
export const MAX_HEADERS_PER_RULE = 100;

/** Characters of a redirect's source and target (the product's limit of 32 KB). */
export const MAX_URL_LENGTH = 32_768;

/** Hosts that one redirect may name for its computed target; more of them are a list. */
export const MAX_ALLOWED_HOSTS = 100;

/** Slashes in the path of a source with `subpath_matching` (the product's limit). */
export const MAX_SUBPATH_SLASHES = 16;

/** Characters of `ref` and of `description`. */
export const MAX_REF_LENGTH = 256;
export const MAX_DESCRIPTION_LENGTH = 4096;

/** Characteristics of one rate limit. */
export const MAX_CHARACTERISTICS = 10;

/** Items in one list: a redirect list of a large site, and what one process can hold of several. */
export const MAX_LIST_ITEMS = 200_000;

/** Characters of a list's name and of the comments of lists and items (the product's limits). */
export const MAX_LIST_NAME_LENGTH = 50;
export const MAX_COMMENT_LENGTH = 500;
