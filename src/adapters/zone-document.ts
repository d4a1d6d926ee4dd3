/**
 * A zone as a document: what `stepgate export` writes and a running control plane gives, read by the same code.
 */
import type { Account, CookieScope, Zone } from "../engine/index.ts";
import { checkOperationInput } from "../operation/index.ts";
import type { Operation } from "../operation/index.ts";
import { PHASES } from "../ruleset/index.ts";
import type { List, Phase, Ruleset } from "../ruleset/index.ts";
import type { SeqRule } from "../sequence/index.ts";
import type { RuleInput } from "./rule-input.ts";
import { checkRules, NO_DATE, toRule } from "./rulesets.ts";
import { contentId, zoneIdOf } from "./stable-ids.ts";

/** What `stepgate export` writes, as far as an application needs it; other members are passed over. */
export interface ZoneDocument {
  /** The site. */
  readonly zone: {
    /** Name of the site; its id, and with it the keys of its cookies, is derived from it unless `id` is given. */
    readonly name: string;
    /** 32 hex characters. */
    readonly id?: string;
    /** Host names it answers for; its name unless given. */
    readonly hosts?: readonly string[];
    /** Whether everything passes unseen; not unless given. */
    readonly paused?: boolean;
    /** Sequence cookies of the zone. */
    readonly sequence_cookies: {
      /** Whether operations are remembered. */
      readonly enabled: boolean;
    };
    /** Attributes of the cookies; `SameSite=Lax` for the host alone unless given. */
    readonly cookie_scope?: {
      /** The attribute `SameSite`. */
      readonly same_site: CookieScope["sameSite"];
      /** The attribute `Partitioned`. */
      readonly partitioned: boolean;
      /** Domain shared by several hosts; `null` for none. */
      readonly domain: string | null;
    };
    /** How sequences are kept; only cookies are supported inside an application. */
    readonly sequence?: {
      /** `cookie` unless given, and nothing else here. */
      readonly tracking?: string;
      /** Not `true` here. */
      readonly bind?: boolean;
      /** Not `true` here. */
      readonly strict?: boolean;
    };
    /** Session identifiers; none are supported inside an application. */
    readonly auth_id_characteristics?: readonly unknown[];
  };
  /** Saved operations. */
  readonly operations: readonly WireOperation[];
  /** Entry points of the zone; `kind` is for those of the account. */
  readonly rulesets: readonly WireRuleset[];
  /** Sequence Mitigation rules. */
  readonly seqrules?: readonly object[];
  /** Lists that expressions name. */
  readonly lists?: readonly {
    /** What expressions call it: `$name`. */
    readonly name: string;
    /** `ip`, `asn`, `hostname` or `redirect`. */
    readonly kind: string;
    /** Items in the wire shape of the Lists API. */
    readonly items: readonly object[];
  }[];
}

/** A saved operation in the wire shape of API Shield. */
export interface WireOperation {
  /** UUID; its first eight characters are the short id. */
  readonly operation_id: string;
  /** `GET`, `POST` and so on. */
  readonly method: string;
  /** Host name; a label may be a `{hostVarN}` variable. */
  readonly host: string;
  /** Path template, `/users/{var1}`. */
  readonly endpoint: string;
  /** `forwarded` (default) or `success`. */
  readonly record?: string;
  /** `record` (default), `ignore` or `refuse`. */
  readonly prefetch?: string;
}

/** A ruleset in the wire shape of the Rulesets API. */
export interface WireRuleset {
  /** `http_request_firewall_custom` or another phase. */
  readonly phase: string;
  /** `zone` (default), `root` for the account's, `custom`. */
  readonly kind?: string;
  /** For people. */
  readonly name?: string;
  /** For people. */
  readonly description?: string;
  /** Rules in the order in which they are asked. */
  readonly rules: readonly object[];
}

/** A zone with what its account shares. */
export interface ZoneConfig {
  readonly zone: Zone;
  readonly account: Account;
}

export const DEFAULT_COOKIE_SCOPE: CookieScope = { sameSite: "Lax", partitioned: false, domain: null };

/** Where an application's own requests would be forwarded: nowhere. */
const NO_ORIGIN = "http://127.0.0.1:0";

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * @param value a {@link ZoneDocument}, as JSON gave it
 * @throws {TypeError} naming the place of the first mistake, or every mistake of the rules
 */
export function parseZoneDocument(value: unknown): ZoneConfig {
  const document = object(value, "the document");
  const head = object(document["zone"], "zone");
  const name = text(head["name"], "zone.name");
  refuseSessions(head["auth_id_characteristics"]);
  refuseTracking(head["sequence"]);
  const lists = list(document["lists"] ?? [], "lists").map(parseList);
  const rulesets = parseRulesets(document["rulesets"], lists);
  const accountId = zoneIdOf(`account of ${name}`);
  return {
    zone: {
      id: head["id"] === undefined ? zoneIdOf(name) : text(head["id"], "zone.id"),
      accountId,
      name,
      hosts: head["hosts"] === undefined ? [name] : list(head["hosts"], "zone.hosts").map(String),
      origin: NO_ORIGIN,
      paused: head["paused"] === true,
      settings: {
        sequenceCookies: {
          enabled: object(head["sequence_cookies"], "zone.sequence_cookies")["enabled"] === true,
        },
        cookieScope: parseScope(head["cookie_scope"]),
      },
      operations: list(document["operations"], "operations").map(parseOperation),
      rulesets: rulesets.filter(({ kind }) => kind === "zone"),
      seqRules: list(document["seqrules"] ?? [], "seqrules") as readonly SeqRule[],
    },
    account: { id: accountId, name: "", rulesets: rulesets.filter(({ kind }) => kind !== "zone"), lists },
  };
}

