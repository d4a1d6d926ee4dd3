/** What the engine is given, and what it gives. */
import type { ClearanceGate } from "../challenge/index.ts";
import type { HashText, RateLimitStore } from "../ratelimit/index.ts";
import type { SequenceFields } from "../sequence/index.ts";
import type { Answer, RefusalReason } from "./answer.ts";
import type { SecurityEvent } from "./events.ts";
import type { VerifyToken } from "../session/index.ts";
import type { ConfigSource, Zone } from "./snapshot.ts";
import type { TrackerFactory } from "./tracker.ts";
import type { TrafficFactory } from "./traffic.ts";

/** Recognises Stepgate's own cookies, so that neither origins nor rules nor logs ever see a token. */
export interface OwnCookies {
  /** A `Cookie` value without our cookies, otherwise byte for byte; `undefined` when nothing is left. */
  strip(header: string | undefined): string | undefined;
  /** Whether a `Set-Cookie` line sets a cookie by one of our names. */
  isOwnSetCookie(line: string): boolean;
}

/** Where rate limits count. */
export interface RateLimits {
  readonly store: RateLimitStore;
  /** SHA-256, for the names of counters. */
  readonly hash: HashText;
}

export interface EngineOptions {
  readonly source: ConfigSource;
  readonly trackerFor: TrackerFactory;
  readonly ownCookies: OwnCookies;
  /** Verifies the tokens of a zone; without it a zone whose session identifiers are in tokens cannot be used. */
  readonly tokenVerifierFor?: (zone: Zone) => VerifyToken;
  /** Without it every rule that counts goes by its `on_state_error`. */
  readonly rateLimits?: RateLimits;
  /** Without it nobody can pass a challenge: challenges block. */
  readonly clearance?: ClearanceGate;
  /** Who counts the requests of a zone; nobody when absent. */
  readonly trafficFor?: TrafficFactory | undefined;
  /** Cryptographically strong random bytes. */
  readonly random: (lengthBytes: number) => Uint8Array;
  /** Called when a request is finished, once for each rule that fired, in their order. */
  readonly onEvent: (event: SecurityEvent) => void;
}

/** A request that may go on to its origin. */
export interface Visit {
  readonly zoneId: string;
  /** Absolute URL of the origin, without a path. */
  readonly origin: string;
  /** Canonical path and query: the same string that was matched. */
  readonly target: string;
  /** Canonical host. */
  readonly host: string;
  /** `Cookie` value for the origin, without our cookies. */
  readonly cookie: string | undefined;
  /** The header list for the origin with the rules' modifications made, which come last of all; flat. */
  requestHeaders(headers: readonly string[]): readonly string[];
  /** Short id of the operation the request is; empty when it is none, or when the zone keeps no sequences. */
  readonly currentOp: string;
  /** What came before the request. Cookies that no rule asked for are opened now. */
  history(): SequenceFields | Promise<SequenceFields>;
  /**
   * Whether {@link onResponse} records, counts, reports or edits. When not, it only names the request in a header,
   * and a carrier that is part of the application may do without it.
   */
  readonly hasResponseWork: boolean;
  /** Records the operation if it counts, and edits the response's header list (flat; not changed in place). */
  onResponse(status: number, headers: string[]): string[] | Promise<string[]>;
  /** In the place of {@link onResponse} when the origin gave none: edits the answer that the visitor gets instead. */
  onUnanswered(answer: Answer): Answer;
  /** In the place of both when the visitor left before there was a response. */
  onClientGone(): void;
  /** Whether rules fired that are told of with the response. When not, {@link onClientGone} has nothing to do. */
  readonly hasEvents: boolean;
}

export type Outcome =
  | { readonly kind: "answer"; readonly answer: Answer; readonly refusal?: RefusalReason }
  | { readonly kind: "forward"; readonly visit: Visit };
