/** Path trees by host, in bounded memory. */
import { foldHosts, hostTemplateOf } from "./host-folding.ts";
import { DISCOVERY_MAX_HOSTS, DISCOVERY_MAX_NODES, DISCOVERY_PERIOD_MS } from "./limits.ts";
import { addPath, countNodes, createNode, halveNodes, mergeNodes, pruneNodes } from "./path-tree.ts";
import type { PathNode } from "./path-tree.ts";
import { thinAll, thinCrowded } from "./path-thinning.ts";

export interface PathForest {
  /** Nodes in use. */
  readonly nodes: number;
  /** By host or host template. */
  readonly hosts: ReadonlyMap<string, PathNode>;
  add(host: string, segments: readonly string[], method: string, nowMs: number): void;
  /** Adds trees of another forest; they must not be used any more. */
  merge(hosts: ReadonlyMap<string, PathNode>): void;
}

export function createForest(): PathForest {
  let hosts = new Map<string, PathNode>();
  let nodes = 0;
  let periodEndsAt: number | undefined;

  return {
    get nodes() {
      return nodes;
    },
    get hosts() {
      return hosts;
    },
    add(host, segments, method, nowMs) {
      const tree = treeFor(host);
      if (tree === undefined) return;
      forget(nowMs);
      const { made, grown } = addPath(tree, segments, method, nowMs);
      nodes += made;
      if (made > 0 && thinCrowded(grown)) nodes = countAll(hosts);
      if (nodes > DISCOVERY_MAX_NODES) nodes = makeRoom(hosts);
    },
    merge(added) {
      for (const [host, tree] of added) {
        const own = treeFor(host);
        if (own !== undefined) hosts.set(keyOf(host), mergeNodes([own, tree]));
      }
      nodes = countAll(hosts);
      if (nodes > DISCOVERY_MAX_NODES) nodes = makeRoom(hosts);
    },
  };

  /** Host, or host template, that requests to a host are learned under. */
  function keyOf(host: string): string {
    const template = hostTemplateOf(host);
    return !hosts.has(host) && template !== undefined && hosts.has(template) ? template : host;
  }

  function treeFor(host: string): PathNode | undefined {
    const known = hosts.get(keyOf(host));
    if (known !== undefined) return known;
    if (hosts.size >= DISCOVERY_MAX_HOSTS) {
      hosts = foldHosts(hosts, 2);
      const folded = hosts.get(keyOf(host));
      if (folded !== undefined) return folded;
    }
    if (hosts.size >= DISCOVERY_MAX_HOSTS) return undefined;
    const tree = createNode(undefined);
    hosts.set(host, tree);
    nodes += 1;
    return tree;
  }

  function forget(nowMs: number): void {
    periodEndsAt ??= nowMs + DISCOVERY_PERIOD_MS;
    if (nowMs < periodEndsAt) return;
    periodEndsAt = nowMs + DISCOVERY_PERIOD_MS;
    for (const tree of hosts.values()) {
      halveNodes(tree);
      pruneNodes(tree, 1);
    }
    nodes = countAll(hosts);
  }
}

type Hosts = ReadonlyMap<string, PathNode>;

/** Drops what is rarest until half of the room is free; @returns nodes that are left */
function makeRoom(hosts: Hosts): number {
  for (const tree of hosts.values()) thinAll(tree);
  let nodes = countAll(hosts);
  for (let least = 2; nodes > DISCOVERY_MAX_NODES / 2; least *= 2) {
    for (const tree of hosts.values()) pruneNodes(tree, least);
    nodes = countAll(hosts);
  }
  return nodes;
}

function countAll(hosts: Hosts): number {
  return hosts.values().reduce((count, tree) => count + countNodes(tree), 0);
}
