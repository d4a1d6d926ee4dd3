/** Database files that may be lost, such as events and counts: one that is damaged is begun anew. */
import { chmodSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { StoreError } from "./errors.ts";
import { BUSY_TIMEOUT_MS } from "./limits.ts";

export interface ExpendableSchema {
  /** SQL that makes what is not there yet. */
  readonly sql: string;
  /** Another version than that of the file drops `table` first. */
  readonly version: number;
  readonly table: string;
}

/** @param path `:memory:` for none that lasts */
export function openExpendable(path: string, { sql, version, table }: ExpendableSchema): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
  try {
    if (path !== ":memory:") chmodSync(path, 0o600);
    // OFF: a process that dies loses nothing that was written; power that fails may, and then it is nothing more.
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF");
    const { user_version: found } = database.prepare("PRAGMA user_version").get() as Record<string, unknown>;
    if (Number(found) !== version) database.exec(`DROP TABLE IF EXISTS ${table}`);
    database.exec(sql);
    database.exec(`PRAGMA user_version = ${version}`);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * Opens a file by `open`, and anew when it turns out to be damaged.
 *
 * @throws {StoreError} `ERR_STORE_OPEN` when it cannot be opened
 */
export function openOrRenew<T>(path: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    if (!/malformed|not a database|disk image/.test((error as Error).message)) throw cannotOpen(path, error);
  }
  for (const suffix of ["", "-wal", "-shm"]) rmSync(path + suffix, { force: true });
  try {
    return open();
  } catch (error) {
    throw cannotOpen(path, error);
  }
}

function cannotOpen(path: string, error: unknown): StoreError {
  const found = (error as Error).message;
  return new StoreError(
    "ERR_STORE_OPEN",
    `expected a database that can be opened at \`${path}\`, found: ${found}`,
    error,
  );
}
