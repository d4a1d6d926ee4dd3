/** The answers of Sequence Analytics for somebody who has the store at hand, by name. */
import type { View } from "../store/index.ts";
import {
  graphAnswer,
  neighboursAnswer,
  overviewAnswer,
  pairsAnswer,
  sequencesAnswer,
  suggestAnswer,
} from "./analytics-answers.ts";
import type { Counts } from "./analytics-answers.ts";
import { knownOperations } from "./analytics.ts";
import type { AnalyticsReader } from "./analytics-reader.ts";
import type { Reply } from "./envelope.ts";
import { parseShape } from "./issues.ts";
import { graphQuery, pairsQuery, sequencesQuery, suggestQuery } from "./schemas/analytics.ts";

export interface AnalyticsQuestion {
  readonly store: View;
  readonly reader: AnalyticsReader;
  readonly zoneId: string;
  /** Parameters of the API; `operation` for the view of that name. */
  readonly query: Readonly<Record<string, string>>;
  readonly nowMs: number;
}

/** What the API says, without its envelope. */
export interface AnalyticsAnswer {
  readonly result: unknown;
  readonly messages: readonly string[];
  /** Rows on all pages, of a list. */
  readonly total?: number | undefined;
}

type Ask = (counts: Counts, question: AnalyticsQuestion) => Reply;

const ASK = {
  overview: (counts, { nowMs }) => overviewAnswer(counts, nowMs),
  sequences: (counts, { query }) => sequencesAnswer(counts, parseShape(sequencesQuery, query)),
  operation: (counts, { query }) =>
    neighboursAnswer(counts, counts.operations.find(query["operation"] ?? "", "/operation").shortId),
  pairs: (counts, { query }) => pairsAnswer(counts, parseShape(pairsQuery, query)),
  graph: (counts, { query }) => graphAnswer(counts, parseShape(graphQuery, query)),
  suggest: (counts, { query }) => suggestAnswer(counts, parseShape(suggestQuery, query)),
} as const satisfies Readonly<Record<string, Ask>>;

export type AnalyticsViewName = keyof typeof ASK;

/** @throws {ApiError} as the API does */
export async function askAnalytics(
  view: AnalyticsViewName,
  question: AnalyticsQuestion,
): Promise<AnalyticsAnswer> {
  const { store, reader, zoneId } = question;
  const counts = { summary: await reader.summary(zoneId), operations: knownOperations(store, zoneId) };
  const reply = ASK[view](counts, question);
  if (reply.kind !== "result") return { result: null, messages: [] };
  return {
    result: reply.result,
    messages: (reply.messages ?? []).map(({ message }) => message),
    total: reply.resultInfo?.total_count,
  };
}
