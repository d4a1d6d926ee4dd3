/** Keeps the rows in one SQLite file, durable with every commit. */
import { chmodSync, closeSync, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { SQLInputValue, StatementSync } from "node:sqlite";
import type { Ruleset } from "../ruleset/index.ts";
import { AUDIT_CONDITIONS } from "./audit.ts";
import { StoreError } from "./errors.ts";
import { BUSY_TIMEOUT_MS, MAX_AUDIT_ENTRIES } from "./limits.ts";
import { MIGRATIONS } from "./migrations.ts";
import type { Change, Commit, Persistence, StoredState } from "./persistence.ts";
import { auditFromRecord, auditValues, INSERT_AUDIT, ROW_CODECS } from "./sqlite-rows.ts";
import type { PlainTable, RowCodec, SqlRecord } from "./sqlite-rows.ts";
import { SqliteRulesets } from "./sqlite-rulesets.ts";
import { TABLE_NAMES } from "./tables.ts";
import type { AuditEntry, AuditQuery, Rows } from "./types.ts";

/** Reading and writing for the owner only: rules say how a site is defended. */
const FILE_MODE = 0o600;

interface PreparedCodec {
  readonly upsert: StatementSync;
  readonly remove: StatementSync;
}

type PreparedCodecs = { readonly [Name in PlainTable]: PreparedCodec };

export class SqlitePersistence implements Persistence {
  readonly #database: DatabaseSync;
  readonly #rulesets: SqliteRulesets;
  readonly #codecs: PreparedCodecs;
  readonly #statements: Readonly<Record<"version" | "setVersion" | "audit" | "pruneAudit", StatementSync>>;

  /** @throws {StoreError} when the file is no database of ours, or cannot be opened */
  constructor(path: string) {
    this.#database = openDatabase(path);
    const prepare = (sql: string): StatementSync => this.#database.prepare(sql);
    this.#rulesets = new SqliteRulesets(this.#database);
    const codecs = Object.entries(ROW_CODECS).map(([name, codec]) => [
      name,
      { upsert: prepare(codec.upsert), remove: prepare(codec.remove) },
    ]);
    this.#codecs = Object.fromEntries(codecs) as PreparedCodecs;
    this.#statements = {
      version: prepare("SELECT version FROM configuration"),
      setVersion: prepare("UPDATE configuration SET version = ?"),
      audit: prepare(INSERT_AUDIT),
      pruneAudit: prepare(
        "DELETE FROM audit_log WHERE sequence <= (SELECT max(sequence) FROM audit_log) - ?",
      ),
    };
  }

  version(): number {
    return Number((this.#statements.version.get() as SqlRecord)["version"]);
  }

  load(): StoredState {
    if (this.#database.isTransaction) return this.#loadAll();
    // One read transaction: rows and version belong together even while another process writes.
    this.#database.exec("BEGIN");
    try {
      return this.#loadAll();
    } finally {
      this.#database.exec("COMMIT");
    }
  }

  #loadAll(): StoredState {
    const rows = Object.fromEntries(
      TABLE_NAMES.map((name) => [name, name === "rulesets" ? this.#rulesets.load() : this.#loadTable(name)]),
    );
    return { version: this.version(), rows: rows as unknown as StoredState["rows"] };
  }

  #loadTable(name: PlainTable): readonly unknown[] {
    const codec = ROW_CODECS[name] as RowCodec<unknown>;
    return (this.#database.prepare(codec.select).all() as SqlRecord[]).map(codec.fromRecord);
  }

  begin(): void {
    this.#database.exec("BEGIN IMMEDIATE");
  }

  commit({ version, changes, audit }: Commit): void {
    // Deletions first and from the leaves up, then insertions from the roots down: foreign keys always hold, and a row
    // that moves has left its old place before another takes it.
    for (const change of changes.toSorted(byTable).toReversed()) {
      if (change.after === undefined || isMoved(change)) this.#remove(change);
    }
    for (const change of changes.toSorted(byTable)) {
      if (change.after !== undefined) this.#upsert(change);
    }
    for (const entry of audit) this.#statements.audit.run(...auditValues(entry));
    if (audit.length > 0) this.#statements.pruneAudit.run(MAX_AUDIT_ENTRIES);
    this.#statements.setVersion.run(version);
    this.#database.exec("COMMIT");
  }

  rollback(): void {
    if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
  }

  #upsert(change: Change): void {
    if (change.table === "rulesets") this.#rulesets.write(change.after as Rows["rulesets"]);
    else {
      const codec = ROW_CODECS[change.table] as RowCodec<unknown>;
      this.#codecs[change.table].upsert.run(...codec.toValues(change.after));
    }
  }

  #remove(change: Change): void {
    if (change.table === "rulesets") this.#rulesets.remove(change.key);
    else {
      const codec = ROW_CODECS[change.table] as RowCodec<unknown>;
      this.#codecs[change.table].remove.run(...codec.toKey(change.before));
    }
  }

  rulesetVersions(rulesetId: string): readonly Omit<Ruleset, "rules">[] {
    return this.#rulesets.versions(rulesetId);
  }

  rulesetVersion(rulesetId: string, version: string): Ruleset | undefined {
    return this.#rulesets.version(rulesetId, version);
  }

  deleteRulesetVersion(rulesetId: string, version: string): boolean {
    this.begin();
    try {
      const existed = this.#rulesets.removeVersion(rulesetId, Number(version));
      this.#database.exec("COMMIT");
      return existed;
    } catch (error) {
      this.rollback();
      throw new StoreError("ERR_STORE_WRITE", "the version could not be removed", error);
    }
  }

  auditLog(query: AuditQuery): readonly AuditEntry[] {
    const conditions: string[] = [];
    const values: SQLInputValue[] = [];
    for (const { sql, wanted } of AUDIT_CONDITIONS) {
      const value = wanted(query);
      if (value === undefined) continue;
      conditions.push(sql);
      values.push(value);
    }
    const order = query.direction === "asc" ? "ASC" : "DESC";
    const statement = this.#database.prepare(
      `SELECT * FROM audit_log WHERE ${conditions.join(" AND ")} ORDER BY sequence ${order} LIMIT ? OFFSET ?`,
    );
    return (statement.all(...values, query.limit, query.offset) as SqlRecord[]).map(auditFromRecord);
  }

  backup(path: string): void {
    try {
      // Made first, and only if it is new: the copy is never readable for others, and nothing is overwritten.
      closeSync(openSync(path, "wx", FILE_MODE));
      this.#database.prepare("VACUUM INTO ?").run(path);
    } catch (error) {
      throw new StoreError(
        "ERR_STORE_WRITE",
        `expected a new file that can be written at \`${path}\`, found: ${(error as Error).message}`,
        error,
      );
    }
  }

  close(): void {
    this.#database.close();
  }
}

/** Whether a row that stays has another key in the database than before. */
function isMoved({ table, before, after }: Change): boolean {
  if (table === "rulesets" || before === undefined || after === undefined) return false;
  const { toKey } = ROW_CODECS[table] as RowCodec<unknown>;
  return JSON.stringify(toKey(before)) !== JSON.stringify(toKey(after));
}

function byTable(left: Change, right: Change): number {
  return TABLE_NAMES.indexOf(left.table) - TABLE_NAMES.indexOf(right.table);
}

function openDatabase(path: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true });
    chmodSync(path, FILE_MODE);
    database.exec("PRAGMA journal_mode = WAL");
    // FULL syncs the log with every commit: an answered write survives not only `kill -9` (for which NORMAL would do)
    // but also the loss of power. Writes are an operator's, few per minute; a sync each is a price nobody notices.
    database.exec("PRAGMA synchronous = FULL");
    migrate(database);
    return database;
  } catch (error) {
    database?.close();
    if (error instanceof StoreError) throw error;
    throw new StoreError(
      "ERR_STORE_OPEN",
      `expected a database that can be opened at \`${path}\`, found: ${(error as Error).message}`,
      error,
    );
  }
}

function migrate(database: DatabaseSync): void {
  database.exec("BEGIN IMMEDIATE");
  try {
    const seen = Number((database.prepare("PRAGMA user_version").get() as SqlRecord)["user_version"]);
    if (seen > MIGRATIONS.length) {
      throw new StoreError(
        "ERR_STORE_VERSION",
        `expected a database of version ${MIGRATIONS.length} or older, found ${seen}; run the newer Stepgate that wrote it`,
      );
    }
    for (const sql of MIGRATIONS.slice(seen)) database.exec(sql);
    database.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
    database.exec("COMMIT");
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}
