/**
 * Changes to rulesets, as functions from one ruleset to the next: who keeps its id and version, where a rule goes.
 * A rule that does not change is the same object afterwards.
 */
import type { RulesetIssue } from "./issues.ts";
import { MAX_RULES } from "./limits.ts";
import type { Rule, Ruleset } from "./types.ts";

/**
 * A rule as it is written, checked except for what depends on its neighbours. Members that Stepgate does not know
 * are kept and given back, as Terraform expects of an API.
 */
export interface RuleDraft extends Omit<
  Rule,
  "id" | "version" | "last_updated" | "ref" | "description" | "enabled"
> {
  /** 32 hex characters; drawn unless given. */
  readonly id?: string;
  /** Stable reference, unique in the ruleset; the id unless given. */
  readonly ref?: string;
  /** For people; stands in events. */
  readonly description?: string;
  /** Whether it is in force; `true` unless given. */
  readonly enabled?: boolean;
}

/** Where a rule goes, in the wire shape: exactly one of the three. */
export interface RulePosition {
  /** Id of the rule it goes before; `""` for the first place. */
  readonly before?: string;
  /** Id of the rule it goes after; `""` for the last place. */
  readonly after?: string;
  /** 1-based. */
  readonly index?: number;
}

export interface EditContext {
  /** A fresh id, 32 hex characters. */
  readonly newId: () => string;
  /** RFC 3339, for `last_updated`. */
  readonly at: string;
}

export type EditResult =
  | { readonly kind: "ruleset"; readonly ruleset: Ruleset }
  | { readonly kind: "issues"; readonly issues: readonly RulesetIssue[] }
  /** No rule of the ruleset has the id that was asked for. */
  | { readonly kind: "no_rule" };

/** What a ruleset is from its creation on, and what may change of it beside its rules. */
export type RulesetHead = Pick<Ruleset, "name" | "description" | "kind" | "phase" | "simulate">;

/** The first version of a ruleset. */
export function createRuleset(
  head: RulesetHead,
  drafts: readonly RuleDraft[],
  context: EditContext,
): EditResult {
  const empty: Ruleset = {
    id: context.newId(),
    ...head,
    version: "0",
    last_updated: context.at,
    rules: [],
  };
  return replaceRules(empty, { rules: drafts }, context);
}

/**
 * Replaces all rules, the description, whether it is on trial, or several of these. A draft is an existing rule if it has its id, or else its `ref`, or
 * else says exactly the same: removing one of many rules leaves the others their ids, and writing the same list
 * again changes nothing, not even the version.
 */
export function replaceRules(
  ruleset: Ruleset,
  { rules: drafts, ...head }: RulesetChange,
  context: EditContext,
): EditResult {
  const issues = drafts === undefined ? [] : [...duplicateIssues(drafts), ...countIssues(drafts.length)];
  if (issues.length > 0) return { kind: "issues", issues };
  const matches = drafts === undefined ? undefined : matchDrafts(ruleset.rules, drafts);
  const rules = drafts?.map((draft, index) => toRule(draft, matches?.[index], context)) ?? ruleset.rules;
  const clash = refClash(rules);
  if (clash !== undefined) return { kind: "issues", issues: [clash] };
  return next(ruleset, rules, context, head);
}

/** Members that are absent stay as they are. */
interface RulesetChange extends Partial<Pick<Ruleset, "description" | "simulate">> {
  readonly rules?: readonly RuleDraft[];
}

export function addRule(
  ruleset: Ruleset,
  draft: RuleDraft,
  position: RulePosition | undefined,
  context: EditContext,
): EditResult {
  const issues = countIssues(ruleset.rules.length + 1);
  if (issues.length > 0) return { kind: "issues", issues };
  const taken = ruleset.rules.some(({ id, ref }) => id === draft.id || (draft.ref ?? draft.id) === ref);
  if (taken) return { kind: "issues", issues: [takenIssue(draft, ruleset)] };
  const place = placeOf(ruleset.rules, position, ruleset.rules.length);
  if (typeof place !== "number") return { kind: "issues", issues: [place] };
  return next(ruleset, ruleset.rules.toSpliced(place, 0, toRule(draft, undefined, context)), context);
}

/**
 * Replaces the definition of a rule, moves it, or both. A move changes the version of the ruleset but not the rule's.
 *
 * @param draft the whole definition; `undefined` only moves
 */
export function editRule(
  ruleset: Ruleset,
  ruleId: string,
  change: { readonly draft: RuleDraft | undefined; readonly position: RulePosition | undefined },
  context: EditContext,
): EditResult {
  const index = ruleset.rules.findIndex(({ id }) => id === ruleId);
  const known = ruleset.rules[index];
  if (known === undefined) return { kind: "no_rule" };
  const { draft, position } = change;
  const rule = draft === undefined ? known : toRule({ ...draft, id: ruleId }, known, context);
  const others = ruleset.rules.toSpliced(index, 1);
  if (others.some(({ ref }) => ref === rule.ref)) {
    return { kind: "issues", issues: [refIssue("/ref", rule.ref)] };
  }
  const place = placeOf(others, position, index);
  if (typeof place !== "number") return { kind: "issues", issues: [place] };
  return next(ruleset, others.toSpliced(place, 0, rule), context);
}

export function removeRule(ruleset: Ruleset, ruleId: string, context: EditContext): EditResult {
  const rules = ruleset.rules.filter(({ id }) => id !== ruleId);
  if (rules.length === ruleset.rules.length) return { kind: "no_rule" };
  return next(ruleset, rules, context);
}

