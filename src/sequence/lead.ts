/**
 * Which response gathers. Parallel requests carry the same cookies (the same *view*). The first responses for a
 * view *lead*: they write the full state and delete what they merged. The others *follow*: they write their own
 * entry only. Beyond a bound, equal operations of one view share a cookie (*coalesce*).
 */
import { DEFAULT_COALESCE_AFTER, DEFAULT_LEADS, MAX_VIEWS } from "./limits.ts";
import { RecentMap } from "./recent-map.ts";

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
 */
export interface ViewHints {
  /** How many responses there were for this view, this one included. */
  count(view: string): number;
  /** Views remembered now. */
  readonly size: number;
}

/** @param maxViews views that were not seen for a while are forgotten first */
export function createViewHints(maxViews: number = MAX_VIEWS): ViewHints {
  const counts = new RecentMap<string, number>(maxViews);
  return {
    count(view) {
      const next = (counts.get(view) ?? 0) + 1;
      counts.set(view, next);
      return next;
    },
    get size() {
      return counts.size;
    },
  };
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
