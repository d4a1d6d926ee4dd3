/** What comes directly before and after one operation, and the graph of all such steps. */
import { FIRST_NODE, NODE_COUNT, NODE_OP, NODE_WORDS } from "./context-trie.ts";
import { MAX_PAGE } from "./limits.ts";
import { operationOf, shortIdOf } from "./summary.ts";
import type { Summary } from "./summary.ts";

/** A step from one operation to another. */
export interface Neighbour {
  /** Short id. */
  readonly operation: string;
  /** Visits that took this step; repeats of an operation are no steps. */
  readonly count: number;
  /** Share of the visits of the operation that was asked for, 0 to 1. */
  readonly share: number;
}

export interface Neighbours {
  /** Requests to the operation. */
  readonly requests: number;
  /** Requests that did not directly repeat it. */
  readonly visits: number;
  /** What came directly before, most frequent first; at most 1,000. The share is the precedence score. */
  readonly predecessors: readonly Neighbour[];
  /** What came directly after, most frequent first; at most 1,000. The share is the follow probability. */
  readonly successors: readonly Neighbour[];
  /** Visits with nothing known before them: where journeys begin. */
  readonly starts: number;
  /** Visits with nothing known after them: where journeys end, or left the window. */
  readonly ends: number;
  /** Counts of steps may be too low by this much. */
  readonly errorBound: number;
}

/** @param shortId an operation; one that was not met gives zeros */
export function neighbours(summary: Summary, shortId: string): Neighbours {
  const { sum } = summary;
  const op = operationOf(sum, shortId);
  const visits = sum.visits[op] ?? 0;
  const before = new Map<number, number>();
  const after = new Map<number, number>();
  forEachStep(summary, (from, to, count) => {
    if (to === op) before.set(from, count);
    if (from === op) after.set(to, count);
  });
  return {
    requests: op === 0 ? 0 : (sum.raw[op] ?? 0),
    visits,
    predecessors: toNeighbours(before, visits, summary),
    successors: toNeighbours(after, visits, summary),
    starts: Math.max(0, visits - total(before)),
    ends: Math.max(0, visits - total(after)),
    errorBound: summary.errorBoundOf(2),
  };
}

export interface JourneyNode {
  /** Short id. */
  readonly operation: string;
  readonly requests: number;
  readonly visits: number;
  /** Visits with nothing known before them. */
  readonly starts: number;
}

export interface JourneyEdge {
  /** Short ids. */
  readonly from: string;
  readonly to: string;
  readonly count: number;
  /** Share of the visits of `to` that came from `from`. */
  readonly precedence: number;
  /** Share of the visits of `from` that went on to `to`. */
  readonly follow: number;
}

export interface JourneyGraph {
  /** Most visited first. */
  readonly nodes: readonly JourneyNode[];
  /** Most frequent first; both ends are among the nodes. */
  readonly edges: readonly JourneyEdge[];
  /** Whether there is more than was asked for. */
  readonly isPartial: boolean;
}

export interface JourneyQuery {
  /** Only operations that pass, by short id. */
  readonly accepts?: (shortId: string) => boolean;
  /** Edges below this count are left out; 1 by default. */
  readonly minCount?: number;
  /** 100 by default, at most 1,000. */
  readonly maxNodes?: number;
  /** 300 by default, at most 1,000. */
  readonly maxEdges?: number;
}

/** Operations and steps for drawing. */
export function journeyGraph(summary: Summary, query: JourneyQuery = {}): JourneyGraph {
  const { sum } = summary;
  const { accepts = () => true, minCount = 1 } = query;
  const met: number[] = [];
  for (let op = 1; op <= sum.ids.length; op += 1) {
    if ((sum.raw[op] as number) > 0 && accepts(shortIdOf(sum, op))) met.push(op);
  }
  met.sort((a, b) => (sum.visits[b] as number) - (sum.visits[a] as number) || a - b);
  const kept = new Set(met.slice(0, Math.min(query.maxNodes ?? 100, MAX_PAGE)));
  const arrivals = new Float64Array(sum.ids.length + 1);
  const edges: JourneyEdge[] = [];
  forEachStep(summary, (from, to, count) => {
    arrivals[to] = (arrivals[to] as number) + count;
    if (count < minCount || !kept.has(from) || !kept.has(to)) return;
    edges.push({
      from: shortIdOf(sum, from),
      to: shortIdOf(sum, to),
      count,
      precedence: count / (sum.visits[to] as number),
      follow: Math.min(1, count / Math.max(sum.visits[from] as number, 1)),
    });
  });
  edges.sort((a, b) => b.count - a.count || compare(a.from, b.from) || compare(a.to, b.to));
  const maxEdges = Math.min(query.maxEdges ?? 300, MAX_PAGE);
  return {
    nodes: [...kept].map((op) => ({
      operation: shortIdOf(sum, op),
      requests: sum.raw[op] as number,
      visits: sum.visits[op] as number,
      starts: Math.max(0, (sum.visits[op] as number) - (arrivals[op] as number)),
    })),
    edges: edges.slice(0, maxEdges),
    isPartial: met.length > kept.size || edges.length > maxEdges,
  };
}

/** Calls `visit` for every sequence of two operations. */
export function forEachStep(
  { sum }: Summary,
  visit: (from: number, to: number, count: number) => void,
): void {
  const { nodes, size } = sum.trie;
  for (let word = 0; word < size * NODE_WORDS; word += NODE_WORDS) {
    const to = nodes[word] as number;
    if (to < FIRST_NODE) visit(nodes[word + NODE_OP] as number, to, nodes[word + NODE_COUNT] as number);
  }
}

function toNeighbours(counts: ReadonlyMap<number, number>, visits: number, { sum }: Summary): Neighbour[] {
  return [...counts]
    .map(([op, count]) => ({
      operation: shortIdOf(sum, op),
      count,
      share: visits === 0 ? 0 : Math.min(1, count / visits),
    }))
    .toSorted((a, b) => b.count - a.count || compare(a.operation, b.operation))
    .slice(0, MAX_PAGE);
}

function total(counts: ReadonlyMap<number, number>): number {
  return counts.values().reduce((sum, count) => sum + count, 0);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
