/** Keys, zones and repeatable randomness for the cookie tests. */
import { createKeyRing, createSequenceCookies } from "../../src/cookie/index.ts";
import type { MasterKey, SequenceCookiesOptions } from "../../src/cookie/index.ts";
import type { SequenceCookies } from "../../src/sequence/index.ts";

export const NOW = 1_790_000_000_000;
export const HOUR_MS = 3_600_000;
/** The first instant of a key hour. */
export const HOUR_START = Math.floor(NOW / HOUR_MS) * HOUR_MS;

export const ZONE = "0123456789abcdef0123456789abcdef";
export const OTHER_ZONE = "fedcba9876543210fedcba9876543210";

export const MASTER: MasterKey = { id: "first", secret: secretOf(1) };
export const SECOND_MASTER: MasterKey = { id: "second", secret: secretOf(2) };

/** 40 short ids. */
export const OPS: readonly string[] = Array.from({ length: 40 }, (_, index) =>
  (0xa000_0000 + index * 0x0101).toString(16),
);

export function secretOf(seed: number): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, index) => (seed * 41 + index * 7) & 0xff);
}

/** A linear congruential generator: the same numbers in every run. */
export function createDice(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Repeatable bytes; names drawn from it do not meet within a test. */
export function createBytes(seed: number): (size: number) => Uint8Array {
  const dice = createDice(seed);
  for (let index = 0; index < 8; index += 1) dice();
  return (size) => Uint8Array.from({ length: size }, () => Math.floor(dice() * 256));
}

/** One process's cookies of a zone. */
export function createProcess(options: Partial<SequenceCookiesOptions> = {}, seed = 7): SequenceCookies {
  return createSequenceCookies({
    zoneId: ZONE,
    keyRing: createKeyRing([MASTER]),
    random: createBytes(seed),
    ...options,
  });
}

/** `name=value` of a Set-Cookie value. */
export function pairOf(line: string | undefined): string {
  return line?.split(";", 1)[0] ?? "";
}

export function nameOf(line: string | undefined): string {
  return pairOf(line).split("=", 1)[0] ?? "";
}

export function tokenOf(line: string | undefined): string {
  return pairOf(line).slice(nameOf(line).length + 1);
}

/** Short ids a process reads from a header. */
export function opsOf(
  cookies: SequenceCookies,
  header: string | undefined,
  nowMs: number,
): readonly string[] {
  return cookies.read(header, nowMs).sequence.entries.map((entry) => entry.op);
}
