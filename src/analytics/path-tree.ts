/** Paths that were requested, segment by segment, in bounded memory. */
import { DISCOVERY_MAX_SEGMENTS } from "./limits.ts";
import { kindOf } from "./path-segment.ts";

/** Words counted where words are identifiers: a name with two per cent of the requests is not overlooked. */
const CROWD_COUNTERS = 64;

const API_NAMES: ReadonlySet<string> = new Set(["api", "rest"]);

/** A name stands out from identifiers by this factor. The most frequent of those are a factor 2 apart. */
export const STANDING_OUT_FACTOR = 4;
/** Requests from which on it is possible to say that something stands out, or differs. */
export const STANDING_OUT_REQUESTS = 20;

/** Requests with one method that ended at a node. */
export interface MethodTraffic {
  requests: number;
  /** Epoch milliseconds. */
  lastAt: number;
}

/** Mutable by design. */
export interface PathNode {
  /** Requests that ended here or further on. */
  requests: number;
  readonly methods: Map<string, MethodTraffic>;
  /** By segment. */
  readonly children: Map<string, PathNode>;
  /** All segments that are identifiers by their looks, and words that were folded. */
  variable: PathNode | undefined;
  /** The one number or date that all of `variable` were; `undefined` when there were several, or other identifiers. */
  onlyValue: string | undefined;
  /** Whether a number may be part of the name of the API here: at the beginning of a path, or behind `api`. */
  readonly namesApi: boolean;
  /** Children with letters and digits. */
  mixed: number;
  /** Whether such segments are identifiers here. */
  foldsMixed: boolean;
  /** Set where words are identifiers. */
  crowd: Crowd | undefined;
}

/** The most frequent of many words, counted as by Misra and Gries (Science of Computer Programming 2, 1982). */
export interface Crowd {
  /** Never too high. */
  readonly counts: Map<string, number>;
  /** By how much counts may be too low, also those of words that are not there. */
  lost: number;
}

export function createCrowd(): Crowd {
  return { counts: new Map(), lost: 0 };
}

/** @param name of the node; `undefined` for the beginning of all paths, `""` for a variable */
export function createNode(name: string | undefined): PathNode {
  return {
    requests: 0,
    methods: new Map(),
    children: new Map(),
    variable: undefined,
    onlyValue: undefined,
    namesApi: name === undefined || API_NAMES.has(name),
    mixed: 0,
    foldsMixed: false,
    crowd: undefined,
  };
}

/** @returns the segments of a path, or `undefined` for one that is too long to be an endpoint */
export function toSegments(path: string): readonly string[] | undefined {
  const segments = path.split("/", DISCOVERY_MAX_SEGMENTS + 2).filter((segment) => segment !== "");
  return segments.length > DISCOVERY_MAX_SEGMENTS ? undefined : segments;
}

/** What a path added to a tree. */
export interface AddedPath {
  /** Nodes that were made. */
  readonly made: number;
  /** The one that got a new child; the root if none was made. */
  readonly grown: PathNode;
}

export function addPath(
  root: PathNode,
  segments: readonly string[],
  method: string,
  atMs: number,
): AddedPath {
  let node = root;
  let grown = root;
  let made = 0;
  node.requests += 1;
  for (const segment of segments) {
    const known = node.children.get(segment);
    const isWord = known !== undefined || isWordIn(node, segment);
    let next = known ?? (isWord ? undefined : node.variable);
    if (next === undefined) {
      next = createNode(isWord ? segment : "");
      if (made === 0) grown = node;
      made += 1;
      if (isWord) attachWord(node, segment, next);
      else attachVariable(node, segment, next);
    } else if (known === undefined && node.onlyValue !== segment) node.onlyValue = undefined;
    next.requests += 1;
    node = next;
  }
  const traffic = node.methods.get(method) ?? { requests: 0, lastAt: 0 };
  traffic.requests += 1;
  traffic.lastAt = Math.max(traffic.lastAt, atMs);
  node.methods.set(method, traffic);
  return { made, grown };
}

function attachWord(node: PathNode, segment: string, child: PathNode): void {
  node.children.set(segment, child);
  if (kindOf(segment) === "mixed") node.mixed += 1;
}

