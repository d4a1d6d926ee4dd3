/** `stepgate analytics`: what visitors do in which order, as tables, and the rules that follow from it. */
import { defineCommand } from "citty";
import type { ArgsDef } from "citty";
import { ApiError, askAnalytics, createAnalyticsReader } from "../api/index.ts";
import type { AnalyticsViewName } from "../api/index.ts";
import { analyticsTables } from "./analytics-tables.ts";
import { dataDirOption, withStore, zoneNamed } from "./open-data-dir.ts";
import { openSnapshots } from "./snapshots.ts";
import { refuseUnknownOptions, UserError } from "./user-error.ts";

const common = {
  zone: { type: "string", valueHint: "NAME", description: "zone to ask about (default: the only one)" },
  "data-dir": dataDirOption,
  redis: {
    type: "string",
    valueHint: "URL",
    description: "Redis that holds the counts, where the configuration names one",
  },
  json: { type: "boolean", default: false, description: "print the API's answer instead of tables" },
} as const satisfies ArgsDef;

/** Options of each view by the parameter of the API they stand for. */
const page = {
  page: { type: "string", valueHint: "NUMBER", description: "page (default: 1)" },
  "per-page": { type: "string", valueHint: "NUMBER", description: "rows of a page (default: 20)" },
} as const satisfies ArgsDef;
const host = {
  host: { type: "string", valueHint: "HOST", description: "operations of this host only" },
} as const satisfies ArgsDef;

const OPTIONS = {
  overview: {},
  sequences: {
    "last-operation": { type: "string", valueHint: "ID", description: "sequences that end with it only" },
    ...host,
    "min-length": { type: "string", valueHint: "2-9", description: "least operations of a sequence" },
    "max-length": { type: "string", valueHint: "2-9", description: "most operations of a sequence" },
    "min-count": { type: "string", valueHint: "NUMBER", description: "least count (default: 20)" },
    sort: { type: "string", valueHint: "ORDER", description: "precedence, follow, lift or count" },
    ...page,
  },
  operation: {
    operation: { type: "positional", required: true, description: "id or short id of the operation" },
  },
  pairs: {
    second: {
      type: "string",
      valueHint: "ID",
      required: true,
      description: "operation that a rule would protect",
    },
    first: { type: "string", valueHint: "ID", description: "operation that has to come before it" },
    ...page,
  },
  graph: {
    ...host,
    "min-count": { type: "string", valueHint: "NUMBER", description: "least count of a step (default: 1)" },
    "max-nodes": { type: "string", valueHint: "NUMBER", description: "most operations (default: 100)" },
    "max-edges": { type: "string", valueHint: "NUMBER", description: "most steps (default: 300)" },
  },
  suggest: {
    "min-pass-rate": {
      type: "string",
      valueHint: "0-1",
      description: "least share of requests that pass (default: 0.99)",
    },
    "min-requests": {
      type: "string",
      valueHint: "NUMBER",
      description: "least requests to rest on (default: 20)",
    },
    "per-operation": {
      type: "string",
      valueHint: "NUMBER",
      description: "suggestions for one operation (default: 2)",
    },
    limit: { type: "string", valueHint: "NUMBER", description: "suggestions in all (default: 20)" },
  },
} as const satisfies Record<AnalyticsViewName, ArgsDef>;

const DESCRIPTIONS: Readonly<Record<AnalyticsViewName, string>> = {
  overview: "How much was counted in the last 24 hours, and how exact it is",
  sequences: "The sequences that say most about how operations follow one another",
  operation: "What comes directly before and after an operation",
  pairs: "How surely an operation comes after others, and whom a rule about it would block",
  graph: "Operations and the steps between them",
  suggest: "Rules that the requests of the last 24 hours obey",
};

export const analyticsCommand = defineCommand({
  meta: {
    name: "analytics",
    description:
      "Show what visitors did in which order in the last 24 hours, and the rules that follow from it",
  },
  subCommands: {
    ...Object.fromEntries(
      (Object.keys(OPTIONS) as AnalyticsViewName[]).map((view) => [view, viewCommand(view)]),
    ),
    import: async () => (await import("./analytics-import.ts")).analyticsImportCommand,
  },
});

function viewCommand(view: AnalyticsViewName) {
  const args: ArgsDef = { ...OPTIONS[view], ...common };
  return defineCommand({
    meta: { name: view, description: DESCRIPTIONS[view] },
    args,
    async run({ args: given, rawArgs }) {
      refuseUnknownOptions(rawArgs, args);
      const query = Object.fromEntries(
        Object.keys(OPTIONS[view]).flatMap((option) =>
          given[option] === undefined ? [] : [[option.replaceAll("-", "_"), String(given[option])]],
        ),
      );
      const answer = await ask(view, query, {
        zone: text(given["zone"]),
        dataDir: String(given["data-dir"]),
        redis: text(given["redis"]),
      });
      const shown =
        given["json"] === true ? `${JSON.stringify(answer, null, 2)}\n` : analyticsTables(view, answer);
      process.stdout.write(shown);
    },
  });
}

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** What the API calls by the names of its parameters are options here. */
function withOptionNames(view: AnalyticsViewName, message: string): string {
  return Object.keys(OPTIONS[view]).reduce(
    (named, option) =>
      named.replace(` for ${option.replaceAll("-", "_")} because `, ` for --${option} because `),
    message,
  );
}

interface Place {
  readonly zone: string | undefined;
  readonly dataDir: string;
  readonly redis: string | undefined;
}

/** @throws {UserError} for what the API would refuse, in its words */
function ask(
  view: AnalyticsViewName,
  query: Readonly<Record<string, string>>,
  { zone, dataDir, redis }: Place,
) {
  return withStore(dataDir, async (store) => {
    const { id } = zoneNamed(store, zone);
    const snapshots = await openSnapshots({
      dataDir,
      ...(redis === undefined ? {} : { redis: { url: redis, timeoutMs: 1 } }),
    });
    try {
      const counts = { store: snapshots, flush: async () => undefined };
      const reader = createAnalyticsReader(counts, { now: Date.now });
      return await askAnalytics(view, { store, reader, zoneId: id, query, nowMs: Date.now() });
    } catch (error) {
      if (error instanceof ApiError) throw new UserError(withOptionNames(view, error.message));
      throw error;
    } finally {
      await snapshots.close();
    }
  });
}
