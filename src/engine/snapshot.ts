/**
 * The configuration the engine runs on: immutable, replaced as a whole. Parts that did not change keep
 * their identity from one snapshot to the next, so that only what changed is compiled again.
 */
import type { Operation } from "../operation/index.ts";
import type { Ruleset } from "../ruleset/index.ts";

/** Attributes of the sequence cookies of a zone. */
export interface CookieScope {
  readonly sameSite: "Lax" | "Strict" | "None";
  readonly partitioned: boolean;
  /** Domain shared by several hosts (`__Secure-sq.` names); `null` binds each cookie to its host (`__Host-sq.`). */
  readonly domain: string | null;
}

export interface ZoneSettings {
  readonly sequenceCookies: { readonly enabled: boolean };
  readonly cookieScope: CookieScope;
}

/** One protected site. */
export interface Zone {
  /** 32 hex characters, stable across restarts. */
  readonly id: string;
  readonly accountId: string;
  readonly name: string;
  /** Canonical host names this zone answers for. */
  readonly hosts: readonly string[];
  /** Where its requests are forwarded: an absolute http(s) URL without a path. */
  readonly origin: string;
  readonly settings: ZoneSettings;
  readonly operations: readonly Operation[];
  /** Entry point rulesets (and custom ones) of the zone, at most one entry point per phase. */
  readonly rulesets: readonly Ruleset[];
}

export interface ConfigSnapshot {
  /** Grows with every change. */
  readonly version: number;
  readonly zones: readonly Zone[];
}

/** Where snapshots come from. */
export interface ConfigSource {
  /** The configuration in force now. */
  current(): ConfigSnapshot;
  /** Calls `listener` after each change, before the API answers the change. Returns how to stop that. */
  subscribe(listener: (snapshot: ConfigSnapshot) => void): () => void;
}