function parseScope(value: unknown): CookieScope {
  if (value === undefined) return DEFAULT_COOKIE_SCOPE;
  const { same_site: sameSite, partitioned, domain } = object(value, "zone.cookie_scope");
  return {
    sameSite: sameSite === "Strict" || sameSite === "None" ? sameSite : "Lax",
    partitioned: partitioned === true,
    domain: typeof domain === "string" ? domain : null,
  };
}

/** A rule that binds sequences to sessions must not silently bind them to nothing. */
function refuseSessions(value: unknown): void {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return;
  throw new TypeError(
    "zone.auth_id_characteristics: expected none, for session identifiers need the gateway; remove them for this application",
  );
}

/** Likewise: an application keeps sequences in cookies only. */
function refuseTracking(value: unknown): void {
  if (value === undefined) return;
  const { tracking, bind, strict } = object(value, "zone.sequence");
  if (bind === true || strict === true) {
    throw new TypeError("zone.sequence: expected neither `bind` nor `strict`, for both need the gateway");
  }
  if (tracking === undefined || tracking === "cookie") return;
  throw new TypeError(
    `zone.sequence.tracking: expected \`cookie\`, for sessions need the gateway, found \`${JSON.stringify(tracking)}\``,
  );
}

function parseList(value: unknown, index: number): List {
  const { name, kind, items } = object(value, `lists[${index}]`);
  const id = contentId("list", String(name));
  const identity = { id, created_on: NO_DATE, modified_on: NO_DATE };
  return {
    id,
    name: text(name, `lists[${index}].name`),
    kind: text(kind, `lists[${index}].kind`),
    items: list(items, `lists[${index}].items`).map((item) => Object.assign({}, identity, item)),
  } as unknown as List;
}

function parseOperation(value: unknown, index: number): Operation {
  const at = `operations[${index}]`;
  const wire = object(value, at);
  const id = text(wire["operation_id"], `${at}.operation_id`);
  if (!UUID.test(id))
    throw new TypeError(`${at}.operation_id: expected a UUID in lower case, found \`${id}\``);
  const checked = checkOperationInput(wire);
  if (checked.kind === "errors") {
    throw new TypeError(`${at}: ${checked.errors.map(({ message }) => message).join("; ")}`);
  }
  return {
    id,
    shortId: id.slice(0, 8),
    method: checked.method,
    host: checked.host,
    endpoint: checked.endpoint,
    lastUpdatedAt: 0,
    record: wire["record"] === "success" ? "success" : "forwarded",
    prefetch: wire["prefetch"] === "ignore" || wire["prefetch"] === "refuse" ? wire["prefetch"] : "record",
  };
}

function parseRulesets(value: unknown, lists: readonly List[]): readonly Ruleset[] {
  const rulesets = list(value, "rulesets").map(parseRuleset);
  const kinds = new Map(lists.map(({ name, kind }) => [name, kind]));
  checkRules(
    rulesets.flatMap(({ phase, kind, rules }) => rules.map((rule) => ({ phase, kind, rule }))),
    kinds,
  );
  return rulesets;
}

function parseRuleset(value: unknown, index: number): Ruleset {
  const place = `rulesets[${index}]`;
  const { id, name, phase, kind, simulate, rules } = object(value, place);
  return {
    id: typeof id === "string" ? id : contentId("ruleset", String(phase)),
    name: typeof name === "string" ? name : "default",
    description: "",
    kind: kind === "root" || kind === "custom" ? kind : "zone",
    phase: phaseOf(phase, place),
    version: "1",
    last_updated: NO_DATE,
    ...(simulate === true ? { simulate } : {}),
    rules: list(rules, `${place}.rules`).map((rule) =>
      toRule(object(rule, `${place}.rules`) as unknown as RuleInput),
    ),
  };
}

function phaseOf(value: unknown, at: string): Phase {
  const phase = PHASES.find((known) => known === value);
  if (phase === undefined) {
    throw new TypeError(`${at}.phase: expected one of ${PHASES.join(", ")}, found \`${String(value)}\``);
  }
  return phase;
}

function object(value: unknown, at: string): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Readonly<Record<string, unknown>>;
  throw new TypeError(`${at}: expected an object, found ${value === undefined ? "none" : "something else"}`);
}

function list(value: unknown, at: string): readonly unknown[] {
  if (Array.isArray(value)) return value as readonly unknown[];
  throw new TypeError(`${at}: expected a list, found ${value === undefined ? "none" : "something else"}`);
}

function text(value: unknown, at: string): string {
  if (typeof value === "string" && value !== "") return value;
  throw new TypeError(`${at}: expected a text, found ${value === undefined ? "none" : "something else"}`);
}
