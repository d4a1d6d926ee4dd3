/** Schemes: which fields an expression may name in which phase. Slots are the same in all of them. */
import { createScheme, type Scheme } from "../expression/index.ts";
import { FIELD_TABLE, type FieldRow } from "./field-table.ts";
import { PHASES, type Phase } from "./types.ts";

/** Field name → slot, the number by which expressions ask for its value, in every phase. */
export const FIELD_SLOTS: ReadonlyMap<string, number> = new Map(
  FIELD_TABLE.map(({ name }, slot) => [name, slot]),
);

/**
 * Slot of a field of the table.
 *
 * @throws {TypeError} when there is no such field.
 */
export function fieldSlot(name: string): number {
  const slot = FIELD_SLOTS.get(name);
  if (slot === undefined) {
    throw new TypeError(`expected the name of a field, found \`${name}\``);
  }
  return slot;
}

export interface SchemeForOptions {
  /**
   * For counting expressions of `http_ratelimit`: they are evaluated when the response is known, so they
   * may ask for it. Default false.
   */
  readonly counting?: boolean;
}

/** The fields and functions of one phase. A field of another phase is refused with the phases it has. */
export function schemeFor(phase: Phase, { counting = false }: SchemeForOptions = {}): Scheme {
  return (counting ? COUNTING : REQUEST)[phase];
}

/** Every field of the table, those without data too: for trying expressions on given values. */
export const EVERY_FIELD: Scheme = createScheme({
  fields: FIELD_TABLE.map(({ name, type }) => ({ name, type })),
});

type SchemeByPhase = Readonly<Record<Phase, Scheme>>;

const REQUEST = schemesByPhase(false);
const COUNTING = schemesByPhase(true);

function schemesByPhase(counting: boolean): SchemeByPhase {
  // `fromEntries` forgets the keys; PHASES has them all.
  return Object.fromEntries(PHASES.map((phase) => [phase, buildScheme(phase, counting)])) as SchemeByPhase;
}

function buildScheme(phase: Phase, counting: boolean): Scheme {
  return createScheme({
    fields: FIELD_TABLE.map((row) => ({
      name: row.name,
      type: row.type,
      unavailable: whyUnavailable(row, phase, counting),
    })),
  });
}

function whyUnavailable(row: FieldRow, phase: Phase, counting: boolean): string | undefined {
  if (row.unavailable !== undefined) {
    return row.unavailable;
  }
  if (row.phases.includes(phase) || (counting && row.inCounting)) {
    return undefined;
  }
  const phases = row.phases.map((name) => `\`${name}\``).join(", ");
  const others =
    row.inCounting && !row.phases.includes("http_ratelimit") ? " and in counting expressions" : "";
  return `phase \`${phase}\` does not have it; it can be used in ${phases}${others}`;
}
