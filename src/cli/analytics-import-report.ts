/** What `stepgate analytics import` prints. */
import { allPairs, suggestRules, topSequences } from "../analytics/index.ts";
import type { DiscoveredEndpoint, ScoredSequence, Summary } from "../analytics/index.ts";
import type { CountedHistory } from "../history/index.ts";
import type { Operation } from "../operation/index.ts";

export interface UnreadableLines {
  readonly count: number;
  /** The first ones. */
  readonly shown: readonly { readonly number: number; readonly reason: string }[];
}

export interface ImportedHistory {
  readonly summary: Summary;
  readonly counted: CountedHistory;
  readonly unreadable: UnreadableLines;
  /** Endpoints that were made operations. */
  readonly saved: readonly DiscoveredEndpoint[];
  /** By short id. */
  readonly operations: ReadonlyMap<string, Operation>;
  readonly query: { readonly minCount: number; readonly limit: number };
}

/** Rows of one answer of the pure part. */
const PAGE = 1000;

export function historyJson(history: ImportedHistory): string {
  const { summary, counted, unreadable, saved, operations, query } = history;
  const { from, to, ...figures } = counted.figures;
  const report = {
    from: instant(from),
    to: instant(to),
    ...figures,
    unreadable: unreadable.count,
    unreadableLines: unreadable.shown,
    repeatShare: summary.repeatShare,
    operations: [...operations.values()].map(({ id, shortId, method, host, endpoint }) => ({
      id,
      shortId,
      method,
      host,
      endpoint,
    })),
    sequences: sequencesOf(history),
    pairs: pairsOf(history),
    suggestions: suggestRules(summary, [...operations.values()], { limit: query.limit }),
    saved: saved.map(toEndpoint),
    unsaved: counted.unsaved.endpoints().map(toEndpoint),
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}

export function historyText(history: ImportedHistory): string {
  const { summary, counted, unreadable, saved, operations } = history;
  const { figures } = counted;
  const name = (shortId: string): string => {
    const operation = operations.get(shortId);
    return operation === undefined ? shortId : `${operation.method} ${operation.endpoint}`;
  };
  const unsaved = counted.unsaved.endpoints();
  const suggestions = suggestRules(summary, [...operations.values()], { limit: history.query.limit });
  return [
    ...figureLines(figures, unreadable),
    ...section("Saved as operations", saved.map(endpointLine)),
    ...section(
      "Sequences (requests, precedence, at least, follow, lift)",
      sequencesOf(history).map(
        ({ count, precedence, precedenceAtLeast, follow, lift, operations: steps }) =>
          `${right(count, 8)}  ${share(precedence)}  ${share(precedenceAtLeast)}  ${share(follow)}  ${right(lift.toFixed(1), 6)}  ${steps.map(name).join(" → ")}`,
      ),
    ),
    ...section(
      "Pairs: of the requests to the second, those with the first anywhere before (requests, share)",
      pairsOf(history).map(
        ({ first, second, requests, passRate }) =>
          `${right(requests, 8)}  ${share(passRate)}  ${name(first)} … ${name(second)}`,
      ),
    ),
    ...section(
      "Rules that this log obeys (share that would have been blocked)",
      suggestions.map(
        ({ first, second, effect, customRule }) =>
          `${share(effect.falseBlockRate)}  ${name(first)} before ${name(second)}\n          ${customRule.expression}`,
      ),
    ),
    ...section(
      "Not saved: operations that the log shows; --save makes them operations (requests)",
      unsaved.map((endpoint) => `${right(endpoint.requests, 8)}  ${endpointLine(endpoint)}`),
    ),
    "",
  ].join("\n");
}

function figureLines(
  {
    requests,
    counted,
    withoutSession,
    otherHosts,
    refused,
    late,
    forgottenSessions,
    from,
    to,
  }: CountedHistory["figures"],
  { count, shown }: UnreadableLines,
): readonly string[] {
  const some = (figure: number, text: string): readonly string[] =>
    figure === 0 ? [] : [`${right(figure, 8)}  ${text}`];
  return [
    requests === 0 ? "no requests" : `${requests} requests from ${instant(from)} to ${instant(to)}`,
    `${right(counted, 8)}  to saved operations`,
    ...some(withoutSession, "of them without a session, and so without a past"),
    ...some(otherHosts, "to hosts that are not the zone's (--host takes them for one of its)"),
    ...some(refused, "with a path that the gateway refuses"),
    ...some(late, "too far behind later ones to be counted at their place"),
    ...some(forgottenSessions, "sessions forgotten too early: there were too many at a time"),
    ...some(count, "lines or entries that could not be read"),
    ...shown.map(({ number, reason }) => `          line ${number}: ${reason}`),
  ];
}

function sequencesOf({ summary, query }: ImportedHistory): readonly ScoredSequence[] {
  const found: ScoredSequence[] = [];
  while (found.length < query.limit) {
    const limit = Math.min(PAGE, query.limit - found.length);
    const { sequences } = topSequences(summary, { minCount: query.minCount, limit, offset: found.length });
    found.push(...sequences);
    if (sequences.length < limit) break;
  }
  return found;
}

function pairsOf({ summary, query }: ImportedHistory) {
  return allPairs(summary, query.minCount).slice(0, query.limit);
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ["", title, ...lines.map((line) => `  ${line}`)];
}

const right = (value: number | string, width: number): string => String(value).padStart(width);
const share = (value: number): string => value.toFixed(3);
const instant = (at: number | undefined): string | null =>
  at === undefined ? null : new Date(at).toISOString();
const endpointLine = ({ method, host, endpoint }: DiscoveredEndpoint): string =>
  `${method} ${host}${endpoint}`;
const toEndpoint = ({ method, host, endpoint, requests }: DiscoveredEndpoint) => ({
  method,
  host,
  endpoint,
  requests,
});
