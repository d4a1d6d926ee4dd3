/** Counts logged requests as the gateway would have counted them, all of them in one period. */
import {
  createDiscovery,
  createHourCounter,
  createOperationTable,
  encodeSnapshot,
  isPageResource,
} from "../analytics/index.ts";
import type { Discovery } from "../analytics/index.ts";
import {
  canonicalHost,
  canonicalTarget,
  createMatcher,
  DEFAULT_PATH_OPTIONS,
  isExactRequest,
} from "../operation/index.ts";
import type { Operation, PathOptions } from "../operation/index.ts";
import type { SequenceLimits } from "../sequence/index.ts";
import { createReorder } from "./reorder.ts";
import { createHistories, sessionOf } from "./sessions.ts";
import type { SessionSource } from "./sessions.ts";
import type { LoggedRequest } from "./types.ts";

export interface HistoryOptions {
  readonly operations: readonly Operation[];
  readonly pathOptions?: Partial<PathOptions>;
  /** Canonical hosts of the zone; requests to others are left out. */
  readonly hosts: ReadonlySet<string>;
  /** Host of requests of which the log does not say it. */
  readonly defaultHost: string;
  /** Whether every request is taken for one to `defaultHost`, whatever the log says. */
  readonly ignoresHosts: boolean;
  readonly session: SessionSource;
  /** How far sequences reach back. */
  readonly limits: SequenceLimits;
  /** Least requests of an endpoint that is reported as unsaved. */
  readonly minRequests: number;
}

export interface HistoryFigures {
  readonly requests: number;
  /** Of them, those to saved operations. */
  readonly counted: number;
  /** Counted requests that belong to no session, and so have no past. */
  readonly withoutSession: number;
  /** Requests to hosts that are none of the zone's. */
  readonly otherHosts: number;
  /** Requests with a path that the gateway refuses. */
  readonly refused: number;
  /** Requests that stand too far behind later ones to be counted at their place. */
  readonly late: number;
  /** Sessions that were forgotten too early, because there were too many. */
  readonly forgottenSessions: number;
  /** First and last time, epoch milliseconds; `undefined` without requests. */
  readonly from: number | undefined;
  readonly to: number | undefined;
}

export interface CountedHistory {
  readonly figures: HistoryFigures;
  /** For `decodeSnapshot`. */
  readonly snapshot: Uint8Array;
  /** Endpoints of successful requests to what is no saved operation. */
  readonly unsaved: Pick<Discovery, "endpoints">;
}

export interface HistoryCounter {
  add(request: LoggedRequest): void;
  /** Ends counting. */
  finish(): CountedHistory;
}

/** Lines among which the order of times is restored. A server logs a request when it is answered, or minutes later. */
const REORDERED_REQUESTS = 65_536;
/** All sequences of a log belong to one period: there is room for four times as many as in an hour. */
const MAX_NODES = 1_048_576;
const MAX_PAIRS = 4_194_304;

interface Counted {
  readonly op: string;
  readonly session: string | undefined;
  /** Whether the gateway would remember it as called. */
  readonly isRecorded: boolean;
}

export function createHistoryCounter(options: HistoryOptions): HistoryCounter {
  const pathOptions = { ...DEFAULT_PATH_OPTIONS, ...options.pathOptions };
  const matcher = createMatcher(options.operations, pathOptions);
  const table = createOperationTable(options.operations.map(({ shortId }) => shortId));
  const counter = createHourCounter({ operations: table, maxNodes: MAX_NODES, maxPairs: MAX_PAIRS });
  const discovery = createDiscovery({ minRequests: options.minRequests });
  const histories = createHistories(options.limits);
  const figures = { requests: 0, counted: 0, withoutSession: 0, otherHosts: 0, refused: 0 };
  let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

  const reorder = createReorder<Counted>(REORDERED_REQUESTS, ({ op, session, isRecorded }, at) => {
    const previous = histories.before(session, at).entries.map((entry) => entry.op);
    counter.recordIds(op, previous);
    if (isRecorded) histories.append(session, op, at);
  });

  return {
    add(request) {
      figures.requests += 1;
      from = Math.min(from, request.at);
      to = Math.max(to, request.at);
      const target = canonicalTarget(request.target, pathOptions);
      if (target.kind !== "path") return void (figures.refused += 1);
      const host = hostOf(target.authority ?? request.host, options);
      if (host === undefined) return void (figures.otherHosts += 1);
      const { method, status } = request;
      const operation = matcher.match(method, host, target.path);
      if (operation === undefined) {
        // One period: nothing in it is older than the rest, and nothing is forgotten.
        if (!isPageResource(target.path)) discovery.observe({ method, host, path: target.path, status }, 0);
        return;
      }
      const session = sessionOf(request, options.session);
      figures.counted += 1;
      if (session === undefined) figures.withoutSession += 1;
      const isRecorded = counts(operation, request, target.path);
      reorder.push(request.at, { op: operation.shortId, session, isRecorded });
    },
    finish() {
      reorder.flush();
      const isEmpty = figures.requests === 0;
      return {
        figures: {
          ...figures,
          late: reorder.late,
          forgottenSessions: histories.forgotten,
          from: isEmpty ? undefined : from,
          to: isEmpty ? undefined : to,
        },
        snapshot: encodeSnapshot(counter),
        unsaved: discovery,
      };
    },
  };
}

/** @returns `undefined` for a host that is none of the zone's */
function hostOf(
  text: string | undefined,
  { hosts, defaultHost, ignoresHosts }: HistoryOptions,
): string | undefined {
  if (ignoresHosts || text === undefined || text === "") return defaultHost;
  const canonical = canonicalHost(text);
  return canonical.kind === "host" && hosts.has(canonical.host) ? canonical.host : undefined;
}

/** As the gateway decides about a response: what matched by folding only, or failed, may have been nothing. */
function counts(operation: Operation, { method, status }: LoggedRequest, path: string): boolean {
  if (operation.method !== method) return false;
  return status < 400 || (operation.record === "forwarded" && isExactRequest(operation, method, path));
}
