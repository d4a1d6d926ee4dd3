export { blockAnswer, refusalAnswer } from "./answer.ts";
export type { Answer, RefusalReason } from "./answer.ts";
export { createEngine } from "./engine.ts";
export type { Engine, EngineOptions, Outcome, OwnCookies, Visit } from "./engine.ts";
export type { SecurityEvent } from "./events.ts";
export type { ConnectionFacts, EngineRequest } from "./request.ts";
export type {
  Account,
  AuthIdCharacteristic,
  ConfigSnapshot,
  ConfigSource,
  CookieScope,
  UrlNormalization,
  Zone,
  ZoneSettings,
} from "./snapshot.ts";
export type { SequenceTracker, TrackedSequence, TrackerFactory } from "./tracker.ts";
