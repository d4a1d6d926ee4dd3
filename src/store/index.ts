export { ALL_PERMISSIONS, ALL_RESOURCES } from "./admin-token.ts";
export { auditValue } from "./audit.ts";
export { StoreError } from "./errors.ts";
export type { StoreErrorCode } from "./errors.ts";
export { openEventStore } from "./event-store.ts";
export type { EventQuery, EventStore, EventStoreOptions, StoredEvent } from "./event-types.ts";
export { DEFAULT_ZONE_SETTINGS } from "./file-zones.ts";
export { derivedId, randomId, randomIds } from "./ids.ts";
export { inListOrder } from "./list-order.ts";
export { openStore } from "./store.ts";
export { entrypointUnique, listItemUnique, listUnique, operationKey, operationUnique } from "./tables.ts";
export { isSameHash, newTokenText, tokenHash } from "./token-text.ts";
export type {
  AccountRow,
  AuditActor,
  AuditEntry,
  AuditQuery,
  BulkOperationRow,
  FileZone,
  IgnoredEndpointRow,
  ListItemRow,
  ListRow,
  OperationRow,
  Rows,
  RulesetRow,
  SchemaRow,
  Scope,
  Store,
  StoreOptions,
  StoredZoneSettings,
  TableName,
  TokenPolicy,
  TokenRow,
  Transaction,
  View,
  WriteOptions,
  ZoneRow,
} from "./types.ts";
export { createMemoryRateLimitStore } from "./memory-rate-limits.ts";
export type { MemoryRateLimitOptions, MemoryRateLimitStore } from "./memory-rate-limits.ts";
export { createMemorySequenceStore } from "./memory-sequences.ts";
export type { MemorySequenceOptions, MemorySequenceStore } from "./memory-sequences.ts";
export type { RedisConnectionOptions } from "./redis-connection.ts";
export type { RedisStatus } from "./redis-gate.ts";
export { openRedisSnapshots } from "./redis-snapshots.ts";
export { openSqliteSnapshots } from "./sqlite-snapshots.ts";
export { openRedisState } from "./redis-state.ts";
export type { RedisState } from "./redis-state.ts";
