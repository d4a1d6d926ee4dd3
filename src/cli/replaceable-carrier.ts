/** A sequence carrier that can be exchanged while requests are under way, as keys are rotated. */
import type { SequenceTracker } from "../engine/index.ts";
import type { SequenceCarrier } from "./sequence-cookies.ts";

export interface ReplaceableCarrier {
  readonly carrier: SequenceCarrier;
  /** A request keeps the carrier it was read with, so that it is sealed with keys that know its cookies. */
  replace(next: SequenceCarrier): void;
}

export function replaceableCarrier(first: SequenceCarrier): ReplaceableCarrier {
  let current = first;
  return {
    carrier: {
      trackerFor(zone) {
        let madeBy = current;
        let tracker: SequenceTracker = madeBy.trackerFor(zone);
        return {
          read(request, nowMs, identity) {
            if (madeBy !== current) {
              madeBy = current;
              tracker = madeBy.trackerFor(zone);
            }
            return tracker.read(request, nowMs, identity);
          },
        };
      },
      tokenVerifierFor: (zone) => current.tokenVerifierFor(zone),
      ownCookies: first.ownCookies,
      clearance: {
        issue: (...args) => current.clearance.issue(...args),
        redeem: (...args) => current.clearance.redeem(...args),
        isCleared: (...args) => current.clearance.isCleared(...args),
      },
    },
    replace(next) {
      current = next;
    },
  };
}
