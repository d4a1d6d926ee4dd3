/** Shapes of Endpoint Management. */
import { z } from "zod";
import { OPERATION_METHODS } from "../../operation/index.ts";
import { pageQuery } from "../paging.ts";
import { direction, oneOrMore, queryText } from "./common.ts";

export const recordPolicy = z.enum(["forwarded", "success"]);
export const prefetchPolicy = z.enum(["record", "ignore", "refuse"]);

/** Described for the API document only. */
const described = (schema: Readonly<Record<string, unknown>>) =>
  z.unknown().meta({ override: schema }).optional();

/**
 * Method, host and endpoint are checked together by `checkOperationInput`, missing ones too, so that every mistake is
 * told at once.
 */
export const operationInput = z
  .looseObject({
    method: described({ type: "string", enum: OPERATION_METHODS }),
    host: described({ type: "string", maxLength: 255 }),
    endpoint: described({ type: "string", maxLength: 4096, pattern: "^/" }),
    record: recordPolicy.optional(),
    prefetch: prefetchPolicy.optional(),
  })
  .meta({ override: { required: ["method", "host", "endpoint"] } });

export type OperationBody = z.output<typeof operationInput>;

export const operation = z.object({
  operation_id: z.string(),
  short_id: z.string(),
  method: z.enum(OPERATION_METHODS),
  host: z.string(),
  endpoint: z.string(),
  last_updated: z.string(),
  record: recordPolicy,
  prefetch: prefetchPolicy,
});

export const operationListQuery = z.object({
  ...pageQuery,
  /** `thresholds.$key` is taken, and sorts like `endpoint`: Stepgate estimates no thresholds. */
  order: z
    .string()
    .regex(
      /^(?:method|host|endpoint|thresholds\..*)$/,
      "it must be one of `method`, `host`, `endpoint`, `thresholds.$key`",
    )
    .default("endpoint"),
  direction: direction.default("asc"),
  host: oneOrMore(queryText).optional(),
  method: oneOrMore(queryText).optional(),
  endpoint: queryText.optional(),
  feature: oneOrMore(queryText).optional(),
});

export const operationGetQuery = z.object({
  feature: oneOrMore(queryText).optional(),
  with_schemas: queryText.optional(),
});

export const operationIds = z.array(z.looseObject({ operation_id: z.string() })).min(1);
