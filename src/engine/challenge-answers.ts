/** Answers to challenges, at the place that the challenge page sends them to. */
import { MAX_ANSWER_TOKEN_LENGTH } from "../challenge/index.ts";
import type { ChallengeReason, RedeemedChallenge } from "../challenge/index.ts";
import { StateUnavailableError } from "../sequence/index.ts";
import { challengeFailedAnswer, challengeMethodAnswer } from "./answer.ts";
import type { Answer } from "./answer.ts";
import type { EventOutcome } from "./events.ts";
import type { Passage } from "./passage.ts";
import type { Outcome } from "./types.ts";
import { findRule } from "./zone.ts";

/**
 * The solution comes in header fields of our own: a page of another site cannot send those without a preflight, which
 * is never granted, and nothing has to read a body.
 */
export async function answerChallenge(passage: Passage): Promise<Outcome> {
  const { request } = passage.located;
  if (request.method !== "POST") return toOutcome(passage, challengeMethodAnswer(request));
  const redeemed = redeem(passage);
  if (redeemed.kind === "solved" && (await isFirstUse(passage, redeemed))) {
    const { counterKey } = redeemed.reason;
    if (counterKey !== undefined) await resetCounter(passage, counterKey);
    noteOutcome(passage, redeemed.reason, "solved");
    return toOutcome(passage, solvedAnswer(request.rayId, redeemed.setCookie));
  }
  if (redeemed.kind !== "invalid") noteOutcome(passage, redeemed.reason, "unsolved");
  return toOutcome(passage, challengeFailedAnswer(request));
}

function redeem({ located }: Passage): RedeemedChallenge {
  const { request, zone, options } = located;
  const token = request.header("stepgate-challenge") ?? "";
  const solution = request.header("stepgate-solution") ?? "";
  if (token.length > MAX_ANSWER_TOKEN_LENGTH) return { kind: "invalid" };
  return (
    options.clearance?.redeem(zone.zone.id, { token, solution }, request, request.receivedAt) ?? {
      kind: "invalid",
    }
  );
}

/**
 * A challenge is redeemed once: where counters are shared, once among all nodes. While they cannot be asked, its short
 * life is the only bound; visitors are not locked out for it.
 */
async function isFirstUse(
  passage: Passage,
  { seed, remainingMs }: Extract<RedeemedChallenge, { readonly kind: "solved" }>,
): Promise<boolean> {
  const { store, zoneId, nowMs } = passage.limitState();
  const policy = { limit: 1, periodMs: Math.max(1, Math.ceil(remainingMs)), lockoutMs: 0 };
  try {
    const state = await store.hit(`${zoneId}:challenge:${seed}`, policy, nowMs, 1);
    return !state.acts;
  } catch (error) {
    if (error instanceof StateUnavailableError) return true;
    throw error;
  }
}

async function resetCounter(passage: Passage, counterKey: string): Promise<void> {
  try {
    await passage.limitState().store.reset(counterKey);
  } catch (error) {
    // The counter ends by itself; the visitor is challenged once more at worst.
    if (!(error instanceof StateUnavailableError)) throw error;
  }
}

function noteOutcome(passage: Passage, { ruleId }: ChallengeReason, outcome: EventOutcome): void {
  const found = findRule(passage.located.zone, ruleId);
  // The rule may be gone by now.
  if (found !== undefined) passage.fire({ ...found, outcome });
}

function solvedAnswer(rayId: string, setCookie: string): Answer {
  return {
    status: 200,
    headers: [
      "content-type",
      "application/json",
      "set-cookie",
      setCookie,
      "stepgate-ray",
      rayId,
      "cache-control",
      "private, no-store",
    ],
    body: '{"passed":true}',
  };
}

function toOutcome(passage: Passage, answer: Answer): Outcome {
  passage.report(answer.status, 0);
  return { kind: "answer", answer };
}
