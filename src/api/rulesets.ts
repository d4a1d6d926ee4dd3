/** Writing rulesets: checks, references between rulesets, and the store; for the API and for imports. */
import {
  checkRule,
  createExpressionChecker,
  createRuleset,
  kindsAt,
  PHASE_TABLE,
  phaseNamed,
  PHASES,
} from "../ruleset/index.ts";
import type {
  EditContext,
  EditResult,
  ExpressionChecker,
  Phase,
  RuleDraft,
  Ruleset,
  RulesetIssue,
  RulesetKind,
} from "../ruleset/index.ts";
import { entrypointUnique, randomId } from "../store/index.ts";
import type { RulesetRow, Scope, Transaction, View } from "../store/index.ts";
import { audit, rulesetChange } from "./audit.ts";
import { apiError } from "./errors.ts";
import { invalid } from "./issues.ts";
import type { Issue } from "./issues.ts";
import type { Product } from "./permissions.ts";
import type { ApiDependencies, Call } from "./route.ts";
import { timestamp } from "./wire.ts";

/** A zone or an account with its rulesets. */
export interface RulesetLevel {
  readonly level: "zone" | "account";
  readonly id: string;
  readonly accountId: string;
  readonly scope: Scope;
}

/** Who may touch the rules of a phase, by level. */
export const PHASE_PRODUCTS: Readonly<
  Record<Phase, Readonly<Record<"zone" | "account", readonly Product[]>>>
> = {
  http_request_dynamic_redirect: { zone: ["Dynamic URL Redirects"], account: ["Account Rulesets"] },
  http_request_firewall_custom: { zone: ["Zone WAF"], account: ["Account Rulesets", "Account WAF"] },
  http_ratelimit: { zone: ["Zone WAF"], account: ["Account Rulesets", "Account WAF"] },
  http_request_redirect: { zone: [], account: ["Account Rulesets", "Mass URL Redirects"] },
  http_request_late_transform: { zone: ["Zone Transform Rules"], account: ["Account Rulesets"] },
  http_response_headers_transform: { zone: ["Zone Transform Rules"], account: ["Account Rulesets"] },
};

const ISSUE_NAMES = {
  invalid: "invalid_value",
  missing: "missing_value",
  duplicate: "duplicate_value",
  unknown_reference: "unknown_reference",
  parameters: "misplaced_parameters",
  blank_expression: "blank_expression",
  expression: "invalid_expression",
  limit: "limit_reached",
  not_supported: "not_supported",
} as const satisfies Record<RulesetIssue["kind"], Issue["name"]>;

export function toIssue({ kind, pointer, value, reason, place }: RulesetIssue): Issue {
  return {
    name: ISSUE_NAMES[kind],
    pointer,
    value,
    reason,
    ...(place === undefined ? {} : { expression: place }),
  };
}

/**
 * The phase that a path or body names.
 *
 * @throws {ApiError} naming what is supported
 */
export function supportedPhase(name: string, kinds: readonly RulesetKind[], pointer: string): Phase {
  const phase = phaseNamed(name);
  const supported = PHASES.filter((each) => kinds.some((kind) => PHASE_TABLE[each].kinds.includes(kind)));
  if (phase !== undefined && supported.includes(phase)) return phase;
  const reason =
    phase === undefined ? "Stepgate does not run this phase" : "the phase does not exist at this level";
  throw invalid([
    {
      name: "not_supported",
      pointer,
      field: "phase",
      value: name,
      reason: `${reason}; supported here: ${supported.join(", ")}`,
    },
  ]);
}

/** @throws {ApiError} unless the level can have rulesets of this kind in this phase */
export function supportedKind(name: string, { level }: RulesetLevel, pointer: string): RulesetKind {
  const kinds = kindsAt(level);
  const kind = kinds.find((known) => known === name);
  if (kind !== undefined) return kind;
  throw invalid([
    {
      name: "not_supported",
      pointer,
      value: name,
      reason: `at ${level} level there are rulesets of kind ${kinds.join(" and ")}`,
    },
  ]);
}

interface HasRandom {
  readonly deps: Pick<ApiDependencies, "random">;
}

