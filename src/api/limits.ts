/** Every limit of this folder, with its unit and the reason for its size. */

/** Bytes of a request body. Large enough for 5,000 ordinary rules or 10,000 operations at once. */
export const MAX_BODY_BYTES = 1_048_576;

/** Bytes of a body that replaces or imports a whole list or zone, which cannot be sent in parts: 100,000 redirects. */
export const MAX_WHOLE_BODY_BYTES = 33_554_432;

/** Levels of arrays and objects in a body. The deepest documented shape has eight. */
export const MAX_BODY_DEPTH = 32;

/** Validation errors in one answer: more than anybody mends at once, and bounded for a body of 10,000 bad rows. */
export const MAX_REPORTED_ERRORS = 50;

/** Characters of a value quoted in an error message. */
export const MAX_QUOTED_CHARACTERS = 200;

/** Rows in one page of a list that is numbered by pages. */
export const MAX_PAGE_ROWS = 1000;

/** Rows in one page of a list that is read with cursors. */
export const MAX_CURSOR_ROWS = 1000;

/** Failed authentications of one client address in {@link AUTH_WINDOW_MS} before its failures are answered with 429. */
export const MAX_AUTH_FAILURES = 20;

/** The same over all addresses. */
export const MAX_AUTH_FAILURES_TOTAL = 1000;

/** Milliseconds after which failures are forgotten. */
export const AUTH_WINDOW_MS = 60_000;

/** Addresses whose failures are counted at a time; beyond it only the total counts. */
export const MAX_TRACKED_ADDRESSES = 10_000;

/** Operations of a zone (the product's limit with API Shield). */
export const MAX_OPERATIONS = 10_000;

/** Zones in all: every snapshot holds them. */
export const MAX_ZONES = 10_000;

/** Tokens in all. */
export const MAX_TOKENS = 10_000;

/** Token configurations of a zone: a few applications, each with a rotation under way. */
export const MAX_TOKEN_CONFIGS = 16;

/** Finished bulk operations that an account can still ask about. */
export const MAX_BULK_OPERATIONS = 1000;

/** Zones whose counts are held ready for the next question, each up to a few dozen megabytes on a large site. */
export const MAX_DAY_WINDOWS = 8;

/** Milliseconds between two times that processes are asked to write what they counted: it costs them some. */
export const MIN_FLUSH_INTERVAL_MS = 2_000;

/** Earlier operations of a simulated expression that are tried in every combination. */
export const MAX_SIMULATED_MEMBERS = 8;

/** Requests that a simulated rule would have hit and that are shown. */
export const MAX_EXAMPLES = 10;

/** Clients that follow security events at a time; each costs a query a second. */
export const MAX_EVENT_STREAMS = 100;

/** Events of one request that are looked up by its ray id: more rules than that fire for none. */
export const MAX_RAY_EVENTS = 1000;

/** Schemas of a zone (the product's limit for large plans). */
export const MAX_SCHEMAS = 10;

/** Characters of a schema's text: the largest documents of public APIs have about as many. */
export const MAX_SCHEMA_CHARACTERS = 8_388_608;

/** Bytes of a body with a schema in it, quoted as a text of JSON. */
export const MAX_SCHEMA_BODY_BYTES = 16_777_216;

/** Ignored endpoints of a zone: as many as it can have operations. */
export const MAX_IGNORED_ENDPOINTS = 10_000;
