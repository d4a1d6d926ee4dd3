/** The tables of the store: keys, groups and what is unique, one row each. */
import { operationKey as matchingKey } from "../operation/index.ts";
import type { Operation } from "../operation/index.ts";
import { listItemKey } from "../ruleset/index.ts";
import type { ListItemContent } from "../ruleset/index.ts";
import { Table } from "./table.ts";
import type { TableDefinition } from "./table.ts";
import type { Rows, Scope, TableName } from "./types.ts";

const DEFINITIONS: { readonly [Name in TableName]: TableDefinition<Rows[Name]> } = {
  accounts: { key: (row) => row.id, group: () => "", unique: (row) => row.name },
  zones: { key: (row) => row.id, group: (row) => row.accountId, unique: (row) => row.name },
  operations: {
    key: (row) => operationKey(row.zoneId, row.operation.id),
    group: (row) => row.zoneId,
    unique: (row) => operationUnique(row.zoneId, row.operation),
  },
  schemas: { key: zonedKey, group: (row) => row.zoneId, unique: zonedKey },
  ignoredEndpoints: { key: zonedKey, group: (row) => row.zoneId, unique: zonedKey },
  rulesets: {
    key: (row) => row.ruleset.id,
    group: (row) => row.scope,
    // At most one entry point per phase and level; any number of custom rulesets.
    unique: (row) =>
      row.ruleset.kind === "custom" ? row.ruleset.id : entrypointUnique(row.scope, row.ruleset.phase),
  },
  lists: {
    key: (row) => row.id,
    group: (row) => row.accountId,
    unique: (row) => listUnique(row.accountId, row.name),
  },
  listItems: {
    key: (row) => row.item.id,
    group: (row) => row.listId,
    unique: (row) => listItemUnique(row.listId, row.item),
  },
  bulkOperations: { key: (row) => row.id, group: (row) => row.accountId, unique: (row) => row.id },
  tokens: { key: (row) => row.id, group: (row) => row.scope, unique: (row) => row.hash },
};

export type Tables = { readonly [Name in TableName]: Table<Rows[Name]> };

/** Order in which rows are written: whoever is pointed at comes first. */
export const TABLE_NAMES = [
  "accounts",
  "zones",
  "operations",
  "schemas",
  "ignoredEndpoints",
  "rulesets",
  "lists",
  "listItems",
  "bulkOperations",
  "tokens",
] as const satisfies readonly TableName[];

export function createTables(): Tables {
  const tables: Partial<Record<TableName, unknown>> = {};
  for (const name of TABLE_NAMES) tables[name] = new Table(DEFINITIONS[name] as TableDefinition<object>);
  return tables as Tables;
}

/** Key of an operation: ids are looked up within their zone, so that one zone's id finds nothing in another. */
export function operationKey(zoneId: string, operationId: string): string {
  return `${zoneId}/${operationId}`;
}

/** Key of a schema or an ignored endpoint, looked up within its zone like an operation. */
function zonedKey({ zoneId, id }: { readonly zoneId: string; readonly id: string }): string {
  return operationKey(zoneId, id);
}

/** Unique text of an operation: two with the same text would catch the same requests. */
export function operationUnique(
  zoneId: string,
  { method, host, endpoint }: Pick<Operation, "method" | "host" | "endpoint">,
): string {
  return `${zoneId} ${matchingKey(method, host, endpoint)}`;
}

/** Unique text of the entry point ruleset of a phase. */
export function entrypointUnique(scope: Scope, phase: string): string {
  return `${scope} ${phase}`;
}

/** Unique text of an item: what it is about, in its list. */
export function listItemUnique(listId: string, item: ListItemContent): string {
  return `${listId} ${listItemKey(item)}`;
}

/** Unique text of a list. */
export function listUnique(accountId: string, name: string): string {
  return `${accountId} ${name}`;
}
