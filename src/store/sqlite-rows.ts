/** How rows become columns and back, one entry per table; rulesets have a file of their own. */
import type { SQLInputValue, SQLOutputValue } from "node:sqlite";
import type { AuditEntry, Rows, TableName } from "./types.ts";

/** One record as SQLite gives it. */
export type SqlRecord = Readonly<Record<string, SQLOutputValue>>;

export interface RowCodec<Row> {
  readonly select: string;
  readonly upsert: string;
  readonly remove: string;
  readonly toValues: (row: Row) => readonly SQLInputValue[];
  readonly toKey: (row: Row) => readonly SQLInputValue[];
  /** The records are our own: what was written was checked before. */
  readonly fromRecord: (record: SqlRecord) => Row;
}

/** Tables whose rows are one record each. */
export type PlainTable = Exclude<TableName, "rulesets">;

interface Columns {
  readonly table: string;
  readonly key: readonly string[];
  readonly others: readonly string[];
  readonly order?: string;
}

function statements({
  table,
  key,
  others,
  order,
}: Columns): Pick<RowCodec<never>, "select" | "upsert" | "remove"> {
  const all = [...key, ...others];
  const updates = others.map((column) => `${column} = excluded.${column}`).join(", ");
  return {
    select: `SELECT * FROM ${table} ORDER BY ${order ?? "rowid"}`,
    upsert:
      `INSERT INTO ${table} (${all.join(", ")}) VALUES (${all.map(() => "?").join(", ")}) ` +
      `ON CONFLICT (${key.join(", ")}) DO UPDATE SET ${updates}`,
    remove: `DELETE FROM ${table} WHERE ${key.map((column) => `${column} = ?`).join(" AND ")}`,
  };
}

const json = (value: SQLOutputValue | undefined): never => JSON.parse(String(value)) as never;
const flag = (value: boolean): number => (value ? 1 : 0);

