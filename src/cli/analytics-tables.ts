/** Answers of Sequence Analytics as tables for a terminal. */
import type { AnalyticsAnswer, AnalyticsViewName } from "../api/index.ts";

/** The shapes of the API's results, as far as tables show them. */
interface Operation {
  readonly short_id: string;
  readonly method: string;
  readonly host: string;
  readonly endpoint: string;
}

interface Effect {
  readonly requests: number;
  readonly pass_rate: number;
  readonly predicted_false_block_rate: number;
  readonly error_bound: number;
  readonly is_exact: boolean;
}

type Row = readonly string[];

const percent = (part: number): string => `${(part * 100).toFixed(2)} %`;
const times = (value: number): string => `${value.toFixed(2)} x`;
const named = ({ short_id: id, method, endpoint }: Operation): string => `${id} ${method} ${endpoint}`;

/** Each view's lines; the answer has the shape that the API's schema says. */
const TABLES: Readonly<Record<AnalyticsViewName, (answer: AnalyticsAnswer) => string>> = {
  overview: ({ result }) => {
    const shown = result as {
      readonly since: string;
      readonly until: string;
      readonly requests: number;
      readonly visits: number;
      readonly repeat_share: number;
      readonly left_out: number;
      readonly error_bounds: { readonly length_2: number; readonly length_9: number; readonly pairs: number };
    };
    const { error_bounds: bounds } = shown;
    return table(
      [],
      [
        ["from", shown.since],
        ["to", shown.until],
        ["requests", String(shown.requests)],
        ["repeats", percent(shown.repeat_share)],
        ["left out", String(shown.left_out)],
        [
          "error bound",
          `${bounds.length_2} (length 2) to ${bounds.length_9} (length 9); pairs ${bounds.pairs}`,
        ],
      ],
    );
  },
  sequences: ({ result, total }) => {
    const rows = result as readonly {
      readonly operations: readonly Operation[];
      readonly count: number;
      readonly error_bound: number;
      readonly precedence: number;
      readonly follow: number;
      readonly lift: number;
    }[];
    return (
      table(
        ["precedence", "follow", "lift", "count", "error", "sequence"],
        rows.map((row) => [
          percent(row.precedence),
          percent(row.follow),
          times(row.lift),
          String(row.count),
          String(row.error_bound),
          row.operations.map(named).join("  >  "),
        ]),
      ) + counted(rows.length, total)
    );
  },
  operation: ({ result }) => {
    const shown = result as {
      readonly operation: Operation;
      readonly requests: number;
      readonly visits: number;
      readonly starts: number;
      readonly ends: number;
      readonly error_bound: number;
      readonly predecessors: readonly (Operation & { readonly count: number; readonly share: number })[];
      readonly successors: readonly (Operation & { readonly count: number; readonly share: number })[];
    };
    const steps = (title: string, list: typeof shown.predecessors): string =>
      `\n${table(
        [title, "share", "count"],
        list.map((step) => [named(step), percent(step.share), String(step.count)]),
      )}`;
    return (
      `${named(shown.operation)}\n${shown.requests} requests, ${shown.visits} visits, ` +
      `${shown.starts} begin with it, ${shown.ends} end with it; error bound ${shown.error_bound}\n` +
      steps("before", shown.predecessors) +
      steps("after", shown.successors)
    );
  },
  pairs: ({ result, total }) => {
    const rows = result as readonly (Effect & { readonly first: Operation; readonly second: Operation })[];
    return (
      table(
        ["false blocks", "pass rate", "requests", "error", "first", "second"],
        rows.map((row) => effectCells(row).concat(named(row.first), named(row.second))),
      ) + counted(rows.length, total)
    );
  },
  graph: ({ result }) => {
    const { nodes, edges } = result as {
      readonly nodes: readonly Operation[];
      readonly edges: readonly {
        readonly from: string;
        readonly to: string;
        readonly count: number;
        readonly precedence: number;
        readonly follow: number;
      }[];
    };
    const byId = new Map(nodes.map((node) => [node.short_id, named(node)]));
    return table(
      ["count", "precedence", "follow", "from", "to"],
      edges.map(({ from, to, count, precedence, follow }) => [
        String(count),
        percent(precedence),
        percent(follow),
        byId.get(from) ?? from,
        byId.get(to) ?? to,
      ]),
    );
  },
  suggest: ({ result }) => {
    const rows = result as readonly {
      readonly first: Operation;
      readonly second: Operation;
      readonly effect: Effect;
      readonly custom_rule: { readonly expression: string };
    }[];
    return table(
      ["false blocks", "pass rate", "requests", "error", "first", "second", "expression"],
      rows.map((row) =>
        effectCells(row.effect).concat(named(row.first), named(row.second), row.custom_rule.expression),
      ),
    );
  },
};

export function analyticsTables(view: AnalyticsViewName, answer: AnalyticsAnswer): string {
  const notes = answer.messages.map((message) => `\nnote: ${message}\n`).join("");
  return TABLES[view](answer) + notes;
}

function effectCells(effect: Effect): string[] {
  return [
    percent(effect.predicted_false_block_rate),
    percent(effect.pass_rate),
    String(effect.requests),
    effect.is_exact ? "exact" : String(effect.error_bound),
  ];
}

function counted(rows: number, total = rows): string {
  return rows < total ? `\n${rows} of ${total}; --page 2 shows more\n` : "";
}

/** Columns as wide as their longest cell; the last one is not padded. */
function table(header: Row, rows: readonly Row[]): string {
  if (rows.length === 0) return "nothing was counted that would be worth a line\n";
  const lines = header.length === 0 ? rows : [header, ...rows];
  const columns = lines[0]?.length ?? 0;
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...lines.map((line) => (line[column] ?? "").length)),
  );
  return lines
    .map(
      (line) =>
        `${line
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}
