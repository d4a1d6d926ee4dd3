export { blockAnswer, refusalAnswer } from "./answer.ts";
export type { Answer, RefusalReason } from "./answer.ts";
export { createEngine } from "./engine.ts";
export type { Engine } from "./engine.ts";
export { toEventRecord, toFirewallEvent } from "./event-record.ts";
export type { FormatTime } from "./event-record.ts";
export type { EventOutcome, EventPhase, SecurityEvent } from "./events.ts";
export type { MissingOp } from "./missing-ops.ts";
export type { ConnectionFacts, EngineRequest } from "./request.ts";
export { REPLAYED_FIELDS, replayFields } from "./replay.ts";
export { createSessionTracker } from "./session-tracker.ts";
export type { SessionTrackerOptions } from "./session-tracker.ts";
export { DEFAULT_SEQUENCE_SETTINGS, TRACKINGS } from "./snapshot.ts";
export { createStrictTracker } from "./strict-tracker.ts";
export type { StrictTrackerOptions } from "./strict-tracker.ts";
export { compileMitigation } from "./zone-mitigation.ts";
export { createZoneTracker } from "./zone-tracker.ts";
export type {
  Account,
  AnalyticsSettings,
  AuthIdCharacteristic,
  ConfigSnapshot,
  ConfigSource,
  CookieScope,
  SequenceSettings,
  TokenConfig,
  Zone,
  ZoneSettings,
} from "./snapshot.ts";
export type { JudgedRequest, TrafficFactory, ZoneTraffic } from "./traffic.ts";
export type { SequenceTracker, TrackedSequence, TrackerFactory } from "./tracker.ts";
export type { EngineOptions, Outcome, OwnCookies, RateLimits, Visit } from "./types.ts";
