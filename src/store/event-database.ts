/** The table of security events in SQLite. */
import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from "node:sqlite";
import type { SecurityEvent } from "../engine/index.ts";
import type { EventQuery, StoredEvent } from "./event-types.ts";
import { openExpendable } from "./expendable-database.ts";

/** Events that fire on ordinary requests are bounded by themselves, so that they do not push out the rest. */
export type EventClass = "rewrite" | "other";

export interface EventLimits {
  readonly maxAgeMs: number;
  readonly maxOf: Readonly<Record<EventClass, number>>;
}

/** Columns that can be asked for, with the member of an event and of a query they stand for. */
const COLUMNS = {
  ray_id: "rayId",
  phase: "phase",
  ruleset_id: "rulesetId",
  rule_id: "ruleId",
  rule_ref: "ruleRef",
  action: "action",
  outcome: "outcome",
  method: "method",
  host: "host",
  path: "path",
  client_address: "clientAddress",
  current_op: "currentOp",
  status: "status",
} as const satisfies Readonly<Record<string, keyof EventQuery & keyof SecurityEvent>>;

const NAMES = Object.keys(COLUMNS) as (keyof typeof COLUMNS)[];

const SQL = `
  CREATE TABLE IF NOT EXISTS events (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    class TEXT NOT NULL,
    at INTEGER NOT NULL,
    zone_id TEXT NOT NULL,
    ${NAMES.map((name) => `${name} ${name === "status" ? "INTEGER" : "TEXT"} NOT NULL`).join(",\n    ")},
    body TEXT NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS events_of_zone ON events (zone_id, sequence);
  CREATE INDEX IF NOT EXISTS events_of_ray ON events (ray_id);
  CREATE INDEX IF NOT EXISTS events_of_class ON events (class, sequence);
`;

/** Bump it when a column changes: an older table is begun anew. */
const SCHEMA = { sql: SQL, version: 1, table: "events" };

/** Rows that one batch takes out at most: a little more than it puts in. */
const PRUNE_SIZE = 300;

/** Only the oldest rows are looked at: times grow with the sequence nearly everywhere, and what is old comes to the front. */
const OLDEST = "SELECT sequence, at FROM events WHERE class = ? ORDER BY sequence LIMIT ?";

/** After so many batches the rows are counted again: other processes write and delete too. */
const RECOUNT_BATCHES = 100;

export class EventDatabase {
  readonly #database: DatabaseSync;
  readonly #limits: EventLimits;
  readonly #insert: StatementSync;
  readonly #deleteOld: StatementSync;
  readonly #deleteExcess: StatementSync;
  readonly #count: StatementSync;
  readonly #newest: StatementSync;
  #counts: Record<EventClass, number>;
  #batches = 0;

  constructor(path: string, limits: EventLimits) {
    this.#limits = limits;
    this.#database = openExpendable(path, SCHEMA);
    const columns = ["class", "at", "zone_id", ...NAMES, "body"];
    const marks = columns.map(() => "?").join(", ");
    this.#insert = this.#database.prepare(`INSERT INTO events (${columns.join(", ")}) VALUES (${marks})`);
    this.#deleteOld = this.#database.prepare(
      `DELETE FROM events WHERE sequence IN (SELECT sequence FROM (${OLDEST}) WHERE at < ?)`,
    );
    this.#deleteExcess = this.#database.prepare(
      `DELETE FROM events WHERE sequence IN (SELECT sequence FROM (${OLDEST}))`,
    );
    this.#count = this.#database.prepare("SELECT count(*) AS count FROM events WHERE class = ?");
    this.#newest = this.#database.prepare("SELECT max(sequence) AS sequence FROM events");
    this.#counts = this.#recount();
  }

  insert(
    events: readonly SecurityEvent[],
    classOf: (event: SecurityEvent) => EventClass,
    nowMs: number,
  ): void {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      for (const event of events) {
        const eventClass = classOf(event);
        const values = NAMES.map((name): SQLInputValue => event[COLUMNS[name]]);
        this.#insert.run(eventClass, event.at, event.zoneId, ...values, JSON.stringify(event));
        this.#counts[eventClass] += 1;
      }
      this.#prune(nowMs);
      this.#database.exec("COMMIT");
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      this.#counts = this.#recount();
      throw error;
    }
  }

  /** @param from sequence that the rows lie beyond, in the direction of the order */
  select(
    query: EventQuery,
    {
      limit,
      newestFirst,
      from,
    }: { readonly limit: number; readonly newestFirst: boolean; readonly from?: number | undefined },
  ): readonly StoredEvent[] {
    const conditions = ["zone_id = ?"];
    const values: SQLInputValue[] = [query.zoneId];
    const add = (sql: string, value: SQLInputValue | undefined): void => {
      if (value === undefined) return;
      conditions.push(sql);
      values.push(value);
    };
    for (const name of NAMES) add(`${name} = ?`, query[COLUMNS[name]]);
    add("at >= ?", query.since);
    add("at <= ?", query.before);
    add(newestFirst ? "sequence < ?" : "sequence > ?", from);
    const statement = this.#database.prepare(
      `SELECT sequence, body FROM events WHERE ${conditions.join(" AND ")} ORDER BY sequence ${newestFirst ? "DESC" : "ASC"} LIMIT ?`,
    );
    return statement.all(...values, limit).map((row) => ({
      sequence: Number(row["sequence"]),
      event: JSON.parse(String(row["body"])) as SecurityEvent,
    }));
  }

  newest(): number {
    return Number((this.#newest.get() as Record<string, SQLOutputValue>)["sequence"] ?? 0);
  }

  close(): void {
    this.#database.close();
  }

  #prune(nowMs: number): void {
    this.#batches += 1;
    if (this.#batches % RECOUNT_BATCHES === 0) this.#counts = this.#recount();
    for (const eventClass of ["rewrite", "other"] as const) {
      const excess = this.#counts[eventClass] - this.#limits.maxOf[eventClass];
      const { changes: tooMany } =
        excess > 0 ? this.#deleteExcess.run(eventClass, Math.min(excess, PRUNE_SIZE)) : { changes: 0 };
      const { changes: tooOld } = this.#deleteOld.run(eventClass, PRUNE_SIZE, nowMs - this.#limits.maxAgeMs);
      this.#counts[eventClass] -= Number(tooMany) + Number(tooOld);
    }
  }

  #recount(): Record<EventClass, number> {
    const count = (eventClass: EventClass): number =>
      Number((this.#count.get(eventClass) as Record<string, SQLOutputValue>)["count"]);
    return { rewrite: count("rewrite"), other: count("other") };
  }
}
