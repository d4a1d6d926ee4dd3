/** Makes room in a path tree by deciding now what would be surer to decide later. */
import { DISCOVERY_MAX_CHILDREN } from "./limits.ts";
import { partition } from "./path-folding.ts";
import { kindOf } from "./path-segment.ts";
import { createCrowd, mergeNodes, STANDING_OUT_FACTOR, STANDING_OUT_REQUESTS } from "./path-tree.ts";
import type { PathNode } from "./path-tree.ts";

/** Words with digits in one place from which on they are identifiers for good. */
const MANY_MIXED = 16;
/** Words from which on it is worth looking at a node when memory gets short. */
const SOME_CHILDREN = 12;

/** Looks at a node that got a new child; @returns whether nodes were dropped or folded */
export function thinCrowded(node: PathNode): boolean {
  const isMixed = node.mixed > MANY_MIXED && !node.foldsMixed;
  if (isMixed) foldMixed(node);
  const isFull = node.children.size > DISCOVERY_MAX_CHILDREN;
  if (isFull) thin(node);
  return isMixed || isFull;
}

/** Looks at all nodes. */
export function thinAll(node: PathNode): void {
  if (node.children.size >= SOME_CHILDREN) thin(node);
  if (node.variable !== undefined) thinAll(node.variable);
  for (const child of node.children.values()) thinAll(child);
}

/** Folds or drops what can be told of the children of a node, and the rarest of them if that is not enough. */
function thin(node: PathNode): void {
  const { identifiers, noise } = partition(node);
  fold(node, identifiers);
  if (identifiers.length > MANY_MIXED) node.crowd ??= createCrowd();
  for (const name of noise) node.children.delete(name);
  const excess = node.children.size - DISCOVERY_MAX_CHILDREN / 2;
  if (excess <= 0) return;
  const rarest = [...node.children].toSorted(([, a], [, b]) => a.requests - b.requests).slice(0, excess);
  for (const [name] of rarest) node.children.delete(name);
}

/** Names of pods, hosts, tickets: from now on every word with digits is an identifier here. */
function foldMixed(node: PathNode): void {
  const mixed = [...node.children].filter(([name]) => kindOf(name) === "mixed");
  const requests = mixed.map(([, child]) => child.requests).toSorted((a, b) => a - b);
  const usual = requests[requests.length >>> 1] ?? 0;
  const least = Math.max(STANDING_OUT_REQUESTS, STANDING_OUT_FACTOR * usual);
  fold(
    node,
    mixed.filter(([, child]) => child.requests < least).map(([name]) => name),
  );
  node.foldsMixed = true;
}

function fold(node: PathNode, names: readonly string[]): void {
  if (names.length === 0) return;
  const folded = names.flatMap((name) => node.children.get(name) ?? []);
  node.variable = mergeNodes(node.variable === undefined ? folded : [node.variable, ...folded]);
  node.onlyValue = undefined;
  for (const name of names) node.children.delete(name);
}
