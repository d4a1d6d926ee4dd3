/** The way of one request through its zone (design section 2). */
import { CHALLENGE_PATH } from "../challenge/index.ts";
import type { Operation, PrefetchPolicy } from "../operation/index.ts";
import type { PreparedPhase } from "../phases/index.ts";
import { refusalAnswer } from "./answer.ts";
import type { RefusalReason } from "./answer.ts";
import { answerChallenge } from "./challenge-answers.ts";
import type { Located } from "./located.ts";
import { mitigate } from "./mitigation.ts";
import { Passage } from "./passage.ts";
import type { Recording } from "./passage.ts";
import { isPrefetch } from "./request.ts";
import type { EngineRequest } from "./request.ts";
import type { TrackedSequence } from "./tracker.ts";
import type { Outcome } from "./types.ts";
import { PassageVisit } from "./visit.ts";

/** A promise only where something has to be waited for: every one costs a request more than most rules do. */
type MaybePromise<T> = T | Promise<T>;

export function decideInZone(located: Located): MaybePromise<Outcome> {
  const { target, zone } = located;
  const passage = new Passage(located);
  if (target.path === CHALLENGE_PATH && zone.zone.paused !== true) return answerChallenge(passage);
  if (passage.isExempt) return toOrigin(passage, undefined);
  const identified = identify(passage);
  return identified === undefined
    ? decideIdentified(passage)
    : identified.then(() => decideIdentified(passage));
}

function decideIdentified(passage: Passage): MaybePromise<Outcome> {
  if (isAmbiguous(passage)) return refuse(passage, "ambiguous_session");
  const early = passage.phases.http_request_dynamic_redirect;
  const redirect = early === undefined ? undefined : passage.run(early);
  if (redirect !== undefined && redirect.kind !== "continue") return passage.answer(redirect);
  const { located } = passage;
  const operation = findOperation(located);
  const prefetch = prefetchPolicy(located.request, operation);
  if (prefetch === "refuse") return refuse(passage, "prefetch_refused");
  const found = { passage, operation, isRecorded: prefetch === "record" };
  const tracked = readSequence(passage, operation);
  return tracked instanceof Promise
    ? tracked.then((late) => decideWithSequence(found, late))
    : decideWithSequence(found, tracked);
}

/** A request whose operation is known. */
interface Found {
  readonly passage: Passage;
  readonly operation: Operation | undefined;
  readonly isRecorded: boolean;
}

function decideWithSequence(found: Found, tracked: TrackedSequence | undefined): MaybePromise<Outcome> {
  const { passage, operation } = found;
  passage.fields.setSequence(operation?.shortId ?? "", tracked);
  const answered = judge(passage);
  return answered instanceof Promise
    ? answered.then((late) => conclude(found, tracked, late))
    : conclude(found, tracked, answered);
}

function conclude(
  { passage, operation, isRecorded }: Found,
  tracked: TrackedSequence | undefined,
  answered: Outcome | undefined,
): Outcome {
  passage.tellTraffic({ operation, tracked, isEnded: answered !== undefined });
  if (answered !== undefined) return answered;
  if (operation === undefined || tracked === undefined || !isRecorded) return toOrigin(passage, undefined);
  const { method } = passage.located.request;
  return toOrigin(passage, operation.method === method ? { operation, tracked } : undefined);
}

/** Reads the zone's session identifiers; asynchronously where a token has to be verified. */
function identify(passage: Passage): void | Promise<void> {
  const { request, zone } = passage.located;
  const identity = zone.sessions?.identify(request, request.receivedAt);
  if (identity instanceof Promise) return identity.then((found) => void (passage.identity = found));
  passage.identity = identity;
}

/**
 * Whoever could have us read another identifier than the origin does would have as many sequences as they like. Where
 * nothing is kept by identifiers, it does not matter.
 */
function isAmbiguous({ identity, located }: Passage): boolean {
  return identity?.kind === "ambiguous" && located.zone.keepsByIdentity;
}

function refuse(passage: Passage, refusal: RefusalReason): Outcome {
  const answer = passage.finish(refusalAnswer(passage.located.request, refusal));
  return { kind: "answer", answer, refusal };
}

/** What the operation wants done with a request made ahead of time; `record` for any other request. */
function prefetchPolicy(request: EngineRequest, operation: Operation | undefined): PrefetchPolicy {
  if (operation === undefined || operation.prefetch === "record") return "record";
  return isPrefetch(request) ? operation.prefetch : "record";
}

/** The phases up to the origin; `undefined` when the request may go on. */
function judge(passage: Passage): MaybePromise<Outcome | undefined> {
  return mitigate(passage) ?? judgeFrom(passage, 0);
}

/** @param start position among the zone's phases: those before have let the request pass */
function judgeFrom(passage: Passage, start: number): MaybePromise<Outcome | undefined> {
  const { requestPhases } = passage.located.zone;
  for (let at = start; at < requestPhases.length; at += 1) {
    const phase = requestPhases[at] as PreparedPhase;
    const decision = phase.phase === "http_ratelimit" ? passage.limit(phase) : passage.run(phase);
    if (decision instanceof Promise) {
      return decision.then((late) =>
        late.kind === "continue" ? judgeFrom(passage, at + 1) : passage.answer(late),
      );
    }
    if (decision.kind !== "continue") return passage.answer(decision);
  }
  const counted = passage.countForward();
  return counted instanceof Promise ? counted.then(() => undefined) : undefined;
}

function toOrigin(passage: Passage, recording: Recording | undefined): Outcome {
  return { kind: "forward", visit: new PassageVisit(passage, recording) };
}

/** While a zone keeps no sequences its requests are no operations: the history fields and `current_op` are empty. */
function findOperation(located: Located): Operation | undefined {
  return located.zone.isTracking ? matchIn(located, located.target.path) : undefined;
}

/** The saved operation that a path would be, asked for as this request is. */
export function matchIn(
  { request, zone, host }: Pick<Located, "request" | "zone" | "host">,
  path: string,
): Operation | undefined {
  // Where one zone serves all hosts alike, its operations are saved on its name.
  const savedHost = zone.zone.anyHost === true ? zone.zone.name : host.host;
  return zone.matcher.match(request.method, savedHost, path);
}

/** State is read only when something depends on it: a recording, or a rule about any request's history. */
function readSequence(
  { located, identity }: Passage,
  operation: Operation | undefined,
): TrackedSequence | undefined | Promise<TrackedSequence> {
  const { request, zone } = located;
  const needed = operation !== undefined || zone.needsHistory;
  if (!needed || !zone.isTracking) return undefined;
  return zone.tracker.read(request, request.receivedAt, identity);
}
