/** What discovery has learned, as JSON: for a row in a database, or for other nodes. */
import { DISCOVERY_MAX_HOSTS, DISCOVERY_MAX_NODES, DISCOVERY_MAX_SEGMENTS } from "./limits.ts";
import { kindOf } from "./path-segment.ts";
import { createCrowd, createNode } from "./path-tree.ts";
import type { MethodTraffic, PathNode } from "./path-tree.ts";

/** Plain JSON; its inside is nobody's business but of this file. */
export interface DiscoveryState {
  readonly version: 1;
  readonly hosts: readonly (readonly [host: string, tree: NodeState])[];
}

/** Requests, methods with requests and last time, children, variable, its only value, flags. */
type NodeState = readonly [
  number,
  readonly (readonly [string, number, number])[],
  readonly (readonly [string, NodeState])[],
  NodeState | 0,
  string | 0,
  number,
];

const FOLDS_MIXED = 1;
const IS_CROWDED = 2;

const NODE_MEMBERS = 6;
const MAX_METHODS = 16;
const MAX_NAME_LENGTH = 256;

export function toState(hosts: ReadonlyMap<string, PathNode>): DiscoveryState {
  return { version: 1, hosts: [...hosts].map(([host, tree]) => [host, toNodeState(tree)] as const) };
}

function toNodeState(node: PathNode): NodeState {
  return [
    node.requests,
    [...node.methods].map(([method, { requests, lastAt }]) => [method, requests, lastAt] as const),
    [...node.children].map(([name, child]) => [name, toNodeState(child)] as const),
    node.variable === undefined ? 0 : toNodeState(node.variable),
    node.onlyValue ?? 0,
    (node.foldsMixed ? FOLDS_MIXED : 0) | (node.crowd === undefined ? 0 : IS_CROWDED),
  ];
}

/**
 * Total: whatever the value, the trees it holds or `undefined`, and never an exception.
 *
 * @param value what `JSON.parse` gave
 */
export function readState(value: unknown): Map<string, PathNode> | undefined {
  if (typeof value !== "object" || value === null || !("version" in value) || value.version !== 1)
    return undefined;
  if (!("hosts" in value) || !isListOf(value.hosts, DISCOVERY_MAX_HOSTS)) return undefined;
  const budget = { nodes: DISCOVERY_MAX_NODES };
  const hosts = new Map<string, PathNode>();
  for (const entry of value.hosts) {
    if (!isListOf(entry, 2) || !isName(entry[0])) return undefined;
    const tree = readNode(entry[1], { name: undefined, depth: 0 }, budget);
    if (tree === undefined) return undefined;
    hosts.set(entry[0], tree);
  }
  return hosts;
}

interface Place {
  readonly name: string | undefined;
  readonly depth: number;
}

function readNode(value: unknown, at: Place, budget: { nodes: number }): PathNode | undefined {
  budget.nodes -= 1;
  if (budget.nodes < 0 || at.depth > DISCOVERY_MAX_SEGMENTS) return undefined;
  if (!Array.isArray(value) || value.length !== NODE_MEMBERS) return undefined;
  const [requests, methods, children, variable, onlyValue, flags] = value as readonly unknown[];
  if (!isCount(requests) || !isCount(flags)) return undefined;
  const node = createNode(at.name);
  node.requests = requests;
  node.foldsMixed = (flags & FOLDS_MIXED) !== 0;
  if ((flags & IS_CROWDED) !== 0) node.crowd = createCrowd();
  if (!isListOf(methods, MAX_METHODS) || !methods.every((entry) => readMethod(entry, node.methods)))
    return undefined;
  const depth = at.depth + 1;
  const readChild = (entry: unknown): boolean => {
    if (!isListOf(entry, 2) || !isName(entry[0])) return false;
    const child = readNode(entry[1], { name: entry[0], depth }, budget);
    if (child === undefined) return false;
    node.children.set(entry[0], child);
    if (kindOf(entry[0]) === "mixed") node.mixed += 1;
    return true;
  };
  if (!isListOf(children, DISCOVERY_MAX_NODES) || !children.every(readChild)) return undefined;
  if (variable === 0) return node;
  node.variable = readNode(variable, { name: "", depth }, budget);
  node.onlyValue = isName(onlyValue) ? onlyValue : undefined;
  return node.variable === undefined ? undefined : node;
}

function readMethod(value: unknown, methods: Map<string, MethodTraffic>): boolean {
  if (!isListOf(value, 3)) return false;
  const [method, requests, lastAt] = value;
  if (!isName(method) || !isCount(requests) || !isCount(lastAt)) return false;
  methods.set(method, { requests, lastAt });
  return true;
}

function isListOf(value: unknown, most: number): value is readonly unknown[] {
  return Array.isArray(value) && value.length <= most;
}

function isName(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= MAX_NAME_LENGTH;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
