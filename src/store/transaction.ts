/** One write under way: changes the tables in place, remembers how to undo that, and what changed on balance. */
import { randomId } from "./ids.ts";
import type { Change } from "./persistence.ts";
import type { Table } from "./table.ts";
import type { Tables } from "./tables.ts";
import type { AuditEntry, Rows, TableName, Transaction } from "./types.ts";

type AnyRow = Rows[TableName];

interface Touched {
  readonly table: TableName;
  readonly key: string;
  /** The row when the transaction began. */
  readonly before: AnyRow | undefined;
}

export class OpenTransaction implements Transaction {
  readonly at: number;
  readonly auditEntries: AuditEntry[] = [];
  readonly #tables: Tables;
  readonly #random: (lengthBytes: number) => Uint8Array;
  readonly #touched = new Map<string, Touched>();
  #isOpen = true;

  constructor(tables: Tables, at: number, random: (lengthBytes: number) => Uint8Array) {
    this.#tables = tables;
    this.at = at;
    this.#random = random;
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

  put<Name extends TableName>(table: Name, row: Rows[Name]): void {
    this.#assertOpen();
    const target = this.#table(table);
    this.#remember(table, target.keyOf(row), target.put(row));
  }

  delete(table: TableName, key: string): void {
    this.#assertOpen();
    const before = this.#tables[table].delete(key);
    if (before !== undefined) this.#remember(table, key, before);
  }

  audit(entry: Omit<AuditEntry, "id" | "at">): void {
    this.#assertOpen();
    this.auditEntries.push({ ...entry, id: randomId(this.#random), at: this.at });
  }

  /** What is different from the beginning; rows that are the same object again are left out. */
  changes(): readonly Change[] {
    const changes: Change[] = [];
    for (const { table, key, before } of this.#touched.values()) {
      const after = this.#tables[table].get(key);
      // The row came out of the table that it is filed under.
      if (after !== before) changes.push({ table, key, before, after } as Change);
    }
    return changes;
  }

  /** Puts every row back. Deletions first, so that no unique text is taken while an old row returns. */
  undo(): void {
    for (const { table, key } of this.#touched.values()) this.#tables[table].delete(key);
    for (const { table, before } of this.#touched.values()) {
      if (before !== undefined) this.#table(table).put(before);
    }
    this.finish();
  }

  /** From here on the transaction refuses changes: whoever kept it must not write outside the lock. */
  finish(): void {
    this.#touched.clear();
    this.#isOpen = false;
  }

  #remember(table: TableName, key: string, before: AnyRow | undefined): void {
    const place = `${table} ${key}`;
    if (!this.#touched.has(place)) this.#touched.set(place, { table, key, before });
  }

  #table<Name extends TableName>(name: Name): Table<Rows[Name]> {
    return this.#tables[name];
  }

  #assertOpen(): void {
    if (!this.#isOpen) throw new TypeError("expected an open transaction, found one that has ended");
  }
}
