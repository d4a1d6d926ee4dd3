/** `stepgate analytics import`: a first report out of the logs that are there, before the first request. */
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { defineCommand } from "citty";
import { createSummary, decodeSnapshot } from "../analytics/index.ts";
import type { DiscoveredEndpoint } from "../analytics/index.ts";
import {
  createHistoryCounter,
  createJsonReader,
  JSON_FIELDS,
  linesOf,
  parseSessionSource,
  readCombinedLine,
  requestsOfHar,
} from "../history/index.ts";
import type {
  CountedHistory,
  HistoryOptions,
  JsonMapping,
  LineReader,
  LoggedRequest,
  SessionSource,
} from "../history/index.ts";
import { canonicalHost } from "../operation/index.ts";
import { DEFAULT_LIMITS } from "../sequence/index.ts";
import type { Store, ZoneRow } from "../store/index.ts";
import { historyJson, historyText } from "./analytics-import-report.ts";
import type { UnreadableLines } from "./analytics-import-report.ts";
import { dataDirOption, withStore, zoneNamed } from "./open-data-dir.ts";
import { saveOperations } from "./save-operations.ts";
import { reasonOf, refuseUnknownOptions, UserError } from "./user-error.ts";

const args = {
  file: {
    type: "positional",
    required: true,
    description: "log, packed with gzip or not; `-` for standard input",
  },
  zone: { type: "string", valueHint: "NAME", description: "zone that the log is of (default: the only one)" },
  format: {
    type: "string",
    valueHint: "FORMAT",
    description:
      "combined (also Common Log Format), json (lines) or har (default: by the file's name and first line)",
  },
  field: {
    type: "string",
    valueHint: "FIELD=NAME,…",
    description: `where JSON lines have ${JSON_FIELDS.join(", ")} (default: the names that common servers use)`,
  },
  session: {
    type: "string",
    valueHint: "SOURCE",
    default: "address",
    description: "what tells visitors apart: address, user, session, cookie:NAME or header:NAME",
  },
  host: {
    type: "string",
    valueHint: "HOST",
    description: "host of all requests (default: what the log says, else the zone's)",
  },
  save: {
    type: "boolean",
    description: "save the endpoints that the log shows as operations first, then count with them",
  },
  "min-requests": {
    type: "string",
    valueHint: "N",
    default: "20",
    description: "least successful requests of an endpoint that is proposed or saved",
  },
  "min-count": {
    type: "string",
    valueHint: "N",
    default: "20",
    description: "least requests that end a sequence which is reported",
  },
  limit: {
    type: "string",
    valueHint: "N",
    default: "20",
    description: "sequences and pairs that are reported",
  },
  json: { type: "boolean", description: "print the report as JSON" },
  "data-dir": dataDirOption,
} as const;

/** Lines that cannot be read and are shown; the others are counted. */
const SHOWN_LINES = 5;
/** A recording is read as a whole. */
const MAX_HAR_BYTES = 268_435_456;

export const analyticsImportCommand = defineCommand({
  meta: {
    name: "import",
    // A log is a period of its own, however old it is: nothing is added to the counts of the last 24 hours.
    description: "Count the requests of a log, of any age, and report sequences, scores and pairs",
  },
  args,
  async run({ args: given, rawArgs }) {
    refuseUnknownOptions(rawArgs, args);
    const report = await withStore(given["data-dir"], async (store) => importLog(store, given));
    process.stdout.write(report);
  },
});

type Given = {
  readonly file: string;
  readonly session: string;
  readonly "min-requests": string;
  readonly "min-count": string;
  readonly limit: string;
} & {
  readonly [Name in "zone" | "format" | "field" | "host"]?: string | undefined;
} & { readonly save?: boolean | undefined; readonly json?: boolean | undefined };

async function importLog(store: Store, given: Given): Promise<string> {
  const zone = zoneNamed(store, given.zone);
  const query = {
    minCount: wholeNumber("min-count", given["min-count"]),
    limit: wholeNumber("limit", given.limit),
  };
  const mapping = mappingOf(given.field);
  sessionSourceOf(given);
  const log: Log = { file: given.file, format: await formatOf(given), mapping };
  const { counted, unreadable, saved } = await countAndSave(store, zone, { given, log });
  const snapshot = decodeSnapshot(counted.snapshot);
  if (snapshot.kind === "error") throw new TypeError(snapshot.message);
  const operations = new Map(
    store.group("operations", zone.id).map(({ operation }) => [operation.shortId, operation]),
  );
  const facts = { summary: createSummary([snapshot]), counted, unreadable, saved, operations, query };
  return given.json === true ? historyJson(facts) : historyText(facts);
}

interface Log {
  readonly file: string;
  readonly format: "combined" | "json" | "har";
  readonly mapping: JsonMapping;
}

interface Counted {
  readonly counted: CountedHistory;
  readonly unreadable: UnreadableLines;
  readonly saved: readonly DiscoveredEndpoint[];
}

