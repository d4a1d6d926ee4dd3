/** A document put in force: the zone becomes what it says, as a whole or not at all. */
import { shortIdOf } from "../operation/index.ts";
import { createRuleset, replaceRules } from "../ruleset/index.ts";
import { microsecondTimestamp, replaceSeqRules } from "../sequence/index.ts";
import type { SeqRule } from "../sequence/index.ts";
import { listUnique, operationKey, randomId } from "../store/index.ts";
import type { Store, Transaction, ZoneRow } from "../store/index.ts";
import { checkAuthIds } from "./auth-ids.ts";
import { API_ERRORS, ApiError } from "./errors.ts";
import type { ErrorItem } from "./errors.ts";
import { invalid, invalidValue, parseShape } from "./issues.ts";
import type { Issue } from "./issues.ts";
import { writeItems } from "./lists.ts";
import { checkOperations, saveOperations } from "./operations.ts";
import type { ApiDependencies } from "./route.ts";
import { checkRules, editContext, entrypointRow, rulesetOf } from "./rulesets.ts";
import type { RulesetLevel } from "./rulesets.ts";
import { zoneDocument } from "./schemas/zone-document.ts";
import type { ZoneDocument } from "./schemas/zone-document.ts";
import { tokenConfigsOf } from "./token-configs.ts";
import { DEFAULT_WIRE_SEQUENCE, newZone, withSettings } from "./zones.ts";

/** What an import did. */
export interface ImportSummary {
  readonly zoneId: string;
  readonly operations: number;
  readonly rules: number;
  readonly seqrules: number;
  readonly lists: number;
}

/** What an import uses of the outside world. */
export type ImportDependencies = Pick<ApiDependencies, "random" | "isOriginAllowed">;

/** @throws {ApiError} with the pointer of everything that is not as it should be */
export function parseZoneDocument(value: unknown): ZoneDocument {
  return parseShape(zoneDocument, value);
}

/**
 * Puts a document in force for the zone with this name, or makes one.
 *
 * @param zoneName unless given, the document says it
 * @throws {ApiError} with everything that is wrong with the document; nothing has changed then
 */
export function importZone(
  store: Store,
  value: unknown,
  { zoneName, ...deps }: ImportDependencies & { readonly zoneName?: string },
): ImportSummary {
  const document = parseZoneDocument(value);
  return store.write((transaction) => {
    const name = zoneName ?? document.zone.name;
    const known = transaction.find("zones", name);
    const zone = known ?? newZone(transaction, name, store.defaultAccountId);
    const summary = applyDocument(transaction, zone, { document, deps });
    transaction.audit({
      accountId: zone.accountId,
      zoneId: zone.id,
      actor: { id: "stepgate import", type: "system", ip: null },
      action: known === undefined ? "create" : "update",
      resource: { type: "zone", id: zone.id },
      before: null,
      after: summary,
    });
    return summary;
  });
}

interface Application {
  readonly document: ZoneDocument;
  readonly deps: ImportDependencies;
}

/** The zone's row need not be stored yet. */
export function applyDocument(
  transaction: Transaction,
  zone: ZoneRow,
  { document, deps }: Application,
): ImportSummary {
  transaction.put("zones", importSettings(transaction, zone, { document, deps }));
  importLists(transaction, zone, { document, deps });
  importOperations(transaction, zone, { document, deps });
  importRulesets(transaction, zone, { document, deps });
  importSeqRules(transaction, zone.id, document.seqrules);
  return {
    zoneId: zone.id,
    operations: document.operations.length,
    rules: document.rulesets.reduce((sum, { rules }) => sum + rules.length, 0),
    seqrules: document.seqrules.length,
    lists: document.lists.length,
  };
}

