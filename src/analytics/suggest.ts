/** Ready-made rules from what visitors do anyway, each with whom it would have blocked. */
import { MAX_TITLE_LENGTH, MIN_PASS_RATE, MIN_SUPPORT, SUPPORT_PER_ERROR } from "./limits.ts";
import { forEachStep } from "./neighbours.ts";
import { createPairRows } from "./pair-rows.ts";
import { scorePair } from "./pair-score.ts";
import type { PairScore } from "./pair-score.ts";
import { operationOf } from "./summary.ts";
import type { Summary } from "./summary.ts";

/** What a suggestion needs to know of an operation. */
export interface NamedOperation {
  /** UUID. */
  readonly id: string;
  /** Its first 8 hex characters. */
  readonly shortId: string;
  readonly method: string;
  readonly host: string;
  readonly endpoint: string;
}

export interface SuggestOptions {
  /** Least share of requests that a rule lets pass, 0 to 1; 0.99 by default. */
  readonly minPassRate?: number;
  /** Least requests to the operation that a rule protects; 20 by default, never below 20 times the error bound. */
  readonly minRequests?: number;
  /** Suggestions for one operation; 2 by default. */
  readonly perOperation?: number;
  /** 20 by default. */
  readonly limit?: number;
}

/** A rule that demands that `first` comes before `second`. */
export interface SuggestedRule {
  /** Short ids. */
  readonly first: string;
  readonly second: string;
  /** Body for `POST /seqrules/rules`; absent when the operations are on different hosts, which such rules refuse. */
  readonly sequenceRule?: {
    readonly title: string;
    readonly kind: "allow";
    readonly action: "block";
    readonly sequence: readonly [string, string];
  };
  /** Rule for the phase `http_request_firewall_custom`. */
  readonly customRule: {
    readonly description: string;
    readonly expression: string;
    readonly action: "block";
  };
  /** Requests it rests on, and the share of them that it would have blocked. */
  readonly effect: PairScore;
  /** Share of the visits of `second` that came directly from `first`. */
  readonly precedence: number;
  /** How many times more often `first` was before `second` than before any request; near 1 says little. */
  readonly lift: number;
}

interface Candidate {
  readonly first: NamedOperation;
  readonly second: NamedOperation;
  readonly effect: PairScore;
  readonly precedence: number;
  readonly lift: number;
}

/**
 * Suggests rules "A must precede B" that today's requests obey. Of several operations that precede B anyway only the
 * last is suggested: if accounts precede every balance, and balance every transfer, then the rule about balance and
 * transfer says it all. Operations that change something come first.
 *
 * @param operations of the zone; what is not among them is not suggested
 */
export function suggestRules(
  summary: Summary,
  operations: readonly NamedOperation[],
  options: SuggestOptions = {},
): readonly SuggestedRule[] {
  const { perOperation = 2, limit = 20 } = options;
  const required = findRequired(summary, operations, options);
  const suggestions: Candidate[] = [];
  for (const candidates of required.values()) {
    const direct = [...candidates.values()].filter(
      (candidate) => !isImplied(candidate, candidates, required),
    );
    suggestions.push(...direct.toSorted(compareForOperation).slice(0, perOperation));
  }
  return suggestions.toSorted(compareCandidates).slice(0, limit).map(toRule);
}

/** Candidates by the operation they protect, then by the operation they demand. */
type Required = ReadonlyMap<string, ReadonlyMap<string, Candidate>>;

