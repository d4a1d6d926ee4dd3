/** What skip rules of one request have switched off. */
import type { Phase, Rule, RulesetKind } from "../ruleset/index.ts";

/** `action_parameters` of a skip rule; wire names, checked when the rule was stored. */
export interface SkipParameters {
  readonly ruleset?: "current";
  readonly phase?: "current";
  readonly phases?: readonly string[];
  readonly products?: readonly string[];
  readonly rules?: Readonly<Record<string, readonly string[]>>;
  readonly rulesets?: readonly string[];
}

/**
 * Products of the original that are a phase here. The others it names (zone lockdown, browser integrity check, …)
 * do not exist in Stepgate, so that skipping them changes nothing.
 */
const PRODUCT_PHASES: Readonly<Record<string, Phase>> = { rateLimit: "http_ratelimit" };

/** Grows while the phases of one request run. */
export class Skips {
  /** Phases, and the kinds of ruleset for which they are skipped. */
  readonly #phases = new Map<string, ReadonlySet<RulesetKind>>();
  readonly #rulesets = new Set<string>();
  readonly #rules = new Set<string>();

  /** @param kind of the ruleset the skip rule stands in */
  add({ phases = [], products = [], rules = {}, rulesets = [] }: SkipParameters, kind: RulesetKind): void {
    for (const phase of [...phases, ...products.map((product) => PRODUCT_PHASES[product])]) {
      if (phase !== undefined) this.#phases.set(phase, kind === "zone" ? ZONE_ONLY : ALL_KINDS);
    }
    for (const id of rulesets) this.#rulesets.add(id);
    for (const id of Object.values(rules).flat()) this.#rules.add(id);
  }

  hasRuleset(id: string, phase: Phase, kind: RulesetKind): boolean {
    return this.#rulesets.has(id) || this.#phases.get(phase)?.has(kind) === true;
  }

  hasRule(rule: Rule): boolean {
    return this.#rules.has(rule.id);
  }
}

/** A zone's rule skips the zone's rules; an account's rule skips those of both levels (product page "Skip options"). */
const ZONE_ONLY: ReadonlySet<RulesetKind> = new Set(["zone"]);
const ALL_KINDS: ReadonlySet<RulesetKind> = new Set(["zone", "root", "custom"]);
