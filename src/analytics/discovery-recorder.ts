/** Learns the endpoints of a zone day by day: the side that writes. */
import { createDiscovery } from "./discovery.ts";
import type { Discovery, DiscoveryOptions, ObservedRequest } from "./discovery.ts";
import { DAY_MS, DISCOVERY_DAYS } from "./limits.ts";

/** What one process learned on one day: a row in a database, a value in Redis. */
export interface LearnedDay {
  /** Beginning of the day (UTC), epoch milliseconds. */
  readonly hourAt: number;
  readonly bytes: Uint8Array;
}

export interface DiscoveryRecorder {
  /** Learns from one request that no saved operation matches. */
  observe(request: ObservedRequest, nowMs: number): void;
  /** What to store: days that ended since the last call, and the present one unless nothing was learned since. */
  takeSnapshots(nowMs: number): readonly LearnedDay[];
}

export function createDiscoveryRecorder(): DiscoveryRecorder {
  let discovery: Discovery | undefined;
  let dayAt = 0;
  let isChanged = false;
  let ended: LearnedDay[] = [];

  return {
    observe(request, nowMs) {
      if (isPageResource(request.path)) return;
      endDay(nowMs);
      // Most zones have all their endpoints saved, and learn nothing.
      if (discovery === undefined) {
        discovery = createDiscovery();
        dayAt = Math.floor(nowMs / DAY_MS) * DAY_MS;
      }
      discovery.observe(request, nowMs);
      isChanged = true;
    },
    takeSnapshots(nowMs) {
      endDay(nowMs);
      const days = ended;
      ended = [];
      return isChanged ? [...days, learned()] : days;
    },
  };

  function endDay(nowMs: number): void {
    if (discovery === undefined || nowMs < dayAt + DAY_MS) return;
    if (isChanged) ended = [...ended, learned()].slice(-DISCOVERY_DAYS);
    discovery = undefined;
  }

  function learned(): LearnedDay {
    isChanged = false;
    return { hourAt: dayAt, bytes: new TextEncoder().encode(JSON.stringify(discovery?.state())) };
  }
}

/**
 * What all of them learned, together.
 *
 * @param snapshots bytes of unknown origin; those that are no such snapshots add nothing
 */
export function sumDiscovery(
  snapshots: readonly Uint8Array[],
  options: DiscoveryOptions = {},
): Pick<Discovery, "endpoints"> {
  const sum = createDiscovery(options);
  for (const bytes of snapshots) sum.addState(parse(bytes));
  return sum;
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}

/** Files that a page brings along, which are no endpoints of an API. */
const PAGE_RESOURCE =
  /\.(?:avif|bmp|css|eot|gif|ico|jpe?g|js|map|mjs|mp[34]|otf|png|svg|ttf|wasm|webm|webmanifest|webp|woff2?)$/i;

/** @param path canonical, without query */
export function isPageResource(path: string): boolean {
  return PAGE_RESOURCE.test(path);
}
