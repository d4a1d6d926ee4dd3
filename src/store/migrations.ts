/**
 * The database's tables. A migration is never edited once released: the next one is added below, and
 * `PRAGMA user_version` counts how many a file has seen.
 */

export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE configuration (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    version INTEGER NOT NULL
  ) STRICT;
  INSERT INTO configuration VALUES (1, 0);

  CREATE TABLE accounts (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE zones (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    name TEXT NOT NULL UNIQUE,
    hosts TEXT NOT NULL,
    origin TEXT NOT NULL,
    owner TEXT NOT NULL CHECK (owner IN ('file', 'api')),
    served INTEGER NOT NULL,
    paused INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    modified_at INTEGER NOT NULL,
    settings TEXT NOT NULL,
    seq_rules TEXT NOT NULL
  ) STRICT;

  CREATE TABLE operations (
    zone_id TEXT NOT NULL REFERENCES zones (id),
    id TEXT NOT NULL,
    short_id TEXT NOT NULL,
    method TEXT NOT NULL,
    host TEXT NOT NULL,
    endpoint TEXT NOT NULL,
    last_updated_at INTEGER NOT NULL,
    record TEXT NOT NULL,
    prefetch TEXT NOT NULL,
    PRIMARY KEY (zone_id, id),
    UNIQUE (zone_id, short_id),
    UNIQUE (zone_id, method, host, endpoint)
  ) STRICT;

  CREATE TABLE rulesets (
    id TEXT PRIMARY KEY,
    zone_id TEXT REFERENCES zones (id),
    account_id TEXT REFERENCES accounts (id),
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    phase TEXT NOT NULL,
    version INTEGER NOT NULL,
    CHECK ((zone_id IS NULL) <> (account_id IS NULL))
  ) STRICT;
  CREATE UNIQUE INDEX entrypoint_of_phase
    ON rulesets (coalesce(zone_id, account_id), phase) WHERE kind <> 'custom';

  -- A rule as it was in one or more consecutive versions of its ruleset: editing one rule of thousands writes one row.
  CREATE TABLE rule_revisions (
    revision INTEGER PRIMARY KEY,
    ruleset_id TEXT NOT NULL REFERENCES rulesets (id) ON DELETE CASCADE,
    body TEXT NOT NULL
  ) STRICT;
  CREATE INDEX rule_revisions_of_ruleset ON rule_revisions (ruleset_id);

  CREATE TABLE ruleset_versions (
    ruleset_id TEXT NOT NULL REFERENCES rulesets (id) ON DELETE CASCADE,
    version INTEGER NOT NULL,
    description TEXT NOT NULL,
    last_updated TEXT NOT NULL,
    revisions TEXT NOT NULL,
    PRIMARY KEY (ruleset_id, version)
  ) STRICT;

  CREATE TABLE lists (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    kind TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    modified_at INTEGER NOT NULL,
    UNIQUE (account_id, name)
  ) STRICT;

  CREATE TABLE list_items (
    id TEXT PRIMARY KEY,
    list_id TEXT NOT NULL REFERENCES lists (id),
    position INTEGER NOT NULL,
    body TEXT NOT NULL
  ) STRICT;
  CREATE INDEX list_items_of_list ON list_items (list_id);

  CREATE TABLE bulk_operations (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    completed_at INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    scope TEXT NOT NULL,
    name TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    disabled INTEGER NOT NULL,
    policies TEXT NOT NULL,
    ip_in TEXT NOT NULL,
    ip_not_in TEXT NOT NULL,
    not_before_at INTEGER,
    expires_at INTEGER,
    issued_at INTEGER NOT NULL,
    modified_at INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE audit_log (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    at INTEGER NOT NULL,
    account_id TEXT NOT NULL,
    zone_id TEXT,
    actor_id TEXT NOT NULL,
    actor_type TEXT NOT NULL,
    actor_ip TEXT,
    action TEXT NOT NULL,
    resource_type TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    before TEXT NOT NULL,
    after TEXT NOT NULL
  ) STRICT;
  CREATE INDEX audit_log_by_account ON audit_log (account_id, at);
  `,
  `
  -- Whether the ruleset is on trial.
  ALTER TABLE ruleset_versions ADD COLUMN simulate INTEGER NOT NULL DEFAULT 0 CHECK (simulate IN (0, 1));
  `,
  `
  -- Items in the order of their list: a hundred thousand are written one behind the other, not each in a place of its own.
  CREATE TABLE ordered_list_items (
    list_id TEXT NOT NULL REFERENCES lists (id),
    position INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (list_id, position)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO ordered_list_items SELECT list_id, position, body FROM list_items;
  DROP TABLE list_items;
  ALTER TABLE ordered_list_items RENAME TO list_items;
  `,
  `
  -- OpenAPI documents, and what was read out of them.
  CREATE TABLE schemas (
    zone_id TEXT NOT NULL REFERENCES zones (id),
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    deflated BLOB NOT NULL,
    contents TEXT NOT NULL,
    PRIMARY KEY (zone_id, id)
  ) STRICT;

  -- Endpoints that discovery need not show any more.
  CREATE TABLE ignored_endpoints (
    zone_id TEXT NOT NULL REFERENCES zones (id),
    id TEXT NOT NULL,
    ignored_at INTEGER NOT NULL,
    PRIMARY KEY (zone_id, id)
  ) STRICT;
  `,
];
