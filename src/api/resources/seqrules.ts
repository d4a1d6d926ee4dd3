/** Sequence Mitigation rules (product page "Configure Sequence Mitigation"). */
import { z } from "zod";
import { drawOperationId } from "../../operation/index.ts";
import {
  addSeqRule,
  deleteSeqRule,
  patchSeqRule,
  replaceSeqRules,
  seqRulesWithPositions,
} from "../../sequence/index.ts";
import type { SeqRule, SeqRuleEditing, SeqRulesEdit } from "../../sequence/index.ts";
import type { Transaction, ZoneRow } from "../../store/index.ts";
import { audit } from "../audit.ts";
import { ok } from "../envelope.ts";
import type { Reply } from "../envelope.ts";
import { apiError } from "../errors.ts";
import { etagOf } from "../etag.ts";
import { permission, route } from "../route.ts";
import type { Call, Route } from "../route.ts";
import { seqRuleProblems } from "../seqrule-problems.ts";
import { zoneOf } from "../zone-access.ts";

const READ = permission("zone", "Read", "API Gateway");
const WRITE = permission("zone", "Write", "API Gateway");
const all = "/zones/{zone_id}/api_gateway/seqrules";
const collection = "/zones/{zone_id}/api_gateway/seqrules/rules";
const one = "/zones/{zone_id}/api_gateway/seqrules/rules/{rule_id}";

const ruleShape = z.looseObject({
  id: z.string(),
  title: z.string(),
  kind: z.enum(["allow", "block"]),
  action: z.enum(["block", "log"]),
  sequence: z.array(z.string()).length(2),
  priority: z.int(),
  position: z.int(),
  created_at: z.string(),
  last_updated: z.string(),
});
const listShape = z.object({ rules: z.array(ruleShape) });

/** Checked by the sequence rules themselves; what is here is for the API document. */
const ruleBody = z.unknown().meta({
  override: {
    type: "object",
    required: ["title", "kind", "action", "sequence"],
    properties: {
      title: { type: "string", minLength: 1, maxLength: 50 },
      kind: { type: "string", enum: ["allow", "block"] },
      action: { type: "string", enum: ["block", "log"] },
      sequence: {
        type: "array",
        items: { type: "string", format: "uuid" },
        minItems: 2,
        maxItems: 2,
      },
      priority: { type: "integer" },
      position: { type: "object", properties: { index: { type: "integer", minimum: 1 } } },
      on_state_error: { type: "string", enum: ["allow", "block"] },
    },
  },
});
const listBody = z.unknown().meta({
  override: {
    type: "object",
    required: ["rules"],
    properties: { rules: { type: "array", items: { type: "object" } } },
  },
});

export const seqRuleRoutes: readonly Route[] = [
  route("GET", {
    path: all,
    summary: "List the sequence rules, in the order of evaluation",
    access: READ,
    result: listShape,
    run: ({ params, store }) => okRules(zoneOf(store, params.zone_id).seqRules),
  }),
  route("PUT", {
    path: all,
    summary: "Replace all sequence rules; an empty list removes them",
    access: WRITE,
    body: listBody,
    result: listShape,
    run: (call) => change(call, (rules, editing) => replaceSeqRules(rules, call.body, editing), "update"),
  }),
  route("POST", {
    path: collection,
    summary: "Add a sequence rule",
    access: WRITE,
    body: ruleBody,
    result: ruleShape,
    run: (call) => change(call, (rules, editing) => addSeqRule(rules, call.body, editing), "create"),
  }),
  route("PATCH", {
    path: one,
    summary: "Change or move a sequence rule",
    access: WRITE,
    body: ruleBody,
    result: ruleShape,
    run: (call) =>
      change(
        call,
        (rules, editing) => patchSeqRule(rules, call.params.rule_id.toLowerCase(), call.body, editing),
        "update",
      ),
  }),
  route("DELETE", {
    path: one,
    summary: "Delete a sequence rule",
    access: WRITE,
    run: (call) => change(call, (rules) => deleteSeqRule(rules, call.params.rule_id.toLowerCase()), "delete"),
  }),
];

type ZoneCall = Pick<Call, "principal" | "deps" | "write" | "checkPreconditions"> & {
  readonly params: { readonly zone_id: string };
};

function change(
  call: ZoneCall,
  edit: (rules: readonly SeqRule[], editing: SeqRuleEditing) => SeqRulesEdit,
  action: "create" | "update" | "delete",
): Reply {
  return call.write((transaction) => {
    const zone = zoneOf(transaction, call.params.zone_id);
    call.checkPreconditions(rulesEtag(zone.seqRules));
    const result = edit(zone.seqRules, editingOf(call, transaction, zone));
    if (result.kind === "missing") {
      throw apiError("no_rule", "could not find sequence rule: no rule of the zone has this id");
    }
    if (result.kind === "problems") throw seqRuleProblems(result.problems);
    save(call, transaction, { zone, rules: result.rules, action });
    if (result.kind === "replaced") return okRules(result.rules);
    if (action === "delete") return ok({ id: result.rule.id });
    const shown = seqRulesWithPositions(result.rules).find(({ id }) => id === result.rule.id);
    return ok(shown, { etag: rulesEtag(result.rules) });
  });
}

function editingOf({ deps }: ZoneCall, transaction: Transaction, zone: ZoneRow): SeqRuleEditing {
  return {
    drawId: () => drawOperationId(deps.random, new Set()),
    nowMs: transaction.at,
    hosts: new Map(
      transaction.group("operations", zone.id).map(({ operation }) => [operation.id, operation.host]),
    ),
  };
}

interface Saved {
  readonly zone: ZoneRow;
  readonly rules: readonly SeqRule[];
  readonly action: "create" | "update" | "delete";
}

function save(call: ZoneCall, transaction: Transaction, { zone, rules, action }: Saved): void {
  const before = zone.seqRules;
  if (rules.length === before.length && rules.every((rule, index) => rule === before[index])) return;
  transaction.put("zones", { ...zone, seqRules: rules, modifiedAt: transaction.at });
  audit(call, transaction, {
    action,
    type: "seqrule",
    id: zone.id,
    accountId: zone.accountId,
    zoneId: zone.id,
    before: before.filter((rule) => !rules.includes(rule)),
    after: rules.filter((rule) => !before.includes(rule)),
  });
}

const rulesEtag = (rules: readonly SeqRule[]): string => etagOf(rules);

function okRules(rules: readonly SeqRule[]): Reply {
  return ok({ rules: seqRulesWithPositions(rules) }, { etag: rulesEtag(rules) });
}
