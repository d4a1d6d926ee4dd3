/** Shapes of API Discovery. */
import { z } from "zod";
import { OPERATION_METHODS } from "../../operation/index.ts";
import { pageQuery, queryInteger } from "../paging.ts";
import { direction, oneOrMore, queryText } from "./common.ts";

const state = z.enum(["review", "saved", "ignored"]);
/** The original derives `saved`; taking it here is our extension. */
export const stateBody = z.looseObject({ state: state.optional() });
export const statesBody = z.record(z.string().max(36), stateBody);

export const changedState = z.object({ state, operation_id: z.string().optional() });

export const discoveredOperation = z.object({
  id: z.string(),
  method: z.enum(OPERATION_METHODS),
  host: z.string(),
  endpoint: z.string(),
  state,
  origin: z.array(z.enum(["ML", "SessionIdentifier", "LabelDiscovery"])),
  last_updated: z.string(),
  features: z.object({
    traffic_stats: z.object({
      requests: z.int(),
      period_seconds: z.int(),
      last_updated: z.string(),
    }),
  }),
});

/** Extension of Stepgate: least requests of an endpoint that is reported, 500 unless given. */
const minRequests = { min_requests: queryInteger(1, 999_999_999).optional() };

export const discoveryGetQuery = z.object(minRequests);

export const discoveryListQuery = z.object({
  ...pageQuery,
  ...minRequests,
  diff: z
    .enum(["true", "false"])
    .transform((text) => text === "true")
    .default(false),
  state: state.optional(),
  origin: z.enum(["ML", "SessionIdentifier", "LabelDiscovery"]).optional(),
  host: oneOrMore(queryText).optional(),
  method: oneOrMore(queryText).optional(),
  endpoint: queryText.optional(),
  order: z
    .enum(["host", "method", "endpoint", "traffic_stats.requests", "traffic_stats.last_updated"])
    .default("traffic_stats.requests"),
  direction: direction.optional(),
});
