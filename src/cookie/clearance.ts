/**
 * Challenges and clearances as sealed tokens, with the keys and the one token form of the sequence cookies. Their keys
 * are derived for a name of their own, so that no token of one kind opens as another.
 *
 * A token stands behind two characters that say which key sealed it: the hour and the shard (see `names.ts`, where the
 * name of a cookie says the same).
 */
import { createHash } from "node:crypto";

import {
  CHALLENGE_LIFETIME_MS,
  CHALLENGE_ROUNDS,
  DEFAULT_DIFFICULTY_BITS,
  hasLeadingZeroBits,
  MAX_DIFFICULTY_BITS,
  MIN_DIFFICULTY_BITS,
  parseSolution,
  roundText,
} from "../challenge/index.ts";
import type { ChallengeReason, ClearanceGate } from "../challenge/index.ts";
import { addressPrefix } from "./address-prefix.ts";
import { BASE64URL_ALPHABET, valueOfCode } from "./base64url.ts";
import { CLOCK_SKEW_MS, previousEpochsFor, resolveEpoch } from "./epochs.ts";
import { readClearances } from "./header.ts";
import { openToken, sealToken } from "./jwe.ts";
import type { KeyRing } from "./key-ring.ts";
import { CLEARANCE_NAME } from "./names.ts";
import { IV_BYTES } from "./token.ts";

export interface ClearanceOptions {
  readonly keyRing: KeyRing;
  /** Cryptographically strong bytes. */
  readonly random: (size: number) => Uint8Array;
  /** Leading zero bits of each of the 16 rounds: 12 by default, 4 to 18. One more doubles the work. */
  readonly difficultyBits?: number;
  /** How long a clearance lasts, in seconds: 1,800 by default (as the original's challenge passage), at most a day. */
  readonly clearanceSeconds?: number;
  /**
   * Whether a clearance holds for the network it was given to only (IPv4 /24, IPv6 /64), so that it cannot be handed
   * round. Off by default: telephones and hosts with both protocols change their address in the middle of a visit.
   */
  readonly bindAddress?: boolean;
}

const DEFAULT_CLEARANCE_SECONDS = 1800;
const MAX_CLEARANCE_SECONDS = 86_400;

const SEED_BYTES = 16;

/** Purposes; the first member of every plaintext. */
const CHALLENGE = "challenge";
const CLEARANCE = "clearance";

type ChallengePlaintext = readonly [
  typeof CHALLENGE,
  expiresAt: number,
  seed: string,
  difficultyBits: number,
  rounds: number,
  ruleId: string,
  counterKey: string,
];
type ClearancePlaintext = readonly [typeof CLEARANCE, expiresAt: number, prefix: string];

/** @throws {RangeError} for a difficulty or a duration outside its bounds */
export function createClearanceGate(options: ClearanceOptions): ClearanceGate {
  const {
    difficultyBits = DEFAULT_DIFFICULTY_BITS,
    clearanceSeconds = DEFAULT_CLEARANCE_SECONDS,
    bindAddress = false,
    random,
  } = options;
  checkWhole("difficultyBits", difficultyBits, [MIN_DIFFICULTY_BITS, MAX_DIFFICULTY_BITS]);
  checkWhole("clearanceSeconds", clearanceSeconds, [1, MAX_CLEARANCE_SECONDS]);
  const tokens = new Tokens(options, clearanceSeconds * 1000);
  const prefixOf = (address: string): string => (bindAddress ? addressPrefix(address) : "");

  return {
    issue(zoneId, { ruleId, counterKey = "" }, nowMs) {
      const seed = Buffer.from(random(SEED_BYTES)).toString("hex");
      const expiresAt = nowMs + CHALLENGE_LIFETIME_MS;
      const plaintext: ChallengePlaintext = [
        CHALLENGE,
        expiresAt,
        seed,
        difficultyBits,
        CHALLENGE_ROUNDS,
        ruleId,
        counterKey,
      ];
      const token = tokens.seal(zoneId, plaintext, nowMs);
      return token === undefined ? undefined : { token, seed, difficultyBits, rounds: CHALLENGE_ROUNDS };
    },
    redeem(zoneId, { token, solution }, { clientAddress }, nowMs) {
      const opened = tokens.open(zoneId, token, nowMs) as ChallengePlaintext | undefined;
      if (opened?.[0] !== CHALLENGE || opened[1] <= nowMs) return { kind: "invalid" };
      const [, expiresAt, seed, bits, rounds, ruleId, counterKey] = opened;
      const reason: ChallengeReason = { ruleId, ...(counterKey === "" ? {} : { counterKey }) };
      if (!isSolved({ seed, bits, rounds }, solution)) return { kind: "unsolved", reason };
      const plaintext: ClearancePlaintext = [
        CLEARANCE,
        nowMs + clearanceSeconds * 1000,
        prefixOf(clientAddress),
      ];
      const clearance = tokens.seal(zoneId, plaintext, nowMs);
      if (clearance === undefined) return { kind: "invalid" };
      const attributes = `Path=/; Max-Age=${clearanceSeconds}; Secure; HttpOnly; SameSite=Lax`;
      return {
        kind: "solved",
        seed,
        reason,
        setCookie: `${CLEARANCE_NAME}=${clearance}; ${attributes}`,
        remainingMs: expiresAt - nowMs,
      };
    },
    isCleared(zoneId, cookieHeader, { clientAddress }, nowMs) {
      return readClearances(cookieHeader).some((token) => {
        const opened = tokens.open(zoneId, token, nowMs) as ClearancePlaintext | undefined;
        if (opened?.[0] !== CLEARANCE || opened[1] <= nowMs) return false;
        return !bindAddress || opened[2] === addressPrefix(clientAddress);
      });
    },
  };
}

