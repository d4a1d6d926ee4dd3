/**
 * Edits of a zone's sequence rules. Lists are replaced, not changed.
 *
 * Two generations of the product's documentation order rules differently: by priority, the higher first and ties in the
 * order of insertion, or by position. Both hold at once here. INVARIANT: the list is in the order of evaluation, and
 * no rule has a higher priority than the one before it. A rule that is put at a position takes the priority of the rule
 * before it there.
 */
import { MAX_SEQ_RULES, checkSeqRule, withDefaults } from "./mitigation-input.ts";
import type { SeqRuleContext, SeqRuleDraft, SeqRulePlace, SeqRuleProblem } from "./mitigation-input.ts";
import type { SeqRule } from "./mitigation.ts";
import { microsecondTimestamp } from "./mitigation-timestamp.ts";

export type SeqRulesEdit =
  | { readonly kind: "edited"; readonly rules: readonly SeqRule[]; readonly rule: SeqRule }
  | { readonly kind: "replaced"; readonly rules: readonly SeqRule[] }
  | { readonly kind: "missing" }
  | { readonly kind: "problems"; readonly problems: readonly SeqRuleProblem[] };

/** What an edit needs from outside. */
export interface SeqRuleEditing extends SeqRuleContext {
  /** A fresh UUID. */
  readonly drawId: () => string;
  /** Epoch milliseconds; a fraction gives the microseconds. */
  readonly nowMs: number;
}

/** `POST …/seqrules/rules`: adds a rule, last unless it names a priority or a position. */
export function addSeqRule(rules: readonly SeqRule[], body: unknown, editing: SeqRuleEditing): SeqRulesEdit {
  const checked = checkSeqRule(body, editing);
  if (checked.kind === "problems") return checked;
  if (rules.length >= MAX_SEQ_RULES) return tooMany("");
  const at = microsecondTimestamp(editing.nowMs);
  const { fields, place } = checked.draft;
  const added = { ...fields, id: editing.drawId(), priority: 0, created_at: at, last_updated: at };
  return insert(rules, added, place);
}

/**
 * `PUT …/seqrules`: replaces all rules, in the order of the list or by their priorities. A rule that names the id of
 * one that exists keeps its id and its times as far as it stays the same.
 *
 * @param body `{"rules": […]}`; an empty list removes all
 */
export function replaceSeqRules(
  rules: readonly SeqRule[],
  body: unknown,
  editing: SeqRuleEditing,
): SeqRulesEdit {
  const items =
    typeof body === "object" && body !== null ? (body as { readonly rules?: unknown }).rules : undefined;
  if (!Array.isArray(items))
    return problem("/rules", "a list `rules` is required, empty to remove all rules");
  if (items.length > MAX_SEQ_RULES) return tooMany("/rules");
  const problems: SeqRuleProblem[] = [];
  const drafts: SeqRuleDraft[] = [];
  const ids = new Set<string>();
  for (const [index, item] of (items as readonly unknown[]).entries()) {
    const pointer = `/rules/${index}`;
    const checked = checkSeqRule(item, editing, pointer);
    if (checked.kind === "problems") problems.push(...checked.problems);
    else {
      problems.push(...problemsInList(checked.draft, rules, ids, pointer));
      drafts.push(checked.draft);
    }
  }
  if (problems.length > 0) return { kind: "problems", problems };
  const byId = new Map(rules.map((rule) => [rule.id, rule]));
  const replaced = drafts
    .map((draft) => toRule(draft, draft.id === undefined ? undefined : byId.get(draft.id), editing))
    .toSorted((left, right) => right.priority - left.priority);
  return { kind: "replaced", rules: replaced };
}

/** `PATCH …/seqrules/rules/{id}`: what the body leaves out stays; a priority or a position moves the rule. */
export function patchSeqRule(
  rules: readonly SeqRule[],
  id: string,
  body: unknown,
  editing: SeqRuleEditing,
): SeqRulesEdit {
  const before = rules.find((rule) => rule.id === id);
  if (before === undefined) return { kind: "missing" };
  const checked = checkSeqRule(withDefaults(before, body), editing);
  if (checked.kind === "problems") return checked;
  const { fields, place } = checked.draft;
  const changed = { ...before, ...fields, last_updated: microsecondTimestamp(editing.nowMs) };
  const stays = place.kind === "last" || (place.kind === "priority" && place.priority === before.priority);
  if (!stays)
    return insert(
      rules.filter((rule) => rule.id !== id),
      changed,
      place,
    );
  if (isSame(before, changed)) return { kind: "edited", rules, rule: before };
  return { kind: "edited", rules: rules.map((rule) => (rule.id === id ? changed : rule)), rule: changed };
}

