/**
 * Session sequence state: what is remembered of clients that carry no cookies, by session identifier.
 *
 * A request takes two calls, each one atomic step at the store: `read` when it arrives, and `append` when it is known
 * that it counts (it was forwarded, and answered as its operation's `record` asks). One call that appends first
 * and is undone when the request is blocked would show a blocked B to others for a moment, and "B before C"
 * would hold for a client that fires both. Nothing is ever read, changed and written back, so parallel appends
 * lose nothing; the order is that of their arrival at the store.
 *
 * What that means for parallel requests of one session: a request sees an earlier one if that one's append reached
 * the store before its own read. The append is awaited before the response is let out, so a client that has the
 * answer to A is always known to have done A, on every node. Requests in flight together do not see each other: a
 * rule "B needs A" blocks B then (it fails closed), a rule "no B after A" lets it pass, as it would have a moment
 * before A. How often something may happen at once is for rate limits, which count before they decide.
 */
import { MAX_AGE_MS, MAX_ENTRIES } from "./limits.ts";
import { EMPTY_SEQUENCE } from "./sequence.ts";
import type { Sequence, SequenceEntry } from "./types.ts";

/** How far back a session reaches. */
export interface SessionLimits {
  /** Entries kept, and runs of the look-back. */
  readonly maxEntries: number;
  /**
   * A session whose newest entry is older begins anew. The idleness slides: with a request every few minutes a
   * sequence lasts for hours.
   */
  readonly maxIdleMs: number;
}

/** The figures of Sequence Mitigation: the last 10 operations, 10 minutes of idleness. */
export const DEFAULT_SESSION_LIMITS: SessionLimits = Object.freeze({ maxEntries: 10, maxIdleMs: 600_000 });

/** One session as a store knows it. */
export interface Session {
  /** What `sessionKey` gives: printable ASCII made by HMAC, never the identifier itself. */
  readonly key: string;
  /**
   * Who presents it, as far as that can be told apart (`sourceOf` an address). Where room is short, the sessions of
   * one source make room for each other. Without it nothing is assumed.
   */
  readonly source?: string;
  readonly limits: SessionLimits;
}

/** What is known of a session. */
export interface SessionHistory {
  /** The newest entries, repeats kept: what the fields of the Rules language show. */
  readonly sequence: Sequence;
  /**
   * The newest runs of equal operations, each by its newest entry: what sequence rules look back on. Reaches further
   * back than `sequence` when an operation was repeated, so that polling does not push a step out of sight.
   */
  readonly lookback: Sequence;
}

/** A session of which nothing is known. */
export const EMPTY_HISTORY: SessionHistory = Object.freeze({
  sequence: EMPTY_SEQUENCE,
  lookback: EMPTY_SEQUENCE,
});

/**
 * Keeps session histories. Times in what it returns are on the caller's clock, whoever wrote them: stores that nodes
 * share keep ages by a clock of their own.
 *
 * A store that cannot answer in time rejects with {@link StateUnavailableError}. An append that was given up may
 * still take effect.
 */
export interface SequenceStore {
  /** @param nowMs epoch milliseconds of the caller */
  read(session: Session, nowMs: number): SessionHistory | Promise<SessionHistory>;
  /**
   * Adds an operation in front, forgets what is beyond the limits, and prolongs the session's life.
   *
   * @param entry short id of the operation, and when its request arrived on the caller's clock; an entry that would
   *   not be newer than the newest one becomes one millisecond newer
   * @param nowMs epoch milliseconds of the caller
   * @returns what was known before
   */
  append(session: Session, entry: SequenceEntry, nowMs: number): SessionHistory | Promise<SessionHistory>;
}

/**
 * - `ERR_STATE_TIMEOUT`: no answer within the time that a request can wait;
 * - `ERR_STATE_DOWN`: there is no connection, or there were too many failures just now: not even asked;
 * - `ERR_STATE_REFUSED`: the store answered with an error (out of memory, read-only, …).
 */
export type StateUnavailableCode = "ERR_STATE_TIMEOUT" | "ERR_STATE_DOWN" | "ERR_STATE_REFUSED";

/** Shared state cannot be had now; each rule says what that means for a request (`on_state_error`). */
export class StateUnavailableError extends Error {
  override readonly name = "StateUnavailableError";
  readonly code: StateUnavailableCode;

  constructor(code: StateUnavailableCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/**
 * @throws {RangeError} for limits beyond those of a sequence cookie: 64 entries, one day
 */
export function checkSessionLimits(limits: SessionLimits): void {
  checkWhole("maxEntries", limits.maxEntries, MAX_ENTRIES);
  checkWhole("maxIdleMs", limits.maxIdleMs, MAX_AGE_MS);
}

/**
 * The entries of a session after one more: the newest `maxEntries` as they are, and behind them the newest entry of
 * each older run until there are `maxEntries` runs. At most twice `maxEntries` − 1.
 *
 * @param kept what this function returned before, newest first
 */
export function recordEntry(
  kept: readonly SequenceEntry[],
  entry: SequenceEntry,
  maxEntries: number,
): readonly SequenceEntry[] {
  const newestAt = kept[0]?.at ?? Number.NEGATIVE_INFINITY;
  const newest = { op: entry.op, at: Math.max(Math.floor(entry.at), newestAt + 1) };
  const recorded: SequenceEntry[] = [newest];
  let runs = 1;
  let newerOp = newest.op;
  for (let index = 0; index < kept.length; index += 1) {
    const older = kept[index] as SequenceEntry;
    const beginsRun = older.op !== newerOp;
    newerOp = older.op;
    if (beginsRun) runs += 1;
    if (runs > maxEntries) break;
    if (index + 1 < maxEntries || beginsRun) recorded.push(older);
  }
  return recorded;
}

/** @param kept what {@link recordEntry} returned */
export function toHistory(kept: readonly SequenceEntry[], maxEntries: number): SessionHistory {
  return kept.length === 0 ? EMPTY_HISTORY : new LazyHistory(kept, maxEntries);
}

/** A class, for the reason that `fields.ts` gives. */
class LazyHistory implements SessionHistory {
  readonly sequence: Sequence;
  readonly #kept: readonly SequenceEntry[];
  #lookback: Sequence | undefined;

  constructor(kept: readonly SequenceEntry[], maxEntries: number) {
    this.#kept = kept;
    this.sequence = { entries: kept.length <= maxEntries ? kept : kept.slice(0, maxEntries) };
  }

  /** Most requests are under no sequence rule. */
  get lookback(): Sequence {
    return (this.#lookback ??= collapse({ entries: this.#kept }));
  }
}

/** A sequence with consecutive repeats of an operation made one: the newest stands for all of them. */
export function collapse(sequence: Sequence): Sequence {
  const { entries } = sequence;
  const runs = entries.filter((entry, index) => entry.op !== entries[index - 1]?.op);
  return runs.length === entries.length ? sequence : { entries: runs };
}

function checkWhole(name: string, value: number, max: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= max) return;
  throw new RangeError(`expected \`${name}\` to be a whole number from 1 to ${max}, found \`${value}\``);
}