interface Work {
  readonly seed: string;
  readonly bits: number;
  readonly rounds: number;
}

function isSolved({ seed, bits, rounds }: Work, solution: string): boolean {
  const nonces = parseSolution(solution, rounds);
  if (nonces === undefined) return false;
  return nonces.every((nonce, round) => {
    const digest = createHash("sha256")
      .update(roundText(seed, round, nonce), "latin1")
      .digest();
    return hasLeadingZeroBits(digest, bits);
  });
}

/** Sealed JSON arrays. What opens was sealed here, so that its shape is known. */
class Tokens {
  readonly #keyRing: KeyRing;
  readonly #random: (size: number) => Uint8Array;
  readonly #previousEpochs: number;

  constructor({ keyRing, random }: ClearanceOptions, maxAgeMs: number) {
    this.#keyRing = keyRing;
    this.#random = random;
    this.#previousEpochs = previousEpochsFor(Math.max(maxAgeMs, CHALLENGE_LIFETIME_MS) + CLOCK_SKEW_MS);
  }

  seal(zoneId: string, plaintext: readonly unknown[], nowMs: number): string | undefined {
    const sealing = this.#keys(zoneId).sealing(nowMs);
    if (sealing === undefined) return undefined;
    const { key, epoch, shard } = sealing;
    const hint =
      BASE64URL_ALPHABET.charAt(epoch % BASE64URL_ALPHABET.length) + BASE64URL_ALPHABET.charAt(shard);
    const bytes = Buffer.from(JSON.stringify(plaintext), "utf8");
    return `${hint}.${sealToken(key, this.#random(IV_BYTES), bytes)}`;
  }

  /** `undefined` for everything that was not sealed here for this zone lately. */
  open(zoneId: string, text: string, nowMs: number): readonly unknown[] | undefined {
    if (text.charAt(2) !== ".") return undefined;
    const epochValue = valueOfCode(text.charCodeAt(0));
    const shard = valueOfCode(text.charCodeAt(1));
    if (epochValue < 0 || shard < 0) return undefined;
    const epoch = resolveEpoch(epochValue, nowMs, this.#previousEpochs);
    if (epoch === undefined) return undefined;
    const token = text.slice(3);
    for (const key of this.#keys(zoneId).opening(epoch, shard)) {
      const plaintext = openToken(key, token);
      if (plaintext !== undefined)
        return JSON.parse(Buffer.from(plaintext).toString("utf8")) as readonly unknown[];
    }
    return undefined;
  }

  /** A name of its own, which no zone has: zone ids are hexadecimal. */
  #keys(zoneId: string): ReturnType<KeyRing["zone"]> {
    return this.#keyRing.zone(`clearance.${zoneId}`);
  }
}

function checkWhole(name: string, value: number, [min, max]: readonly [number, number]): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new RangeError(`expected \`${name}\` to be a whole number from ${min} to ${max}, found \`${value}\``);
}
