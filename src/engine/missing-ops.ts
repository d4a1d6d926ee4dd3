/** Which earlier operations a rule asked for that were not there as it asked. */
import { fromBytes, parseFilter, requirementsOf } from "../expression/index.ts";
import type { Requirement } from "../expression/index.ts";
import { schemeFor } from "../ruleset/index.ts";
import type { Rule, Ruleset } from "../ruleset/index.ts";

/** An earlier operation that a rule asked for and did not find as it asked. */
export interface MissingOp {
  /** Short id. */
  readonly op: string;
  /** Age of its latest occurrence; absent when it is not in the sequence at all. */
  readonly ageMs?: number;
  /** What the rule asked of its age or place; nothing more than being there when all are absent. */
  readonly atLeastMs?: number;
  /** Likewise: it may be this old. */
  readonly atMostMs?: number;
  /** Likewise: it must be at this place, 0 for the latest operation. */
  readonly position?: number;
}

const SEQUENCE_FIELDS: ReadonlySet<string> = new Set([
  "cf.sequence.previous_ops",
  "cf.sequence.msec_since_op",
]);

/** Worked out when a rule first fires, and kept as long as the rule. */
const known = new WeakMap<Rule, readonly Requirement[]>();

/** What the expression of a rule asks of the sequence. */
export function sequenceRequirements({
  rule,
  ruleset,
}: {
  readonly rule: Rule;
  readonly ruleset: Ruleset;
}): readonly Requirement[] {
  let requirements = known.get(rule);
  if (requirements === undefined) {
    const filter = parseFilter(rule.expression, schemeFor(ruleset.phase));
    requirements = requirementsOf(filter).filter(({ field }) => SEQUENCE_FIELDS.has(field));
    known.set(rule, requirements);
  }
  return requirements;
}

/** @param previousOps newest first */
export function missingOps(
  requirements: readonly Requirement[],
  previousOps: readonly { readonly op: string; readonly ageMs: number }[],
): readonly MissingOp[] {
  return requirements.flatMap((requirement) => {
    const { member, position, atLeast, atMost } = requirement;
    const latest = previousOps.find(({ op }) => op === member);
    if (latest !== undefined && isMet(requirement, latest.ageMs, previousOps)) return [];
    return [
      {
        op: fromBytes(member),
        ...(latest === undefined ? {} : { ageMs: latest.ageMs }),
        ...(atLeast === undefined ? {} : { atLeastMs: Number(atLeast) }),
        ...(atMost === undefined ? {} : { atMostMs: Number(atMost) }),
        ...(position === undefined ? {} : { position }),
      },
    ];
  });
}

function isMet(
  { member, position, atLeast, atMost }: Requirement,
  ageMs: number,
  previousOps: readonly { readonly op: string }[],
): boolean {
  if (position !== undefined && previousOps[position]?.op !== member) return false;
  return (atLeast === undefined || ageMs >= atLeast) && (atMost === undefined || ageMs <= atMost);
}
