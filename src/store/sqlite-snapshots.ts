/** Snapshots of counts in a SQLite database of their own, which all processes of a machine write. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { SNAPSHOT_KEEP_MS, SNAPSHOT_KINDS } from "../analytics/index.ts";
import type {
  SnapshotEntry,
  SnapshotKind,
  SnapshotName,
  SnapshotStore,
  StoredSnapshot,
} from "../analytics/index.ts";
import { openExpendable, openOrRenew } from "./expendable-database.ts";

const SQL = `
  CREATE TABLE IF NOT EXISTS snapshots (
    zone_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    hour_at INTEGER NOT NULL,
    source TEXT NOT NULL,
    stamp INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    UNIQUE (zone_id, kind, hour_at, source)
  ) STRICT;
`;

/** Bump it when a column changes: an older table is begun anew. */
const SCHEMA = { sql: SQL, version: 1, table: "snapshots" };

const ONE = "zone_id = ? AND kind = ? AND hour_at = ? AND source = ?";

/**
 * A file that is damaged is begun anew: it holds a day of counts, and no configuration.
 *
 * @param path file, made when it does not exist; `":memory:"` keeps everything in this process
 * @throws {StoreError} `ERR_STORE_OPEN` when the database cannot be opened or made anew
 */
export function openSqliteSnapshots(path: string): SnapshotStore {
  const database = openOrRenew(path, () => openExpendable(path, SCHEMA));
  const statements = prepare(database);
  return {
    put: async (snapshots, nowMs) => putAll(database, statements.put, { snapshots, nowMs }),
    list: async (zoneId, kind, nowMs) =>
      statements.list.all(zoneId, kind, nowMs - SNAPSHOT_KEEP_MS[kind]).map((row): SnapshotEntry => ({
        zoneId,
        kind,
        hourAt: Number(row["hour_at"]),
        source: String(row["source"]),
        stamp: Number(row["stamp"]),
      })),
    read: async (names) => names.map((name) => readOne(statements.read, name)),
    async deleteZone(zoneId) {
      statements.deleteZone.run(zoneId);
    },
    async prune(nowMs) {
      for (const kind of SNAPSHOT_KINDS) statements.prune.run(kind, nowMs - SNAPSHOT_KEEP_MS[kind]);
    },
    async close() {
      database.close();
    },
  };
}

type Statements = Readonly<Record<"put" | "list" | "read" | "deleteZone" | "prune", StatementSync>>;

function prepare(database: DatabaseSync): Statements {
  return {
    put: database.prepare(
      `INSERT INTO snapshots (zone_id, kind, hour_at, source, stamp, bytes) VALUES (?, ?, ?, ?, 1, ?)
       ON CONFLICT DO UPDATE SET stamp = stamp + 1, bytes = excluded.bytes`,
    ),
    list: database.prepare(
      `SELECT hour_at, source, stamp FROM snapshots WHERE zone_id = ? AND kind = ? AND hour_at > ?
       ORDER BY hour_at, source`,
    ),
    read: database.prepare(`SELECT bytes FROM snapshots WHERE ${ONE}`),
    deleteZone: database.prepare("DELETE FROM snapshots WHERE zone_id = ?"),
    prune: database.prepare("DELETE FROM snapshots WHERE kind = ? AND hour_at <= ?"),
  };
}

function putAll(
  database: DatabaseSync,
  put: StatementSync,
  { snapshots, nowMs }: { readonly snapshots: readonly StoredSnapshot[]; readonly nowMs: number },
): void {
  const kept = snapshots.filter(({ hourAt, kind }) => hourAt > nowMs - SNAPSHOT_KEEP_MS[kind]);
  if (kept.length === 0) return;
  database.exec("BEGIN IMMEDIATE");
  try {
    for (const { zoneId, kind, hourAt, source, bytes } of kept) put.run(zoneId, kind, hourAt, source, bytes);
    database.exec("COMMIT");
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

function readOne(
  statement: StatementSync,
  { zoneId, kind, hourAt, source }: SnapshotName,
): Uint8Array | undefined {
  const bytes = statement.get(zoneId, kind satisfies SnapshotKind, hourAt, source)?.["bytes"];
  return bytes instanceof Uint8Array ? bytes : undefined;
}
