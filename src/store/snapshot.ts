/** The gateway's snapshot from the stored rows, reusing every part that no change touched. */
import type { Account, ConfigSnapshot, Zone } from "../engine/index.ts";
import type { List } from "../ruleset/index.ts";
import { inListOrder } from "./list-order.ts";
import type { Change } from "./persistence.ts";
import type { Tables } from "./tables.ts";
import type { AccountRow, ListRow, Rows, TableName, ZoneRow } from "./types.ts";

/** Groups of rows that a transaction touched: table name, a space, group. */
type TouchedGroups = ReadonlySet<string>;

export function buildSnapshot(tables: Tables, version: number): ConfigSnapshot {
  return nextSnapshot({ version: 0, zones: [], accounts: [] }, tables, undefined, version);
}

/** @param touched groups that changed; everything is rebuilt when it is undefined */
export function nextSnapshot(
  previous: ConfigSnapshot,
  tables: Tables,
  touched: TouchedGroups | undefined,
  version: number,
): ConfigSnapshot {
  const parts: Parts = { tables, isTouched: (table, group) => touched?.has(`${table} ${group}`) ?? true };
  const zonesBefore = new Map(previous.zones.map((zone) => [zone.id, zone]));
  const accountsBefore = new Map((previous.accounts ?? []).map((account) => [account.id, account]));
  const served = tables.zones.all().filter((row) => row.served);
  return {
    version,
    zones: served.map((row) => toZone(row, zonesBefore.get(row.id), parts)),
    accounts: tables.accounts.all().map((row) => toAccount(row, accountsBefore.get(row.id), parts)),
  };
}

/** The groups a list of changes touches. */
export function touchedGroups(tables: Tables, changes: readonly Change[]): TouchedGroups {
  const touched = new Set<string>();
  for (const { table, before, after } of changes) {
    const groupOf = (row: Rows[TableName]): string => tables[table].groupOf(row as never);
    if (before !== undefined) touched.add(`${table} ${groupOf(before)}`);
    if (after !== undefined) touched.add(`${table} ${groupOf(after)}`);
    if (table === "zones") touched.add(`zones ${(after ?? before)?.id}`);
  }
  return touched;
}

interface Parts {
  readonly tables: Tables;
  readonly isTouched: (table: TableName, group: string) => boolean;
}

function toZone(row: ZoneRow, before: Zone | undefined, { tables, isTouched }: Parts): Zone {
  const scope = `zone:${row.id}`;
  const operationsChanged = isTouched("operations", row.id);
  const rulesetsChanged = isTouched("rulesets", scope);
  if (before !== undefined && !operationsChanged && !rulesetsChanged && !isTouched("zones", row.id)) {
    return before;
  }
  return {
    id: row.id,
    accountId: row.accountId,
    name: row.name,
    hosts: row.hosts,
    origin: row.origin,
    paused: row.paused,
    settings: row.settings,
    seqRules: row.seqRules,
    operations:
      before === undefined || operationsChanged
        ? tables.operations.group(row.id).map(({ operation }) => operation)
        : before.operations,
    rulesets:
      before === undefined || rulesetsChanged
        ? tables.rulesets.group(scope).map(({ ruleset }) => ruleset)
        : before.rulesets,
  };
}

function toAccount(row: AccountRow, before: Account | undefined, parts: Parts): Account {
  const { tables, isTouched } = parts;
  const scope = `account:${row.id}`;
  const rulesetsChanged = isTouched("rulesets", scope);
  const lists = toLists(row.id, before, parts);
  if (before !== undefined && before.name === row.name && !rulesetsChanged && lists === before.lists) {
    return before;
  }
  return {
    id: row.id,
    name: row.name,
    rulesets:
      before === undefined || rulesetsChanged
        ? tables.rulesets.group(scope).map(({ ruleset }) => ruleset)
        : before.rulesets,
    lists,
  };
}

function toLists(accountId: string, before: Account | undefined, parts: Parts): readonly List[] {
  const { tables, isTouched } = parts;
  const rows = tables.lists.group(accountId);
  const itemsChanged = rows.some((row) => isTouched("listItems", row.id));
  if (before !== undefined && !itemsChanged && !isTouched("lists", accountId)) return before.lists;
  const listsBefore = new Map((before?.lists ?? []).map((list) => [list.id, list]));
  return rows.map((row) => toList(row, listsBefore.get(row.id), parts));
}

function toList(row: ListRow, before: List | undefined, { tables, isTouched }: Parts): List {
  if (before !== undefined && before.name === row.name && !isTouched("listItems", row.id)) return before;
  const items = inListOrder(tables.listItems.group(row.id));
  // Items are checked against the kind of their list before they are stored.
  return { id: row.id, name: row.name, kind: row.kind, items: items.map(({ item }) => item) } as List;
}
