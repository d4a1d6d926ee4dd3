/** What writes to rulesets do and answer. */
import type { z } from "zod";
import { kindsAt, replaceRules } from "../ruleset/index.ts";
import type { Phase, Ruleset } from "../ruleset/index.ts";
import type { RulesetRow, Transaction, View } from "../store/index.ts";
import { audit, rulesetChange } from "./audit.ts";
import { NO_CONTENT, ok } from "./envelope.ts";
import type { Message, Reply } from "./envelope.ts";
import { apiError } from "./errors.ts";
import { rulesetEtag } from "./etag.ts";
import { invalid, invalidValue } from "./issues.ts";
import type { Call } from "./route.ts";
import {
  checkRules,
  editContext,
  entrypointRow,
  newRuleset,
  PHASE_PRODUCTS,
  rulesetOf,
  rulesetsUsing,
  storeRuleset,
  supportedKind,
  supportedPhase,
} from "./rulesets.ts";
import type { RulesetLevel } from "./rulesets.ts";
import { unknownShortIds } from "./short-id-hints.ts";
import type { createRulesetBody, updateRulesetBody } from "./schemas/rulesets.ts";

/** The ruleset with its members in the documented order. */
export function okRuleset(ruleset: Ruleset, messages: readonly Message[] = []): Reply {
  return ok({ ...headOf(ruleset), rules: ruleset.rules }, { etag: rulesetEtag(ruleset), messages });
}

/** {@link okRuleset} after a write, with what the writer may not have meant. */
export function okWritten(view: View, { level, id }: RulesetLevel, ruleset: Ruleset): Reply {
  return okRuleset(ruleset, level === "zone" ? unknownShortIds(view, id, ruleset) : []);
}

export function headOf(ruleset: Omit<Ruleset, "rules">) {
  const { id, name, description, kind, phase, version, last_updated, simulate } = ruleset;
  const head = { id, name, description, kind, phase, version, last_updated };
  // Our own: the original's shape stays as it is where nobody uses it.
  return simulate === true ? { ...head, simulate } : head;
}

export function existing(row: RulesetRow | undefined, phase: Phase): RulesetRow {
  if (row !== undefined) return row;
  throw apiError("no_entrypoint", `could not find entrypoint ruleset in the "${phase}" phase`);
}

export function createRuleset(
  call: Call,
  place: RulesetLevel,
  body: z.output<typeof createRulesetBody>,
): Reply {
  const kind = supportedKind(body.kind, place, "/kind");
  const phase = supportedPhase(body.phase, [kind], "/phase");
  call.require(PHASE_PRODUCTS[phase][place.level], "Write", { ...place, kind: place.level });
  return call.write((transaction) => {
    if (kind !== "custom" && entrypointRow(transaction, place, phase) !== undefined) {
      throw invalidValue(
        "/kind",
        kind,
        `exceeded maximum number of ${kind} rulesets for phase ${phase}`,
        "second_entrypoint",
      );
    }
    const drafts = checkRules(
      body.rules ?? [],
      { view: transaction, place, phase, kind },
      (index) => `/rules/${index}`,
    );
    const head = { name: body.name, ...changesOf(body), description: body.description ?? "", kind, phase };
    const after = newRuleset(head, drafts, editContext(call, transaction));
    storeRuleset(call, transaction, place, { before: undefined, after });
    return okWritten(transaction, place, after);
  });
}

interface Update {
  readonly place: RulesetLevel;
  readonly row: RulesetRow;
  readonly body: z.output<typeof updateRulesetBody>;
}

export function updateRuleset(call: Call, transaction: Transaction, { place, row, body }: Update): Reply {
  const { ruleset: before } = row;
  call.checkPreconditions(rulesetEtag(before));
  refuseNewIdentity(before, body);
  const drafts =
    body.rules &&
    checkRules(
      body.rules,
      { view: transaction, place, phase: before.phase, kind: before.kind },
      (index) => `/rules/${index}`,
    );
  const after = rulesetOf(
    replaceRules(
      before,
      {
        ...(drafts === undefined ? {} : { rules: drafts }),
        ...changesOf(body),
      },
      editContext(call, transaction),
    ),
  );
  storeRuleset(call, transaction, place, { before, after });
  return okWritten(transaction, place, after);
}

/** What a body says of the ruleset beside its rules; what it does not say stays as it is. */
function changesOf({ description, simulate }: Pick<Update["body"], "description" | "simulate">) {
  return {
    ...(description === undefined ? {} : { description }),
    ...(simulate === undefined ? {} : { simulate }),
  };
}

/** What a ruleset is called and what it is for stays as it was created. */
function refuseNewIdentity(ruleset: Ruleset, body: Update["body"]): void {
  const issues = (["name", "kind", "phase"] as const).flatMap((name) => {
    const value = body[name];
    const isSame =
      value === undefined ||
      value === ruleset[name] ||
      (name === "phase" && supportedPhase(value, [ruleset.kind], "/phase") === ruleset.phase);
    return isSame
      ? []
      : [
          {
            name: "not_changeable" as const,
            pointer: `/${name}`,
            value,
            reason: `the ${name} of a ruleset cannot be changed; it is \`${ruleset[name]}\``,
          },
        ];
  });
  if (issues.length > 0) throw invalid(issues);
}

export function upsertEntrypoint(
  call: Call,
  transaction: Transaction,
  { place, phase, body }: Omit<Update, "row"> & { readonly phase: Phase },
): Reply {
  const row = entrypointRow(transaction, place, phase);
  if (row !== undefined) return updateRuleset(call, transaction, { place, row, body });
  call.checkPreconditions(undefined);
  const [kind] = kindsAt(place.level) as readonly [Ruleset["kind"]];
  if (body.kind !== undefined && body.kind !== kind) {
    throw invalidValue("/kind", body.kind, `the entry point of a ${place.level} has kind \`${kind}\``);
  }
  if (body.phase !== undefined && supportedPhase(body.phase, [kind], "/phase") !== phase) {
    throw invalidValue("/phase", body.phase, `the path names the phase ${phase}`);
  }
  const drafts = checkRules(
    body.rules ?? [],
    { view: transaction, place, phase, kind },
    (index) => `/rules/${index}`,
  );
  const head = {
    name: body.name ?? "default",
    ...changesOf(body),
    description: body.description ?? "",
    kind,
    phase,
  };
  const after = newRuleset(head, drafts, editContext(call, transaction));
  storeRuleset(call, transaction, place, { before: undefined, after });
  return okWritten(transaction, place, after);
}

export function removeRuleset(
  call: Call,
  transaction: Transaction,
  place: RulesetLevel,
  { ruleset }: RulesetRow,
): Reply {
  call.checkPreconditions(rulesetEtag(ruleset));
  refuseUsed(transaction, place, ruleset);
  transaction.delete("rulesets", ruleset.id);
  audit(call, transaction, {
    action: "delete",
    type: "ruleset",
    id: ruleset.id,
    accountId: place.accountId,
    ...(place.level === "zone" ? { zoneId: place.id } : {}),
    ...rulesetChange(ruleset, undefined),
  });
  return NO_CONTENT;
}

function refuseUsed(view: View, place: RulesetLevel, ruleset: Ruleset): void {
  const [user] = rulesetsUsing(view, place, ruleset.id);
  if (user === undefined) return;
  throw apiError(
    "in_use",
    `'${ruleset.id}' cannot be deleted because a rule of ruleset ${user.id} executes it`,
  );
}
