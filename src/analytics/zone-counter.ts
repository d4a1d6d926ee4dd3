/** Everything that is counted of one zone: its sequences, within the fairness cap, what is no saved operation, and a sample where it is wanted. */
import { addressPrefix } from "./address-prefix.ts";
import { createDecisionSample } from "./decision-sample.ts";
import type { DecisionSample, SampledDecision } from "./decision-sample.ts";
import type { ObservedRequest } from "./discovery.ts";
import { createDiscoveryRecorder } from "./discovery-recorder.ts";
import { createFairnessCap } from "./fairness-cap.ts";
import type { FairnessCap, FairnessCapOptions } from "./fairness-cap.ts";
import { createHourRecorder } from "./hour-recorder.ts";
import type { CountedHour } from "./hour-recorder.ts";
import type { OpNumberOf } from "./hour-counter.ts";
import type { SnapshotKind } from "./snapshot-store.ts";

export interface ZoneCounterOptions {
  /** Short ids of the zone's operations. */
  readonly operations: readonly string[];
  readonly cap: FairnessCapOptions;
  /** A number from 0 to below 1, each time another. */
  readonly random: () => number;
  /** How the number of an entry's short id is found; from its text by default. */
  readonly opNumberOf?: OpNumberOf;
}

/** A request to an operation, and the past that it brought along. */
export interface CountedRequest {
  /** Short id. */
  readonly currentOp: string;
  /** Newest first. */
  readonly entries: readonly { readonly op: string }[];
  /** Names the sequence; empty when it has none. Forgotten with the hour, and never stored. */
  readonly sequenceId: string;
  /** Textual. Likewise. */
  readonly clientAddress: string;
}

export interface ZoneCounter {
  setOperations(shortIds: readonly string[]): void;
  /** Turns the sample on or off; what was drawn so far goes when it is turned off. */
  setSampling(isOn: boolean): void;
  record(nowMs: number, request: CountedRequest): void;
  /** Lets any request take part in the sample, if there is one. */
  sample(nowMs: number, make: () => SampledDecision): void;
  /** Learns from the answer to a request that is no saved operation. */
  observe(nowMs: number, request: ObservedRequest): void;
  /** What to store since the last call. */
  takeSnapshots(nowMs: number): Readonly<Record<SnapshotKind, readonly CountedHour[]>>;
}

/** @throws {RangeError} for text that is no short id, and for caps out of range */
export function createZoneCounter(options: ZoneCounterOptions): ZoneCounter {
  const { cap: capOptions, random } = options;
  const recorder = createHourRecorder(options);
  const discovery = createDiscoveryRecorder();
  // Half a megabyte: made when the zone has its first visitor.
  let cap: FairnessCap | undefined;
  let sample: DecisionSample | undefined;
  return {
    setOperations: (shortIds) => recorder.setOperations(shortIds),
    setSampling(isOn) {
      if (!isOn) sample = undefined;
      else sample ??= createDecisionSample(random);
    },
    record(nowMs, { currentOp, entries, sequenceId, clientAddress }) {
      cap ??= createFairnessCap(capOptions);
      const id = sequenceId === "" ? undefined : sequenceId;
      if (cap.admit(id, addressPrefix(clientAddress), nowMs)) recorder.record(nowMs, currentOp, entries);
      else recorder.addCapped(nowMs);
    },
    sample: (nowMs, make) => sample?.offer(nowMs, make),
    observe: (nowMs, request) => discovery.observe(request, nowMs),
    takeSnapshots: (nowMs) => ({
      sequences: recorder.takeSnapshots(nowMs),
      discovery: discovery.takeSnapshots(nowMs),
      sample: sample?.takeSnapshots(nowMs) ?? [],
    }),
  };
}
