/** Shapes of Sequence Analytics. */
import { z } from "zod";
import { SEQUENCE_ORDERS } from "../../analytics/index.ts";
import { SEQ_RULE_KINDS } from "../../sequence/index.ts";
import { pageQuery } from "../paging.ts";
import { queryText } from "./common.ts";

const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, "it must be a whole number")
    .transform(Number)
    .pipe(z.int().min(min).max(max));

const rate = z
  .string()
  .regex(/^(?:0(?:\.\d{1,9})?|1(?:\.0{1,9})?)$/, "it must be a number from 0 to 1")
  .transform(Number);

/** A UUID or a short id. */
const operationRef = z.string().min(1).max(64);

export const sequencesQuery = z.object({
  ...pageQuery,
  last_operation: operationRef.optional(),
  host: queryText.optional(),
  min_length: wholeNumber(2, 9).optional(),
  max_length: wholeNumber(2, 9).optional(),
  min_count: wholeNumber(1, 999_999_999).optional(),
  sort: z.enum(SEQUENCE_ORDERS).default("precedence"),
});

export const pairsQuery = z.object({ ...pageQuery, second: operationRef, first: operationRef.optional() });

export const graphQuery = z.object({
  host: queryText.optional(),
  min_count: wholeNumber(1, 999_999_999).prefault("1"),
  max_nodes: wholeNumber(1, 1000).prefault("100"),
  max_edges: wholeNumber(1, 1000).prefault("300"),
});

export const suggestQuery = z.object({
  min_pass_rate: rate.optional(),
  min_requests: wholeNumber(1, 999_999_999).optional(),
  per_operation: wholeNumber(1, 10).optional(),
  limit: wholeNumber(1, 100).optional(),
});

const operationShape = z.object({
  operation_id: z.string(),
  short_id: z.string(),
  method: z.string(),
  host: z.string(),
  endpoint: z.string(),
});

export const overviewShape = z.object({
  since: z.string(),
  until: z.string(),
  requests: z.int(),
  /** Requests that did not directly repeat the operation before them. */
  visits: z.int(),
  repeat_share: z.number(),
  /** Requests that a fairness cap left out. */
  left_out: z.int(),
  /** By how much counts may be too low; they are never too high. */
  error_bounds: z.object({ length_2: z.int(), length_9: z.int(), pairs: z.int() }),
});

export const sequenceShape = z.object({
  operations: z.array(operationShape),
  count: z.int(),
  error_bound: z.int(),
  precedence: z.number(),
  precedence_at_least: z.number(),
  follow: z.number(),
  lift: z.number(),
});

const neighbourShape = operationShape.extend({ count: z.int(), share: z.number() });

export const neighboursShape = z.object({
  operation: operationShape,
  requests: z.int(),
  visits: z.int(),
  starts: z.int(),
  ends: z.int(),
  error_bound: z.int(),
  predecessors: z.array(neighbourShape),
  successors: z.array(neighbourShape),
});

const effectShape = z.object({
  requests: z.int(),
  passed: z.int(),
  pass_rate: z.number(),
  pass_rate_at_least: z.number(),
  predicted_false_block_rate: z.number(),
  error_bound: z.int(),
  is_exact: z.boolean(),
});

export const pairShape = effectShape.extend({ first: operationShape, second: operationShape });

export const graphShape = z.object({
  nodes: z.array(operationShape.extend({ requests: z.int(), visits: z.int(), starts: z.int() })),
  edges: z.array(
    z.object({
      from: z.string(),
      to: z.string(),
      count: z.int(),
      precedence: z.number(),
      follow: z.number(),
    }),
  ),
  is_partial: z.boolean(),
});

export const suggestionShape = z.object({
  first: operationShape,
  second: operationShape,
  effect: effectShape,
  precedence: z.number(),
  lift: z.number(),
  /** Body for `POST …/api_gateway/seqrules/rules`; absent when the operations are on different hosts. */
  seqrule: z.looseObject({}).optional(),
  /** A rule for `http_request_firewall_custom`. */
  custom_rule: z.object({ description: z.string(), expression: z.string(), action: z.literal("block") }),
});

export const simulateBody = z.strictObject({
  expression: z.string().optional(),
  seqrule: z
    .looseObject({
      kind: z.enum(SEQ_RULE_KINDS),
      sequence: z.array(z.string()).length(2),
    })
    .optional(),
});

const noteList = z.array(z.string());

export const simulationShape = z.object({
  since: z.string(),
  until: z.string(),
  recorded: z.object({
    method: z.enum(["pairs", "histories", "none"]),
    requests: z.int(),
    hits: z.int(),
    hits_at_least: z.int(),
    hits_at_most: z.int(),
    hit_rate: z.number(),
    is_exact: z.boolean(),
    by_operation: z.array(operationShape.extend({ requests: z.int(), hits: z.int() })),
    notes: noteList,
  }),
  sample: z.object({
    is_on: z.boolean(),
    /** Requests that the sample stands for, and how many are in it. */
    seen: z.int(),
    sampled: z.int(),
    hits: z.int(),
    estimated_hits: z.int(),
    hit_rate: z.number(),
    is_exact: z.boolean(),
    examples: z.array(z.looseObject({ ray_id: z.string() })),
    notes: noteList,
  }),
});
