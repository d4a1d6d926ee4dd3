/** What the store keeps, and how it is read and changed. */
import type { ConfigSource, ZoneSettings } from "../engine/index.ts";
import type { DocumentOperations, Operation, UrlNormalization } from "../operation/index.ts";
import type { SeqRule } from "../sequence/index.ts";
import type { ListItem, ListKind, Ruleset } from "../ruleset/index.ts";

export interface StoreOptions {
  /** File of the SQLite database, made when it does not exist; `":memory:"` keeps everything in this process. */
  readonly path: string;
  /** The clock, epoch milliseconds. */
  readonly now: () => number;
  /** Cryptographically strong random bytes. */
  readonly random: (lengthBytes: number) => Uint8Array;
  /** Told when a listener of {@link ConfigSource.subscribe} throws; the change stays in force. */
  readonly onListenerError?: (error: unknown) => void;
  /**
   * Milliseconds between looks for what other processes wrote (`stepgate import`, another worker); a look costs
   * microseconds. Never unless given.
   */
  readonly refreshEveryMs?: number;
}

/** A zone that the configuration file or the flags name; they own these facts, not the API. */
export interface FileZone {
  readonly name: string;
  /** Host names in any spelling. */
  readonly hosts: readonly string[];
  /** Absolute http(s) URL without a path. */
  readonly origin: string;
}

export interface AccountRow {
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
}

export interface ZoneRow {
  readonly id: string;
  readonly accountId: string;
  readonly name: string;
  readonly hosts: readonly string[];
  readonly origin: string;
  /** Who says name, hosts and origin: the configuration file of this start, or the API. */
  readonly owner: "file" | "api";
  /** False for a zone that an earlier configuration file named and this one does not. */
  readonly served: boolean;
  readonly paused: boolean;
  readonly createdAt: number;
  readonly modifiedAt: number;
  readonly settings: StoredZoneSettings;
  /** In the order of evaluation. */
  readonly seqRules: readonly SeqRule[];
}

/** The settings of a zone with every default filled in. */
export interface StoredZoneSettings extends ZoneSettings {
  readonly authIdCharacteristics: NonNullable<ZoneSettings["authIdCharacteristics"]>;
  readonly urlNormalization: UrlNormalization;
}

export interface OperationRow {
  readonly zoneId: string;
  readonly operation: Operation;
}

/** An OpenAPI document that was uploaded, with what was read out of it. */
export interface SchemaRow {
  /** UUID. */
  readonly id: string;
  readonly zoneId: string;
  readonly name: string;
  readonly createdAt: number;
  /** The text as it came, deflated (RFC 1951). */
  readonly deflated: Uint8Array;
  readonly contents: DocumentOperations;
}

/** What was decided about an endpoint that discovery reports. */
export interface IgnoredEndpointRow {
  /** UUID that the endpoint is reported with. */
  readonly id: string;
  readonly zoneId: string;
  readonly ignoredAt: number;
}

/** What a ruleset or a token belongs to: `zone:<id>`, `account:<id>` or `user`. */
export type Scope = `zone:${string}` | `account:${string}` | "user";

export interface RulesetRow {
  readonly scope: Scope;
  readonly ruleset: Ruleset;
}

export interface ListRow {
  readonly id: string;
  readonly accountId: string;
  readonly name: string;
  readonly description: string;
  readonly kind: ListKind;
  readonly createdAt: number;
  readonly modifiedAt: number;
}

export interface ListItemRow {
  readonly listId: string;
  /** Place in the list; grows, with gaps. */
  readonly position: number;
  readonly item: ListItem;
}

/** A finished bulk operation on list items. */
export interface BulkOperationRow {
  readonly id: string;
  readonly accountId: string;
  readonly completedAt: number;
}

export interface TokenPolicy {
  readonly id: string;
  readonly effect: "allow" | "deny";
  /** Ids of permission groups. */
  readonly permissionGroups: readonly string[];
  /** Resource names (`com.cloudflare.api.account.zone.<id>`), `*` as the last part standing for all. */
  readonly resources: readonly string[];
}

export interface TokenRow {
  readonly id: string;
  readonly name: string;
  readonly scope: Scope;
  /** SHA-256 of the token text, lower-case hex. The text itself is kept nowhere. */
  readonly hash: string;
  readonly disabled: boolean;
  readonly policies: readonly TokenPolicy[];
  /** CIDRs a client's address must (not) be in; empty means no condition. */
  readonly ipIn: readonly string[];
  readonly ipNotIn: readonly string[];
  readonly notBeforeAt: number | null;
  readonly expiresAt: number | null;
  readonly issuedAt: number;
  readonly modifiedAt: number;
}

