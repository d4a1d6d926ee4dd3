/** Rulesets of zones and accounts: https://developers.cloudflare.com/api/resources/rulesets/ */
import { z } from "zod";
import { PHASES } from "../../ruleset/index.ts";
import type { Ruleset } from "../../ruleset/index.ts";
import { toCursorPage } from "../paging.ts";
import { HANDLER_DECIDES, route } from "../route.ts";
import type { Call, Route } from "../route.ts";
import { levelOf, rulesetRow } from "../ruleset-access.ts";
import { createRuleset, headOf, okRuleset, removeRuleset, updateRuleset } from "../ruleset-writes.ts";
import { PHASE_PRODUCTS } from "../rulesets.ts";
import type { RulesetLevel } from "../rulesets.ts";
import {
  createRulesetBody,
  ruleset as rulesetShape,
  rulesetHead,
  rulesetListQuery,
  updateRulesetBody,
} from "../schemas/rulesets.ts";

export const rulesetRoutes: readonly Route[] = (["zone", "account"] as const).flatMap(routesAt);

function routesAt(level: RulesetLevel["level"]): readonly Route[] {
  const base = `/${level}s/{${level}_id}/rulesets`;
  const place = (call: Call): RulesetLevel => levelOf(call, level);
  return [
    route("GET", {
      path: base,
      summary: `List the rulesets of the ${level}`,
      access: HANDLER_DECIDES,
      query: rulesetListQuery,
      result: z.array(rulesetHead),
      run: (call) => {
        const rows = listed(call, place(call)).map((ruleset, order) => ({ ruleset, order }));
        return toCursorPage(
          rows,
          call.query,
          ({ order }) => order,
          ({ ruleset }) => headOf(ruleset),
        );
      },
    }),
    route("POST", {
      path: base,
      summary: `Create a ruleset of the ${level}`,
      access: HANDLER_DECIDES,
      body: createRulesetBody,
      result: rulesetShape,
      run: (call) => createRuleset(call, place(call), call.body),
    }),
    route("GET", {
      path: `${base}/{ruleset_id}`,
      summary: "Get a ruleset",
      access: HANDLER_DECIDES,
      result: rulesetShape,
      run: (call) => okRuleset(rulesetRow(call, place(call), { view: call.store, level: "Read" }).ruleset),
    }),
    route("PUT", {
      path: `${base}/{ruleset_id}`,
      summary: "Replace the rules or the description of a ruleset",
      access: HANDLER_DECIDES,
      body: updateRulesetBody,
      result: rulesetShape,
      run: (call) =>
        call.write((transaction) => {
          const row = rulesetRow(call, place(call), { view: transaction, level: "Write" });
          return updateRuleset(call, transaction, { place: place(call), row, body: call.body });
        }),
    }),
    route("DELETE", {
      path: `${base}/{ruleset_id}`,
      summary: "Delete a ruleset",
      access: HANDLER_DECIDES,
      run: (call) =>
        call.write((transaction) => {
          const row = rulesetRow(call, place(call), { view: transaction, level: "Write" });
          return removeRuleset(call, transaction, place(call), row);
        }),
    }),
  ];
}

/** In the order of phases, and only those that the caller may read. */
function listed({ store, isAllowed }: Call, place: RulesetLevel): readonly Ruleset[] {
  const resource = { ...place, kind: place.level };
  return store
    .group("rulesets", place.scope)
    .map(({ ruleset }) => ruleset)
    .filter(({ phase }) => isAllowed(PHASE_PRODUCTS[phase][place.level], "Read", resource))
    .toSorted(
      (left, right) =>
        PHASES.indexOf(left.phase) - PHASES.indexOf(right.phase) || (left.id < right.id ? -1 : 1),
    );
}
