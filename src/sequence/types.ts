/** What is remembered of one visitor. */

/** One operation that a visitor called. Identity is the pair (op, at). */
export interface SequenceEntry {
  /** Short id of the operation, 8 lower-case hex characters. */
  readonly op: string;
  /** When, epoch milliseconds of the hybrid logical clock (strictly growing along one chain). */
  readonly at: number;
}

/** Entries newest first, no pair (op, at) twice. */
export interface Sequence {
  readonly entries: readonly SequenceEntry[];
}

/** How far back a sequence reaches. */
export interface SequenceLimits {
  /** Entries kept; 10 in the cookie variant. */
  readonly maxEntries: number;
  /** Entries at least this old are dropped; 3,600,000 in the cookie variant. */
  readonly maxAgeMs: number;
}

/** The two history fields of the Rules language for one request; the request itself is in neither. */
export interface SequenceFields {
  /** Short ids, newest first, repeats kept. */
  readonly previousOps: readonly string[];
  /** Short id → milliseconds since its latest occurrence, never negative. */
  readonly msecSinceOp: ReadonlyMap<string, number>;
}