/** `DELETE …/seqrules/rules/{id}`. */
export function deleteSeqRule(rules: readonly SeqRule[], id: string): SeqRulesEdit {
  const rule = rules.find((candidate) => candidate.id === id);
  if (rule === undefined) return { kind: "missing" };
  return { kind: "edited", rules: rules.filter((candidate) => candidate !== rule), rule };
}

/** Rules as the API shows them, with their positions counted from 1. */
export function seqRulesWithPositions(
  rules: readonly SeqRule[],
): readonly (SeqRule & { readonly position: number })[] {
  return rules.map((rule, index) => ({ ...rule, position: index + 1 }));
}

function insert(rules: readonly SeqRule[], rule: SeqRule, place: SeqRulePlace): SeqRulesEdit {
  const index = indexOf(rules, place);
  const neighbour = rules[index - 1] ?? rules[index];
  const placed = { ...rule, priority: priorityFor(place, neighbour) };
  return { kind: "edited", rules: rules.toSpliced(index, 0, placed), rule: placed };
}

function indexOf(rules: readonly SeqRule[], place: SeqRulePlace): number {
  if (place.kind === "last") return rules.length;
  if (place.kind === "index") return Math.min(place.index - 1, rules.length);
  const firstLower = rules.findIndex((rule) => rule.priority < place.priority);
  return firstLower === -1 ? rules.length : firstLower;
}

function priorityFor(place: SeqRulePlace, neighbour: SeqRule | undefined): number {
  if (place.kind === "priority") return place.priority;
  const priority = neighbour?.priority ?? 0;
  // A rule that asks for nothing gets the default, unless it would not stand last with it.
  return place.kind === "last" ? Math.min(priority, 0) : priority;
}

function problemsInList(
  draft: SeqRuleDraft,
  rules: readonly SeqRule[],
  ids: Set<string>,
  pointer: string,
): readonly SeqRuleProblem[] {
  const problems: SeqRuleProblem[] = [];
  const refuse = (field: string, value: string, reason: string): void => {
    problems.push({
      pointer: `${pointer}/${field}`,
      message: `'${value}' is not a valid value for ${field} because ${reason}`,
    });
  };
  const { id, place } = draft;
  if (place.kind === "index") {
    refuse(
      "position",
      String(place.index),
      "in a list that replaces all rules their order is their position; leave it out",
    );
  }
  if (id === undefined) return problems;
  if (!rules.some((rule) => rule.id === id))
    refuse("id", shortened(id), "no rule has this id; leave it out for a new rule");
  else if (ids.has(id)) refuse("id", id, "each rule may stand in the list once");
  ids.add(id);
  return problems;
}

function toRule(draft: SeqRuleDraft, before: SeqRule | undefined, editing: SeqRuleEditing): SeqRule {
  const at = microsecondTimestamp(editing.nowMs);
  const priority = draft.place.kind === "priority" ? draft.place.priority : 0;
  const rule: SeqRule = {
    ...draft.fields,
    id: before?.id ?? editing.drawId(),
    priority,
    created_at: before?.created_at ?? at,
    last_updated: at,
  };
  return before !== undefined && isSame(before, rule) ? before : rule;
}

function isSame(left: SeqRule, right: SeqRule): boolean {
  return (
    left.title === right.title &&
    left.kind === right.kind &&
    left.action === right.action &&
    left.priority === right.priority &&
    left.on_state_error === right.on_state_error &&
    left.sequence.every((id, index) => id === right.sequence[index])
  );
}

function tooMany(pointer: string): SeqRulesEdit {
  return problem(pointer, `a zone has at most ${MAX_SEQ_RULES} sequence rules`);
}

function problem(pointer: string, message: string): SeqRulesEdit {
  return { kind: "problems", problems: [{ pointer, message }] };
}

function shortened(text: string): string {
  return /^[0-9A-Za-z-]{1,64}$/.test(text) ? text : "…";
}
