/**
 * The work: for each round a number so that SHA-256 of `seed:round:number` begins with so many zero bits (the
 * construction of Hashcash). Several easy rounds instead of one hard one: the time they take together varies less from
 * visitor to visitor, and there is a progress to show.
 */

/** Longest solution that is looked at: 64 rounds of 16 digits. */
const MAX_SOLUTION_LENGTH = 64 * 17;

/** What one round hashes, ASCII; short enough for one block of SHA-256. */
export function roundText(seed: string, round: number, nonce: string): string {
  return `${seed}:${round}:${nonce}`;
}

/** The nonces of a solution, `undefined` when it does not have one plain number for each round. */
export function parseSolution(solution: string, rounds: number): readonly string[] | undefined {
  if (solution.length > MAX_SOLUTION_LENGTH) return undefined;
  const nonces = solution.split(",");
  return nonces.length === rounds && nonces.every((nonce) => /^(?:0|[1-9]\d{0,14})$/.test(nonce))
    ? nonces
    : undefined;
}

/** Whether a digest begins with at least so many zero bits. */
export function hasLeadingZeroBits(digest: Uint8Array, bits: number): boolean {
  let left = bits;
  for (const byte of digest) {
    if (left <= 0) return true;
    if (left >= 8 ? byte !== 0 : byte >> (8 - left) !== 0) return false;
    left -= 8;
  }
  return left <= 0;
}
