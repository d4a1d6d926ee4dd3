/** Proof-of-work challenges, and the clearance of those who passed one. The cryptography is handed in. */

/** A challenge as it goes out with the page. */
export interface IssuedChallenge {
  /** Sealed: what is asked, until when, and why. Opaque to the visitor. */
  readonly token: string;
  /** What the solver hashes; names the challenge. */
  readonly seed: string;
  /** Leading zero bits that each round asks for. */
  readonly difficultyBits: number;
  readonly rounds: number;
}

/** Why a challenge was given; travels inside the token. */
export interface ChallengeReason {
  /** 32 hex characters. */
  readonly ruleId: string;
  /** Rate-limit counter that begins anew when the challenge is passed; printable ASCII. */
  readonly counterKey?: string;
}

/** An answer to a challenge, as it arrives: hostile input. */
export interface ChallengeAnswer {
  readonly token: string;
  /** One nonce per round, decimal, joined by `,`. */
  readonly solution: string;
}

/** Who is asking. */
export interface ChallengeVisitor {
  readonly clientAddress: string;
}

export type RedeemedChallenge =
  | {
      readonly kind: "solved";
      /** Names the challenge, so that it is redeemed once. */
      readonly seed: string;
      readonly reason: ChallengeReason;
      /** `Set-Cookie` value of the clearance. */
      readonly setCookie: string;
      /** Milliseconds for which the same challenge could be answered again. */
      readonly remainingMs: number;
    }
  /** The token is ours and in time, but the work was not done. */
  | { readonly kind: "unsolved"; readonly reason: ChallengeReason }
  /** Anything else: forged, foreign, too old. */
  | { readonly kind: "invalid" };

/** Makes and checks challenges and clearances of all zones. Never throws for what a visitor sends. */
export interface ClearanceGate {
  /** @returns `undefined` when the keys of this hour are used up: the request is blocked then */
  issue(zoneId: string, reason: ChallengeReason, nowMs: number): IssuedChallenge | undefined;
  redeem(
    zoneId: string,
    answer: ChallengeAnswer,
    visitor: ChallengeVisitor,
    nowMs: number,
  ): RedeemedChallenge;
  /** @param cookieHeader as received, our cookies included */
  isCleared(
    zoneId: string,
    cookieHeader: string | undefined,
    visitor: ChallengeVisitor,
    nowMs: number,
  ): boolean;
}
