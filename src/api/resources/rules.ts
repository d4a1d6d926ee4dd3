/** Single rules of a ruleset: https://developers.cloudflare.com/api/resources/rulesets/subresources/rules/ */
import type { z } from "zod";
import { addRule, editRule, removeRule } from "../../ruleset/index.ts";
import type { EditResult, RuleDraft, RulePosition } from "../../ruleset/index.ts";
import type { RulesetRow, Transaction } from "../../store/index.ts";
import type { Reply } from "../envelope.ts";
import { rulesetEtag } from "../etag.ts";
import { HANDLER_DECIDES, route } from "../route.ts";
import type { Call, Route } from "../route.ts";
import { levelOf, rulesetRow } from "../ruleset-access.ts";
import { okWritten } from "../ruleset-writes.ts";
import { checkRules, editContext, rulesetOf, storeRuleset } from "../rulesets.ts";
import type { RulesetLevel } from "../rulesets.ts";
import { ruleBody, ruleset as rulesetShape } from "../schemas/rulesets.ts";

export const ruleRoutes: readonly Route[] = (["zone", "account"] as const).flatMap(routesAt);

function routesAt(level: RulesetLevel["level"]): readonly Route[] {
  const rules = `/${level}s/{${level}_id}/rulesets/{ruleset_id}/rules`;
  const rule = `${rules}/{rule_id}`;
  return [
    route("POST", {
      path: rules,
      summary: "Add a rule; answers with the whole ruleset",
      access: HANDLER_DECIDES,
      body: ruleBody,
      result: rulesetShape,
      run: (call) =>
        edit(call, level, (transaction, { row, place }) => {
          const { position, draft } = split(call.body);
          checkDraft(draft, transaction, { row, place });
          return addRule(row.ruleset, draft, position, editContext(call, transaction));
        }),
    }),
    route("PATCH", {
      path: rule,
      summary: "Replace the definition of a rule, move it, or both; answers with the whole ruleset",
      access: HANDLER_DECIDES,
      body: ruleBody,
      result: rulesetShape,
      run: (call) =>
        edit(call, level, (transaction, { row, place }) => {
          const { position, draft } = split(call.body);
          const isMove = Object.keys(draft).length === 0;
          if (!isMove) checkDraft(draft, transaction, { row, place });
          return editRule(
            row.ruleset,
            call.params["rule_id"] ?? "",
            { draft: isMove ? undefined : draft, position },
            editContext(call, transaction),
          );
        }),
    }),
    route("DELETE", {
      path: rule,
      summary: "Delete a rule; answers with the whole ruleset",
      access: HANDLER_DECIDES,
      run: (call) =>
        edit(call, level, (transaction, { row }) =>
          removeRule(row.ruleset, call.params["rule_id"] ?? "", editContext(call, transaction)),
        ),
    }),
  ];
}

interface Target {
  readonly row: RulesetRow;
  readonly place: RulesetLevel;
}

function edit(
  call: Call,
  level: RulesetLevel["level"],
  change: (transaction: Transaction, target: Target) => EditResult,
): Reply {
  const place = levelOf(call, level);
  return call.write((transaction) => {
    const row = rulesetRow(call, place, { view: transaction, level: "Write" });
    call.checkPreconditions(rulesetEtag(row.ruleset));
    const after = rulesetOf(change(transaction, { row, place }));
    storeRuleset(call, transaction, place, { before: row.ruleset, after });
    return okWritten(transaction, place, after);
  });
}

/** A body of a position alone moves the rule; the id in it is that of the path. */
function split({ position, ...rest }: z.output<typeof ruleBody>): {
  readonly position: RulePosition | undefined;
  readonly draft: RuleDraft;
} {
  // Undefined members of the schema's type never come from JSON.
  return { position: position as RulePosition | undefined, draft: rest as unknown as RuleDraft };
}

function checkDraft(draft: RuleDraft, transaction: Transaction, { row, place }: Target): void {
  const { phase, kind } = row.ruleset;
  checkRules([draft], { view: transaction, place, phase, kind }, () => "");
}
