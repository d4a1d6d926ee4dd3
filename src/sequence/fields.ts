/** A sequence as the fields of the Rules language. */
import type { Sequence, SequenceFields } from "./types.ts";

const NO_FIELDS: SequenceFields = Object.freeze({ previousOps: Object.freeze([]), msecSinceOp: new Map() });

/**
 * What `cf.sequence.previous_ops` and `cf.sequence.msec_since_op` show for one request.
 *
 * Each is computed when first asked for: many rules look only at the operations.
 *
 * @param nowMs epoch milliseconds of the request. An entry from the future (another process's clock is ahead)
 *   has age 0, so that "at least this long ago" fails closed.
 */
export function toFields(sequence: Sequence, nowMs: number): SequenceFields {
  return sequence.entries.length === 0 ? NO_FIELDS : new LazyFields(sequence, nowMs);
}

/**
 * A class, for a getter in an object literal makes V8 a hidden class for each object, which only a full collection
 * takes back, with everything that the getter can see.
 */
class LazyFields implements SequenceFields {
  readonly #sequence: Sequence;
  readonly #nowMs: number;
  #previousOps: readonly string[] | undefined;
  #ages: ReadonlyMap<string, number> | undefined;

  constructor(sequence: Sequence, nowMs: number) {
    this.#sequence = sequence;
    this.#nowMs = nowMs;
  }

  get previousOps(): readonly string[] {
    return (this.#previousOps ??= this.#sequence.entries.map((entry) => entry.op));
  }

  get msecSinceOp(): ReadonlyMap<string, number> {
    return (this.#ages ??= agesOf(this.#sequence, Math.floor(this.#nowMs)));
  }
}

function agesOf(sequence: Sequence, nowMs: number): ReadonlyMap<string, number> {
  const ages = new Map<string, number>();
  for (const { op, at } of sequence.entries) {
    // Newest first: the first one met is the latest occurrence.
    if (!ages.has(op)) ages.set(op, Math.max(0, nowMs - at));
  }
  return ages;
}