export const ROW_CODECS: { readonly [Name in PlainTable]: RowCodec<Rows[Name]> } = {
  accounts: {
    ...statements({ table: "accounts", key: ["id"], others: ["name", "created_at"] }),
    toKey: (row) => [row.id],
    toValues: (row) => [row.id, row.name, row.createdAt],
    fromRecord: (record) => ({
      id: String(record["id"]),
      name: String(record["name"]),
      createdAt: Number(record["created_at"]),
    }),
  },
  zones: {
    ...statements({
      table: "zones",
      key: ["id"],
      others: [
        "account_id",
        "name",
        "hosts",
        "origin",
        "owner",
        "served",
        "paused",
        "created_at",
        "modified_at",
        "settings",
        "seq_rules",
      ],
    }),
    toKey: (row) => [row.id],
    toValues: (row) => [
      row.id,
      row.accountId,
      row.name,
      JSON.stringify(row.hosts),
      row.origin,
      row.owner,
      flag(row.served),
      flag(row.paused),
      row.createdAt,
      row.modifiedAt,
      JSON.stringify(row.settings),
      JSON.stringify(row.seqRules),
    ],
    fromRecord: (record) => ({
      id: String(record["id"]),
      accountId: String(record["account_id"]),
      name: String(record["name"]),
      hosts: json(record["hosts"]),
      origin: String(record["origin"]),
      owner: record["owner"] as "file" | "api",
      served: record["served"] === 1,
      paused: record["paused"] === 1,
      createdAt: Number(record["created_at"]),
      modifiedAt: Number(record["modified_at"]),
      settings: json(record["settings"]),
      seqRules: json(record["seq_rules"]),
    }),
  },
  operations: {
    ...statements({
      table: "operations",
      key: ["zone_id", "id"],
      others: ["short_id", "method", "host", "endpoint", "last_updated_at", "record", "prefetch"],
    }),
    toKey: (row) => [row.zoneId, row.operation.id],
    toValues: ({ zoneId, operation }) => [
      zoneId,
      operation.id,
      operation.shortId,
      operation.method,
      operation.host,
      operation.endpoint,
      operation.lastUpdatedAt,
      operation.record,
      operation.prefetch,
    ],
    fromRecord: (record) => ({
      zoneId: String(record["zone_id"]),
      operation: {
        id: String(record["id"]),
        shortId: String(record["short_id"]),
        method: record["method"] as never,
        host: String(record["host"]),
        endpoint: String(record["endpoint"]),
        lastUpdatedAt: Number(record["last_updated_at"]),
        record: record["record"] as never,
        prefetch: record["prefetch"] as never,
      },
    }),
  },
  schemas: {
    ...statements({
      table: "schemas",
      key: ["zone_id", "id"],
      others: ["name", "created_at", "deflated", "contents"],
    }),
    toKey: (row) => [row.zoneId, row.id],
    toValues: (row) => [
      row.zoneId,
      row.id,
      row.name,
      row.createdAt,
      row.deflated,
      JSON.stringify(row.contents),
    ],
    fromRecord: (record) => ({
      zoneId: String(record["zone_id"]),
      id: String(record["id"]),
      name: String(record["name"]),
      createdAt: Number(record["created_at"]),
      deflated: record["deflated"] as Uint8Array,
      contents: json(record["contents"]),
    }),
  },
  ignoredEndpoints: {
    ...statements({ table: "ignored_endpoints", key: ["zone_id", "id"], others: ["ignored_at"] }),
    toKey: (row) => [row.zoneId, row.id],
    toValues: (row) => [row.zoneId, row.id, row.ignoredAt],
    fromRecord: (record) => ({
      zoneId: String(record["zone_id"]),
      id: String(record["id"]),
      ignoredAt: Number(record["ignored_at"]),
    }),
  },
  lists: {
    ...statements({
      table: "lists",
      key: ["id"],
      others: ["account_id", "name", "description", "kind", "created_at", "modified_at"],
    }),
    toKey: (row) => [row.id],
    toValues: (row) => [
      row.id,
      row.accountId,
      row.name,
      row.description,
      row.kind,
      row.createdAt,
      row.modifiedAt,
    ],
    fromRecord: (record) => ({
      id: String(record["id"]),
      accountId: String(record["account_id"]),
      name: String(record["name"]),
      description: String(record["description"]),
      kind: record["kind"] as never,
      createdAt: Number(record["created_at"]),
      modifiedAt: Number(record["modified_at"]),
    }),
  },
  listItems: {
    ...statements({
      table: "list_items",
      key: ["list_id", "position"],
      others: ["body"],
      order: "list_id, position",
    }),
    toKey: (row) => [row.listId, row.position],
    toValues: (row) => [row.listId, row.position, JSON.stringify(row.item)],
    fromRecord: (record) => ({
      listId: String(record["list_id"]),
      position: Number(record["position"]),
      item: json(record["body"]),
    }),
  },
  bulkOperations: {
    ...statements({ table: "bulk_operations", key: ["id"], others: ["account_id", "completed_at"] }),
    toKey: (row) => [row.id],
    toValues: (row) => [row.id, row.accountId, row.completedAt],
    fromRecord: (record) => ({
      id: String(record["id"]),
      accountId: String(record["account_id"]),
      completedAt: Number(record["completed_at"]),
    }),
  },
  tokens: {
    ...statements({
      table: "tokens",
      key: ["id"],
      others: [
        "scope",
        "name",
        "hash",
        "disabled",
        "policies",
        "ip_in",
        "ip_not_in",
        "not_before_at",
        "expires_at",
        "issued_at",
        "modified_at",
      ],
    }),
    toKey: (row) => [row.id],
    toValues: (row) => [
      row.id,
      row.scope,
      row.name,
      row.hash,
      flag(row.disabled),
      JSON.stringify(row.policies),
      JSON.stringify(row.ipIn),
      JSON.stringify(row.ipNotIn),
      row.notBeforeAt,
      row.expiresAt,
      row.issuedAt,
      row.modifiedAt,
    ],
    fromRecord: (record) => ({
      id: String(record["id"]),
      scope: String(record["scope"]) as never,
      name: String(record["name"]),
      hash: String(record["hash"]),
      disabled: record["disabled"] === 1,
      policies: json(record["policies"]),
      ipIn: json(record["ip_in"]),
      ipNotIn: json(record["ip_not_in"]),
      notBeforeAt: record["not_before_at"] as number | null,
      expiresAt: record["expires_at"] as number | null,
      issuedAt: Number(record["issued_at"]),
      modifiedAt: Number(record["modified_at"]),
    }),
  },
};

export const INSERT_AUDIT = `INSERT INTO audit_log (id, at, account_id, zone_id, actor_id, actor_type, actor_ip, action,
  resource_type, resource_id, before, after) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

export function auditValues(entry: AuditEntry): readonly SQLInputValue[] {
  return [
    entry.id,
    entry.at,
    entry.accountId,
    entry.zoneId,
    entry.actor.id,
    entry.actor.type,
    entry.actor.ip,
    entry.action,
    entry.resource.type,
    entry.resource.id,
    JSON.stringify(entry.before ?? null),
    JSON.stringify(entry.after ?? null),
  ];
}

export function auditFromRecord(record: SqlRecord): AuditEntry {
  return {
    id: String(record["id"]),
    at: Number(record["at"]),
    accountId: String(record["account_id"]),
    zoneId: record["zone_id"] as string | null,
    actor: {
      id: String(record["actor_id"]),
      type: record["actor_type"] as "token" | "system",
      ip: record["actor_ip"] as string | null,
    },
    action: String(record["action"]),
    resource: { type: String(record["resource_type"]), id: String(record["resource_id"]) },
    before: json(record["before"]),
    after: json(record["after"]),
  };
}