/** One change, for the audit log. */
export interface AuditEntry {
  readonly id: string;
  readonly at: number;
  readonly accountId: string;
  readonly zoneId: string | null;
  readonly actor: AuditActor;
  /** What was done: `create`, `update`, `delete`, … */
  readonly action: string;
  readonly resource: { readonly type: string; readonly id: string };
  /** JSON values, `null` where there is none. Never a secret. */
  readonly before: unknown;
  readonly after: unknown;
}

export interface AuditActor {
  /** Id of the token, or the name of the command. */
  readonly id: string;
  readonly type: "token" | "system";
  /** Address of the client, or `null`. */
  readonly ip: string | null;
}

export interface AuditQuery {
  readonly accountId: string;
  readonly zoneId?: string;
  readonly actorId?: string;
  readonly actorIp?: string;
  readonly action?: string;
  readonly resourceType?: string;
  readonly id?: string;
  /** Epoch milliseconds, both inclusive. */
  readonly since?: number;
  readonly before?: number;
  readonly direction: "asc" | "desc";
  readonly offset: number;
  readonly limit: number;
}

/** The tables, by name. */
export interface Rows {
  readonly accounts: AccountRow;
  readonly zones: ZoneRow;
  readonly operations: OperationRow;
  readonly schemas: SchemaRow;
  readonly ignoredEndpoints: IgnoredEndpointRow;
  readonly rulesets: RulesetRow;
  readonly lists: ListRow;
  readonly listItems: ListItemRow;
  readonly bulkOperations: BulkOperationRow;
  readonly tokens: TokenRow;
}

export type TableName = keyof Rows;

/** Look-ups in the stored rows. What they return is immutable. */
export interface View {
  get<Name extends TableName>(table: Name, key: string): Rows[Name] | undefined;
  /** All rows, in no particular order. */
  all<Name extends TableName>(table: Name): readonly Rows[Name][];
  /** The rows that belong together: operations by zone id, rulesets by scope, list items by list id, … */
  group<Name extends TableName>(table: Name, group: string): readonly Rows[Name][];
  /** How many rows {@link group} would return. */
  count(table: TableName, group: string): number;
  /** Look-up by the table's unique text; see `tables.ts`. */
  find<Name extends TableName>(table: Name, unique: string): Rows[Name] | undefined;
}

/** One write: sees its own changes; all of them become visible together or not at all. */
export interface Transaction extends View {
  /** When, epoch milliseconds. */
  readonly at: number;
  put<Name extends TableName>(table: Name, row: Rows[Name]): void;
  delete(table: TableName, key: string): void;
  /** Adds to the audit log, in the same transaction. */
  audit(entry: Omit<AuditEntry, "id" | "at">): void;
}

export interface WriteOptions {
  /** Runs `work` and then forgets what it did. */
  readonly dryRun?: boolean;
}

export interface RulesetVersion {
  readonly ruleset: Ruleset;
}

export interface Store extends ConfigSource, View {
  /**
   * Runs `work` as one transaction: everything is on disk and every subscriber has been told when this returns.
   * What `work` throws undoes its changes and is thrown on.
   *
   * @throws {StoreError} when the database cannot be written; nothing has changed then.
   */
  write<Result>(work: (transaction: Transaction) => Result, options?: WriteOptions): Result;
  /** Takes over what other processes wrote. Returns whether there was anything. */
  refresh(): boolean;
  /** Makes the zones of the configuration file exist, with its hosts and origins. Returns their rows. */
  ensureZones(zones: readonly FileZone[]): readonly ZoneRow[];
  /**
   * Creates a token with all permissions if there is no token yet, and returns its text, once.
   *
   * @param publish puts the text where the operator finds it, synchronously and before the token counts: whatever
   *   moment the process is killed at, there is never a token whose text is lost
   */
  ensureAdminToken(publish?: (text: string) => void): string | undefined;
  /** The account that zones belong to unless another is named. */
  readonly defaultAccountId: string;
  /** Kept versions of a ruleset, oldest first, without their rules. */
  rulesetVersions(rulesetId: string): readonly Omit<Ruleset, "rules">[];
  rulesetVersion(rulesetId: string, version: string): Ruleset | undefined;
  /** Forgets an older version. Returns whether there was one. */
  deleteRulesetVersion(rulesetId: string, version: string): boolean;
  auditLog(query: AuditQuery): readonly AuditEntry[];
  /**
   * Copies the database to a new file, mode 0600. The copy is consistent also while other processes write.
   *
   * @throws {StoreError} when the file exists, cannot be written, or the store is in memory only
   */
  backup(path: string): void;
  close(): void;
}
