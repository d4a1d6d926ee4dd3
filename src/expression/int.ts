/** 64-bit integers: a `number` while it is a safe integer, a `bigint` beyond. */

export type Int = number | bigint;

export const MIN_INT = -(2n ** 63n);
export const MAX_INT = 2n ** 63n - 1n;

/**
 * The one form of an integer: `number` when safe, else `bigint`. `===` is only exact between values in
 * this form; `<` and its kin are exact across both.
 */
export function toInt(value: number | bigint): Int {
  const number = Number(value);
  return Number.isSafeInteger(number) && BigInt(number) === BigInt(value) ? number + 0 : BigInt(value);
}

/** Whether `left & right` has a bit set, in 64-bit two's complement. */
export function sharesBits(left: Int, right: Int): boolean {
  if (isUnsigned31(left) && isUnsigned31(right)) {
    return (left & right) !== 0;
  }
  return (BigInt(left) & BigInt(right)) !== 0n;
}

function isUnsigned31(value: Int): value is number {
  return typeof value === "number" && value >= 0 && value <= 0x7fff_ffff;
}
