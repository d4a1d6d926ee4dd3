/**
 * Tells the names of an API from the identifiers in its paths.
 *
 * Identifiers by their looks (`path-segment.ts`) are folded as they come. For words it takes statistics: names are
 * few and each is requested often; identifiers are many, new ones keep coming, none is much more frequent than the
 * next, and what follows them is the same whichever it is.
 */
import { kindOf } from "./path-segment.ts";
import { mergeNodes, STANDING_OUT_FACTOR, STANDING_OUT_REQUESTS } from "./path-tree.ts";
import type { MethodTraffic, PathNode } from "./path-tree.ts";

/** More words than any API has names in one place (the largest we know has eighty). */
const MANY_WORDS = 100;
/** Words from which on they can be identifiers at all. */
const SOME_WORDS = 12;
/** Words of a zone that are seen this rarely on average are seen for the first time again and again. */
const RARE_REQUESTS = 8;
/** Words with digits in them (`node-17`) that are a coincidence. */
const FEW_MIXED = 5;
/** Words with the same rich structure behind them that are a coincidence. */
const FEW_ALIKE = 8;
/** Share of what goes on from a place below which identifiers are noise: scanners, typing errors. */
const NOISE_SHARE = 0.05;
/** Names that must follow for two structures to be alike by more than chance. */
const RICH_NAMES = 2;
/** `chat.postMessage`: a procedure. There can be hundreds. */
const PROCEDURE = /^[a-z]+(?:\.[a-zA-Z]+)+$/;

/** `/2/tweets`, `/1.1/statuses`, `/rest/api/3/issue` */
const VERSION_NUMBER = /^\d(?:\.\d)?$/;

/** A tree of path templates. */
export interface Template {
  readonly requests: number;
  readonly methods: ReadonlyMap<string, MethodTraffic>;
  readonly names: ReadonlyMap<string, Template>;
  readonly variable: Template | undefined;
}

/** What becomes of the children of a node. */
export interface Partition {
  /** Segments that are identifiers. */
  readonly identifiers: readonly string[];
  /** Segments that are noise. */
  readonly noise: readonly string[];
}

/** Folds a tree of paths into a tree of templates. */
export function foldPaths(node: PathNode): Template {
  const { identifiers, noise } = partition(node);
  const left = new Set([...identifiers, ...noise]);
  const names = new Map<string, Template>();
  for (const [name, child] of node.children) if (!left.has(name)) names.set(name, foldPaths(child));
  const variable = variableOf(node);
  if (node.variable !== undefined && node.onlyValue !== undefined && variable === undefined) {
    names.set(node.onlyValue, foldPaths(node.variable));
  }
  const folded = childrenOf(node, identifiers);
  if (variable !== undefined) folded.push(variable);
  const { requests, methods } = node;
  return {
    requests,
    methods,
    names,
    variable: folded.length === 0 ? undefined : foldPaths(mergeNodes(folded)),
  };
}

/** The identifiers of a node, unless they are one number or date that never changes: part of the name of an API. */
function variableOf({ variable, onlyValue, namesApi }: PathNode): PathNode | undefined {
  if (variable === undefined || onlyValue === undefined || variable.requests < STANDING_OUT_REQUESTS)
    return variable;
  return kindOf(onlyValue) === "date" || (namesApi && VERSION_NUMBER.test(onlyValue)) ? undefined : variable;
}

/** Says which children of a node are identifiers and which are noise; the others are names. */
export function partition(node: PathNode): Partition {
  const words = [...node.children].toSorted(([, a], [, b]) => b.requests - a.requests);
  const split = countStandingOut(words);
  const standing = words.slice(0, split);
  const crowd = words.slice(split);
  const variable = variableOf(node);
  // Identifiers may be few and popular, if only the same follows all of them.
  if (standing.length >= FEW_ALIKE && areAlike(standing.map(([, child]) => child))) {
    return { identifiers: withoutOthers(node, [], standing), noise: namesOf(crowd) };
  }
  const identifiers = identifiersIn(crowd, variable !== undefined);
  if (identifiers.length === 0) return { identifiers: identifiersLike(variable, words), noise: [] };

  const ended = node.methods.values().reduce((sum, traffic) => sum + traffic.requests, 0);
  if (requestsOf(identifiers) < NOISE_SHARE * (node.requests - ended)) {
    return { identifiers: [], noise: namesOf(identifiers) };
  }
  return { identifiers: withoutOthers(node, standing, identifiers), noise: [] };
}

type Word = readonly [name: string, child: PathNode];

/** How many of the most frequent words stand out from those behind them. */
function countStandingOut(words: readonly Word[]): number {
  for (let at = words.length - 1; at > 0; at -= 1) {
    const above = words[at - 1]?.[1].requests ?? 0;
    const below = words[at]?.[1].requests ?? 0;
    if (above >= STANDING_OUT_REQUESTS && above >= STANDING_OUT_FACTOR * below) return at;
  }
  return 0;
}

/** Those words of a crowd that are identifiers: all, those with digits, or none. */
function identifiersIn(crowd: readonly Word[], hasVariable: boolean): readonly Word[] {
  const mixed = crowd.filter(([name]) => kindOf(name) === "mixed");
  if (isCrowd(crowd)) return crowd;
  return mixed.length >= (hasVariable ? 1 : FEW_MIXED) ? mixed : [];
}

