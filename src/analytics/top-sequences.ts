/** The sequences that say most about how the operations of a zone follow one another. */
import {
  extendHash,
  findNode,
  FIRST_NODE,
  hashesOf,
  NODE_COUNT,
  NODE_OP,
  NODE_WORDS,
  rootHash,
} from "./context-trie.ts";
import {
  FOLD_SHARE,
  MAX_PAGE,
  MAX_SEQUENCE_LENGTH,
  MIN_SUPPORT,
  NOTED_REPEAT_SHARE,
  SUPPORT_PER_ERROR,
} from "./limits.ts";
import { errorBoundOfNode, operationOf, shortIdOf } from "./summary.ts";
import type { Summary } from "./summary.ts";
import { wilsonLowerBound } from "./wilson.ts";

/** What sequences can be sorted by, always the largest first. */
export const SEQUENCE_ORDERS = ["precedence", "follow", "lift", "count"] as const;

export type SequenceOrder = (typeof SEQUENCE_ORDERS)[number];

export interface SequenceQuery {
  /** Only sequences that end with this short id. */
  readonly lastOp?: string;
  /** Only sequences whose last operation passes, by short id; this is how a host is asked for. */
  readonly accepts?: (shortId: string) => boolean;
  /** Only sequences all of whose operations pass, by short id; for operations that are gone. */
  readonly knows?: (shortId: string) => boolean;
  /** 2 to 9; 2 by default. */
  readonly minLength?: number;
  /** 2 to 9; 9 by default. */
  readonly maxLength?: number;
  /** `precedence` by default: by its lower bound, so that few requests do not outrank many. */
  readonly sort?: SequenceOrder;
  /** Least count; 20 by default. Never below 20 times the error bound. */
  readonly minCount?: number;
  /** 0 by default. */
  readonly offset?: number;
  /** 20 by default, at most 1,000. */
  readonly limit?: number;
}

export interface ScoredSequence {
  /** Short ids, the oldest first. */
  readonly operations: readonly string[];
  /** Requests whose history, without repeats, ends with this sequence. */
  readonly count: number;
  /** The true count is at most this much larger. */
  readonly errorBound: number;
  /** Share of the requests to the last operation that came directly after the others. */
  readonly precedence: number;
  /** 95 % lower bound of `precedence` (Wilson). */
  readonly precedenceAtLeast: number;
  /** Share of the visits to the others, in this order, that went on to the last operation. */
  readonly follow: number;
  /** How many times more often than by chance; near 1 for what precedes everything anyway. */
  readonly lift: number;
}

/** Why the figures may mislead. */
export type SequenceNote = "repeats";

export interface TopSequences {
  readonly sequences: readonly ScoredSequence[];
  /** Sequences on all pages together. */
  readonly total: number;
  /** Requests counted. */
  readonly requests: number;
  readonly repeatShare: number;
  /** `repeats`: more than 30 % of the requests repeat the one before, so long sequences are counted too low. */
  readonly notes: readonly SequenceNote[];
}

interface Candidate {
  readonly node: number;
  readonly length: number;
  readonly count: number;
  readonly lastOp: number;
  readonly precedence: number;
  readonly precedenceAtLeast: number;
  readonly follow: number;
  readonly lift: number;
}

/**
 * Precedence is C(o1…ok) / C(ok), follow C(o1…ok) / C(o1…ok-1), lift precedence × visits / C(o1…ok-1) (spec:
 * analytics, 2.2). A sequence is left out when a longer one, which is reported or left out for a still longer one,
 * keeps 90 % of its count.
 */
export function topSequences(summary: Summary, query: SequenceQuery = {}): TopSequences {
  const candidates = findCandidates(summary, query);
  const value = ORDERS[query.sort ?? "precedence"];
  const paths = new Map<Candidate, string>();
  const pathOf = (candidate: Candidate): string => {
    const known = paths.get(candidate) ?? operationsOf(summary, candidate.node).join(" ");
    paths.set(candidate, known);
    return known;
  };
  candidates.sort(
    (a, b) =>
      value(b) - value(a) || b.length - a.length || b.count - a.count || (pathOf(a) < pathOf(b) ? -1 : 1),
  );
  const offset = Math.max(0, query.offset ?? 0);
  const limit = Math.min(Math.max(0, query.limit ?? 20), MAX_PAGE);
  return {
    sequences: candidates.slice(offset, offset + limit).map((candidate) => ({
      operations: operationsOf(summary, candidate.node),
      count: candidate.count,
      errorBound: errorBoundOfNode(summary, candidate.node),
      precedence: candidate.precedence,
      precedenceAtLeast: candidate.precedenceAtLeast,
      follow: candidate.follow,
      lift: candidate.lift,
    })),
    total: candidates.length,
    requests: summary.requests,
    repeatShare: summary.repeatShare,
    notes: summary.repeatShare > NOTED_REPEAT_SHARE ? ["repeats"] : [],
  };
}

const ORDERS: Readonly<Record<SequenceOrder, (candidate: Candidate) => number>> = {
  precedence: (candidate) => candidate.precedenceAtLeast,
  follow: (candidate) => candidate.follow,
  lift: (candidate) => candidate.lift,
  count: (candidate) => candidate.count,
};

