/**
 * How often operation A was anywhere in the history of operation B: what `any(previous_ops[*] == "A")` would have
 * said, request by request and with repeats.
 */

/** Counts pairs of one hour. */
export interface PairCounter {
  /** By how much the count of any pair may be too low; 0 means that all are exact. */
  readonly loss: number;
  /** Largest index it can count. */
  readonly maxIndex: number;
  /** Bytes of the typed arrays held. */
  readonly bytes: number;
  /**
   * Counts the pairs of one request.
   *
   * @param keys 16 bits of the index of the operation, then 16 of that of the one before it
   * @param length how many of `keys` count, at most 64
   */
  add(keys: Int32Array, length: number): void;
  /** Sets the count of a pair that has none yet. */
  put(op: number, before: number, count: number): void;
  /** Calls `visit` for every pair, in no particular order. */
  forEach(visit: PairVisitor): void;
}

/** `before` was in the history of `count` requests of `op`. */
export type PairVisitor = (op: number, before: number, count: number) => void;
