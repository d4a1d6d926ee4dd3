export { allPairs } from "./all-pairs.ts";
export type { ScoredPair } from "./all-pairs.ts";
export { addressPrefix } from "./address-prefix.ts";
export { createDayWindow } from "./day-window.ts";
export type { DayWindow, HourSnapshot } from "./day-window.ts";
export { createDecisionSample, NO_SAMPLES, readSamples } from "./decision-sample.ts";
export type { DecisionSample, DecisionSamples, SampledDecision } from "./decision-sample.ts";
export { createDiscovery } from "./discovery.ts";
export type { DiscoveredEndpoint, Discovery, DiscoveryOptions, ObservedRequest } from "./discovery.ts";
export { createDiscoveryRecorder, isPageResource, sumDiscovery } from "./discovery-recorder.ts";
export type { DiscoveryRecorder, LearnedDay } from "./discovery-recorder.ts";
export type { DiscoveryState } from "./discovery-state.ts";
export { encodeSnapshot } from "./encode-snapshot.ts";
export type { SnapshotSize } from "./encode-snapshot.ts";
export { createFairnessCap } from "./fairness-cap.ts";
export type { FairnessCap, FairnessCapOptions } from "./fairness-cap.ts";
export { createHourCounter } from "./hour-counter.ts";
export type { HourCounter, HourCounterOptions } from "./hour-counter.ts";
export { createHourRecorder } from "./hour-recorder.ts";
export type { CountedHour, HourRecorder, HourRecorderOptions } from "./hour-recorder.ts";
export { DISCOVERY_PERIOD_MS, HOUR_MS, SNAPSHOT_KEEP_MS, WINDOW_HOURS } from "./limits.ts";
export { journeyGraph, neighbours } from "./neighbours.ts";
export type {
  JourneyEdge,
  JourneyGraph,
  JourneyNode,
  JourneyQuery,
  Neighbour,
  Neighbours,
} from "./neighbours.ts";
export { createOperationTable } from "./operation-table.ts";
export type { OperationTable } from "./operation-table.ts";
export { pairScore, pairScores } from "./pair-score.ts";
export type { PairScore } from "./pair-score.ts";
export { decodeSnapshot } from "./snapshot.ts";
export type { Snapshot, SnapshotError, SnapshotErrorCode, SnapshotLoss } from "./snapshot.ts";
export { SNAPSHOT_KINDS } from "./snapshot-store.ts";
export type {
  SnapshotEntry,
  SnapshotKind,
  SnapshotName,
  SnapshotStore,
  StoredSnapshot,
} from "./snapshot-store.ts";
export { suggestRules } from "./suggest.ts";
export type { NamedOperation, SuggestedRule, SuggestOptions } from "./suggest.ts";
export { createSummary, mergeSnapshots } from "./summary.ts";
export type { Summary } from "./summary.ts";
export { SEQUENCE_ORDERS, topSequences } from "./top-sequences.ts";
export type {
  ScoredSequence,
  SequenceNote,
  SequenceOrder,
  SequenceQuery,
  TopSequences,
} from "./top-sequences.ts";
export { createZoneCounter } from "./zone-counter.ts";
export type { CountedRequest, ZoneCounter, ZoneCounterOptions } from "./zone-counter.ts";
export { recordedHistories, simulatePairRule } from "./what-if.ts";
export type { PairRule, RecordedHistory, RuleEffect } from "./what-if.ts";
