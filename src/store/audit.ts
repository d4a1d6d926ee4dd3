/** The audit log: which entries a query asks for, and how much of a value is kept. */
import { MAX_AUDIT_VALUE_BYTES } from "./limits.ts";
import type { AuditEntry, AuditQuery } from "./types.ts";

/** The conditions of a query, one row each; SQLite and memory use the same table. */
export const AUDIT_CONDITIONS: readonly {
  readonly sql: string;
  readonly wanted: (query: AuditQuery) => string | number | undefined;
  readonly holds: (entry: AuditEntry, wanted: string | number) => boolean;
}[] = [
  {
    sql: "account_id = ?",
    wanted: ({ accountId }) => accountId,
    holds: (entry, wanted) => entry.accountId === wanted,
  },
  { sql: "zone_id = ?", wanted: ({ zoneId }) => zoneId, holds: (entry, wanted) => entry.zoneId === wanted },
  { sql: "id = ?", wanted: ({ id }) => id, holds: (entry, wanted) => entry.id === wanted },
  {
    sql: "actor_id = ?",
    wanted: ({ actorId }) => actorId,
    holds: (entry, wanted) => entry.actor.id === wanted,
  },
  {
    sql: "actor_ip = ?",
    wanted: ({ actorIp }) => actorIp,
    holds: (entry, wanted) => entry.actor.ip === wanted,
  },
  { sql: "action = ?", wanted: ({ action }) => action, holds: (entry, wanted) => entry.action === wanted },
  {
    sql: "resource_type = ?",
    wanted: ({ resourceType }) => resourceType,
    holds: (entry, wanted) => entry.resource.type === wanted,
  },
  { sql: "at >= ?", wanted: ({ since }) => since, holds: (entry, wanted) => entry.at >= Number(wanted) },
  { sql: "at <= ?", wanted: ({ before }) => before, holds: (entry, wanted) => entry.at <= Number(wanted) },
];

export function matchesAuditQuery(entry: AuditEntry, query: AuditQuery): boolean {
  return AUDIT_CONDITIONS.every(({ wanted, holds }) => {
    const value = wanted(query);
    return value === undefined || holds(entry, value);
  });
}

/** `value` as it is kept: whole when it is small, else its size in bytes. */
export function auditValue(value: unknown): unknown {
  const text = JSON.stringify(value) ?? "null";
  return text.length <= MAX_AUDIT_VALUE_BYTES ? JSON.parse(text) : { omitted_bytes: text.length };
}
