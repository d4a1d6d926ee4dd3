/** Strict mode: sequence cookies that only name a sequence, which is kept on the server. */
import {
  areBornTogether,
  EMPTY_HISTORY,
  EMPTY_SEQUENCE,
  merge,
  mintSid,
  prune,
  SID_RANDOM_BYTES,
  StateUnavailableError,
} from "../sequence/index.ts";
import type {
  SequenceCookies,
  SequenceLimits,
  SequenceState,
  SequenceStore,
  Session,
  SessionHistory,
} from "../sequence/index.ts";
import { sourceOf } from "../session/index.ts";
import type { EngineRequest } from "./request.ts";
import type { SequenceTracker, TrackedSequence } from "./tracker.ts";

export interface StrictTrackerOptions {
  /** 32 hex characters. */
  readonly zoneId: string;
  readonly cookies: Pick<SequenceCookies, "read" | "write">;
  readonly store: SequenceStore;
  readonly limits: SequenceLimits;
  /** Cryptographically strong bytes. */
  readonly random: (size: number) => Uint8Array;
  /** The clock, epoch milliseconds. */
  readonly now: () => number;
}

/** A visitor's first burst of parallel requests can begin so many chains at once; a browser has fewer connections. */
const MAX_CHAINS = 8;

/** Cookies are written anew when this part of their life is over. */
const RENEW_AFTER = 1 / 4;

/** One request on its way. */
interface Reading {
  readonly options: StrictTrackerOptions;
  readonly state: SequenceState;
  /** The chain that the response is recorded in. */
  readonly sid: number;
  readonly source: string;
}

/**
 * The first requests of a visitor may run in parallel, and each begins a chain. All of them are read ever after, and
 * the first of them is written to, so that nothing of the burst is lost.
 */
export function createStrictTracker(options: StrictTrackerOptions): SequenceTracker {
  return {
    read(request, nowMs) {
      const state = options.cookies.read(request.header("cookie"), nowMs);
      const sid = state.sid ?? mintSid(nowMs, options.random(SID_RANDOM_BYTES));
      const reading = { options, state, sid, source: sourceOf(request.clientAddress) };
      return state.sid === undefined
        ? track(reading, EMPTY_HISTORY, nowMs)
        : readTracked(reading, request, nowMs);
    },
  };
}

async function readTracked(
  reading: Reading,
  { receivedAt }: EngineRequest,
  nowMs: number,
): Promise<TrackedSequence> {
  const { options, state, sid } = reading;
  const sids = new Set([sid, ...state.cookies.map((cookie) => cookie.sid)]);
  const chains = [...sids].filter((other) => areBornTogether(other, sid)).slice(0, MAX_CHAINS);
  try {
    const histories = await Promise.all(
      chains.map(async (chain) => options.store.read(toSession(reading, chain), receivedAt)),
    );
    return track(reading, mergeAll(histories, options.limits), nowMs);
  } catch (error) {
    if (!(error instanceof StateUnavailableError)) throw error;
    return { ...track(reading, EMPTY_HISTORY, nowMs), isUnavailable: true };
  }
}

function toSession({ options, source }: Reading, sid: number): Session {
  const { maxEntries, maxAgeMs } = options.limits;
  return {
    key: [options.zoneId, ":c:", idOf(sid)].join(""),
    source,
    limits: { maxEntries, maxIdleMs: maxAgeMs },
  };
}

/** As the ids of sequences that are kept in cookies: 48 bits. */
function idOf(sid: number): string {
  return sid.toString(16).padStart(12, "0");
}

function mergeAll(histories: readonly SessionHistory[], limits: SequenceLimits): SessionHistory {
  return histories.reduce((all, { sequence, lookback }) => ({
    sequence: merge(all.sequence, sequence, limits),
    lookback: merge(all.lookback, lookback, limits),
  }));
}

function track(reading: Reading, history: SessionHistory, nowMs: number): TrackedSequence {
  const { options, state, sid } = reading;
  return {
    // A session lives on with every request; its entries do not.
    sequence: prune(history.sequence, nowMs, options.limits),
    lookback: history.lookback,
    id: state.sid === undefined ? "" : idOf(sid),
    record: (op, at) => record(reading, op, at),
  };
}

async function record(reading: Reading, op: string, at: number): Promise<readonly string[]> {
  const { options, state, sid } = reading;
  try {
    await options.store.append(toSession(reading, sid), { op, at }, options.now());
  } catch (error) {
    if (!(error instanceof StateUnavailableError)) throw error;
  }
  const own = state.cookies.filter((cookie) => cookie.sid === sid);
  const newestAt = Math.max(...own.map((cookie) => cookie.newestAt), Number.NEGATIVE_INFINITY);
  if (at - newestAt < options.limits.maxAgeMs * RENEW_AFTER) return [];
  // Cookies that name the other chains of the first burst stay; what cannot be read goes.
  const kept = new Set(state.cookies.filter((cookie) => cookie.sid !== sid).map(({ name }) => name));
  const names = state.names.filter((name) => !kept.has(name));
  return options.cookies.write({ ...state, names, freshSid: sid, sequence: EMPTY_SEQUENCE }, op, at);
}
