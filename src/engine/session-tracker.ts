/** Sequences that are kept on the server, by the session identifier of a request. */
import { DEFAULT_LIMITS, EMPTY_SEQUENCE, merge, StateUnavailableError } from "../sequence/index.ts";
import type { Sequence, SequenceStore, Session, SessionHistory, SessionLimits } from "../sequence/index.ts";
import { sessionKey, sourceOf } from "../session/index.ts";
import type { SessionHmac, SessionIdentity } from "../session/index.ts";
import type { SequenceTracker, TrackedSequence } from "./tracker.ts";

export interface SessionTrackerOptions {
  /** 32 hex characters. */
  readonly zoneId: string;
  readonly store: SequenceStore;
  /**
   * HMACs for the names of sessions at a moment (epoch ms): the one in force first, then those that it took over from
   * less than a session's life ago, so that no session ends with a rotation.
   */
  readonly hmacs: (nowMs: number) => readonly SessionHmac[];
  readonly limits: SessionLimits;
  /** The clock, epoch milliseconds: a store that nodes share wants to know how long ago an operation was called. */
  readonly now: () => number;
}

const NOTHING_RECORDED: readonly string[] = Object.freeze([]);

/** A request that names no session. */
const NOBODY: TrackedSequence = Object.freeze({
  sequence: EMPTY_SEQUENCE,
  id: "",
  record: () => NOTHING_RECORDED,
});

/** Characters of a session's name that make the id of its sequence: 96 bits, as long as those of cookies. */
const ID_LENGTH = 16;

/**
 * INVARIANT: an identifier reaches the store as an HMAC only, and nothing that is wrong with the store reaches the
 * visitor: state that cannot be read is `isUnavailable`, state that cannot be written is lost.
 */
export function createSessionTracker(options: SessionTrackerOptions): SequenceTracker {
  return {
    read(request, nowMs, identity) {
      if (identity?.kind !== "present") return NOBODY;
      const sessions = toSessions(options, identity, { nowMs, source: sourceOf(request.clientAddress) });
      const [current] = sessions;
      if (current === undefined) return NOBODY;
      return readTracked(options, sessions, { nowMs, id: idOf(current) });
    },
  };
}

function toSessions(
  { zoneId, hmacs, limits }: SessionTrackerOptions,
  identity: Extract<SessionIdentity, { readonly kind: "present" }>,
  { nowMs, source }: { readonly nowMs: number; readonly source: string },
): readonly Session[] {
  return hmacs(nowMs).map((hmac) => ({ key: sessionKey(zoneId, identity, hmac), source, limits }));
}

function idOf({ key }: Session): string {
  return key.slice(key.lastIndexOf(":") + 1).slice(0, ID_LENGTH);
}

interface Reading {
  readonly nowMs: number;
  readonly id: string;
}

/** Asynchronous only where the store is. */
function readTracked(
  options: SessionTrackerOptions,
  sessions: readonly Session[],
  reading: Reading,
): TrackedSequence | Promise<TrackedSequence> {
  const { store, limits } = options;
  const [current, ...former] = sessions as readonly [Session, ...Session[]];
  const { id } = reading;
  const record = (op: string, at: number): readonly string[] | Promise<readonly string[]> =>
    appendTo(options, current, { op, at });
  try {
    const history = store.read(current, reading.nowMs);
    if (former.length === 0 && !(history instanceof Promise)) return new TrackedSession(history, id, record);
    const older = former.map((session) => store.read(session, reading.nowMs));
    return Promise.all([history, ...older]).then(
      (histories) => new TrackedSession(mergeHistories(histories, limits), id, record),
      (error: unknown) => unavailable(error, { id, record }),
    );
  } catch (error) {
    return unavailable(error, { id, record });
  }
}

class TrackedSession implements TrackedSequence {
  readonly sequence: Sequence;
  readonly id: string;
  readonly record: TrackedSequence["record"];
  readonly #history: SessionHistory;

  constructor(history: SessionHistory, id: string, record: TrackedSequence["record"]) {
    this.sequence = history.sequence;
    this.id = id;
    this.record = record;
    this.#history = history;
  }

  /** Worked out when a sequence rule asks for it. */
  get lookback(): Sequence {
    return this.#history.lookback;
  }
}

function unavailable(error: unknown, parts: Pick<TrackedSequence, "id" | "record">): TrackedSequence {
  if (!(error instanceof StateUnavailableError)) throw error;
  return { ...parts, sequence: EMPTY_SEQUENCE, isUnavailable: true };
}

function mergeHistories(histories: readonly SessionHistory[], { maxEntries }: SessionLimits): SessionHistory {
  const limits = { ...DEFAULT_LIMITS, maxEntries };
  return histories.reduce((all, { sequence, lookback }) => ({
    sequence: merge(all.sequence, sequence, limits),
    lookback: merge(all.lookback, lookback, limits),
  }));
}

function appendTo(
  { store, now }: SessionTrackerOptions,
  session: Session,
  entry: { readonly op: string; readonly at: number },
): readonly string[] | Promise<readonly string[]> {
  try {
    const before = store.append(session, entry, now());
    return before instanceof Promise ? before.then(() => NOTHING_RECORDED, notRecorded) : NOTHING_RECORDED;
  } catch (error) {
    return notRecorded(error);
  }
}

function notRecorded(error: unknown): readonly string[] {
  if (!(error instanceof StateUnavailableError)) throw error;
  return NOTHING_RECORDED;
}
