/** What the answers of Sequence Analytics are made of: counts, and names for what was counted. */
import { HOUR_MS, WINDOW_HOURS } from "../analytics/index.ts";
import type { Summary } from "../analytics/index.ts";
import type { Operation } from "../operation/index.ts";
import type { View } from "../store/index.ts";
import type { AnalyticsReader } from "./analytics-reader.ts";
import { apiError } from "./errors.ts";
import { invalidValue } from "./issues.ts";
import type { ApiDependencies } from "./route.ts";
import { timestamp } from "./wire.ts";

/** The operations of a zone as analytics names them. Counts of operations that are deleted are in no answer. */
export interface KnownOperations {
  readonly all: readonly Operation[];
  has(shortId: string): boolean;
  /** What an answer shows of an operation. */
  show(shortId: string): ShownOperation;
  /** @throws {ApiError} for an id that is no operation of the zone */
  find(id: string, pointer: string): Operation;
}

export interface ShownOperation {
  readonly operation_id: string;
  readonly short_id: string;
  readonly method: string;
  readonly host: string;
  readonly endpoint: string;
}

export function knownOperations(view: View, zoneId: string): KnownOperations {
  const all = view.group("operations", zoneId).map(({ operation }) => operation);
  const byShortId = new Map(all.map((operation) => [operation.shortId, operation]));
  return {
    all,
    has: (shortId) => byShortId.has(shortId),
    show(shortId) {
      const operation = byShortId.get(shortId);
      return {
        operation_id: operation?.id ?? "",
        short_id: shortId,
        method: operation?.method ?? "",
        host: operation?.host ?? "",
        endpoint: operation?.endpoint ?? "",
      };
    },
    find(id, pointer) {
      const lower = id.toLowerCase();
      const found = byShortId.get(lower) ?? all.find((operation) => operation.id === lower);
      if (found !== undefined) return found;
      const reason = "the zone has no operation with this id or short id";
      throw invalidValue(pointer, id, reason, "unknown_reference");
    },
  };
}

/** Rounds shares and scores: more digits would only pretend. */
export function share(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

function percent(part: number): string {
  return `${Math.round(part * 100)} %`;
}

/** What to know before believing the figures of a summary. */
export function notesOf(summary: Summary): readonly { readonly code: number; readonly message: string }[] {
  const { repeatShare, capped, requests } = summary;
  return [
    ...(repeatShare > 0.3
      ? [
          {
            code: NOTE_REPEATS,
            message: `${percent(repeatShare)} of the requests repeat the operation before them: the ten entries of a history are too few for long sequences, which are counted too low`,
          },
        ]
      : []),
    ...(capped > 0
      ? [
          {
            code: NOTE_CAPPED,
            message: `${capped} requests (${percent(capped / (capped + requests))}) were not counted: their sequence or network had reached its share of the hour`,
          },
        ]
      : []),
  ];
}

const NOTE_REPEATS = 20901;
const NOTE_CAPPED = 20902;

/** @throws {ApiError} `no_counts` where nothing is counted */
export function readerOf({ analytics }: Pick<ApiDependencies, "analytics">): AnalyticsReader {
  if (analytics !== undefined) return analytics;
  throw apiError("no_counts", "nothing is counted here: `analytics.enabled` of the configuration is false");
}

/** The time that an answer is about: whole hours, and the one that is open. */
export function windowOf(nowMs: number): { readonly since: string; readonly until: string } {
  const hourAt = Math.floor(nowMs / HOUR_MS) * HOUR_MS;
  return { since: timestamp(hourAt - (WINDOW_HOURS - 1) * HOUR_MS), until: timestamp(nowMs) };
}

interface CountsCall {
  readonly params: { readonly zone_id: string };
  readonly store: View;
  readonly deps: Pick<ApiDependencies, "analytics">;
}

/** What the zone of a path counted, with the names of its operations. */
export async function countsOf({ params, store, deps }: CountsCall): Promise<{
  readonly summary: Summary;
  readonly operations: KnownOperations;
}> {
  const summary = await readerOf(deps).summary(params.zone_id);
  return { summary, operations: knownOperations(store, params.zone_id) };
}
