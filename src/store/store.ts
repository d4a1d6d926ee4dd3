/** The store: rows in memory, the snapshot made of them, and a place that keeps them. */
import { isDeepStrictEqual } from "node:util";
import type { ConfigSnapshot } from "../engine/index.ts";
import type { Ruleset } from "../ruleset/index.ts";
import { adminToken } from "./admin-token.ts";
import { StoreError } from "./errors.ts";
import { derivedId } from "./ids.ts";
import { MemoryPersistence } from "./memory.ts";
import type { Change, Persistence, StoredState } from "./persistence.ts";
import { buildSnapshot, nextSnapshot, touchedGroups } from "./snapshot.ts";
import { SqlitePersistence } from "./sqlite.ts";
import { createTables, TABLE_NAMES } from "./tables.ts";
import type { Tables } from "./tables.ts";
import { OpenTransaction } from "./transaction.ts";
import type {
  AuditEntry,
  AuditQuery,
  FileZone,
  Rows,
  Store,
  StoreOptions,
  TableName,
  Transaction,
  WriteOptions,
  ZoneRow,
} from "./types.ts";
import { applyFileZones } from "./file-zones.ts";
import type { Table } from "./table.ts";

const DEFAULT_ACCOUNT_NAME = "Stepgate";

/**
 * Opens the store, making the database when there is none.
 *
 * @throws {StoreError} when the database cannot be opened
 */
export function openStore(options: StoreOptions): Store {
  const persistence =
    options.path === ":memory:" ? new MemoryPersistence() : new SqlitePersistence(options.path);
  return new RowStore(options, persistence);
}

type Listener = (snapshot: ConfigSnapshot) => void;

class RowStore implements Store {
  readonly defaultAccountId = derivedId("account", DEFAULT_ACCOUNT_NAME);
  readonly #options: StoreOptions;
  readonly #persistence: Persistence;
  readonly #listeners = new Set<Listener>();
  #tables: Tables;
  #snapshot: ConfigSnapshot;
  #isWriting = false;
  readonly #refreshTimer: NodeJS.Timeout | undefined;

  constructor(options: StoreOptions, persistence: Persistence) {
    this.#options = options;
    this.#persistence = persistence;
    const { rows, version } = persistence.load();
    this.#tables = tablesOf(rows);
    this.#snapshot = buildSnapshot(this.#tables, version);
    if (this.get("accounts", this.defaultAccountId) === undefined) {
      this.write((transaction) =>
        transaction.put("accounts", {
          id: this.defaultAccountId,
          name: DEFAULT_ACCOUNT_NAME,
          createdAt: transaction.at,
        }),
      );
    }
    if (options.refreshEveryMs !== undefined) {
      this.#refreshTimer = setInterval(() => this.#tryRefresh(), options.refreshEveryMs).unref();
    }
  }

