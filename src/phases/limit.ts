/** Rate limiting rules made ready: what they count by, what counts, and when. */
import {
  compileFilter,
  compileValue,
  parseFilter,
  parseValue,
  referencedFields,
} from "../expression/index.ts";
import type { ListLookup, Predicate, Reader } from "../expression/index.ts";
import { rateLimitUnit, toRateLimitPolicy } from "../ratelimit/index.ts";
import type { RateLimitPolicy, RateLimitUnit } from "../ratelimit/index.ts";
import { compileRules, schemeFor } from "../ruleset/index.ts";
import type { CompiledRules, Ratelimit, Rule, Ruleset } from "../ruleset/index.ts";

/**
 * When a request counts: as it arrives; when it is known to go to the origin; or when the response is there.
 * Only in the first case does a request count before its own decision.
 */
export type CountingStage = "arrival" | "forward" | "response";

export interface PreparedLimit {
  readonly rule: Rule;
  readonly policy: RateLimitPolicy;
  readonly unit: RateLimitUnit;
  /** One for each characteristic but `cf.colo.id`, which is the same everywhere. */
  readonly characteristics: readonly Reader[];
  readonly stage: CountingStage;
  /** What counts, where that is not the same as what the rule acts on. */
  readonly counting: Predicate | undefined;
  /** Response field with the score, lower case. */
  readonly scoreHeader: string | undefined;
}

export interface PreparedLimits {
  readonly byRule: ReadonlyMap<string, PreparedLimit>;
  /** Rules that count on arrival what they do not act on. */
  readonly countingOnArrival: CompiledRules<CountingRule> | undefined;
  /** Rules with a counting expression that is looked at later. */
  readonly countingLater: readonly PreparedLimit[];
  /** Names of all fields that counting may read. */
  readonly reads: ReadonlySet<string>;
}

interface CountingRule {
  readonly expression: string;
  readonly enabled: boolean;
  readonly limit: PreparedLimit;
}

/** Counts alike in all data centres, of which there is one: stated in every rule, and the same for every request. */
const DATA_CENTRE = "cf.colo.id";

/** @throws {ExpressionError} for an expression that cannot be compiled; {RangeError} for figures that count nothing */
export function prepareLimits(ruleset: Ruleset, lists: ListLookup): PreparedLimits {
  const reads = new Set<string>();
  const limits = ruleset.rules
    .filter(({ ratelimit, enabled }) => ratelimit !== undefined && enabled)
    .map((rule) => prepareLimit(rule, { lists, reads }));
  const own = limits.filter(({ counting }) => counting !== undefined);
  const onArrival = own.filter(({ stage }) => stage === "arrival").map(toCountingRule);
  return {
    byRule: new Map(limits.map((limit) => [limit.rule.id, limit])),
    countingOnArrival:
      onArrival.length === 0 ? undefined : compileRules(onArrival, { phase: ruleset.phase, lists }),
    countingLater: own.filter(({ stage }) => stage !== "arrival"),
    reads,
  };
}

function toCountingRule(limit: PreparedLimit): CountingRule {
  return { expression: limit.rule.ratelimit?.counting_expression ?? "", enabled: true, limit };
}

interface LimitContext {
  readonly lists: ListLookup;
  /** Gathers the fields that are read. */
  readonly reads: Set<string>;
}

function prepareLimit(rule: Rule, { lists, reads }: LimitContext): PreparedLimit {
  // INVARIANT: only rules that have it come here.
  const ratelimit = rule.ratelimit as Ratelimit;
  const { characteristics, counting_expression: source = "" } = ratelimit;
  const requestScheme = schemeFor("http_ratelimit");
  const unit = rateLimitUnit(ratelimit);
  let needsResponse = unit === "score";
  let counting: Predicate | undefined;
  if (source !== "") {
    const checked = parseFilter(source, schemeFor("http_ratelimit", { counting: true }));
    const fields = referencedFields(checked);
    for (const field of fields) reads.add(field);
    needsResponse ||= [...fields].some((field) => requestScheme.slotOf(field) === undefined);
    counting = compileFilter(checked, { lists });
  }
  return {
    rule,
    policy: toRateLimitPolicy(ratelimit),
    unit,
    characteristics: characteristics
      .filter((name) => name !== DATA_CENTRE)
      .map((name) => {
        const checked = parseValue(name, requestScheme);
        for (const field of referencedFields(checked)) reads.add(field);
        return compileValue(checked, { lists });
      }),
    stage: stageOf(ratelimit, needsResponse),
    counting,
    scoreHeader: ratelimit.score_response_header_name?.toLowerCase(),
  };
}

function stageOf({ requests_to_origin: toOrigin }: Ratelimit, needsResponse: boolean): CountingStage {
  if (needsResponse) return "response";
  return toOrigin === true ? "forward" : "arrival";
}
