/**
 * The configuration the engine runs on: immutable, replaced as a whole. Parts that did not change keep
 * their identity from one snapshot to the next, so that only what changed is compiled again.
 */
import type { Operation, PathOptions, UrlNormalization } from "../operation/index.ts";
import type { List, Ruleset } from "../ruleset/index.ts";
import type { SeqRule } from "../sequence/index.ts";

/** Attributes of the sequence cookies of a zone. */
export interface CookieScope {
  /** The attribute `SameSite`. */
  readonly sameSite: "Lax" | "Strict" | "None";
  /** The attribute `Partitioned`: one jar for each site that embeds yours. */
  readonly partitioned: boolean;
  /** Domain shared by several hosts (`__Secure-sq.` names); `null` binds each cookie to its host (`__Host-sq.`). */
  readonly domain: string | null;
}

/** Where a session identifier is read from (API Shield's `auth_id_characteristics`, wire shape). */
export interface AuthIdCharacteristic {
  readonly type: "header" | "cookie" | "jwt";
  /** Name of the header or cookie; for `jwt` `<token_config_id>:$.<claim path>`. */
  readonly name: string;
}

/** What a visitor's sequence is kept by. */
export const TRACKINGS = ["cookie", "session", "both"] as const;

/** How the sequences of a zone are kept, and how far its sequence rules look back. */
export interface SequenceSettings {
  /**
   * - `cookie`: in the browser, where sequence cookies are on;
   * - `session`: on the server, by the session identifier of a request; without one it has no sequence;
   * - `both`: by the session identifier where a request carries one, else in the browser.
   */
  readonly tracking: (typeof TRACKINGS)[number];
  /**
   * Couples sequence cookies to the session identifier: a cookie that was made in one session says nothing in another,
   * or in none. For `cookie` tracking.
   */
  readonly bind: boolean;
  /**
   * Sequence cookies only name a sequence that is kept on the server, so that an older copy of a cookie, or one that
   * was held back, changes nothing. For `cookie` and `both` tracking, not with `bind`.
   */
  readonly strict: boolean;
  /**
   * Which value counts when a session identifier stands in a request more than once with different values: the
   * first, the last, or none, and the request is answered with 400.
   */
  readonly duplicates: "reject" | "first" | "last";
  /**
   * Whether `allow` sequence rules fire on a request that has no sequence at all; `null` leaves it to the tracking:
   * they do where such a request belongs to a visitor without cookies, and do not where it belongs to nobody.
   */
  readonly allowFiresWithoutIdentity: boolean | null;
  /** Requests that sequence rules look back on, the current one included, and operations kept of a session. */
  readonly lookbackRequests: number;
  /** Age of an operation that sequence rules still see, and idleness after which a session begins anew. */
  readonly lookbackSeconds: number;
}

export const DEFAULT_SEQUENCE_SETTINGS: SequenceSettings = Object.freeze({
  tracking: "cookie",
  bind: false,
  strict: false,
  duplicates: "reject",
  allowFiresWithoutIdentity: null,
  lookbackRequests: 10,
  lookbackSeconds: 600,
});

/** What Sequence Analytics keeps of the requests of a zone, beside counts that name nobody. */
export interface AnalyticsSettings {
  /** Whether a small sample of requests is kept for a day, with what security events say of a request. */
  readonly sampleDecisions: boolean;
}

/** Tokens that name sessions, and the keys that verify them (`token_validation/config`). */
export interface TokenConfig {
  /** UUID. */
  readonly id: string;
  readonly title: string;
  readonly description: string;
  /** As in `http.request.headers["authorization"][0]`. */
  readonly tokenSources: readonly string[];
  /** JWKs with `alg` and `kid`. */
  readonly keys: readonly Readonly<Record<string, unknown>>[];
  /** Audiences of which a token must name one; any when empty. Our own. */
  readonly audience: readonly string[];
  /** Issuer that a token must name; any when empty. Our own. */
  readonly issuer: string;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly lastUpdatedAt: number;
}

export interface ZoneSettings {
  /** How the zone's origin reads paths, where it differs from the defaults. */
  readonly pathOptions?: Partial<PathOptions>;
  readonly sequenceCookies: { readonly enabled: boolean };
  readonly cookieScope: CookieScope;
  /** At most 10, unique; none when absent. */
  readonly authIdCharacteristics?: readonly AuthIdCharacteristic[];
  /** What the `jwt` ones among them refer to; none when absent. */
  readonly tokenConfigs?: readonly TokenConfig[];
  /** {@link DEFAULT_SEQUENCE_SETTINGS} when absent. */
  readonly sequence?: SequenceSettings;
  /** What is kept of requests beside counts; nothing when absent. */
  readonly analytics?: AnalyticsSettings;
  /** Which spelling of a path rules see and the origin receives; {@link DEFAULT_URL_NORMALIZATION} when absent. */
  readonly urlNormalization?: UrlNormalization;
}

/** One protected site. */
export interface Zone {
  /** 32 hex characters, stable across restarts. */
  readonly id: string;
  readonly accountId: string;
  readonly name: string;
  /** Canonical host names this zone answers for. */
  readonly hosts: readonly string[];
  /**
   * Answers for every host name no other zone has; its operations are saved on its name, whatever host is asked
   * for. For an application that carries the engine itself and serves all hosts alike. `false` when absent.
   */
  readonly anyHost?: boolean;
  /** Where its requests are forwarded: an absolute http(s) URL without a path. */
  readonly origin: string;
  /** A paused zone only forwards: no rules, no cookies. `false` when absent. */
  readonly paused?: boolean;
  readonly settings: ZoneSettings;
  readonly operations: readonly Operation[];
  /** Entry point rulesets of the zone, at most one per phase. */
  readonly rulesets: readonly Ruleset[];
  /** Sequence Mitigation rules in the order of evaluation; none when absent. */
  readonly seqRules?: readonly SeqRule[];
}

/** What all zones of an account share. */
export interface Account {
  /** 32 hex characters. */
  readonly id: string;
  readonly name: string;
  /** Entry points of kind `root`, at most one per phase, and the `custom` rulesets that they execute. */
  readonly rulesets: readonly Ruleset[];
  /** Lists that expressions name with `$name`; names are unique. */
  readonly lists: readonly List[];
}

export interface ConfigSnapshot {
  /** Grows with every change. */
  readonly version: number;
  readonly zones: readonly Zone[];
  /** None when absent. */
  readonly accounts?: readonly Account[];
}

/** Where snapshots come from. */
export interface ConfigSource {
  /** The configuration in force now. */
  current(): ConfigSnapshot;
  /** Calls `listener` after each change, before the API answers the change. Returns how to stop that. */
  subscribe(listener: (snapshot: ConfigSnapshot) => void): () => void;
}
