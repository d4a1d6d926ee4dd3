/** A sequence as the fields of the Rules language. */
import type { Sequence, SequenceFields } from "./types.ts";

const NO_FIELDS: SequenceFields = Object.freeze({ previousOps: Object.freeze([]), msecSinceOp: new Map() });

/**
 * What `cf.sequence.previous_ops` and `cf.sequence.msec_since_op` show for one request.
 *
 * The ages are computed when first asked for: many rules look only at the operations.
 *
 * @param nowMs epoch milliseconds of the request. An entry from the future (another process's clock is ahead)
 *   has age 0, so that "at least this long ago" fails closed.
 */
export function toFields(sequence: Sequence, nowMs: number): SequenceFields {
  if (sequence.entries.length === 0) return NO_FIELDS;
  let ages: ReadonlyMap<string, number> | undefined;
  return {
    previousOps: sequence.entries.map((entry) => entry.op),
    get msecSinceOp() {
      ages ??= agesOf(sequence, Math.floor(nowMs));
      return ages;
    },
  };
}

function agesOf(sequence: Sequence, nowMs: number): ReadonlyMap<string, number> {
  const ages = new Map<string, number>();
  for (const { op, at } of sequence.entries) {
    // Newest first: the first one met is the latest occurrence.
    if (!ages.has(op)) ages.set(op, Math.max(0, nowMs - at));
  }
  return ages;
}
