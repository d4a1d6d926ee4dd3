/** One source of sequences for a zone, whatever its `tracking` says: rules never see the difference. */
import { DEFAULT_SEQUENCE_SETTINGS } from "./snapshot.ts";
import type { SequenceSettings, Zone } from "./snapshot.ts";
import type { SequenceTracker } from "./tracker.ts";

/** Which of the two ways of keeping sequences are in use in a zone. */
export interface TrackingParts {
  readonly cookies: boolean;
  readonly sessions: boolean;
}

export function sequenceSettingsOf({ settings }: Zone): SequenceSettings {
  return settings.sequence ?? DEFAULT_SEQUENCE_SETTINGS;
}

/** Cookies have their switch; sessions are on as soon as the zone has an identifier. */
export function trackingPartsOf(zone: Zone): TrackingParts {
  const { tracking } = sequenceSettingsOf(zone);
  const { sequenceCookies, authIdCharacteristics = [] } = zone.settings;
  return {
    cookies: tracking !== "session" && sequenceCookies.enabled,
    sessions: tracking !== "cookie" && authIdCharacteristics.length > 0,
  };
}

/**
 * @param makers called for the ways that the zone uses
 * @returns a tracker that is asked only while one of the ways is on
 */
export function createZoneTracker(
  zone: Zone,
  makers: { readonly cookies: () => SequenceTracker; readonly sessions: () => SequenceTracker },
): SequenceTracker {
  const parts = trackingPartsOf(zone);
  if (!parts.sessions) return makers.cookies();
  const sessions = makers.sessions();
  if (!parts.cookies) return sessions;
  const cookies = makers.cookies();
  return {
    read: (request, nowMs, identity) =>
      (identity?.kind === "present" ? sessions : cookies).read(request, nowMs, identity),
  };
}
