/** From a path to the ruleset it names, with permissions checked on the way. */
import { kindsAt } from "../ruleset/index.ts";
import type { Phase } from "../ruleset/index.ts";
import type { RulesetRow, View } from "../store/index.ts";
import { apiError, noObject } from "./errors.ts";
import type { Level, Product } from "./permissions.ts";
import type { Call } from "./route.ts";
import { PHASE_PRODUCTS, supportedPhase } from "./rulesets.ts";
import type { RulesetLevel } from "./rulesets.ts";

const PRODUCTS: Readonly<Record<RulesetLevel["level"], readonly Product[]>> = {
  zone: [...new Set(Object.values(PHASE_PRODUCTS).flatMap(({ zone }) => zone))],
  account: [...new Set(Object.values(PHASE_PRODUCTS).flatMap(({ account }) => account))],
};

/**
 * The zone or account of a path.
 *
 * @throws {ApiError} `not_permitted` without a permission on rules of any phase, then `no_zone` or `no_object`
 */
export function levelOf(call: Call, level: RulesetLevel["level"]): RulesetLevel {
  const id = call.params[`${level}_id`] ?? "";
  const accountId = level === "account" ? id : call.store.get("zones", id)?.accountId;
  call.require(
    PRODUCTS[level],
    "Read",
    level === "account" ? { kind: level, id } : { kind: level, id, accountId },
  );
  if (level === "account" && call.store.get("accounts", id) === undefined) throw noObject(call.path);
  if (accountId === undefined) throw noObject(call.path);
  return { level, id, accountId, scope: `${level}:${id}` };
}

/** The phase of a path. */
export function requirePhase(call: Call, place: RulesetLevel, access: Level): Phase {
  const phase = supportedPhase(call.params["phase"] ?? "", kindsAt(place.level), "");
  call.require(PHASE_PRODUCTS[phase][place.level], access, { ...place, kind: place.level });
  return phase;
}

/** The ruleset of a path; one of another level counts as unknown. */
export function rulesetRow(
  call: Call,
  place: RulesetLevel,
  { view, level }: { readonly view: View; readonly level: Level },
): RulesetRow {
  const row = view.get("rulesets", call.params["ruleset_id"] ?? "");
  if (row === undefined || row.scope !== place.scope) {
    throw apiError("no_ruleset", "could not find ruleset: no ruleset has this id");
  }
  call.require(PHASE_PRODUCTS[row.ruleset.phase][place.level], level, { ...place, kind: place.level });
  return row;
}
