/** Counters for an engine that was given none: they cannot be asked, so that each rule's `on_state_error` decides. */
import { StateUnavailableError } from "../sequence/index.ts";
import type { RateLimits } from "./types.ts";

export const UNAVAILABLE_COUNTERS: RateLimits = {
  store: {
    hit: () => {
      throw new StateUnavailableError("ERR_STATE_DOWN", "expected a store for counters, found none");
    },
    reset: () => undefined,
  },
  hash: (text) => text,
};