function attachVariable(node: PathNode, segment: string, child: PathNode): void {
  const kind = kindOf(segment);
  node.variable = child;
  node.onlyValue = kind === "number" || kind === "date" ? segment : undefined;
}

/** Whether a segment that is no child of a node yet should become one; where words are identifiers, counts it. */
function isWordIn(node: PathNode, segment: string): boolean {
  const kind = kindOf(segment);
  if (kind === "mixed") return !node.foldsMixed;
  if (kind !== "text") return false;
  return node.crowd === undefined || standsOut(node.crowd, segment);
}

/** Counts a word, and tells whether it is more frequent than any other by a factor, whatever was not counted. */
function standsOut(crowd: Crowd, word: string): boolean {
  const { counts } = crowd;
  const count = (counts.get(word) ?? 0) + 1;
  if (count > 1 || counts.size < CROWD_COUNTERS) counts.set(word, count);
  else {
    crowd.lost += 1;
    for (const [other, times] of counts) {
      if (times === 1) counts.delete(other);
      else counts.set(other, times - 1);
    }
  }
  if (count < STANDING_OUT_REQUESTS || count < STANDING_OUT_FACTOR * crowd.lost) return false;
  for (const [other, times] of counts) {
    if (other !== word && (times + crowd.lost) * STANDING_OUT_FACTOR > count) return false;
  }
  counts.delete(word);
  return true;
}

/** One node with everything that is under the given ones. Shares with them what only one of them has. */
export function mergeNodes(nodes: readonly PathNode[]): PathNode {
  const [only] = nodes;
  if (only !== undefined && nodes.length === 1) return only;
  const merged = { ...createNode(""), namesApi: nodes.some((node) => node.namesApi) };
  for (const node of nodes) {
    merged.requests += node.requests;
    merged.foldsMixed ||= node.foldsMixed;
    if (node.crowd !== undefined) merged.crowd ??= createCrowd();
    for (const [method, traffic] of node.methods) addTraffic(merged.methods, method, traffic);
  }
  for (const [name, same] of childrenByName(nodes)) {
    merged.children.set(name, mergeNodes(same));
    if (kindOf(name) === "mixed") merged.mixed += 1;
  }
  const varied = nodes.filter((node) => node.variable !== undefined);
  if (varied.length === 0) return merged;
  merged.variable = mergeNodes(varied.flatMap((node) => node.variable ?? []));
  const onlyValues = new Set(varied.map((node) => node.onlyValue));
  merged.onlyValue = onlyValues.size === 1 ? varied[0]?.onlyValue : undefined;
  return merged;
}

function childrenByName(nodes: readonly PathNode[]): Map<string, PathNode[]> {
  const byName = new Map<string, PathNode[]>();
  for (const node of nodes) {
    for (const [name, child] of node.children) {
      const same = byName.get(name);
      if (same === undefined) byName.set(name, [child]);
      else same.push(child);
    }
  }
  return byName;
}

function addTraffic(methods: Map<string, MethodTraffic>, method: string, added: MethodTraffic): void {
  const traffic = methods.get(method);
  methods.set(method, {
    requests: (traffic?.requests ?? 0) + added.requests,
    lastAt: Math.max(traffic?.lastAt ?? 0, added.lastAt),
  });
}

export function countNodes(node: PathNode): number {
  let count = node.variable === undefined ? 1 : 1 + countNodes(node.variable);
  for (const child of node.children.values()) count += countNodes(child);
  return count;
}

/** Drops what fewer than `least` requests went to. */
export function pruneNodes(node: PathNode, least: number): void {
  for (const [name, child] of node.children) {
    if (child.requests < least) node.children.delete(name);
    else pruneNodes(child, least);
  }
  if (node.variable === undefined) return;
  if (node.variable.requests >= least) pruneNodes(node.variable, least);
  else node.variable = undefined;
}

/** Halves all counts, so that what is no longer requested is forgotten. */
export function halveNodes(node: PathNode): void {
  node.requests = Math.floor(node.requests / 2);
  for (const [method, traffic] of node.methods) {
    const requests = Math.floor(traffic.requests / 2);
    if (requests === 0) node.methods.delete(method);
    else node.methods.set(method, { ...traffic, requests });
  }
  if (node.variable !== undefined) halveNodes(node.variable);
  for (const child of node.children.values()) halveNodes(child);
}
