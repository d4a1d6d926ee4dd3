/** What a proposed rule would have done to the requests that were counted: exactly where the counts can say. */
import { pairScore, recordedHistories, simulatePairRule } from "../analytics/index.ts";
import type { PairRule, Summary } from "../analytics/index.ts";
import { compileFilter, membershipsOf, referencedFields } from "../expression/index.ts";
import type { CheckedFilter, ListLookup, Predicate } from "../expression/index.ts";
import { fieldSlot } from "../ruleset/index.ts";
import type { KnownOperations } from "./analytics.ts";
import { MAX_SIMULATED_MEMBERS } from "./limits.ts";

export interface RecordedEffect {
  /** `pairs`: from counts of pairs; `histories`: tried on the histories that counts were taken apart into. */
  readonly method: "pairs" | "histories" | "none";
  readonly requests: number;
  readonly hits: number;
  /** Bounds of the true number. */
  readonly atLeast: number;
  readonly atMost: number;
  readonly isExact: boolean;
  readonly byOperation: readonly OperationEffect[];
  readonly notes: readonly string[];
}

export interface OperationEffect {
  /** Short id. */
  readonly operation: string;
  readonly requests: number;
  readonly hits: number;
}

const CURRENT = "cf.sequence.current_op";
const PREVIOUS = "cf.sequence.previous_ops";
const COUNTED_FIELDS: ReadonlySet<string> = new Set([CURRENT, PREVIOUS]);

const NOT_OPERATIONS = "requests that are no saved operation are not counted";

export function recordedEffectOfExpression(
  summary: Summary,
  operations: KnownOperations,
  { filter, lists }: { readonly filter: CheckedFilter; readonly lists: ListLookup },
): RecordedEffect {
  const others = [...referencedFields(filter)].filter((name) => !COUNTED_FIELDS.has(name));
  if (others.length > 0) {
    const names = others.map((name) => `\`${name}\``).join(", ");
    return {
      ...NOTHING,
      requests: summary.requests,
      atMost: summary.requests,
      notes: [
        `counts know operations and their order only, not ${names}: what a sample says of these stands beside it`,
      ],
    };
  }
  const predicate = compileFilter(filter, { lists });
  const members = membershipsOf(filter, PREVIOUS);
  if (members === undefined || members.size > MAX_SIMULATED_MEMBERS)
    return fromHistories(summary, operations, predicate);
  const effects = operations.all.map(({ shortId }) =>
    effectOnOperation(summary, shortId, { predicate, members: [...members] }),
  );
  // Two earlier operations at once: how often both were there is in no pair.
  if (effects.includes(undefined)) return fromHistories(summary, operations, predicate);
  return fromPairs(effects.filter((effect) => effect !== undefined));
}

interface PairEffect extends OperationEffect {
  readonly atLeast: number;
  readonly atMost: number;
}

interface Trial {
  readonly predicate: Predicate;
  readonly members: readonly string[];
}

/** @returns `undefined` when the effect hangs on more than one earlier operation */
function effectOnOperation(summary: Summary, operation: string, trial: Trial): PairEffect | undefined {
  const { predicate, members } = trial;
  const matter = members.filter((member) => matters(operation, member, trial));
  if (matter.length > 1) return undefined;
  const [member] = matter;
  const without = predicate(valuesOf(operation, []));
  const { requests, passed, errorBound } = pairScore(summary, member ?? operation, operation);
  if (member === undefined) {
    const hits = without ? requests : 0;
    return { operation, requests, hits, atLeast: hits, atMost: hits };
  }
  // What is not counted as having the member may still have it.
  if (!without) return { operation, requests, hits: passed, atLeast: passed, atMost: passed + errorBound };
  const hits = requests - passed;
  return { operation, requests, hits, atLeast: hits - errorBound, atMost: hits };
}

/** Whether the presence of one member can change the outcome, whichever of the others are there. */
function matters(operation: string, member: string, { predicate, members }: Trial): boolean {
  const others = members.filter((other) => other !== member);
  for (let subset = 0; subset < 1 << others.length; subset += 1) {
    const present = others.filter((_, at) => (subset & (1 << at)) !== 0);
    if (predicate(valuesOf(operation, present)) !== predicate(valuesOf(operation, [...present, member])))
      return true;
  }
  return false;
}

function valuesOf(currentOp: string, previousOps: readonly string[]) {
  const values = new Map<number, string | readonly string[]>([
    [fieldSlot(CURRENT), currentOp],
    [fieldSlot(PREVIOUS), previousOps],
  ]);
  return { get: (slot: number) => values.get(slot) };
}

function fromPairs(effects: readonly PairEffect[]): RecordedEffect {
  const total = (valueOf: (effect: PairEffect) => number): number =>
    effects.reduce((sum, effect) => sum + valueOf(effect), 0);
  const [atLeast, atMost] = [total((effect) => effect.atLeast), total((effect) => effect.atMost)];
  return {
    method: "pairs",
    requests: total(({ requests }) => requests),
    hits: total(({ hits }) => hits),
    atLeast,
    atMost,
    isExact: atLeast === atMost,
    byOperation: byHits(effects),
    notes: [NOT_OPERATIONS],
  };
}

/** An approximation: histories are kept without direct repeats, at most eight operations long, and cut where they are rare. */
function fromHistories(summary: Summary, operations: KnownOperations, predicate: Predicate): RecordedEffect {
  const effects = new Map<string, { requests: number; hits: number }>();
  for (const { currentOp, previousOps, count } of recordedHistories(summary)) {
    if (!operations.has(currentOp)) continue;
    const effect = effects.get(currentOp) ?? { requests: 0, hits: 0 };
    effect.requests += count;
    if (predicate(valuesOf(currentOp, previousOps))) effect.hits += count;
    effects.set(currentOp, effect);
  }
  const all = [...effects].map(([operation, { requests, hits }]) => ({ operation, requests, hits }));
  const requests = all.reduce((sum, effect) => sum + effect.requests, 0);
  return {
    method: "histories",
    requests,
    hits: all.reduce((sum, effect) => sum + effect.hits, 0),
    atLeast: 0,
    atMost: requests,
    isExact: false,
    byOperation: byHits(all),
    notes: [
      "an estimate: histories are counted without direct repeats, up to eight operations back, and rare ones are cut short",
      NOT_OPERATIONS,
    ],
  };
}

/** @param rule sequence with short ids */
export function recordedEffectOfSeqRule(summary: Summary, rule: PairRule): RecordedEffect {
  const { requests, hits, atLeast, atMost, unknown } = simulatePairRule(summary, rule);
  const never = unknown.map(
    (shortId) => `\`${shortId}\` was not called in this time: the counts say nothing of it`,
  );
  return {
    method: "pairs",
    requests,
    hits,
    atLeast,
    atMost,
    isExact: false,
    byOperation: requests === 0 ? [] : [{ operation: rule.sequence[1], requests, hits }],
    notes: [
      "counts look at whole sequences; a sequence rule looks back as far as `sequence.lookback_requests` and `sequence.lookback_seconds` of the zone say, and an `allow` rule may pass requests without an identity",
      ...never,
    ],
  };
}

function byHits(effects: readonly OperationEffect[]): readonly OperationEffect[] {
  return effects
    .filter(({ hits }) => hits > 0)
    .map(({ operation, requests, hits }) => ({ operation, requests, hits }))
    .toSorted((a, b) => b.hits - a.hits);
}

const NOTHING: RecordedEffect = {
  method: "none",
  requests: 0,
  hits: 0,
  atLeast: 0,
  atMost: 0,
  isExact: false,
  byOperation: [],
  notes: [],
};