  /** A look that fails (a locked or full disk) is tried again with the next one. */
  #tryRefresh(): void {
    try {
      this.refresh();
    } catch (error) {
      this.#options.onListenerError?.(error);
    }
  }

  current(): ConfigSnapshot {
    return this.#snapshot;
  }

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get<Name extends TableName>(table: Name, key: string): Rows[Name] | undefined {
    return this.#table(table).get(key);
  }

  all<Name extends TableName>(table: Name): readonly Rows[Name][] {
    return this.#table(table).all();
  }

  group<Name extends TableName>(table: Name, group: string): readonly Rows[Name][] {
    return this.#table(table).group(group);
  }

  count(table: TableName, group: string): number {
    return this.#tables[table].count(group);
  }

  find<Name extends TableName>(table: Name, unique: string): Rows[Name] | undefined {
    return this.#table(table).find(unique);
  }

  write<Result>(work: (transaction: Transaction) => Result, { dryRun = false }: WriteOptions = {}): Result {
    // A listener or the work itself that wrote again would change rows under the first writer's feet.
    if (this.#isWriting) throw new TypeError("expected no write inside a write");
    this.#isWriting = true;
    try {
      return this.#locked(() => this.#run(work, dryRun));
    } finally {
      this.#isWriting = false;
    }
  }

  #locked<Result>(work: () => Result): Result {
    try {
      this.#persistence.begin();
    } catch (error) {
      throw new StoreError("ERR_STORE_WRITE", "the database is locked by another process", error);
    }
    try {
      this.refresh();
      return work();
    } finally {
      // After a commit there is nothing left to roll back.
      this.#persistence.rollback();
    }
  }

  #run<Result>(work: (transaction: Transaction) => Result, dryRun: boolean): Result {
    const transaction = new OpenTransaction(this.#tables, this.#options.now(), this.#options.random);
    let result: Result;
    let changes: readonly Change[];
    try {
      result = work(transaction);
      changes = transaction.changes();
      if (dryRun || (changes.length === 0 && transaction.auditEntries.length === 0)) {
        transaction.undo();
        return result;
      }
      this.#commit(changes, transaction.auditEntries);
    } catch (error) {
      transaction.undo();
      throw error;
    }
    transaction.finish();
    this.#switch(changes);
    return result;
  }

  #commit(changes: readonly Change[], audit: readonly AuditEntry[]): void {
    try {
      this.#persistence.commit({ version: this.#snapshot.version + 1, changes, audit });
    } catch (error) {
      throw new StoreError(
        "ERR_STORE_WRITE",
        `the change could not be written: ${(error as Error).message}`,
        error,
      );
    }
  }

  #switch(changes: readonly Change[], version = this.#snapshot.version + 1): void {
    const touched = touchedGroups(this.#tables, changes);
    this.#snapshot = nextSnapshot(this.#snapshot, this.#tables, touched, version);
    for (const listener of this.#listeners) {
      try {
        listener(this.#snapshot);
      } catch (error) {
        this.#options.onListenerError?.(error);
      }
    }
  }

  refresh(): boolean {
    if (this.#persistence.version() === this.#snapshot.version) return false;
    const { rows, version } = this.#persistence.load();
    const { tables, changes } = reconcile(this.#tables, rows);
    this.#tables = tables;
    this.#switch(changes, version);
    return true;
  }

  ensureZones(zones: readonly FileZone[]): readonly ZoneRow[] {
    return this.write((transaction) => applyFileZones(transaction, zones, this.defaultAccountId));
  }

  ensureAdminToken(publish?: (text: string) => void): string | undefined {
    return this.write((transaction) => adminToken(transaction, this.#options.random, publish));
  }

  rulesetVersions(rulesetId: string): readonly Omit<Ruleset, "rules">[] {
    return this.#persistence.rulesetVersions(rulesetId);
  }

  rulesetVersion(rulesetId: string, version: string): Ruleset | undefined {
    return this.#persistence.rulesetVersion(rulesetId, version);
  }

  deleteRulesetVersion(rulesetId: string, version: string): boolean {
    return this.#persistence.deleteRulesetVersion(rulesetId, version);
  }

  auditLog(query: AuditQuery): readonly AuditEntry[] {
    return this.#persistence.auditLog(query);
  }

  backup(path: string): void {
    this.#persistence.backup(path);
  }

  close(): void {
    clearInterval(this.#refreshTimer);
    this.#persistence.close();
  }

  #table<Name extends TableName>(name: Name): Table<Rows[Name]> {
    return this.#tables[name];
  }
}

function tablesOf(rows: StoredState["rows"]): Tables {
  const tables = createTables();
  for (const name of TABLE_NAMES) {
    for (const row of rows[name]) (tables[name] as unknown as Table<object>).put(row);
  }
  return tables;
}

/** New tables from `rows`, keeping the row objects that say the same, so that unchanged parts keep their identity. */
function reconcile(
  before: Tables,
  rows: StoredState["rows"],
): { readonly tables: Tables; readonly changes: readonly Change[] } {
  const tables = createTables();
  const changes: Change[] = [];
  for (const name of TABLE_NAMES) {
    const [old, fresh] = [before[name], tables[name]] as unknown as [Table<object>, Table<object>];
    for (const row of rows[name]) {
      const key = fresh.keyOf(row);
      const known = old.get(key);
      const isSame = known !== undefined && isDeepStrictEqual(known, row);
      fresh.put(isSame ? known : row);
      if (!isSame) changes.push({ table: name, key, before: known, after: row } as Change);
    }
    for (const row of old.all()) {
      const key = old.keyOf(row);
      if (fresh.get(key) === undefined) {
        changes.push({ table: name, key, before: row, after: undefined } as Change);
      }
    }
  }
  return { tables, changes };
}
