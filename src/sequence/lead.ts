/**
 * Which response gathers. Parallel requests carry the same cookies (the same *view*). The first responses for a
 * view *lead*: they write the full state and delete what they merged. The others *follow*: they write their own
 * entry only. Beyond a bound, equal operations of one view share a cookie (*coalesce*).
 */
import { DEFAULT_COALESCE_AFTER, DEFAULT_LEADS, MAX_VIEWS } from "./limits.ts";

/** What a response writes. */
export type WriteRole = "lead" | "follow" | "coalesce";

export interface LeadOptions {
  /** Responses for the same view that lead; 2 by default, 1 where several processes share the traffic. */
  readonly leads?: number;
  /** Responses for the same view after which equal operations share a cookie; 16 by default, `Infinity` for never. */
  readonly coalesceAfter?: number;
}

/**
 * Counts responses by view, the only memory of the whole scheme. It is a hint: one that is lost, wrong or
 * local to a process makes a Cookie header longer, and never loses an entry.
 *
 * So it lies in flat memory, where a view has one place and takes it from another: what lives as long as this, but not
 * for good, costs each request more with the garbage collector than with us.
 */
export interface ViewHints {
  /** How many responses there were for this view, this one included, as far as anybody remembers. */
  count(view: string): number;
}

/** @param maxViews views remembered at most, a power of two */
export function createViewHints(maxViews: number = MAX_VIEWS): ViewHints {
  const views = new Int32Array(maxViews);
  const counts = new Uint32Array(maxViews);
  return {
    count(view) {
      const print = fingerprintOf(view);
      const place = print & (maxViews - 1);
      if (views[place] !== print) {
        views[place] = print;
        counts[place] = 0;
      }
      return (counts[place] = (counts[place] as number) + 1);
    },
  };
}

/** FNV-1a, 32 bits (Fowler, Noll, Vo). Two views with the same one are taken for one, which is as harmless as a lost hint. */
function fingerprintOf(view: string): number {
  let hash = 0x811c_9dc5;
  for (let index = 0; index < view.length; index += 1)
    hash = Math.imul(hash ^ view.charCodeAt(index), 0x0100_0193);
  // The low bits choose the place: those above have met more of the text.
  return hash ^ (hash >>> 15);
}

/** @param view what {@link viewOf} gives; a request without cookies always leads, as there is nothing to delete */
export function decideRole(view: string, hints: ViewHints, options: LeadOptions = {}): WriteRole {
  if (view === "") return "lead";
  const count = hints.count(view);
  if (count <= (options.leads ?? DEFAULT_LEADS)) return "lead";
  return count <= (options.coalesceAfter ?? DEFAULT_COALESCE_AFTER) ? "follow" : "coalesce";
}

/** @param names cookie names of a request, in any order; names are used once, so they identify the view */
export function viewOf(names: readonly string[]): string {
  return names.length < 2 ? (names[0] ?? "") : names.toSorted().join();
}
