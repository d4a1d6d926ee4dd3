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

/** What one sequence cookie says. */
export interface SequencePayload {
  /** Which chain of cookies it belongs to, 48 bits. */
  readonly sid: number;
  /** Written for a request that carried no readable cookie: the beginning of a chain. */
  readonly genesis: boolean;
  /** Newest first, at least one. */
  readonly entries: readonly SequenceEntry[];
}

/** Why a cookie with one of our names was ignored; the visitor never learns which. */
export const INVALID_REASONS = ["size", "format", "key", "seal", "payload", "chain"] as const;

/**
 * - `size`: longer than any cookie of ours;
 * - `format`: not the one JWE form that we issue;
 * - `key`: names an hour whose key is not (or no longer) in use;
 * - `seal`: the authentication tag does not fit;
 * - `payload`: sealed by us but not in a known layout;
 * - `chain`: belongs to another sequence than the rest.
 */
export type InvalidReason = (typeof INVALID_REASONS)[number];

/** One readable cookie of a request. */
export interface ReadCookie {
  readonly name: string;
  readonly sid: number;
  /** Time of its newest entry, epoch milliseconds. */
  readonly newestAt: number;
}

/** What the cookies of one request say. Made by {@link SequenceCookies.read}, handed back to `write`. */
export interface SequenceState {
  /** Union of all readable cookies of one chain, pruned. */
  readonly sequence: Sequence;
  /** Chain the request belongs to; `undefined` when it carried no readable cookie and is not bound. */
  readonly sid: number | undefined;
  /** Whether the chain is bound to a session identifier (see `bindValue` of {@link SequenceCookies.read}). */
  readonly bound: boolean;
  /** Names of our cookies in the request, also of those that were ignored; no name twice. */
  readonly names: readonly string[];
  /** Those of our cookies that could be read, whatever their chain. */
  readonly cookies: readonly ReadCookie[];
  /** Id for the chain that begins with the response where `sid` is `undefined`; drawn unless given. */
  readonly freshSid?: number;
  /** Names of cookies of ours that belong to the other kind of scope (host or domain). Never read, only expired. */
  readonly staleNames: readonly string[];
  /** Ignored cookies by reason. */
  readonly invalid: Readonly<Record<InvalidReason, number>>;
  /** Bytes our cookies took in the Cookie header: names, `=` and values. */
  readonly cookieBytes: number;
  /** How far the newest entry lies in the future: above 2,000 some process's clock is wrong. */
  readonly aheadMs: number;
  /** Epoch milliseconds given to `read`. */
  readonly readAt: number;
}

/** Reads and writes the sequence cookies of one zone. */
export interface SequenceCookies {
  /**
   * @param cookieHeader value of the Cookie header, as received; hostile input, never an exception
   * @param nowMs epoch milliseconds
   * @param bindValue session identifier of the request; with it only cookies bound to the same value count
   */
  read(cookieHeader: string | undefined, nowMs: number, bindValue?: string): SequenceState;
  /**
   * Records an operation. To be called once per response that records one, just before its headers go out.
   *
   * @returns values for Set-Cookie fields, in the order in which they must be sent: the new cookie, then
   *   deletions of what it replaces. Empty only when the keys of this hour are used up.
   */
  write(state: SequenceState, op: string, nowMs: number): readonly string[];
  /** Set-Cookie values that delete what the request carried, for a zone whose sequence cookies were switched off. */
  clear(state: SequenceState): readonly string[];
  /** The Cookie header without our cookies, otherwise byte for byte the same; `undefined` when nothing is left. */
  strip(cookieHeader: string | undefined): string | undefined;
  /** The Set-Cookie values of an upstream without those that use our names; the same array when there are none. */
  stripSetCookie(lines: readonly string[]): readonly string[];
}
