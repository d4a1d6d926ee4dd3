/**
 * A small sample of what was decided, for questions that counts cannot answer: what a request looked like, and what
 * came before it. Every request of an hour has the same chance to be in it (reservoir sampling, algorithm R; J. S.
 * Vitter, ACM TOMS 11, 1985).
 *
 * It holds what security events hold of a request: an operator turns it on, zone by zone.
 */
import {
  HOUR_MS,
  MAX_SAMPLE_BYTES,
  MAX_SAMPLE_TEXT,
  MAX_WINDOW_SAMPLE,
  SAMPLE_SIZE,
  WINDOW_HOURS,
} from "./limits.ts";
import type { CountedHour } from "./hour-recorder.ts";

/** One request. Texts are cut to 1,024 characters. */
export interface SampledDecision {
  readonly rayId: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly method: string;
  readonly scheme: "http" | "https";
  /** `1.0`, `1.1` or `2.0`. */
  readonly httpVersion: string;
  readonly host: string;
  /** Canonical. */
  readonly path: string;
  /** Without `?`. */
  readonly query: string;
  readonly clientAddress: string;
  readonly userAgent: string;
  readonly referer: string;
  /** Short id, empty when the request is no operation. */
  readonly currentOp: string;
  /** Earlier operations with their times, newest first. */
  readonly entries: readonly { readonly op: string; readonly at: number }[];
  /** The same as sequence rules look back on it. */
  readonly lookback: readonly { readonly op: string; readonly at: number }[];
  /** Whether the request carried what sequences are kept by. */
  readonly hasIdentity: boolean;
  /** Whether a rule ended the request. */
  readonly isEnded: boolean;
}

export interface DecisionSample {
  /** Lets a request take part. @param make called only when it is drawn */
  offer(nowMs: number, make: () => SampledDecision): void;
  /** As that of an hour recorder. */
  takeSnapshots(nowMs: number): readonly CountedHour[];
}

/** @param random a number from 0 to below 1, each time another */
export function createDecisionSample(random: () => number, size = SAMPLE_SIZE): DecisionSample {
  let hourAt = 0;
  let seen = 0;
  let isChanged = false;
  let drawn: SampledDecision[] = [];
  let closed: CountedHour[] = [];
  return {
    offer(nowMs, make) {
      if (isOver(nowMs)) close();
      if (seen === 0) hourAt = Math.floor(nowMs / HOUR_MS) * HOUR_MS;
      seen += 1;
      const place = seen <= size ? seen - 1 : Math.floor(random() * seen);
      if (place >= size) return;
      drawn[place] = cut(make());
      isChanged = true;
    },
    takeSnapshots(nowMs) {
      if (isOver(nowMs)) close();
      const snapshots = closed;
      closed = [];
      if (!isChanged) return snapshots;
      isChanged = false;
      return [...snapshots, encoded()];
    },
  };

  function isOver(nowMs: number): boolean {
    return seen > 0 && nowMs >= hourAt + HOUR_MS;
  }

  function close(): void {
    if (isChanged) closed = [...closed, encoded()].slice(-WINDOW_HOURS);
    drawn = [];
    seen = 0;
    isChanged = false;
  }

  function encoded(): CountedHour {
    return { hourAt, bytes: new TextEncoder().encode(JSON.stringify({ seen, drawn })) };
  }
}

function short(text: string): string {
  return text.slice(0, MAX_SAMPLE_TEXT);
}

function cut(decision: SampledDecision): SampledDecision {
  const { path, query, userAgent, referer } = decision;
  return {
    ...decision,
    path: short(path),
    query: short(query),
    userAgent: short(userAgent),
    referer: short(referer),
  };
}

/** The samples of several hours and processes. */
export interface DecisionSamples {
  /** Requests that could have been drawn. */
  readonly seen: number;
  /** Newest first. Each stands for `weight` requests. */
  readonly decisions: readonly (SampledDecision & { readonly weight: number })[];
}

export const NO_SAMPLES: DecisionSamples = { seen: 0, decisions: [] };

/** @param snapshots bytes of `takeSnapshots`; what cannot be read is left out */
export function readSamples(snapshots: readonly Uint8Array[]): DecisionSamples {
  let seen = 0;
  const decisions: (SampledDecision & { readonly weight: number })[] = [];
  for (const bytes of snapshots) {
    const sample = decode(bytes);
    if (sample === undefined) continue;
    seen += sample.seen;
    const weight = sample.seen / Math.max(sample.drawn.length, 1);
    for (const decision of sample.drawn) decisions.push({ ...decision, weight });
  }
  decisions.sort((a, b) => b.at - a.at);
  return { seen, decisions: decisions.slice(0, MAX_WINDOW_SAMPLE) };
}

function decode(
  bytes: Uint8Array,
): { readonly seen: number; readonly drawn: readonly SampledDecision[] } | undefined {
  if (bytes.length > MAX_SAMPLE_BYTES) return undefined;
  try {
    const value = JSON.parse(new TextDecoder().decode(bytes)) as Readonly<Record<string, unknown>> | null;
    const { seen, drawn } = value ?? {};
    if (typeof seen !== "number" || !Array.isArray(drawn) || seen < drawn.length) return undefined;
    return { seen, drawn: drawn.filter(isDecision) };
  } catch {
    return undefined;
  }
}

const TEXTS = [
  "rayId",
  "method",
  "httpVersion",
  "host",
  "path",
  "query",
  "clientAddress",
  "userAgent",
  "referer",
  "currentOp",
] as const;

function isDecision(value: unknown): value is SampledDecision {
  if (typeof value !== "object" || value === null) return false;
  const members = value as Readonly<Record<string, unknown>>;
  const { at, scheme, isEnded, hasIdentity } = members;
  return (
    TEXTS.every((name) => typeof members[name] === "string") &&
    typeof at === "number" &&
    (scheme === "http" || scheme === "https") &&
    typeof isEnded === "boolean" &&
    typeof hasIdentity === "boolean" &&
    [members["entries"], members["lookback"]].every((list) => Array.isArray(list) && list.every(isEntry))
  );
}

function isEntry(value: unknown): boolean {
  const { op, at } = (value ?? {}) as Readonly<Record<string, unknown>>;
  return typeof op === "string" && typeof at === "number";
}
