/** Where a visitor's sequence is remembered. The engine decides when; an implementation knows how. */
import type { Sequence } from "../sequence/index.ts";
import type { SessionIdentity } from "../session/index.ts";
import type { EngineRequest } from "./request.ts";
import type { Zone } from "./snapshot.ts";

/** The sequence one request brought along. */
export interface TrackedSequence {
  readonly sequence: Sequence;
  /** What sequence rules look back on, where that reaches further than the sequence. */
  readonly lookback?: Sequence;
  /** Names the sequence without naming the visitor; empty when there is none yet. */
  readonly id: string;
  /** The state could not be had: the sequence is empty because nobody knows it. */
  readonly isUnavailable?: boolean;
  /**
   * Remembers that `op` was called at `atMs`.
   *
   * @returns `Set-Cookie` lines for the response, in this order; empty when the state lives elsewhere
   */
  record(op: string, atMs: number): readonly string[] | Promise<readonly string[]>;
}

export interface SequenceTracker {
  /** @param identity what the request's session identifiers say; absent where the zone has none */
  read(
    request: EngineRequest,
    nowMs: number,
    identity?: SessionIdentity,
  ): TrackedSequence | Promise<TrackedSequence>;
}

/** Makes the tracker of a zone; called when the zone's configuration changes, not per request. */
export type TrackerFactory = (zone: Zone) => SequenceTracker;
