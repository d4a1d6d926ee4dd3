/** The figures of Sequence Analytics, each with its reason. */

/** Longest sequence that is scored: nine operations (product documentation, "Sequence Analytics", Limitations). */
export const MAX_SEQUENCE_LENGTH = 9;

/** Entries of a history that are looked at: what a sequence cookie can hold at most. */
export const MAX_PREVIOUS = 64;

/** Operations one table can hold: an index takes 16 bits and 0 means "unknown". The product's plans end at 10,000. */
export const MAX_OPERATIONS = 65_535;

/** Below this count a context gets no longer contexts while the tree is more than half full. */
export const GATE = 8;

/**
 * Contexts of a tree, which starts small and grows as far as this: 20 bytes each, 5.2 MB, so that an hour of 10,000
 * operations stays below 8 MB together with its pairs. A smaller tree for few operations would save memory only
 * where traffic is heavy, and there it costs accuracy: with 16,384 contexts the scores of 50 operations are off by
 * 0.005 on average after a million requests, with this by 0.002.
 */
export const DEFAULT_MAX_NODES = 262_144;
export const MAX_MAX_NODES = 1_048_576;

/** Operations up to which pairs are a plain matrix, exact whatever happens: 1,024² counts of 2 bytes are 2 MB. */
export const MAX_DENSE_CAPACITY = 1024;

/** Places for pairs beyond that, 8 bytes each: 2.1 MB. */
export const DEFAULT_PAIR_SLOTS = 262_144;
export const MAX_PAIR_SLOTS = 4_194_304;

/** Contexts and pairs a closed hour keeps: at most about 0.7 MB of snapshot, mostly a quarter of that. */
export const CLOSED_MAX_NODES = 65_536;
export const CLOSED_MAX_PAIRS = 131_072;

/** Contexts of the sum of a day; 10.5 MB at most, and only while somebody looks. */
export const SUM_MAX_NODES = 524_288;

/** What a snapshot may hold at most; the largest counter stays far below. */
export const MAX_SNAPSHOT_BYTES = 16_777_216;
export const MAX_SNAPSHOT_NODES = 1_048_576;

/** Hours that count ("scores use data from the last 24 hours", product documentation). */
export const WINDOW_HOURS = 24;
export const HOUR_MS = 3_600_000;

/**
 * How long a snapshot is kept, from the beginning of its period: sequences and samples for their day and an hour, in
 * which nobody has to hurry; discovery for its ten days and one.
 */
export const SNAPSHOT_KEEP_MS = {
  sequences: 25 * HOUR_MS,
  sample: 25 * HOUR_MS,
  discovery: 264 * HOUR_MS,
} as const;

/** Counts below this say nothing (spec: analytics, 2.2); beside it 20 times the error bound. */
export const MIN_SUPPORT = 20;
export const SUPPORT_PER_ERROR = 20;

/** A sequence is not reported when a longer one keeps this share of its count. */
export const FOLD_SHARE = 0.9;

/** Above this share of repeats the ten entries of a history are too few for long sequences. */
export const NOTED_REPEAT_SHARE = 0.3;

/** Rows of one answer. */
export const MAX_PAGE = 1000;

/** Bytes of snapshots a day window holds at most, those of all processes and nodes together. */
export const MAX_WINDOW_BYTES = 134_217_728;

/** Requests in the sample of an hour of one process: about 0.2 MB. */
export const SAMPLE_SIZE = 500;
/** Characters of a path, query or header in a sample. */
export const MAX_SAMPLE_TEXT = 1024;
/** Bytes of a sample that is read, and requests that are looked at together. */
export const MAX_SAMPLE_BYTES = 8_388_608;
export const MAX_WINDOW_SAMPLE = 20_000;

/** Requests an hour that one sequence, and one address prefix, may add to the counts. */
export const DEFAULT_PER_SEQUENCE = 200;
export const DEFAULT_PER_ADDRESS_PREFIX = 2000;
/** Counters in a row of the cap: two sketches of two rows of 2 bytes are 512 KB, whatever the number of visitors. */
export const CAP_COUNTERS = 65_536;

/** A rule is suggested when it would have let at least this share of the requests pass. */
export const MIN_PASS_RATE = 0.99;
/** Longest title of a sequence rule (API Shield). */
export const MAX_TITLE_LENGTH = 50;

/** What makes an endpoint worth reporting: 500 successful requests in 10 days (product documentation, API Discovery). */
export const DISCOVERY_MIN_REQUESTS = 500;
export const DISCOVERY_PERIOD_MS = 864_000_000;
/** Days that one process keeps while they cannot be written. */
export const DISCOVERY_DAYS = 10;
export const DAY_MS = 86_400_000;
/** Nodes of all path trees together, about 300 bytes each: 9 MB at most, whatever is requested. */
export const DISCOVERY_MAX_NODES = 30_000;
/** Children of one node that are told apart before they are looked at. */
export const DISCOVERY_MAX_CHILDREN = 512;
/** Longer paths are no endpoints of an API. */
export const DISCOVERY_MAX_SEGMENTS = 12;
export const DISCOVERY_MAX_HOSTS = 64;
/** Subdomains from which on they are told apart no longer. */
export const DISCOVERY_MIN_SUBDOMAINS = 8;