/** The next version, or the same object when nothing differs. */
function next(
  ruleset: Ruleset,
  rules: readonly Rule[],
  context: EditContext,
  {
    description = ruleset.description,
    simulate = ruleset.simulate ?? false,
  }: Omit<RulesetChange, "rules"> = {},
): EditResult {
  const isSame =
    ruleset.version !== "0" &&
    description === ruleset.description &&
    simulate === (ruleset.simulate ?? false) &&
    rules.length === ruleset.rules.length &&
    rules.every((rule, index) => rule === ruleset.rules[index]);
  if (isSame) return { kind: "ruleset", ruleset };
  const { simulate: _before, ...kept } = ruleset;
  return {
    kind: "ruleset",
    ruleset: {
      ...kept,
      description,
      ...(simulate ? { simulate } : {}),
      version: increment(ruleset.version),
      last_updated: context.at,
      rules,
    },
  };
}

const increment = (version: string): string => String(Number(version) + 1);

/** For each draft the existing rule that it is about. No rule is taken twice. */
function matchDrafts(rules: readonly Rule[], drafts: readonly RuleDraft[]): readonly (Rule | undefined)[] {
  const free = new Map(rules.map((rule) => [rule.id, rule]));
  const matches: (Rule | undefined)[] = drafts.map(() => undefined);
  const take = (index: number, rule: Rule | undefined): void => {
    if (rule !== undefined && free.delete(rule.id)) matches[index] = rule;
  };
  for (const [index, draft] of drafts.entries()) {
    if (draft.id !== undefined) take(index, free.get(draft.id));
  }
  const byRef = new Map([...free.values()].map((rule) => [rule.ref, rule]));
  for (const [index, draft] of drafts.entries()) {
    if (matches[index] === undefined && draft.id === undefined && draft.ref !== undefined) {
      take(index, byRef.get(draft.ref));
    }
  }
  const byContent = Map.groupBy(free.values(), contentKey);
  for (const [index, draft] of drafts.entries()) {
    if (matches[index] === undefined && draft.id === undefined && draft.ref === undefined) {
      take(index, byContent.get(contentKey(draft))?.shift());
    }
  }
  return matches;
}

function toRule(draft: RuleDraft, known: Rule | undefined, context: EditContext): Rule {
  const id = known?.id ?? draft.id ?? context.newId();
  const ref = draft.ref ?? known?.ref ?? id;
  if (known !== undefined && known.ref === ref && contentKey(known) === contentKey(draft)) return known;
  const version = known === undefined ? "1" : increment(known.version);
  return {
    id,
    ...draft,
    ...(known === undefined ? {} : { id }),
    version,
    description: draft.description ?? "",
    enabled: draft.enabled ?? true,
    ref,
    last_updated: context.at,
  };
}

/** What the store says of a rule, not its author. */
const IDENTITY: ReadonlySet<string> = new Set(["id", "version", "ref", "last_updated"]);

/** Text that is equal for rules that say the same, whatever their identity and the order of their members. */
function contentKey(rule: RuleDraft | Rule): string {
  const content = Object.entries(rule).filter(([name]) => !IDENTITY.has(name));
  return canonicalJson({ description: "", enabled: true, ...Object.fromEntries(content) });
}

function canonicalJson(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`);
  return `{${members.join(",")}}`;
}

/**
 * Index at which a rule is inserted into `others`.
 *
 * @param otherwise the place when no position is given
 */
function placeOf(
  others: readonly Rule[],
  position: RulePosition | undefined,
  otherwise: number,
): number | RulesetIssue {
  if (position === undefined) return otherwise;
  const { before, after, index } = position;
  if (index !== undefined) {
    if (index >= 1 && index <= others.length + 1) return index - 1;
    return {
      kind: "invalid",
      pointer: "/position/index",
      value: index,
      reason: `it must be from 1 to ${others.length + 1}`,
    };
  }
  if (before === "") return 0;
  if (after === "") return others.length;
  const neighbour = before ?? after;
  const found = others.findIndex(({ id }) => id === neighbour);
  if (found >= 0) return before === undefined ? found + 1 : found;
  return {
    kind: "unknown_reference",
    pointer: before === undefined ? "/position/after" : "/position/before",
    value: neighbour,
    reason: "no other rule of the ruleset has this id",
  };
}

function countIssues(count: number): readonly RulesetIssue[] {
  if (count <= MAX_RULES) return [];
  return [
    {
      kind: "limit",
      pointer: "/rules",
      value: count,
      reason: `a ruleset has at most ${MAX_RULES} rules`,
    },
  ];
}

function* duplicateIssues(drafts: readonly RuleDraft[]): Iterable<RulesetIssue> {
  for (const name of ["id", "ref"] as const) {
    const seen = new Set<string>();
    for (const [index, draft] of drafts.entries()) {
      const value = draft[name];
      if (value === undefined) continue;
      if (seen.has(value)) {
        yield {
          kind: "duplicate",
          pointer: `/rules/${index}/${name}`,
          value,
          reason: "another rule of the list has it too",
        };
      }
      seen.add(value);
    }
  }
}

/** A `ref` that was left out is the id, or the one the rule had: it can meet one that was given. */
function refClash(rules: readonly Rule[]): RulesetIssue | undefined {
  const seen = new Set<string>();
  for (const [index, { ref }] of rules.entries()) {
    if (seen.has(ref)) return refIssue(`/rules/${index}/ref`, ref);
    seen.add(ref);
  }
  return undefined;
}

function takenIssue(draft: RuleDraft, { rules }: Ruleset): RulesetIssue {
  return rules.some(({ id }) => id === draft.id)
    ? { ...refIssue("/id", draft.id ?? ""), reason: "another rule of the ruleset has this id" }
    : refIssue("/ref", draft.ref ?? draft.id ?? "");
}

function refIssue(pointer: string, value: string): RulesetIssue {
  return { kind: "duplicate", pointer, value, reason: "another rule of the ruleset has this ref" };
}