/** Saving takes two passes: what an operation is has to be known before its first request is counted. */
async function countAndSave(
  store: Store,
  zone: ZoneRow,
  { given, log }: { readonly given: Given; readonly log: Log },
): Promise<Counted> {
  const first = await countLog(log, optionsOf(store, zone, given));
  if (given.save !== true) return { ...first, saved: [] };
  if (log.file === "-")
    throw new UserError("--save reads the log twice: name a file in the place of standard input");
  const saved = first.counted.unsaved.endpoints();
  if (saved.length > 0) saveOperations(store, zone, saved);
  return { ...(await countLog(log, optionsOf(store, zone, given))), saved };
}

function sessionSourceOf({ session: text }: Given): SessionSource {
  const source = parseSessionSource(text);
  if (source !== undefined) return source;
  throw new UserError(
    `--session: expected address, user, session, cookie:NAME or header:NAME, found \`${text}\``,
  );
}

function optionsOf(store: Store, zone: ZoneRow, given: Given): HistoryOptions {
  const host = given.host === undefined ? undefined : canonicalHost(given.host);
  if (host?.kind === "error") throw new UserError(`--host: ${host.message}`);
  const { pathOptions, sequence } = zone.settings;
  const isBySession = sequence?.tracking === "session";
  return {
    operations: store.group("operations", zone.id).map(({ operation }) => operation),
    ...(pathOptions === undefined ? {} : { pathOptions }),
    hosts: new Set(zone.hosts),
    defaultHost: host?.host ?? (zone.hosts.includes(zone.name) ? zone.name : (zone.hosts[0] ?? zone.name)),
    ignoresHosts: host !== undefined,
    session: sessionSourceOf(given),
    limits: isBySession
      ? { maxEntries: sequence.lookbackRequests, maxAgeMs: sequence.lookbackSeconds * 1000 }
      : DEFAULT_LIMITS,
    minRequests: wholeNumber("min-requests", given["min-requests"]),
  };
}

async function countLog(log: Log, options: HistoryOptions): Promise<Pick<Counted, "counted" | "unreadable">> {
  const counter = createHistoryCounter(options);
  const add: Add = (request) => counter.add(request);
  try {
    const unreadable = log.format === "har" ? await countHar(log.file, add) : await countLines(log, add);
    return { counted: counter.finish(), unreadable };
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`cannot read \`${log.file}\`: ${reasonOf(error)}`);
  }
}

type Add = (request: LoggedRequest) => void;

async function countLines({ file, format, mapping }: Log, add: Add): Promise<UnreadableLines> {
  const read: LineReader = format === "json" ? createJsonReader(mapping) : readCombinedLine;
  const shown: UnreadableLines["shown"][number][] = [];
  let count = 0;
  for await (const { number, text } of linesOf(openFile(file))) {
    const line =
      text === undefined ? { kind: "error" as const, reason: "expected a shorter line" } : read(text);
    if (line.kind === "request") add(line.request);
    if (line.kind !== "error") continue;
    count += 1;
    if (shown.length < SHOWN_LINES) shown.push({ number, reason: line.reason });
  }
  return { count, shown };
}

async function countHar(file: string, add: Add): Promise<UnreadableLines> {
  if (file !== "-" && (await stat(file)).size > MAX_HAR_BYTES)
    throw new UserError(`\`${file}\`: expected at most ${MAX_HAR_BYTES} bytes of HAR; split the recording`);
  const text = await readFile(file === "-" ? "/dev/stdin" : file, "utf8");
  let recording: ReturnType<typeof requestsOfHar>;
  try {
    recording = requestsOfHar(JSON.parse(text));
  } catch (error) {
    throw new UserError(`\`${file}\`: ${(error as Error).message}`);
  }
  for (const request of recording.requests) add(request);
  return { count: recording.skipped, shown: [] };
}

function openFile(file: string): Readable {
  return file === "-" ? process.stdin : createReadStream(file);
}

/** By what the operator says, the file's name, or the beginning of its first line. */
async function formatOf({ file, format, field }: Given): Promise<Log["format"]> {
  if (format === "combined" || format === "json" || format === "har") return format;
  if (format === "common") return "combined";
  if (format !== undefined)
    throw new UserError(`--format: expected combined, json or har, found \`${format}\``);
  if (field !== undefined) return "json";
  if (file.endsWith(".har")) return "har";
  // Standard input cannot be looked at and then read.
  if (file === "-") return "combined";
  try {
    for await (const { text } of linesOf(createReadStream(file))) {
      if (text !== undefined && text.trim() !== "")
        return text.trimStart().startsWith("{") ? "json" : "combined";
    }
  } catch (error) {
    throw new UserError(`cannot read \`${file}\`: ${reasonOf(error)}`);
  }
  return "combined";
}

function mappingOf(text: string | undefined): JsonMapping {
  const mapping: Record<string, string> = {};
  for (const part of text === undefined ? [] : text.split(",")) {
    const equals = part.indexOf("=");
    const [field, name] = [part.slice(0, equals), part.slice(equals + 1)];
    if (equals < 1 || name === "" || !JSON_FIELDS.some((known) => known === field))
      throw new UserError(
        `--field: expected FIELD=NAME with one of ${JSON_FIELDS.join(", ")}, found \`${part}\``,
      );
    mapping[field] = name;
  }
  return mapping;
}

function wholeNumber(option: string, text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw new UserError(`--${option}: expected a whole number from 1, found \`${text}\``);
  return Number(text);
}