export const editContext = ({ deps }: HasRandom, { at }: Pick<Transaction, "at">): EditContext => ({
  newId: () => randomId(deps.random),
  at: timestamp(at),
});

export function entrypointRow(view: View, { scope }: RulesetLevel, phase: Phase): RulesetRow | undefined {
  return view.find("rulesets", entrypointUnique(scope, phase));
}

/** Looks expressions up in the lists of the account. */
function expressionsOf(view: View, { accountId }: RulesetLevel): ExpressionChecker {
  return createExpressionChecker(
    new Map(view.group("lists", accountId).map(({ name, kind }) => [name, kind])),
  );
}

export interface RuleChecks {
  readonly view: View;
  readonly place: RulesetLevel;
  readonly phase: Phase;
  readonly kind: RulesetKind;
}

/**
 * Checks rules and gives them as drafts.
 *
 * @param pointerOf JSON pointer of the rule at an index
 * @throws {ApiError} with every mistake in any of them
 */
export function checkRules(
  rules: readonly object[],
  { view, place, phase, kind }: RuleChecks,
  pointerOf: (index: number) => string,
): readonly RuleDraft[] {
  const target = { phase, kind, expressions: expressionsOf(view, place) };
  const issues = rules.flatMap((rule, index) => {
    const pointer = pointerOf(index);
    const found = checkRule(rule, target, pointer);
    return found.length > 0 ? found : executeIssues(rule as RuleDraft, pointer, { view, place, phase, kind });
  });
  if (issues.length > 0) throw invalid(issues.map(toIssue));
  // Checked member by member just now.
  return rules as readonly RuleDraft[];
}

/** An `execute` names a custom ruleset of the same account and phase. */
function executeIssues(
  rule: RuleDraft,
  pointer: string,
  { view, place, phase }: RuleChecks,
): readonly RulesetIssue[] {
  if (rule.action !== "execute") return [];
  const id = rule.action_parameters?.["id"];
  const row = typeof id === "string" ? view.get("rulesets", id) : undefined;
  const isFit = row?.scope === place.scope && row.ruleset.kind === "custom" && row.ruleset.phase === phase;
  return isFit
    ? []
    : [
        {
          kind: "unknown_reference",
          pointer: `${pointer}/action_parameters/id`,
          value: id,
          reason: `the account has no custom ruleset with this id in ${phase}`,
        },
      ];
}

/**
 * @param pointer of the ruleset in what was sent
 * @throws {ApiError} for issues of an edit
 */
export function rulesetOf(result: EditResult, pointer = ""): Ruleset {
  if (result.kind === "ruleset") return result.ruleset;
  if (result.kind === "no_rule")
    throw apiError("no_rule", "could not find rule: no rule of the ruleset has this id");
  throw invalid(result.issues.map((issue) => toIssue({ ...issue, pointer: pointer + issue.pointer })));
}

/** Stores a ruleset and logs the change; nothing happens when it is the same object. */
export function storeRuleset(
  call: Pick<Call, "principal">,
  transaction: Transaction,
  place: RulesetLevel,
  { before, after }: { readonly before: Ruleset | undefined; readonly after: Ruleset },
): void {
  if (before === after) return;
  transaction.put("rulesets", { scope: place.scope, ruleset: after });
  audit(call, transaction, {
    action: before === undefined ? "create" : "update",
    type: "ruleset",
    id: after.id,
    accountId: place.accountId,
    ...(place.level === "zone" ? { zoneId: place.id } : {}),
    ...rulesetChange(before, after),
  });
}

/** A new entry point or custom ruleset, not yet stored. */
export function newRuleset(
  head: Pick<Ruleset, "name" | "description" | "kind" | "phase" | "simulate">,
  drafts: readonly RuleDraft[],
  context: EditContext,
): Ruleset {
  return rulesetOf(createRuleset(head, drafts, context));
}

/** Rulesets of the level whose rules execute or skip the one with this id. */
export function rulesetsUsing(view: View, { scope }: RulesetLevel, rulesetId: string): readonly Ruleset[] {
  return view
    .group("rulesets", scope)
    .map(({ ruleset }) => ruleset)
    .filter(({ rules }) =>
      rules.some((rule) => rule.action === "execute" && rule.action_parameters?.["id"] === rulesetId),
    );
}
