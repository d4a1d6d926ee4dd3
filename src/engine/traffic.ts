/** What is told of a zone's requests to those who count them. Nothing of it changes a request. */
import type { Operation } from "../operation/index.ts";
import type { EngineRequest } from "./request.ts";
import type { Zone } from "./snapshot.ts";
import type { TrackedSequence } from "./tracker.ts";

/** A request that the phases have judged. */
export interface JudgedRequest {
  readonly request: EngineRequest;
  /** Canonical. */
  readonly host: string;
  /** Canonical, without the query. */
  readonly path: string;
  /** Without `?`. */
  readonly query: string;
  /** `undefined` when the request is none, and while the zone keeps no sequences. */
  readonly operation: Operation | undefined;
  /** What rules saw of its past; `undefined` when nothing depended on it. A zone always reads that of an operation. */
  readonly tracked: TrackedSequence | undefined;
  /** Whether a rule ended the request. */
  readonly isEnded: boolean;
}

/** Called in the way of requests: must be fast and must not throw. */
export interface ZoneTraffic {
  /**
   * Every request that rules about sequences were asked about, whatever they said. Not called for preflights, for
   * paused zones, and for what ended earlier (refused, redirected by `http_request_dynamic_redirect`).
   */
  onJudged(judged: JudgedRequest): void;
  /** The origin answered a request; absent when nobody wants to know, which saves work. */
  readonly onResponse?: (judged: JudgedRequest, status: number) => void;
}

/**
 * Called when the configuration of a zone changes, not per request, and with the same zone id again after each
 * change. `undefined`: nobody counts.
 */
export type TrafficFactory = (zone: Zone) => ZoneTraffic | undefined;
