/** A request that goes on to its origin: what is sent, and what becomes of the response. */
import { isExactRequest } from "../operation/index.ts";
import { applyHeaderEdits, countDeferred } from "../phases/index.ts";
import { toFields } from "../sequence/index.ts";
import type { SequenceFields } from "../sequence/index.ts";
import type { Answer } from "./answer.ts";
import type { Passage, Recording } from "./passage.ts";
import { ResponseFields } from "./response-fields.ts";
import { addSequenceCookies } from "./response.ts";
import type { OwnCookies, Visit } from "./types.ts";

/** What the log of a request says whose visitor left before there was a response (nginx's code for it). */
const CLIENT_GONE = 499;

export class PassageVisit implements Visit {
  readonly zoneId: string;
  readonly origin: string;
  readonly currentOp: string;
  readonly hasResponseWork: boolean;
  readonly #passage: Passage;
  readonly #recording: Recording | undefined;

  /** @param recording the operation that is recorded if its response says so */
  constructor(passage: Passage, recording: Recording | undefined) {
    const { zone } = passage.located.zone;
    this.#passage = passage;
    this.#recording = recording;
    this.zoneId = zone.id;
    this.origin = zone.origin;
    this.currentOp = passage.fields.currentOp;
    this.hasResponseWork = recording !== undefined || passage.hasResponseWork;
  }

  get target(): string {
    const { forms, target } = this.#passage.located;
    return forms.origin + target.query;
  }

  get host(): string {
    return this.#passage.located.host.host;
  }

  get cookie(): string | undefined {
    return this.#passage.strippedCookie;
  }

  requestHeaders(headers: readonly string[]): readonly string[] {
    const { requestEdits } = this.#passage;
    return requestEdits.length === 0 ? headers : applyHeaderEdits(headers, requestEdits);
  }

  history(): SequenceFields | Promise<SequenceFields> {
    return readHistory(this.#passage);
  }

  onResponse(status: number, headers: string[]): string[] | Promise<string[]> {
    const answered = { passage: this.#passage, recording: this.#recording, status };
    const received = withoutOwnSetCookies(headers, this.#passage.located.options.ownCookies);
    const counted = countResponse(this.#passage, status, received);
    return counted instanceof Promise
      ? counted.then(() => complete(answered, received))
      : complete(answered, received);
  }

  onUnanswered(answer: Answer): Answer {
    return this.#passage.finish(answer);
  }

  get hasEvents(): boolean {
    return this.#passage.hasEvents;
  }

  onClientGone(): void {
    this.#passage.report(CLIENT_GONE, 0);
  }
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
  if (passage.limitHeaders.length > 0) answered.push(...passage.limitHeaders);
  answered.push("stepgate-ray", request.rayId);
  if (recording === undefined || !counts(recording, passage, status)) return answered;
  const cookies = recording.tracked.record(recording.operation.shortId, request.receivedAt);
  return cookies instanceof Promise
    ? cookies.then((lines) => withCookies(answered, lines))
    : withCookies(answered, cookies);
}

/** A response whose sequence is kept on the server is as fit for caches as before. */
function withCookies(headers: string[], lines: readonly string[]): string[] {
  return lines.length === 0 ? headers : addSequenceCookies(headers, lines);
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

/**
 * An origin that sets a cookie by one of our names could forge nothing, but it could erase a sequence.
 *
 * @returns the same list when there is nothing to remove, which is nearly always
 */
function withoutOwnSetCookies(headers: readonly string[], ownCookies: OwnCookies): readonly string[] {
  let kept: string[] | undefined;
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] as string;
    const value = headers[index + 1] as string;
    if (isOurs(name, value, ownCookies)) kept ??= headers.slice(0, index);
    else kept?.push(name, value);
  }
  return kept ?? headers;
}

function isOurs(name: string, value: string, ownCookies: OwnCookies): boolean {
  if (name.length === 10) return name.toLowerCase() === "set-cookie" && ownCookies.isOwnSetCookie(value);
  return name.length === 12 && name.toLowerCase() === "stepgate-ray";
}

/** @param name lower case */
function findHeader(headers: readonly string[], name: string): string | undefined {
  for (let index = 0; index < headers.length; index += 2) {
    if ((headers[index] as string).toLowerCase() === name) return headers[index + 1];
  }
  return undefined;
}
