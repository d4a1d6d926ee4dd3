/** What a proposed rule would have done to the requests of a sample, with examples. */
import type { DecisionSamples, SampledDecision } from "../analytics/index.ts";
import { REPLAYED_FIELDS, replayFields } from "../engine/index.ts";
import { compileFilter, couldBeTrue, referencedFields } from "../expression/index.ts";
import type { CheckedFilter, ListLookup } from "../expression/index.ts";
import { evaluateSeqRules } from "../sequence/index.ts";
import type { CompiledSeqRules } from "../sequence/index.ts";
import { share } from "./analytics.ts";
import { MAX_EXAMPLES } from "./limits.ts";
import { timestamp } from "./wire.ts";

/** A rule that can be asked about a request that is over. */
export interface SampleTest {
  readonly hits: (decision: SampledDecision) => boolean;
  /** Fields that the rule asks for and the sample does not hold: the test says yes where they could make it so. */
  readonly unknownFields: readonly string[];
}

export function expressionTest(
  filter: CheckedFilter,
  { lists, zoneName }: { readonly lists: ListLookup; readonly zoneName: string },
): SampleTest {
  const unknownFields = [...referencedFields(filter)].filter((name) => !REPLAYED_FIELDS.has(name));
  const predicate = compileFilter(couldBeTrue(filter, new Set(unknownFields)), { lists });
  return { hits: (decision) => predicate(replayFields(decision, zoneName)), unknownFields };
}

export function seqRuleTest(rules: CompiledSeqRules): SampleTest {
  return {
    hits: ({ currentOp, lookback, hasIdentity, at }) =>
      evaluateSeqRules(rules, { currentOp, lookback: { entries: lookback }, hasIdentity, nowMs: at }).fired
        .length > 0,
    unknownFields: [],
  };
}

export function sampleEffect(
  { seen, decisions }: DecisionSamples,
  { hits: isHit, unknownFields }: SampleTest,
  isOn: boolean,
) {
  const hits = decisions.filter(isHit);
  const weightOf = (all: typeof decisions): number => all.reduce((sum, { weight }) => sum + weight, 0);
  const weight = weightOf(decisions);
  const hitWeight = weightOf(hits);
  return {
    is_on: isOn,
    seen,
    sampled: decisions.length,
    hits: hits.length,
    estimated_hits: Math.round(hitWeight),
    hit_rate: weight === 0 ? 0 : share(hitWeight / weight),
    is_exact: decisions.length === seen && unknownFields.length === 0,
    examples: hits.slice(0, MAX_EXAMPLES).map(toExample),
    notes: notesOf(decisions.length, unknownFields, isOn),
  };
}

function notesOf(sampled: number, unknownFields: readonly string[], isOn: boolean): readonly string[] {
  const fields = unknownFields.map((name) => `\`${name}\``).join(", ");
  return [
    ...(isOn
      ? []
      : ["the sample is off: turn `analytics.sample_decisions` of `stepgate/settings` on to keep one"]),
    ...(sampled > 0 && unknownFields.length > 0
      ? [`the sample does not hold ${fields}: requests that it could have been true for are counted as hits`]
      : []),
  ];
}

function toExample(decision: SampledDecision) {
  const { rayId, at, method, host, path, query, clientAddress, userAgent, currentOp, entries } = decision;
  return {
    ray_id: rayId,
    occurred_at: timestamp(at),
    method,
    host,
    path,
    query,
    client_ip: clientAddress,
    user_agent: userAgent,
    current_op: currentOp,
    previous_ops: entries.map((entry) => ({ op: entry.op, age_ms: Math.max(0, at - entry.at) })),
    was_ended: decision.isEnded,
  };
}
