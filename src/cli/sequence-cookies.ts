/** The cookie carrier of sequences, as the engine wants it: one tracker per zone on one key ring. */
import {
  createKeyRing,
  createRandomSource,
  createSequenceCookies,
  stripCookies,
  stripOwnSetCookies,
} from "../cookie/index.ts";
import type { MasterKey } from "../cookie/index.ts";
import type { OwnCookies, SequenceTracker, TrackerFactory } from "../engine/index.ts";
import type { SequenceCookies } from "../sequence/index.ts";
import type { Config } from "./config.ts";

/** A sequence id is 48 bits. */
const SID_HEX_LENGTH = 12;

export interface SequenceCarrier {
  readonly trackerFor: TrackerFactory;
  readonly ownCookies: OwnCookies;
}

/** @param masters master keys; several processes that share them read each other's cookies */
export function createSequenceCarrier(
  masters: readonly MasterKey[],
  { maxEntries, maxAgeSeconds, leads }: Config["sequence"],
): SequenceCarrier {
  const keyRing = createKeyRing(masters);
  const random = createRandomSource();
  return {
    trackerFor: (zone) => {
      const cookies = createSequenceCookies({
        zoneId: zone.id,
        keyRing,
        random,
        scope: { ...zone.settings.cookieScope, maxAgeSeconds },
        limits: { maxEntries, maxAgeMs: maxAgeSeconds * 1000 },
        leads,
      });
      return cookieTracker(cookies);
    },
    ownCookies: {
      strip: stripCookies,
      isOwnSetCookie: (line) => stripOwnSetCookies([line]).length === 0,
    },
  };
}

function cookieTracker(cookies: SequenceCookies): SequenceTracker {
  return {
    read(request, nowMs) {
      const state = cookies.read(request.header("cookie"), nowMs);
      return {
        sequence: state.sequence,
        id: state.sid === undefined ? "" : state.sid.toString(16).padStart(SID_HEX_LENGTH, "0"),
        record: (op, atMs) => cookies.write(state, op, atMs),
      };
    },
  };
}