function findRequired(
  summary: Summary,
  operations: readonly NamedOperation[],
  { minPassRate = MIN_PASS_RATE, minRequests = MIN_SUPPORT }: SuggestOptions,
): Required {
  const { sum, pairErrorBound } = summary;
  const known = new Map(
    operations.map((operation) => [operationOf(sum, operation.shortId), operation] as const),
  );
  known.delete(0);
  const least = Math.max(minRequests, SUPPORT_PER_ERROR * pairErrorBound);
  const steps = stepCounts(summary);
  const shares = shareBeforeAny(summary);
  const rows = createPairRows(sum);
  const required = new Map<string, Map<string, Candidate>>();
  for (const [op, second] of known) {
    const requests = sum.raw[op] ?? 0;
    if (requests < least) continue;
    const candidates = new Map<string, Candidate>();
    rows.forEach(op, (earlier, passed) => {
      const first = known.get(earlier);
      if (first === undefined || earlier === op || passed < minPassRate * requests) return;
      candidates.set(first.shortId, {
        first,
        second,
        effect: scorePair(passed, requests, pairErrorBound),
        precedence: (steps.get(earlier * STEP_FACTOR + op) ?? 0) / Math.max(sum.visits[op] ?? 0, 1),
        lift: passed / requests / Math.max(shares[earlier] ?? 0, Number.EPSILON),
      });
    });
    if (candidates.size > 0) required.set(second.shortId, candidates);
  }
  return required;
}

const STEP_FACTOR = 65_536;

/** Count of each step, by `from * STEP_FACTOR + to`. */
function stepCounts(summary: Summary): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  forEachStep(summary, (from, to, count) => counts.set(from * STEP_FACTOR + to, count));
  return counts;
}

/** Share of all requests that had an operation in their history, by operation. */
function shareBeforeAny({ sum, requests }: Summary): Float64Array {
  const shares = new Float64Array(sum.ids.length + 1);
  const rows = createPairRows(sum);
  for (let op = 1; op <= sum.ids.length; op += 1) {
    rows.forEach(op, (earlier, count) => {
      shares[earlier] = (shares[earlier] as number) + count / Math.max(requests, 1);
    });
  }
  return shares;
}

/** Whether another candidate for the same operation demands `first` already. */
function isImplied(
  { first, precedence }: Candidate,
  candidates: ReadonlyMap<string, Candidate>,
  required: Required,
): boolean {
  return candidates.values().some((other) => {
    if (other.first.shortId === first.shortId) return false;
    const impliesFirst = required.get(other.first.shortId)?.has(first.shortId) === true;
    const isImpliedBack = required.get(first.shortId)?.has(other.first.shortId) === true;
    // In a journey that goes round each demands the other: then the one that comes directly before stays.
    return impliesFirst && (!isImpliedBack || other.precedence > precedence);
  });
}

function compareForOperation(a: Candidate, b: Candidate): number {
  return b.precedence - a.precedence || b.lift - a.lift || compareText(a.first.shortId, b.first.shortId);
}

function compareCandidates(a: Candidate, b: Candidate): number {
  return (
    Number(isUnsafe(b.second)) - Number(isUnsafe(a.second)) ||
    b.effect.passRateAtLeast - a.effect.passRateAtLeast ||
    b.precedence - a.precedence ||
    compareText(a.second.shortId, b.second.shortId) ||
    compareText(a.first.shortId, b.first.shortId)
  );
}

/** Methods that are meant to change something (RFC 9110 section 9.2.1). */
function isUnsafe({ method }: NamedOperation): boolean {
  return !["GET", "HEAD", "OPTIONS", "TRACE"].includes(method);
}

function toRule({ first, second, effect, precedence, lift }: Candidate): SuggestedRule {
  const title = `${first.method} ${first.endpoint} before ${second.method} ${second.endpoint}`;
  const expression = `cf.sequence.current_op eq "${second.shortId}" and not any(cf.sequence.previous_ops[*] == "${first.shortId}")`;
  return {
    first: first.shortId,
    second: second.shortId,
    ...(first.host === second.host
      ? {
          sequenceRule: {
            title: shorten(title),
            kind: "allow",
            action: "block",
            sequence: [first.id, second.id],
          },
        }
      : {}),
    customRule: { description: title, expression, action: "block" },
    effect,
    precedence,
    lift,
  };
}

function shorten(title: string): string {
  return title.length <= MAX_TITLE_LENGTH ? title : `${title.slice(0, MAX_TITLE_LENGTH - 3)}...`;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
