/** The figures of session identifiers, each with its reason. */

/** Session identifiers of a zone (OpenAPI of API Shield). */
export const MAX_CHARACTERISTICS = 10;

/** Characters of a name (OpenAPI of API Shield). */
export const MAX_NAME_LENGTH = 128;

/** Steps of a claim path: deeper claims than these are nobody's identity. */
export const MAX_PATH_STEPS = 16;

/** Characters of a claim that names somebody: a token of 16 KB cannot hold a longer one. */
export const MAX_CLAIM_LENGTH = 16_384;

/** Token sources of one configuration that are looked through. */
export const MAX_TOKEN_SOURCES = 8;

/** User text in messages is shortened to so many characters. */
export const MAX_QUOTED_LENGTH = 100;
