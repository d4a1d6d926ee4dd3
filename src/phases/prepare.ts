/** Rulesets made ready for requests: expressions and actions compiled, once per configuration. */
import { compileRules, PHASE_TABLE } from "../ruleset/index.ts";
import type { BlockResponse, CompiledRules, Phase, Rule, Ruleset } from "../ruleset/index.ts";
import type { CompiledLists } from "./lists.ts";
import { prepareLimits } from "./limit.ts";
import type { PreparedLimits } from "./limit.ts";
import { prepareRedirect } from "./redirect.ts";
import type { PreparedRedirect, RedirectParameters } from "./redirect.ts";
import { prepareRewrite } from "./rewrite.ts";
import type { PreparedRewrite, RewriteParameters } from "./rewrite.ts";
import type { SkipParameters } from "./skips.ts";

/** What a rule does when it matches. */
export type PreparedAction =
  | { readonly kind: "log" }
  | { readonly kind: "block"; readonly response: BlockResponse | undefined }
  | { readonly kind: "challenge" }
  | { readonly kind: "skip"; readonly parameters: SkipParameters }
  | { readonly kind: "execute"; readonly ruleset: PreparedRuleset }
  | { readonly kind: "redirect"; readonly redirect: PreparedRedirect }
  | { readonly kind: "rewrite"; readonly rewrite: PreparedRewrite };

export interface PreparedRule {
  readonly rule: Rule;
  readonly expression: string;
  readonly enabled: boolean;
  readonly action: PreparedAction;
  readonly reads: ReadonlySet<string>;
  readonly on_state_error: NonNullable<Rule["on_state_error"]>;
}

export interface PreparedRuleset {
  readonly ruleset: Ruleset;
  readonly rules: CompiledRules<PreparedRule>;
  /** Rate limits by rule; for `http_ratelimit` only. */
  readonly limits: PreparedLimits | undefined;
  /** Names of fields that may be read for a request that is no operation. */
  readonly fieldsWithoutOp: ReadonlySet<string>;
}

/** What rules refer to outside their ruleset. */
export interface PrepareContext {
  readonly lists: CompiledLists;
  /** The custom ruleset that an account's entry point executes. */
  readonly customRuleset: (id: string) => PreparedRuleset | undefined;
  /** An earlier state of the same ruleset, prepared with the same lists: what did not change is taken from it. */
  readonly previous?: PreparedRuleset;
}

/** A ruleset that cannot be used. The API refuses such rules: this is a store written by something else. */
export class PrepareError extends Error {
  override readonly name = "PrepareError";
}

/** @throws {PrepareError} naming the ruleset and the rule */
export function prepareRuleset(ruleset: Ruleset, context: PrepareContext): PreparedRuleset {
  const { phase } = ruleset;
  const lists = context.lists.lookupFor(phase);
  try {
    const prepared = ruleset.rules.map((rule) => prepareRule(rule, phase, context));
    const { previous } = context;
    const rules = compileRules(prepared, {
      phase,
      lists,
      ...(previous === undefined ? {} : { previous: previous.rules }),
    });
    const limits = phase === "http_ratelimit" ? prepareLimits(ruleset, lists) : undefined;
    const executed = prepared.flatMap(({ action }) =>
      action.kind === "execute" ? [action.ruleset.fieldsWithoutOp] : [],
    );
    const fieldsWithoutOp = [limits?.reads ?? new Set<string>(), ...executed].reduce<ReadonlySet<string>>(
      (all, some) => all.union(some),
      rules.fieldsWithoutOp,
    );
    return { ruleset, rules, limits, fieldsWithoutOp };
  } catch (error) {
    throw new PrepareError(`ruleset ${ruleset.id} of ${phase}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function prepareRule(rule: Rule, phase: Phase, context: PrepareContext): PreparedRule {
  const action = prepareAction(rule, phase, context);
  const { expression, enabled } = rule;
  return { rule, expression, enabled, action, reads: readsOf(action), on_state_error: stateErrorOf(rule) };
}

/** A rate limit goes by one policy, whether it is the sequence or the counter that cannot be had. */
function stateErrorOf({ on_state_error, ratelimit }: Rule): NonNullable<Rule["on_state_error"]> {
  return (ratelimit?.on_state_error ?? on_state_error) === "block" ? "block" : "allow";
}

const NO_FIELDS: ReadonlySet<string> = new Set();

function readsOf(action: PreparedAction): ReadonlySet<string> {
  if (action.kind === "redirect") return action.redirect.reads;
  return action.kind === "rewrite" ? action.rewrite.reads : NO_FIELDS;
}

/** INVARIANT: `action_parameters` were checked against the phase's row when the rule was stored; the casts rely on it. */
function prepareAction(rule: Rule, phase: Phase, { lists, customRuleset }: PrepareContext): PreparedAction {
  const parameters: unknown = rule.action_parameters ?? {};
  if (PHASE_TABLE[phase].actions[rule.action] === undefined) {
    throw new TypeError(`rule ${rule.id}: action ${rule.action} does not exist in this phase`);
  }
  switch (rule.action) {
    case "log":
      return { kind: "log" };
    case "block":
      return { kind: "block", response: rule.action_parameters?.response };
    case "challenge":
    case "js_challenge":
    case "managed_challenge":
      return { kind: "challenge" };
    case "skip":
      return { kind: "skip", parameters: parameters as SkipParameters };
    case "execute": {
      const { id } = parameters as { readonly id: string };
      const ruleset = customRuleset(id);
      if (ruleset === undefined)
        throw new TypeError(`rule ${rule.id}: expected a custom ruleset of this phase, found \`${id}\``);
      return { kind: "execute", ruleset };
    }
    case "redirect":
      return { kind: "redirect", redirect: prepareRedirect(parameters as RedirectParameters, phase, lists) };
    case "rewrite":
      return { kind: "rewrite", rewrite: prepareRewrite(parameters as RewriteParameters, phase, lists) };
  }
}
