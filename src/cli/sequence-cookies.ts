/** The cookie carrier of sequences, as the engine wants it: one tracker per zone on one key ring. */
import {
  createClearanceGate,
  createCookieTracker,
  createKeyRing,
  createRandomSource,
  createSequenceCookies,
  OWN_COOKIES,
} from "../cookie/index.ts";
import type { ClearanceOptions, MasterKey } from "../cookie/index.ts";
import type { EngineOptions, OwnCookies, TrackerFactory } from "../engine/index.ts";
import type { Config } from "./config.ts";

export interface SequenceCarrier {
  readonly trackerFor: TrackerFactory;
  readonly ownCookies: OwnCookies;
  readonly clearance: NonNullable<EngineOptions["clearance"]>;
}

/**
 * @param masters master keys; several processes that share them read each other's cookies
 * @param challenge difficulty of challenges and duration of clearances
 */
export function createSequenceCarrier(
  masters: readonly MasterKey[],
  { maxEntries, maxAgeSeconds, leads }: Config["sequence"],
  challenge: Omit<ClearanceOptions, "keyRing" | "random"> = {},
): SequenceCarrier {
  const keyRing = createKeyRing(masters);
  const random = createRandomSource();
  return {
    trackerFor: (zone) =>
      createCookieTracker(
        createSequenceCookies({
          zoneId: zone.id,
          keyRing,
          random,
          scope: { ...zone.settings.cookieScope, maxAgeSeconds },
          limits: { maxEntries, maxAgeMs: maxAgeSeconds * 1000 },
          leads,
        }),
      ),
    ownCookies: OWN_COOKIES,
    clearance: createClearanceGate({ keyRing, random, ...challenge }),
  };
}