function isCrowd(crowd: readonly Word[]): boolean {
  if (crowd.length < FEW_ALIKE) return false;
  const procedures = crowd.filter(([name]) => PROCEDURE.test(name)).length;
  if (crowd.length >= MANY_WORDS && procedures * 2 < crowd.length) return true;
  if (crowd.length >= SOME_WORDS && requestsOf(crowd) <= RARE_REQUESTS * crowd.length) return true;
  return areAlike(crowd.map(([, child]) => child));
}

/** Whether the same names follow all of these, and hardly any others. */
function areAlike(nodes: readonly PathNode[]): boolean {
  const sets = nodes.map((node) => namesBelow(node));
  const times = new Map<string, number>();
  for (const names of sets) for (const name of names.keys()) times.set(name, (times.get(name) ?? 0) + 1);
  const common = new Set([...times].filter(([, count]) => count * 2 >= nodes.length).map(([name]) => name));
  if (common.size < RICH_NAMES) return false;
  const alike = sets.filter((names) => {
    const total = names.values().reduce((sum, count) => sum + count, 0);
    const shared = [...names].reduce((sum, [name, count]) => sum + (common.has(name) ? count : 0), 0);
    return shared * 5 >= total * 4;
  });
  return alike.length * 5 >= nodes.length * 4;
}

/** Words up to three segments below a node, with their requests. */
function namesBelow(node: PathNode, depth = 3, names = new Map<string, number>()): Map<string, number> {
  if (depth === 0) return names;
  for (const [name, child] of node.children) {
    if (kindOf(name) === "text") names.set(name, (names.get(name) ?? 0) + child.requests);
    namesBelow(child, depth - 1, names);
  }
  if (node.variable !== undefined) namesBelow(node.variable, depth - 1, names);
  return names;
}

/** Words that have the same rich structure as the identifiers beside them. */
function identifiersLike(variable: PathNode | undefined, words: readonly Word[]): readonly string[] {
  if (variable === undefined || words.length === 0) return [];
  const template = foldPaths(variable);
  return namesOf(words.filter(([, child]) => isLike(child, template)));
}

/** Puts right single words: names that hide in the crowd, and popular identifiers that stand out from it. */
function withoutOthers(node: PathNode, standing: readonly Word[], crowd: readonly Word[]): readonly string[] {
  const names = namesOf(crowd);
  const frequent = crowd.filter(([, child]) => child.requests >= STANDING_OUT_REQUESTS);
  if (standing.length === 0 && frequent.length === 0) return names;
  const members = childrenOf(node, names);
  const variable = variableOf(node);
  const template = foldPaths(mergeNodes(variable === undefined ? members : [...members, variable]));
  const strange = new Set(namesOf(frequent.filter(([, child]) => overlap(child, template).share < 0.5)));
  const popular = standing.filter(([, child]) => isLike(child, template));
  return [...names.filter((name) => !strange.has(name)), ...namesOf(popular)];
}

function isLike(node: PathNode, template: Template): boolean {
  const { share, names } = overlap(node, template);
  return share >= 0.5 && names >= RICH_NAMES;
}

export interface Overlap {
  /** How much of two distributions of requests over templates and methods is common, 0 to 1. */
  readonly share: number;
  /** Names of the template that were met. */
  readonly names: number;
}

/** Compares where requests under a node went with where they go under a template. */
export function overlap(node: PathNode, template: Template): Overlap {
  const met = new Set<Template>();
  let common = 0;
  const walk = (at: PathNode, to: Template): void => {
    for (const [method, { requests }] of at.methods) {
      const expected = (to.methods.get(method)?.requests ?? 0) / template.requests;
      common += Math.min(requests / node.requests, expected);
    }
    // Several segments may lead to the variable: only together they can be compared.
    const varied: PathNode[] = [];
    const named =
      at.variable === undefined ? at.children : [...at.children, [at.onlyValue ?? "", at.variable] as const];
    for (const [name, child] of named) {
      const next = to.names.get(name);
      if (next === undefined) varied.push(child);
      else {
        met.add(next);
        walk(child, next);
      }
    }
    if (to.variable !== undefined && varied.length > 0) walk(mergeNodes(varied), to.variable);
  };
  walk(node, template);
  return { share: common, names: met.size };
}

function requestsOf(words: readonly Word[]): number {
  return words.reduce((sum, [, child]) => sum + child.requests, 0);
}

function namesOf(words: readonly Word[]): readonly string[] {
  return words.map(([name]) => name);
}

function childrenOf(node: PathNode, names: readonly string[]): PathNode[] {
  return names.flatMap((name) => node.children.get(name) ?? []);
}

/** Everything that was requested often enough, with the path written as a template. */
export interface FoldedEndpoint {
  readonly method: string;
  /** `/users/{var1}/posts/{var2}` */
  readonly endpoint: string;
  readonly traffic: MethodTraffic;
}

/** @param minRequests least number of requests with one method */
export function listEndpoints(template: Template, minRequests: number): readonly FoldedEndpoint[] {
  const found: FoldedEndpoint[] = [];
  const walk = (at: Template, path: string, variables: number): void => {
    for (const [method, traffic] of at.methods) {
      if (traffic.requests >= minRequests)
        found.push({ method, endpoint: path === "" ? "/" : path, traffic });
    }
    for (const [name, next] of at.names) walk(next, `${path}/${name}`, variables);
    if (at.variable !== undefined) walk(at.variable, `${path}/{var${variables + 1}}`, variables + 1);
  };
  walk(template, "", 0);
  return found;
}
