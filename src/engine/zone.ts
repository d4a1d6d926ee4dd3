/** A zone made ready for requests. Compiled when its configuration changes; requests only look things up. */
import { createMatcher } from "../operation/index.ts";
import type { OperationMatcher } from "../operation/index.ts";
import { compileRules } from "../ruleset/index.ts";
import type { CompiledRules, Ruleset } from "../ruleset/index.ts";
import type { Zone } from "./snapshot.ts";
import type { SequenceTracker, TrackerFactory } from "./tracker.ts";

export interface CompiledRuleset {
  readonly ruleset: Ruleset;
  readonly rules: CompiledRules;
}

export interface CompiledZone {
  readonly zone: Zone;
  readonly matcher: OperationMatcher;
  readonly tracker: SequenceTracker;
  readonly custom: CompiledRuleset | undefined;
  /** Whether a rule may ask for the history of a request that is no operation. */
  readonly needsHistory: boolean;
}

/** Fields whose values come out of the sequence. */
const HISTORY_FIELDS = ["cf.sequence.previous_ops", "cf.sequence.msec_since_op", "cf.sequence.id"];

/** @param previous the same zone as it was before, whose unchanged parts are kept as they are */
export function compileZone(
  zone: Zone,
  previous: CompiledZone | undefined,
  trackerFor: TrackerFactory,
): CompiledZone {
  const sameOperations = previous?.zone.operations === zone.operations;
  const sameSettings = previous?.zone.settings === zone.settings;
  const custom = compileEntrypoint(zone, previous);
  return {
    zone,
    matcher: sameOperations && previous !== undefined ? previous.matcher : createMatcher(zone.operations),
    tracker: sameSettings && previous !== undefined ? previous.tracker : trackerFor(zone),
    custom,
    needsHistory: HISTORY_FIELDS.some((field) => custom?.rules.fieldsWithoutOp.has(field) === true),
  };
}

function compileEntrypoint(zone: Zone, previous: CompiledZone | undefined): CompiledRuleset | undefined {
  const ruleset = zone.rulesets.find(
    ({ kind, phase }) => kind === "zone" && phase === "http_request_firewall_custom",
  );
  if (ruleset === undefined) return undefined;
  if (previous?.custom?.ruleset === ruleset) return previous.custom;
  return { ruleset, rules: compileRules(ruleset.rules, { phase: ruleset.phase }) };
}