/** Everything that is supported and not folded into something longer. */
function findCandidates(summary: Summary, query: SequenceQuery): Candidate[] {
  const { trie } = summary.sum;
  const scan = scanNodes(summary, query);
  const minLength = Math.max(2, query.minLength ?? 2);
  const candidates: Candidate[] = [];
  for (let node = 0; node < trie.size; node += 1) {
    const length = summary.lengths[node] as number;
    if (scan.states[node] !== SUPPORTED || length < minLength) continue;
    const count = trie.nodes[node * NODE_WORDS + NODE_COUNT] as number;
    const lastOp = scan.lastOps[node] as number;
    const lastVisits = summary.sum.visits[lastOp] as number;
    // Parallel requests share a past, so that what follows can outnumber what came before.
    const before = Math.max(countAt(summary, scan.prefixes[node] as number), count);
    const precedence = count / lastVisits;
    candidates.push({
      node,
      length,
      count,
      lastOp,
      precedence,
      precedenceAtLeast: wilsonLowerBound(count, lastVisits),
      follow: count / before,
      lift: (precedence * summary.visits) / before,
    });
  }
  return candidates;
}

const UNSUPPORTED = 0;
const SUPPORTED = 1;
const FOLDED = 2;

interface NodeScan {
  readonly states: Uint8Array;
  /** Newest operation of each supported sequence. */
  readonly lastOps: Uint16Array;
  /** Reference of each supported sequence without its newest operation, 0 when it is not there. */
  readonly prefixes: Uint32Array;
}

function scanNodes(summary: Summary, query: SequenceQuery): NodeScan {
  const { trie } = summary.sum;
  const { nodes, size } = trie;
  const states = new Uint8Array(size);
  const lastOps = new Uint16Array(size);
  const prefixes = new Uint32Array(size);
  const hashes = hashesOf(trie);
  const known = knownOperations(summary, query);
  const accepted = acceptedOperations(summary, query, known);
  const minCount = Math.max(1, query.minCount ?? MIN_SUPPORT);
  const maxLength = query.maxLength ?? MAX_SEQUENCE_LENGTH;
  for (let node = 0; node < size; node += 1) {
    const word = node * NODE_WORDS;
    const count = nodes[word + NODE_COUNT] as number;
    if ((summary.lengths[node] as number) > maxLength || !isSupported(summary, node, minCount)) continue;
    const parent = nodes[word] as number;
    const op = nodes[word + NODE_OP] as number;
    const isPair = parent < FIRST_NODE;
    if (known[op] === 0) continue;
    if (isPair ? accepted[parent] === 0 : states[parent - FIRST_NODE] === UNSUPPORTED) continue;
    states[node] = SUPPORTED;
    lastOps[node] = isPair ? parent : (lastOps[parent - FIRST_NODE] as number);
    prefixes[node] = isPair ? op : extendPrefix(prefixes[parent - FIRST_NODE] as number, op);
    if (!isPair && count >= FOLD_SHARE * countAt(summary, parent)) states[parent - FIRST_NODE] = FOLDED;
  }
  return { states, lastOps, prefixes };

  function extendPrefix(prefix: number, op: number): number {
    if (prefix === 0) return 0;
    const hash = prefix < FIRST_NODE ? rootHash(prefix) : (hashes[prefix - FIRST_NODE] as number);
    return findNode(trie, prefix, op, extendHash(hash, op));
  }
}

function knownOperations({ sum }: Summary, { knows }: SequenceQuery): Uint8Array {
  const known = new Uint8Array(sum.ids.length + 1).fill(1);
  if (knows === undefined) return known;
  for (let op = 1; op < known.length; op += 1) if (!knows(shortIdOf(sum, op))) known[op] = 0;
  return known;
}

function acceptedOperations(
  { sum }: Summary,
  { lastOp, accepts }: SequenceQuery,
  known: Uint8Array,
): Uint8Array {
  const accepted = known.slice();
  if (lastOp !== undefined) {
    const op = operationOf(sum, lastOp);
    const isKnown = accepted[op] === 1;
    accepted.fill(0);
    if (isKnown) accepted[op] = 1;
  }
  if (accepts === undefined) return accepted;
  for (let op = 1; op < accepted.length; op += 1) {
    if (accepted[op] === 1 && !accepts(shortIdOf(sum, op))) accepted[op] = 0;
  }
  return accepted;
}

/** Whether a count is far enough above what may be missing from it. */
function isSupported(summary: Summary, node: number, minCount: number): boolean {
  const count = summary.sum.trie.nodes[node * NODE_WORDS + NODE_COUNT] as number;
  return count >= minCount && count >= SUPPORT_PER_ERROR * errorBoundOfNode(summary, node);
}

function countAt({ sum }: Summary, ref: number): number {
  if (ref < FIRST_NODE) return sum.visits[ref] ?? 0;
  return sum.trie.nodes[(ref - FIRST_NODE) * NODE_WORDS + NODE_COUNT] as number;
}

/** Short ids of a sequence, the oldest first. */
function operationsOf({ sum }: Summary, node: number): string[] {
  const { nodes } = sum.trie;
  const operations: string[] = [];
  let ref = FIRST_NODE + node;
  while (ref >= FIRST_NODE) {
    const word = (ref - FIRST_NODE) * NODE_WORDS;
    operations.push(shortIdOf(sum, nodes[word + NODE_OP] as number));
    ref = nodes[word] as number;
  }
  operations.push(shortIdOf(sum, ref));
  return operations;
}
