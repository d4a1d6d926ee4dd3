/** A zone as a document: the same bytes for the same zone, whenever and wherever it is written. */
import { PHASES } from "../ruleset/index.ts";
import type { ListItem, Rule, Ruleset } from "../ruleset/index.ts";
import type { ListRow, View, ZoneRow } from "../store/index.ts";
import { itemRows } from "./lists.ts";
import { FORMAT, FORMAT_VERSION } from "./schemas/zone-document.ts";
import type { ZoneDocument } from "./schemas/zone-document.ts";
import { DEFAULT_WIRE_SEQUENCE, toWireSettings } from "./zones.ts";

/** The document as text: indented by two spaces, one line feed at the end. */
export function zoneDocumentText(document: unknown): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}

/**
 * Everything that the API manages of a zone, with the ids that rules quote. What changes without anybody's doing
 * (versions, times) is left out.
 */
export function exportZone(view: View, zone: ZoneRow): ZoneDocument {
  const { settings } = zone;
  const own = toWireSettings(zone);
  return {
    format: FORMAT,
    format_version: FORMAT_VERSION,
    zone: {
      name: zone.name,
      ...(zone.owner === "api" ? { hosts: [...own.hosts], origin: own.origin } : {}),
      paused: zone.paused,
      sequence_cookies: { enabled: settings.sequenceCookies.enabled },
      cookie_scope: own.cookie_scope,
      ...(JSON.stringify(own.sequence) === JSON.stringify(DEFAULT_WIRE_SEQUENCE)
        ? {}
        : { sequence: own.sequence }),
      ...(own.analytics.sample_decisions ? { analytics: own.analytics } : {}),
      auth_id_characteristics: settings.authIdCharacteristics.map(({ type, name }) => ({ type, name })),
      url_normalization: { scope: settings.urlNormalization.scope, type: settings.urlNormalization.type },
    },
    operations: exportOperations(view, zone),
    rulesets: exportRulesets(view, zone),
    seqrules: zone.seqRules.map(
      (rule) => sortedWithout(rule, ["created_at", "last_updated"]) as ZoneDocument["seqrules"][number],
    ),
    lists: namedLists(view, zone).map((list) => exportList(view, list)),
  };
}

function exportOperations(view: View, zone: ZoneRow): ZoneDocument["operations"] {
  return view
    .group("operations", zone.id)
    .map(({ operation: { id, method, host, endpoint, record, prefetch } }) => ({
      operation_id: id,
      method,
      host,
      endpoint,
      record,
      prefetch,
    }))
    .toSorted((left, right) => (orderOf(left) < orderOf(right) ? -1 : 1));
}

const orderOf = ({
  host,
  endpoint,
  method,
}: {
  readonly host: string;
  readonly endpoint: string;
  readonly method: string;
}) => `${host} ${endpoint} ${method}`;

function exportRulesets(view: View, zone: ZoneRow): ZoneDocument["rulesets"] {
  return view
    .group("rulesets", `zone:${zone.id}`)
    .map(({ ruleset }) => ruleset)
    .toSorted((left, right) => PHASES.indexOf(left.phase) - PHASES.indexOf(right.phase))
    .map(exportRuleset);
}

function exportRuleset({
  phase,
  name,
  description,
  simulate,
  rules,
}: Ruleset): ZoneDocument["rulesets"][number] {
  return {
    phase,
    name,
    description,
    ...(simulate === true ? { simulate } : {}),
    rules: rules.map(exportRule),
  };
}

/** Members that come first in a rule, in this order, or are left out. */
const RULE_MEMBERS = [
  "id",
  "ref",
  "description",
  "enabled",
  "expression",
  "action",
  "version",
  "last_updated",
] as const;

/** A `ref` that nobody chose is the id; saying it twice would only be noise. */
function exportRule(rule: Rule): Record<string, unknown> {
  const { id, ref, description, enabled, expression, action } = rule;
  return {
    id,
    ...(ref === id ? {} : { ref }),
    description,
    enabled,
    expression,
    action,
    ...sortedWithout(rule, RULE_MEMBERS),
  };
}

/** Lists whose names stand in an expression of the zone. */
function namedLists(view: View, zone: ZoneRow): readonly ListRow[] {
  const text = view
    .group("rulesets", `zone:${zone.id}`)
    .flatMap(({ ruleset }) => ruleset.rules)
    .map(({ expression, ratelimit }) => `${expression} ${ratelimit?.counting_expression ?? ""}`)
    .join(" ");
  const names = new Set([...text.matchAll(/\$([a-z0-9_]+)/g)].map(([, name]) => name));
  return view
    .group("lists", zone.accountId)
    .filter(({ name }) => names.has(name))
    .toSorted((left, right) => (left.name < right.name ? -1 : 1));
}

function exportList(view: View, { id, name, kind, description }: ListRow): ZoneDocument["lists"][number] {
  return { name, kind, description, items: itemRows(view, id).map(({ item }) => exportItem(item)) };
}

function exportItem(item: ListItem): Record<string, unknown> {
  return sortedWithout(item, ["id", "created_on", "modified_on"]);
}

function sortedWithout(value: object, names: readonly string[]): Record<string, unknown> {
  const members = Object.entries(value).filter(([name]) => !names.includes(name));
  return sorted(Object.fromEntries(members)) as Record<string, unknown>;
}

/** Members in the order of their names, at every depth: two spellings of one object are one text. */
function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(sorted);
  const members = Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(members.map(([name, member]) => [name, sorted(member)]));
}
