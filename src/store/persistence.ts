/** What a place to keep rows in has to do: SQLite and plain memory are the two. */
import type { Ruleset } from "../ruleset/index.ts";
import type { AuditEntry, AuditQuery, Rows, TableName } from "./types.ts";

/** One row that changed in a transaction; `before` is what it was when the transaction began. */
export type Change = {
  readonly [Name in TableName]: {
    readonly table: Name;
    readonly key: string;
    readonly before: Rows[Name] | undefined;
    readonly after: Rows[Name] | undefined;
  };
}[TableName];

export interface Commit {
  readonly version: number;
  readonly changes: readonly Change[];
  readonly audit: readonly AuditEntry[];
}

/** Every stored row, by table. */
export type StoredRows = { readonly [Name in TableName]: readonly Rows[Name][] };

export interface StoredState {
  readonly version: number;
  readonly rows: StoredRows;
}

export interface Persistence {
  /** Everything that is stored now. */
  load(): StoredState;
  /** The stored version; grows with each commit of any process. */
  version(): number;
  /** Takes the write lock, so that no other process changes anything until `commit` or `rollback`. */
  begin(): void;
  /** Writes and makes durable, then gives up the lock. When it throws, nothing is written. */
  commit(commit: Commit): void;
  rollback(): void;
  rulesetVersions(rulesetId: string): readonly Omit<Ruleset, "rules">[];
  rulesetVersion(rulesetId: string, version: string): Ruleset | undefined;
  deleteRulesetVersion(rulesetId: string, version: string): boolean;
  auditLog(query: AuditQuery): readonly AuditEntry[];
  backup(path: string): void;
  close(): void;
}
