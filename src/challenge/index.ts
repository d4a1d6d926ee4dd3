export {
  CHALLENGE_LIFETIME_MS,
  CHALLENGE_ROUNDS,
  DEFAULT_DIFFICULTY_BITS,
  MAX_ANSWER_TOKEN_LENGTH,
  MAX_DIFFICULTY_BITS,
  MIN_DIFFICULTY_BITS,
} from "./limits.ts";
export { CHALLENGE_PATH, challengePolicy, renderChallengePage } from "./page.ts";
export type { ChallengePage } from "./page.ts";
export { hasLeadingZeroBits, parseSolution, roundText } from "./proof.ts";
export type {
  ChallengeAnswer,
  ChallengeReason,
  ChallengeVisitor,
  ClearanceGate,
  IssuedChallenge,
  RedeemedChallenge,
} from "./types.ts";
