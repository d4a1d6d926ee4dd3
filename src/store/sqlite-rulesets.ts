/** Rulesets in SQLite: each version is a row that names the revisions of its rules, so that an edit writes little. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Rule, Ruleset } from "../ruleset/index.ts";
import { MAX_RULESET_VERSIONS } from "./limits.ts";
import type { SqlRecord } from "./sqlite-rows.ts";
import type { RulesetRow, Scope } from "./types.ts";

const HEAD_COLUMNS =
  "r.id, r.zone_id, r.account_id, r.name, r.kind, r.phase, v.version, v.description, v.simulate, v.last_updated";

const SQL = {
  load: `SELECT ${HEAD_COLUMNS}, v.revisions FROM rulesets r
    JOIN ruleset_versions v ON v.ruleset_id = r.id AND v.version = r.version ORDER BY r.rowid`,
  versions: `SELECT ${HEAD_COLUMNS} FROM rulesets r JOIN ruleset_versions v ON v.ruleset_id = r.id
    WHERE r.id = ? ORDER BY v.version`,
  version: `SELECT ${HEAD_COLUMNS}, v.revisions FROM rulesets r JOIN ruleset_versions v ON v.ruleset_id = r.id
    WHERE r.id = ? AND v.version = ?`,
  allRules: "SELECT revision, body FROM rule_revisions",
  rules: "SELECT revision, body FROM rule_revisions WHERE ruleset_id = ?",
  upsert: `INSERT INTO rulesets (id, zone_id, account_id, name, kind, phase, version) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET version = excluded.version`,
  insertVersion: `INSERT INTO ruleset_versions (ruleset_id, version, description, simulate, last_updated, revisions)
    VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (ruleset_id, version) DO UPDATE SET description = excluded.description,
    simulate = excluded.simulate, last_updated = excluded.last_updated, revisions = excluded.revisions`,
  insertRule: "INSERT INTO rule_revisions (ruleset_id, body) VALUES (?, ?)",
  remove: "DELETE FROM rulesets WHERE id = ?",
  versionNumbers: "SELECT version FROM ruleset_versions WHERE ruleset_id = ? ORDER BY version",
  revisions: "SELECT revisions FROM ruleset_versions WHERE ruleset_id = ? AND version = ?",
  removeVersion: "DELETE FROM ruleset_versions WHERE ruleset_id = ? AND version = ?",
  removeRule: "DELETE FROM rule_revisions WHERE revision = ?",
} as const;

type Statements = { readonly [Name in keyof typeof SQL]: StatementSync };

export class SqliteRulesets {
  readonly #statements: Statements;
  /** Which revision row a rule object was read from or written to. */
  readonly #revisionOf = new WeakMap<Rule, number>();

  constructor(database: DatabaseSync) {
    const entries = Object.entries(SQL).map(([name, sql]) => [name, database.prepare(sql)]);
    this.#statements = Object.fromEntries(entries) as Statements;
  }

  load(): readonly RulesetRow[] {
    const records = this.#statements.load.all() as SqlRecord[];
    if (records.length === 0) return [];
    const bodies = bodiesOf(this.#statements.allRules.all());
    return records.map((record) => {
      const { ruleset, revisions } = toRuleset(record, bodies);
      for (const [index, rule] of ruleset.rules.entries())
        this.#revisionOf.set(rule, revisions[index] as number);
      return { scope: scopeOf(record), ruleset };
    });
  }

  write(row: RulesetRow): void {
    const { scope, ruleset } = row;
    const [level, ownerId] = scope.split(":") as [string, string];
    this.#statements.upsert.run(
      ruleset.id,
      level === "zone" ? ownerId : null,
      level === "account" ? ownerId : null,
      ruleset.name,
      ruleset.kind,
      ruleset.phase,
      Number(ruleset.version),
    );
    this.#statements.insertVersion.run(
      ruleset.id,
      Number(ruleset.version),
      ruleset.description,
      ruleset.simulate === true ? 1 : 0,
      ruleset.last_updated,
      JSON.stringify(ruleset.rules.map((rule) => this.#revision(ruleset.id, rule))),
    );
    this.#prune(ruleset.id);
  }

  remove(rulesetId: string): void {
    this.#statements.remove.run(rulesetId);
  }

  versions(rulesetId: string): readonly Omit<Ruleset, "rules">[] {
    return (this.#statements.versions.all(rulesetId) as SqlRecord[]).map(toHead);
  }

  version(rulesetId: string, version: string): Ruleset | undefined {
    const record = this.#statements.version.get(rulesetId, Number(version));
    if (record === undefined) return undefined;
    // Rules of an older version are copies: put into a new version, they become revisions of their own.
    return toRuleset(record, bodiesOf(this.#statements.rules.all(rulesetId))).ruleset;
  }

  /**
   * INVARIANT: a rule object passes from one version to the next or not at all, so that its revision belongs to
   * consecutive versions; what neither neighbour of a removed version has is in no version.
   */
  removeVersion(rulesetId: string, version: number): boolean {
    const numbers = this.#statements.versionNumbers.all(rulesetId).map((record) => Number(record["version"]));
    const place = numbers.indexOf(version);
    if (place < 0) return false;
    const neighbours = new Set([
      ...this.#revisionsOf(rulesetId, numbers[place - 1]),
      ...this.#revisionsOf(rulesetId, numbers[place + 1]),
    ]);
    for (const revision of this.#revisionsOf(rulesetId, version)) {
      if (!neighbours.has(revision)) this.#statements.removeRule.run(revision);
    }
    this.#statements.removeVersion.run(rulesetId, version);
    return true;
  }

  #prune(rulesetId: string): void {
    const records = this.#statements.versionNumbers.all(rulesetId) as SqlRecord[];
    for (const record of records.slice(0, Math.max(0, records.length - MAX_RULESET_VERSIONS))) {
      this.removeVersion(rulesetId, Number(record["version"]));
    }
  }

  #revisionsOf(rulesetId: string, version: number | undefined): readonly number[] {
    if (version === undefined) return [];
    const record = this.#statements.revisions.get(rulesetId, version);
    return record === undefined ? [] : (JSON.parse(String(record["revisions"])) as number[]);
  }

  #revision(rulesetId: string, rule: Rule): number {
    const known = this.#revisionOf.get(rule);
    if (known !== undefined) return known;
    const revision = Number(this.#statements.insertRule.run(rulesetId, JSON.stringify(rule)).lastInsertRowid);
    this.#revisionOf.set(rule, revision);
    return revision;
  }
}

function toRuleset(
  record: SqlRecord,
  bodies: ReadonlyMap<number, string>,
): { readonly ruleset: Ruleset; readonly revisions: readonly number[] } {
  const revisions = JSON.parse(String(record["revisions"])) as number[];
  const rules = revisions.map((revision) => JSON.parse(bodies.get(revision) ?? "null") as Rule);
  return { ruleset: { ...toHead(record), rules }, revisions };
}

function bodiesOf(records: readonly SqlRecord[]): ReadonlyMap<number, string> {
  return new Map(records.map((record) => [Number(record["revision"]), String(record["body"])]));
}

function toHead(record: SqlRecord): Omit<Ruleset, "rules"> {
  return {
    id: String(record["id"]),
    name: String(record["name"]),
    description: String(record["description"]),
    kind: record["kind"] as Ruleset["kind"],
    phase: record["phase"] as Ruleset["phase"],
    version: String(record["version"]),
    ...(record["simulate"] === 1 ? { simulate: true } : {}),
    last_updated: String(record["last_updated"]),
  };
}

function scopeOf(record: SqlRecord): Scope {
  return record["zone_id"] === null
    ? `account:${String(record["account_id"])}`
    : `zone:${String(record["zone_id"])}`;
}
