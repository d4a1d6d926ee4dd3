/** Rows in memory with their indexes: the part of the store that every look-up answers from. */

/** What a table knows about its rows. */
export interface TableDefinition<Row> {
  /** Primary key, unique in the table. */
  readonly key: (row: Row) => string;
  /** Rows with the same group are listed together. */
  readonly group: (row: Row) => string;
  /** A second text that is unique in the table. */
  readonly unique: (row: Row) => string;
}

const NO_ROWS: readonly never[] = [];

/** A mutable table. Rows themselves are never changed, only replaced. */
export class Table<Row extends object> {
  readonly #definition: TableDefinition<Row>;
  readonly #rows = new Map<string, Row>();
  readonly #groups = new Map<string, Map<string, Row>>();
  readonly #unique = new Map<string, Row>();
  /** What {@link group} returned, until the group changes: the same array as long as nothing does. */
  readonly #listed = new Map<string, readonly Row[]>();

  constructor(definition: TableDefinition<Row>) {
    this.#definition = definition;
  }

  keyOf(row: Row): string {
    return this.#definition.key(row);
  }

  groupOf(row: Row): string {
    return this.#definition.group(row);
  }

  get(key: string): Row | undefined {
    return this.#rows.get(key);
  }

  find(unique: string): Row | undefined {
    return this.#unique.get(unique);
  }

  all(): readonly Row[] {
    return [...this.#rows.values()];
  }

  group(group: string): readonly Row[] {
    const rows = this.#groups.get(group);
    if (rows === undefined) return NO_ROWS;
    let listed = this.#listed.get(group);
    if (listed === undefined) this.#listed.set(group, (listed = [...rows.values()]));
    return listed;
  }

  count(group: string): number {
    return this.#groups.get(group)?.size ?? 0;
  }

  /**
   * Inserts or replaces a row. Returns what it replaced.
   *
   * @throws {TypeError} when another row has the same unique text: callers look first
   */
  put(row: Row): Row | undefined {
    const key = this.#definition.key(row);
    const unique = this.#definition.unique(row);
    const holder = this.#unique.get(unique);
    if (holder !== undefined && this.#definition.key(holder) !== key) {
      throw new TypeError(`expected a unique row, found another with \`${unique}\``);
    }
    const before = this.#rows.get(key);
    const group = this.#definition.group(row);
    // Setting an existing key keeps its place in the Map; only what moves is taken out first.
    if (before !== undefined) {
      const oldUnique = this.#definition.unique(before);
      if (oldUnique !== unique) this.#unique.delete(oldUnique);
      const oldGroup = this.#definition.group(before);
      if (oldGroup !== group) this.#removeFromGroup(oldGroup, key);
    }
    this.#rows.set(key, row);
    this.#unique.set(unique, row);
    let members = this.#groups.get(group);
    if (members === undefined) this.#groups.set(group, (members = new Map()));
    members.set(key, row);
    this.#listed.delete(group);
    return before;
  }

  delete(key: string): Row | undefined {
    const row = this.#rows.get(key);
    if (row === undefined) return undefined;
    this.#rows.delete(key);
    this.#unique.delete(this.#definition.unique(row));
    this.#removeFromGroup(this.#definition.group(row), key);
    return row;
  }

  #removeFromGroup(group: string, key: string): void {
    const members = this.#groups.get(group);
    members?.delete(key);
    this.#listed.delete(group);
    if (members?.size === 0) this.#groups.delete(group);
  }
}