function importSettings(transaction: Transaction, zone: ZoneRow, { document, deps }: Application): ZoneRow {
  const { hosts, origin, cookie_scope, sequence, analytics, paused, sequence_cookies, url_normalization } =
    document.zone;
  // Hosts and origin of a zone of the configuration file stay what the file says: documents travel between machines.
  const facts = zone.owner === "file" ? {} : { ...(hosts && { hosts }), ...(origin && { origin }) };
  const changed = withSettings(transaction, zone, {
    body: {
      ...facts,
      cookie_scope,
      ...(sequence === undefined && zone.settings.sequence === undefined
        ? {}
        : { sequence: { ...DEFAULT_WIRE_SEQUENCE, ...sequence } }),
      ...(analytics === undefined && zone.settings.analytics === undefined
        ? {}
        : { analytics: { sample_decisions: false, ...analytics } }),
    },
    deps,
  });
  const next: ZoneRow = {
    ...changed,
    paused,
    settings: {
      ...changed.settings,
      sequenceCookies: { enabled: sequence_cookies.enabled },
      // Keys stay where they are: a document names the token configurations that the zone has.
      authIdCharacteristics: checkAuthIds(
        document.zone.auth_id_characteristics,
        tokenConfigsOf(zone),
        "/zone/auth_id_characteristics",
      ),
      urlNormalization: { scope: url_normalization.scope, type: url_normalization.type },
    },
  };
  const isSame = JSON.stringify({ ...next, modifiedAt: zone.modifiedAt }) === JSON.stringify(zone);
  return isSame ? zone : next;
}

function importLists(
  transaction: Transaction,
  { accountId }: ZoneRow,
  { document, deps }: Application,
): void {
  for (const [index, { name, kind, description, items }] of document.lists.entries()) {
    const known = transaction.find("lists", listUnique(accountId, name));
    if (known !== undefined && known.kind !== kind) {
      throw invalidValue(
        `/lists/${index}/kind`,
        kind,
        `the account has a list of this name with kind ${known.kind}`,
        "not_changeable",
      );
    }
    if (!/^[a-z0-9_]{1,50}$/.test(name)) {
      throw invalidValue(
        `/lists/${index}/name`,
        name,
        "it must have 1 to 50 lower-case letters, digits and `_`",
      );
    }
    const { at } = transaction;
    const list = known ?? {
      id: randomId(deps.random),
      accountId,
      name,
      kind,
      description,
      createdAt: at,
      modifiedAt: at,
    };
    if (known?.description !== description)
      transaction.put("lists", { ...list, description, modifiedAt: at });
    writeItems({ deps }, transaction, { list, items, mode: "replace", pointer: `/lists/${index}/items` });
  }
}

function importOperations(
  transaction: Transaction,
  { id: zoneId }: ZoneRow,
  { document, deps }: Application,
): void {
  refuseSharedShortIds(document.operations);
  const inputs = checkOperations(
    document.operations,
    (index) => `/operations/${index}`,
    (index) => document.operations[index]?.operation_id,
  );
  const wanted = new Map(inputs.map((input) => [input.id ?? "", input]));
  for (const { operation } of transaction.group("operations", zoneId)) {
    const input = wanted.get(operation.id);
    const isSame =
      input !== undefined &&
      input.method === operation.method &&
      input.host === operation.host &&
      input.endpoint === operation.endpoint &&
      (input.record ?? "forwarded") === operation.record &&
      (input.prefetch ?? "record") === operation.prefetch;
    if (isSame) wanted.delete(operation.id);
    else transaction.delete("operations", operationKey(zoneId, operation.id));
  }
  const saved = saveOperations(transaction, zoneId, [...wanted.values()], deps.random);
  // Two of the document that catch the same requests would be one here, and rules that quote the other would be dead.
  if (new Set(saved.map(({ id }) => id)).size < wanted.size) {
    throw invalidValue(
      "/operations",
      saved.length,
      "two operations of the document catch the same requests",
      "duplicate_value",
    );
  }
}

