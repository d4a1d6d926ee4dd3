/** The way of one request through its zone (design section 2). */
import { CHALLENGE_PATH } from "../challenge/index.ts";
import type { Operation, PrefetchPolicy } from "../operation/index.ts";
import type { Phase } from "../ruleset/index.ts";
import { refusalAnswer } from "./answer.ts";
import type { RefusalReason } from "./answer.ts";
import { answerChallenge } from "./challenge-answers.ts";
import { mitigate } from "./mitigation.ts";
import { Passage } from "./passage.ts";
import type { Located, Recording } from "./passage.ts";
import { isPrefetch } from "./request.ts";
import type { EngineRequest } from "./request.ts";
import type { TrackedSequence } from "./tracker.ts";
import type { Outcome } from "./types.ts";
import { createVisit } from "./visit.ts";

/** Phases between the sequence and the origin, in their order. */
const REQUEST_PHASES = [
  "http_request_firewall_custom",
  "http_ratelimit",
  "http_request_redirect",
  "http_request_late_transform",
] as const satisfies readonly Phase[];

export async function decideInZone(located: Located): Promise<Outcome> {
  const { target, zone } = located;
  const passage = new Passage(located);
  if (target.path === CHALLENGE_PATH && zone.zone.paused !== true) return answerChallenge(passage);
  if (passage.isExempt) return toOrigin(passage, undefined);
  const identified = identify(passage);
  if (identified !== undefined) await identified;
  if (isAmbiguous(passage)) return refuse(passage, "ambiguous_session");
  const early = zone.phases.http_request_dynamic_redirect;
  const redirect = early === undefined ? undefined : passage.run(early);
  if (redirect !== undefined && redirect.kind !== "continue") return passage.answer(redirect);
  return decideWithSequence(passage);
}

async function decideWithSequence(passage: Passage): Promise<Outcome> {
  const { request } = passage.located;
  const operation = findOperation(passage.located);
  const prefetch = prefetchPolicy(request, operation);
  if (prefetch === "refuse") return refuse(passage, "prefetch_refused");
  const tracked = await readSequence(passage, operation);
  passage.fields.setSequence(operation?.shortId ?? "", tracked);
  const answered = await judge(passage);
  passage.tellTraffic({ operation, tracked, isEnded: answered !== undefined });
  if (answered !== undefined) return answered;
  if (operation === undefined || tracked === undefined || prefetch === "ignore")
    return toOrigin(passage, undefined);
  return toOrigin(passage, operation.method === request.method ? { operation, tracked } : undefined);
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
async function judge(passage: Passage): Promise<Outcome | undefined> {
  const mitigated = mitigate(passage);
  if (mitigated !== undefined) return mitigated;
  for (const name of REQUEST_PHASES) {
    const phase = passage.phases[name];
    if (phase === undefined) continue;
    const decided = name === "http_ratelimit" ? passage.limit(phase) : passage.run(phase);
    const decision = decided instanceof Promise ? await decided : decided;
    if (decision.kind !== "continue") return passage.answer(decision);
  }
  const counted = passage.countForward();
  if (counted instanceof Promise) await counted;
  return undefined;
}

function toOrigin(passage: Passage, recording: Recording | undefined): Outcome {
  return { kind: "forward", visit: createVisit(passage, recording) };
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
