/** A request that goes on to its origin: what is sent, and what becomes of the response. */
import { isExactRequest } from "../operation/index.ts";
import { applyHeaderEdits, countDeferred } from "../phases/index.ts";
import { toFields } from "../sequence/index.ts";
import type { SequenceFields } from "../sequence/index.ts";
import type { Passage, Recording } from "./passage.ts";
import { ResponseFields } from "./response-fields.ts";
import { withSequenceCookies } from "./response.ts";
import type { OwnCookies, Visit } from "./types.ts";

/** What the log of a request says whose visitor left before there was a response (nginx's code for it). */
const CLIENT_GONE = 499;

/** @param recording the operation that is recorded if its response says so */
export function createVisit(passage: Passage, recording: Recording | undefined): Visit {
  const { zone, host, target, forms, options } = passage.located;
  return {
    zoneId: zone.zone.id,
    origin: zone.zone.origin,
    target: forms.origin + target.query,
    host: host.host,
    cookie: passage.cookie,
    requestHeaders: (headers) =>
      passage.requestEdits.length === 0 ? headers : applyHeaderEdits(headers, passage.requestEdits),
    currentOp: passage.fields.currentOp,
    history: () => readHistory(passage),
    hasResponseWork: recording !== undefined || passage.hasResponseWork,
    onResponse(status, headers) {
      const received = withoutOwnSetCookies(headers, options.ownCookies);
      const counted = countResponse(passage, status, received);
      return counted instanceof Promise
        ? counted.then(() => complete({ passage, recording, status }, received))
        : complete({ passage, recording, status }, received);
    },
    onUnanswered: (answer) => passage.finish(answer),
    onClientGone: () => passage.report(CLIENT_GONE, 0),
  };
}

/** The fields of the sequence; they are known unless nothing of this request depended on them so far. */
function readHistory({
  fields,
  isExempt,
  located,
  identity,
}: Passage): SequenceFields | Promise<SequenceFields> {
  const { zone, request } = located;
  if (fields.knowsSequence || isExempt || !zone.isTracking) return fields.history;
  const tracked = zone.tracker.read(request, request.receivedAt, identity);
  return tracked instanceof Promise
    ? tracked.then(({ sequence }) => toFields(sequence, request.receivedAt))
    : toFields(tracked.sequence, request.receivedAt);
}

interface Answered {
  readonly passage: Passage;
  readonly recording: Recording | undefined;
  readonly status: number;
}

/** Counts for the limits that look at the response, before anything is changed in it. */
function countResponse(passage: Passage, status: number, headers: readonly string[]): void | Promise<void> {
  const { deferred, requestEdits, fields } = passage;
  if (deferred.length === 0) return undefined;
  const response = {
    values: new ResponseFields(fields, { status, headers, requestEdits }),
    header: (name: string) => findHeader(headers, name),
  };
  return countDeferred(deferred, "response", response, passage.limitState());
}

function complete(
  { passage, recording, status }: Answered,
  received: readonly string[],
): string[] | Promise<string[]> {
  const { request } = passage.located;
  const answered = passage.transformResponse(status, received);
  passage.report(status, status);
  passage.tellTrafficOfResponse(status);
  answered.push(...passage.limitHeaders, "stepgate-ray", request.rayId);
  if (recording === undefined || !counts(recording, passage, status)) return answered;
  const cookies = recording.tracked.record(recording.operation.shortId, request.receivedAt);
  return cookies instanceof Promise
    ? cookies.then((lines) => withCookies(answered, lines))
    : withCookies(answered, cookies);
}

/** A response whose sequence is kept on the server is as fit for caches as before. */
function withCookies(headers: string[], lines: readonly string[]): string[] {
  return lines.length === 0 ? headers : withSequenceCookies(headers, lines);
}

/**
 * Whether an answer of the origin makes the operation one that the visitor has called. A path that only matched by
 * folding (case, slash, parameters) may have been nothing at the origin, so there the origin has to confirm it.
 */
function counts({ operation }: Recording, { located }: Passage, status: number): boolean {
  if (status < 400) return true;
  const { request, forms } = located;
  const path = request.isRoutedAsSent === true ? request.target.replace(/\?.*$/s, "") : forms.origin;
  return operation.record === "forwarded" && isExactRequest(operation, request.method, path);
}

/** An origin that sets a cookie by one of our names could forge nothing, but it could erase a sequence. */
function withoutOwnSetCookies(headers: readonly string[], ownCookies: OwnCookies): string[] {
  const kept: string[] = [];
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] as string;
    const value = headers[index + 1] as string;
    if (name.length === 10 && name.toLowerCase() === "set-cookie" && ownCookies.isOwnSetCookie(value))
      continue;
    if (name.length === 12 && name.toLowerCase() === "stepgate-ray") continue;
    kept.push(name, value);
  }
  return kept;
}

/** @param name lower case */
function findHeader(headers: readonly string[], name: string): string | undefined {
  for (let index = 0; index < headers.length; index += 2) {
    if ((headers[index] as string).toLowerCase() === name) return headers[index + 1];
  }
  return undefined;
}
