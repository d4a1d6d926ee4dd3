/** The answers that decisions of the rules lead to. */
import { challengePolicy, renderChallengePage } from "../challenge/index.ts";
import type { ClearanceGate, IssuedChallenge } from "../challenge/index.ts";
import type { TerminalDecision } from "../phases/index.ts";
import { badRedirectAnswer, blockAnswer, customAnswer, limitAnswer, prefersJson } from "./answer.ts";
import type { Answer } from "./answer.ts";
import type { EngineRequest } from "./request.ts";

/** What answers need beside the request. */
export interface AnswerContext {
  readonly zoneId: string;
  /** Without it nobody can pass a challenge, and it blocks. */
  readonly clearance: ClearanceGate | undefined;
  readonly random: (lengthBytes: number) => Uint8Array;
}

export function answerDecision(
  request: EngineRequest,
  decision: TerminalDecision,
  context: AnswerContext,
): Answer {
  switch (decision.kind) {
    case "block":
      return decision.response === undefined
        ? blockAnswer(request)
        : customAnswer(request, decision.response);
    case "limit": {
      const { response, headers } = decision;
      const answer = response === undefined ? limitAnswer(request) : customAnswer(request, response);
      return { ...answer, headers: [...answer.headers, ...headers] };
    }
    case "redirect":
      return redirectAnswer(request, decision);
    case "refuse":
      return badRedirectAnswer(request);
    case "challenge":
      return challengeAnswer(request, decision, context);
  }
}

/** A redirect that depends on what a visitor did before is that visitor's alone: no cache may keep it. */
function redirectAnswer(
  request: EngineRequest,
  { status, location }: Extract<TerminalDecision, { readonly kind: "redirect" }>,
): Answer {
  return {
    status,
    headers: ["location", location, "stepgate-ray", request.rayId, "cache-control", "private, no-store"],
    body: "",
  };
}

function challengeAnswer(
  request: EngineRequest,
  { rule, counterKey }: Extract<TerminalDecision, { readonly kind: "challenge" }>,
  { zoneId, clearance, random }: AnswerContext,
): Answer {
  const reason = { ruleId: rule.id, ...(counterKey === undefined ? {} : { counterKey }) };
  const challenge = clearance?.issue(zoneId, reason, request.receivedAt);
  if (challenge === undefined) return blockAnswer(request);
  const common = [
    "stepgate-ray",
    request.rayId,
    // So that programs can tell a challenge from a block without reading the page.
    "stepgate-mitigated",
    "challenge",
    "cache-control",
    "private, no-store",
    "x-content-type-options",
    "nosniff",
    "referrer-policy",
    "same-origin",
  ];
  if (prefersJson(request.header("accept"))) return challengeAsJson(request, challenge, common);
  const nonce = toHex(random(NONCE_BYTES));
  return {
    status: 403,
    headers: [
      "content-type",
      "text/html; charset=utf-8",
      "content-security-policy",
      challengePolicy(nonce),
      ...common,
    ],
    body: renderChallengePage({
      challenge,
      rayId: request.rayId,
      repeatable: request.method === "GET" || request.method === "HEAD",
      nonce,
    }),
  };
}

/** 128 bits (CSP 3 section 7.1). */
const NONCE_BYTES = 16;

/** Programs that run scripts of their own (a page's `fetch`) get what they need to do the work. */
function challengeAsJson(
  request: EngineRequest,
  { token, seed, difficultyBits, rounds }: IssuedChallenge,
  common: readonly string[],
): Answer {
  return {
    status: 403,
    headers: ["content-type", "application/json", ...common],
    body: JSON.stringify({
      error: {
        code: "challenge_required",
        status: 403,
        message: "Checking your browser",
        detail: "This step asks for some work first. Load the page in a browser.",
        ray_id: request.rayId,
      },
      challenge: { token, seed, difficulty_bits: difficultyBits, rounds },
    }),
  };
}

function toHex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