function refuseSharedShortIds(operations: ZoneDocument["operations"]): void {
  const seen = new Set<string>();
  const issues: Issue[] = [];
  for (const [index, { operation_id: id }] of operations.entries()) {
    const shortId = shortIdOf(id);
    if (seen.has(shortId)) {
      issues.push({
        name: "duplicate_value",
        pointer: `/operations/${index}/operation_id`,
        value: id,
        reason: "another operation has the same first eight characters, and rules could not tell them apart",
      });
    }
    seen.add(shortId);
  }
  if (issues.length > 0) throw invalid(issues);
}

function importRulesets(transaction: Transaction, zone: ZoneRow, { document, deps }: Application): void {
  const place: RulesetLevel = {
    level: "zone",
    id: zone.id,
    accountId: zone.accountId,
    scope: `zone:${zone.id}`,
  };
  const phases = new Set<string>();
  for (const [index, ruleset] of document.rulesets.entries()) {
    const { phase, name, description, simulate = false } = ruleset;
    if (phases.has(phase)) {
      throw invalidValue(
        `/rulesets/${index}/phase`,
        phase,
        "the document has another ruleset of this phase",
        "duplicate_value",
      );
    }
    phases.add(phase);
    const pointer = `/rulesets/${index}`;
    const target = { view: transaction, place, phase, kind: "zone" as const };
    const rules = checkRules(ruleset.rules, target, (rule) => `${pointer}/rules/${rule}`);
    const context = editContext({ deps }, transaction);
    const before = entrypointRow(transaction, place, phase)?.ruleset;
    const after = rulesetOf(
      before === undefined
        ? createRuleset({ name, description, simulate, kind: "zone", phase }, rules, context)
        : replaceRules(before, { rules, description, simulate }, context),
      pointer,
    );
    // The name stays with the ruleset through the API; a document is the whole truth.
    if (after !== before || after.name !== name) {
      transaction.put("rulesets", { scope: place.scope, ruleset: { ...after, name } });
    }
  }
  for (const { ruleset } of transaction.group("rulesets", place.scope)) {
    if (!phases.has(ruleset.phase)) transaction.delete("rulesets", ruleset.id);
  }
}

function importSeqRules(transaction: Transaction, zoneId: string, seqrules: ZoneDocument["seqrules"]): void {
  const zone = transaction.get("zones", zoneId);
  if (zone === undefined) return;
  const hosts = new Map(
    transaction.group("operations", zoneId).map(({ operation }) => [operation.id, operation.host]),
  );
  const at = microsecondTimestamp(transaction.at);
  const known = new Set(zone.seqRules.map(({ id }) => id));
  // Ids of the document are kept: to the edit they are rules that exist already, of which only id and times count.
  const arriving = seqrules.filter(({ id }) => !known.has(id)).map(({ id }) => emptySeqRule(id, at));
  const result = replaceSeqRules(
    zone.seqRules.concat(arriving),
    { rules: seqrules },
    { hosts, nowMs: transaction.at, drawId: () => "" },
  );
  if (result.kind === "problems") throw seqRuleProblems(result.problems);
  if (result.kind !== "replaced") return;
  const isSame =
    result.rules.length === zone.seqRules.length &&
    result.rules.every((rule, index) => rule === zone.seqRules[index]);
  if (!isSame) transaction.put("zones", { ...zone, seqRules: result.rules });
}

function emptySeqRule(id: string, at: string): SeqRule {
  const times = { created_at: at, last_updated: at };
  return { id, title: "", kind: "block", action: "log", sequence: ["", ""], priority: 0, ...times };
}

/** Problems of sequence rules are worded where they are found; their pointers start at the body of the API's PUT. */
function seqRuleProblems(found: readonly { readonly pointer: string; readonly message: string }[]): ApiError {
  const { code, status } = API_ERRORS.invalid_value;
  const items: readonly ErrorItem[] = found.map(({ pointer, message }) => ({
    code,
    message,
    source: { pointer: pointer.replace(/^\/rules/, "/seqrules") },
  }));
  return new ApiError(status, items);
}
