/** Keeps nothing beyond the process: for tests, demonstrations and throw-away nodes. */
import type { Ruleset } from "../ruleset/index.ts";
import { matchesAuditQuery } from "./audit.ts";
import { StoreError } from "./errors.ts";
import { MAX_AUDIT_ENTRIES, MAX_RULESET_VERSIONS } from "./limits.ts";
import type { Commit, Persistence, StoredState } from "./persistence.ts";
import { TABLE_NAMES } from "./tables.ts";
import type { AuditEntry, AuditQuery } from "./types.ts";

export class MemoryPersistence implements Persistence {
  #version = 0;
  readonly #history = new Map<string, Ruleset[]>();
  readonly #audit: AuditEntry[] = [];

  load(): StoredState {
    // There is nothing to load before the first commit, and the store never asks after it.
    const rows = Object.fromEntries(TABLE_NAMES.map((name) => [name, []])) as unknown as StoredState["rows"];
    return { version: this.#version, rows };
  }

  version(): number {
    return this.#version;
  }

  begin(): void {}

  rollback(): void {}

  commit({ version, changes, audit }: Commit): void {
    this.#version = version;
    for (const change of changes) {
      if (change.table !== "rulesets") continue;
      if (change.after === undefined) this.#history.delete(change.key);
      else this.#keepVersion(change.after.ruleset);
    }
    this.#audit.push(...audit);
    if (this.#audit.length > MAX_AUDIT_ENTRIES) this.#audit.splice(0, this.#audit.length - MAX_AUDIT_ENTRIES);
  }

  #keepVersion(ruleset: Ruleset): void {
    const versions = this.#history.get(ruleset.id) ?? [];
    this.#history.set(
      ruleset.id,
      [...versions.filter(({ version }) => version !== ruleset.version), ruleset].slice(
        -MAX_RULESET_VERSIONS,
      ),
    );
  }

  rulesetVersions(rulesetId: string): readonly Omit<Ruleset, "rules">[] {
    return (this.#history.get(rulesetId) ?? []).map(toHead);
  }

  rulesetVersion(rulesetId: string, version: string): Ruleset | undefined {
    return this.#history.get(rulesetId)?.find((ruleset) => ruleset.version === version);
  }

  deleteRulesetVersion(rulesetId: string, version: string): boolean {
    const versions = this.#history.get(rulesetId) ?? [];
    const kept = versions.filter((ruleset) => ruleset.version !== version);
    this.#history.set(rulesetId, kept);
    return kept.length < versions.length;
  }

  auditLog(query: AuditQuery): readonly AuditEntry[] {
    const found = this.#audit.filter((entry) => matchesAuditQuery(entry, query));
    if (query.direction === "desc") found.reverse();
    return found.slice(query.offset, query.offset + query.limit);
  }

  backup(): void {
    throw new StoreError(
      "ERR_STORE_WRITE",
      "expected a store in a file, found one in memory; there is nothing to copy",
    );
  }

  close(): void {}
}

function toHead(ruleset: Ruleset): Omit<Ruleset, "rules"> {
  const { rules: _rules, ...head } = ruleset;
  return head;
}
