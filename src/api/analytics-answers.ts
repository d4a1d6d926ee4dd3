/** What Sequence Analytics answers, for the API and for the command line. */
import {
  journeyGraph,
  neighbours,
  pairScore,
  pairScores,
  suggestRules,
  topSequences,
} from "../analytics/index.ts";
import type { Neighbour, PairScore, ScoredSequence, Summary } from "../analytics/index.ts";
import type { z } from "zod";
import { notesOf, share, windowOf } from "./analytics.ts";
import type { KnownOperations } from "./analytics.ts";
import { ok } from "./envelope.ts";
import type { Reply, ResultInfo } from "./envelope.ts";
import { invalidValue } from "./issues.ts";
import { toPage } from "./paging.ts";
import type { PageRequest } from "./paging.ts";
import type { graphQuery, pairsQuery, sequencesQuery, suggestQuery } from "./schemas/analytics.ts";

/** What is counted of a zone, and the names of its operations. */
export interface Counts {
  readonly summary: Summary;
  readonly operations: KnownOperations;
}

export function overviewAnswer({ summary }: Counts, nowMs: number): Reply {
  const result = {
    ...windowOf(nowMs),
    requests: summary.requests,
    visits: summary.visits,
    repeat_share: share(summary.repeatShare),
    left_out: summary.capped,
    error_bounds: {
      length_2: summary.errorBoundOf(2),
      length_9: summary.errorBoundOf(9),
      pairs: summary.pairErrorBound,
    },
  };
  return ok(result, { messages: notesOf(summary) });
}

/** @throws {ApiError} for an operation that the zone does not have, and lengths that exclude each other */
export function sequencesAnswer(
  { summary, operations }: Counts,
  query: z.output<typeof sequencesQuery>,
): Reply {
  const { last_operation: last, min_length: minLength, max_length: maxLength, min_count: minCount } = query;
  if ((minLength ?? 2) > (maxLength ?? 9))
    throw invalidValue("/min_length", String(minLength), "it must not be more than `max_length`");
  const lastOp = last === undefined ? undefined : operations.find(last, "/last_operation").shortId;
  const found = topSequences(summary, {
    ...given({ lastOp, minLength, maxLength, minCount, accepts: onHost(operations, query.host) }),
    knows: (shortId) => operations.has(shortId),
    sort: query.sort,
    offset: (query.page - 1) * query.per_page,
    limit: query.per_page,
  });
  return ok(
    found.sequences.map((sequence) => toWireSequence(sequence, operations)),
    { resultInfo: pageInfo(query, found.sequences.length, found.total), messages: notesOf(summary) },
  );
}

/** @param shortId an operation of the zone */
export function neighboursAnswer({ summary, operations }: Counts, shortId: string): Reply {
  const found = neighbours(summary, shortId);
  const toWire = (list: readonly Neighbour[]) => list.flatMap((each) => toWireNeighbour(each, operations));
  const result = {
    operation: operations.show(shortId),
    requests: found.requests,
    visits: found.visits,
    starts: found.starts,
    ends: found.ends,
    error_bound: found.errorBound,
    predecessors: toWire(found.predecessors),
    successors: toWire(found.successors),
  };
  return ok(result, { messages: notesOf(summary) });
}

/** @throws {ApiError} for an operation that the zone does not have */
export function pairsAnswer({ summary, operations }: Counts, query: z.output<typeof pairsQuery>): Reply {
  const { shortId: second } = operations.find(query.second, "/second");
  const first = query.first === undefined ? undefined : operations.find(query.first, "/first").shortId;
  const pairs =
    first === undefined
      ? pairScores(summary, second).filter((pair) => operations.has(pair.first))
      : [Object.assign(pairScore(summary, first, second), { first })];
  return toPage(pairs, query, (pair) => ({
    first: operations.show(pair.first),
    second: operations.show(second),
    ...toWireEffect(pair),
  }));
}

export function graphAnswer({ summary, operations }: Counts, query: z.output<typeof graphQuery>): Reply {
  const { host, min_count: minCount, max_nodes: maxNodes, max_edges: maxEdges } = query;
  const isOnHost = onHost(operations, host) ?? (() => true);
  const accepts = (shortId: string): boolean => operations.has(shortId) && isOnHost(shortId);
  const graph = journeyGraph(summary, { accepts, minCount, maxNodes, maxEdges });
  return ok({
    nodes: graph.nodes.map(({ operation, requests, visits, starts }) =>
      Object.assign(operations.show(operation), { requests, visits, starts }),
    ),
    edges: graph.edges.map(({ from, to, count, precedence, follow }) => ({
      from,
      to,
      count,
      precedence: share(precedence),
      follow: share(follow),
    })),
    is_partial: graph.isPartial,
  });
}

export function suggestAnswer({ summary, operations }: Counts, query: z.output<typeof suggestQuery>): Reply {
  const { min_pass_rate: minPassRate, min_requests: minRequests, per_operation: perOperation, limit } = query;
  const rules = suggestRules(
    summary,
    operations.all,
    given({ minPassRate, minRequests, perOperation, limit }),
  );
  return ok(
    rules.map((rule) => ({
      first: operations.show(rule.first),
      second: operations.show(rule.second),
      effect: toWireEffect(rule.effect),
      precedence: share(rule.precedence),
      lift: share(rule.lift),
      seqrule: rule.sequenceRule,
      custom_rule: rule.customRule,
    })),
    { messages: notesOf(summary) },
  );
}

function toWireSequence(sequence: ScoredSequence, operations: KnownOperations) {
  return {
    operations: sequence.operations.map((shortId) => operations.show(shortId)),
    count: sequence.count,
    error_bound: sequence.errorBound,
    precedence: share(sequence.precedence),
    precedence_at_least: share(sequence.precedenceAtLeast),
    follow: share(sequence.follow),
    lift: share(sequence.lift),
  };
}

function toWireNeighbour({ operation, count, share: part }: Neighbour, operations: KnownOperations) {
  return operations.has(operation) ? [{ ...operations.show(operation), count, share: share(part) }] : [];
}

function toWireEffect(score: PairScore) {
  return {
    requests: score.requests,
    passed: score.passed,
    pass_rate: share(score.passRate),
    pass_rate_at_least: share(score.passRateAtLeast),
    predicted_false_block_rate: share(score.falseBlockRate),
    error_bound: score.errorBound,
    is_exact: score.isExact,
  };
}

function onHost(
  operations: KnownOperations,
  host: string | undefined,
): ((shortId: string) => boolean) | undefined {
  if (host === undefined) return undefined;
  const lower = host.toLowerCase();
  return (shortId) => operations.show(shortId).host === lower;
}

function pageInfo({ page, per_page: perPage }: PageRequest, count: number, total: number): ResultInfo {
  return { page, per_page: perPage, count, total_count: total, total_pages: Math.ceil(total / perPage) };
}

/** The members that have a value. */
function given<Members extends object>(
  members: Members,
): { [Name in keyof Members]?: NonNullable<Members[Name]> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Members]?: NonNullable<Members[Name]>;
  };
}
