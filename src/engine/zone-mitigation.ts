/** The zone's sequence rules made ready for requests. */
import { compileSeqRules } from "../sequence/index.ts";
import type { CompiledSeqRules } from "../sequence/index.ts";
import type { Zone } from "./snapshot.ts";
import { sequenceSettingsOf, trackingPartsOf } from "./zone-tracker.ts";

/** @returns `undefined` for a zone without sequence rules */
export function compileMitigation(zone: Zone): CompiledSeqRules | undefined {
  const { seqRules = [] } = zone;
  if (seqRules.length === 0) return undefined;
  const { lookbackRequests, lookbackSeconds, allowFiresWithoutIdentity } = sequenceSettingsOf(zone);
  return compileSeqRules(seqRules, {
    maxRequests: lookbackRequests,
    maxAgeMs: lookbackSeconds * 1000,
    // A request without cookies is a visitor's first; one without a session identifier is nobody's.
    allowFiresWithoutIdentity: allowFiresWithoutIdentity ?? trackingPartsOf(zone).cookies,
  });
}
