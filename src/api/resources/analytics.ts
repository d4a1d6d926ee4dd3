/** Sequence Analytics: what visitors do in which order, in the last 24 hours. Our own; the original shows it in its dashboard. */
import { z } from "zod";
import { countsOf } from "../analytics.ts";
import {
  graphAnswer,
  neighboursAnswer,
  overviewAnswer,
  pairsAnswer,
  sequencesAnswer,
  suggestAnswer,
} from "../analytics-answers.ts";
import { apiError } from "../errors.ts";
import { permission, route } from "../route.ts";
import type { Route } from "../route.ts";
import {
  graphQuery,
  graphShape,
  neighboursShape,
  overviewShape,
  pairShape,
  pairsQuery,
  sequenceShape,
  sequencesQuery,
  suggestionShape,
  suggestQuery,
} from "../schemas/analytics.ts";

const path = "/zones/{zone_id}/stepgate/analytics";
const access = permission("zone", "Read", "API Gateway");

export const analyticsRoutes: readonly Route[] = [
  route("GET", {
    path,
    summary: "Get how much was counted in the last 24 hours, and how exact it is",
    access,
    result: overviewShape,
    run: async (call) => overviewAnswer(await countsOf(call), call.at),
  }),
  route("GET", {
    path: `${path}/sequences`,
    summary: "List the sequences that say most about how operations follow one another",
    access,
    query: sequencesQuery,
    result: z.array(sequenceShape),
    run: async (call) => sequencesAnswer(await countsOf(call), call.query),
  }),
  route("GET", {
    path: `${path}/operations/{operation_id}`,
    summary: "Get what comes directly before and after an operation",
    access,
    result: neighboursShape,
    run: async (call) => {
      const counts = await countsOf(call);
      const id = call.params.operation_id.toLowerCase();
      const operation = counts.operations.all.find((each) => each.id === id || each.shortId === id);
      if (operation === undefined) throw apiError("no_operation", "the zone has no operation with this id");
      return neighboursAnswer(counts, operation.shortId);
    },
  }),
  route("GET", {
    path: `${path}/pairs`,
    summary: "List how surely an operation comes after others, and whom a rule about it would block",
    access,
    query: pairsQuery,
    result: z.array(pairShape),
    run: async (call) => pairsAnswer(await countsOf(call), call.query),
  }),
  route("GET", {
    path: `${path}/graph`,
    summary: "Get operations and the steps between them, for drawing",
    access,
    query: graphQuery,
    result: graphShape,
    run: async (call) => graphAnswer(await countsOf(call), call.query),
  }),
  route("GET", {
    path: `${path}/suggest`,
    summary: "Suggest rules that the requests of the last 24 hours obey, ready to be put in force",
    access,
    query: suggestQuery,
    result: z.array(suggestionShape),
    run: async (call) => suggestAnswer(await countsOf(call), call.query),
  }),
];
