/** Entry point rulesets: https://developers.cloudflare.com/api/resources/rulesets/subresources/phases/ */
import { HANDLER_DECIDES, route } from "../route.ts";
import type { Call, Route } from "../route.ts";
import { levelOf, requirePhase } from "../ruleset-access.ts";
import { existing, okRuleset, upsertEntrypoint } from "../ruleset-writes.ts";
import { entrypointRow } from "../rulesets.ts";
import type { RulesetLevel } from "../rulesets.ts";
import { ruleset as rulesetShape, updateRulesetBody } from "../schemas/rulesets.ts";

export const entrypointRoutes: readonly Route[] = (["zone", "account"] as const).flatMap(routesAt);

function routesAt(level: RulesetLevel["level"]): readonly Route[] {
  const entrypoint = `/${level}s/{${level}_id}/rulesets/phases/{phase}/entrypoint`;
  const place = (call: Call): RulesetLevel => levelOf(call, level);
  return [
    route("GET", {
      path: entrypoint,
      summary: "Get the entry point ruleset of a phase",
      access: HANDLER_DECIDES,
      result: rulesetShape,
      run: (call) => {
        const at = place(call);
        const phase = requirePhase(call, at, "Read");
        return okRuleset(existing(entrypointRow(call.store, at, phase), phase).ruleset);
      },
    }),
    route("PUT", {
      path: entrypoint,
      summary: "Create or replace the entry point ruleset of a phase",
      access: HANDLER_DECIDES,
      body: updateRulesetBody,
      result: rulesetShape,
      run: (call) => {
        const at = place(call);
        const phase = requirePhase(call, at, "Write");
        return call.write((transaction) =>
          upsertEntrypoint(call, transaction, { place: at, phase, body: call.body }),
        );
      },
    }),
  ];
}
