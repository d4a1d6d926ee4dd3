/**
 * A zone as a document: what the control plane says of it, in the shapes of its API, so that an exported file and a
 * running control plane are read by the same code.
 */
import type { Account, CookieScope, Zone } from "../engine/index.ts";
import { checkOperationInput } from "../operation/index.ts";
import type { Operation } from "../operation/index.ts";
import { PHASES } from "../ruleset/index.ts";
import type { List, Phase, Ruleset, RulesetKind } from "../ruleset/index.ts";
import { checkRules } from "./rulesets.ts";
import { zoneIdOf } from "./stable-ids.ts";

/** The members that are read; others are passed over. */
export interface ZoneDocument {
  readonly zone: {
    /** Name of the site; its id, and with it the keys of its cookies, is derived from it unless `id` is given. */
    readonly name: string;
    /** 32 hex characters. */
    readonly id?: string;
    /** Host names it answers for; its name unless given. */
    readonly hosts?: readonly string[];
    readonly paused?: boolean;
  };
  /** As `GET /zones/{zone_id}/api_gateway/operations` gives them. */
  readonly operations: readonly WireOperation[];
  /** As `GET /zones/{zone_id}/fraud_detection/sequence_cookies` gives it; enabled unless said otherwise. */
  readonly sequence_cookies?: { readonly enabled: boolean };
  readonly cookie_scope?: Partial<CookieScope>;
  /** Entry points of the zone, as `GET /zones/{zone_id}/rulesets/phases/{phase}/entrypoint` gives them. */
  readonly rulesets: readonly WireRuleset[];
  /** Entry points of kind `root` and the rulesets that they execute. */
  readonly account_rulesets?: readonly WireRuleset[];
  /** Lists that expressions name, each with its `items`. */
  readonly lists?: readonly List[];
}

export interface WireOperation {
  /** UUID; its first eight characters are the short id. */
  readonly operation_id: string;
  readonly method: string;
  readonly host: string;
  readonly endpoint: string;
  readonly record?: string;
  readonly prefetch?: string;
}

export interface WireRuleset extends Partial<Omit<Ruleset, "phase" | "rules">> {
  readonly phase: string;
  readonly rules?: readonly unknown[];
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
  const lists = list(document["lists"] ?? [], "lists") as readonly List[];
  const accountId = zoneIdOf(`account of ${name}`);
  const rulesets = parseRulesets(document["rulesets"], "rulesets", lists);
  const shared = parseRulesets(document["account_rulesets"] ?? [], "account_rulesets", lists);
  const enabled = document["sequence_cookies"];
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
          enabled: enabled === undefined || object(enabled, "sequence_cookies")["enabled"] === true,
        },
        cookieScope: {
          ...DEFAULT_COOKIE_SCOPE,
          ...(document["cookie_scope"] === undefined ? {} : object(document["cookie_scope"], "cookie_scope")),
        },
      },
      operations: list(document["operations"], "operations").map(parseOperation),
      rulesets,
    },
    account: { id: accountId, name: "", rulesets: shared, lists },
  };
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

function parseRulesets(value: unknown, at: string, lists: readonly List[]): readonly Ruleset[] {
  const rulesets = list(value, at).map((wire, index) => parseRuleset(wire, at, index));
  const kinds = new Map(lists.map(({ name, kind }) => [name, kind]));
  checkRules(
    rulesets.flatMap(({ phase, kind, rules }) => rules.map((rule) => ({ phase, kind, rule }))),
    kinds,
  );
  return rulesets;
}

function parseRuleset(value: unknown, at: string, index: number): Ruleset {
  const place = `${at}[${index}]`;
  const ruleset = object(value, place);
  const { name, version, simulate, last_updated: lastUpdated } = ruleset;
  return {
    id: text(ruleset["id"], `${place}.id`),
    name: typeof name === "string" ? name : "default",
    description: "",
    kind: kindOf(ruleset["kind"], at),
    phase: phaseOf(ruleset["phase"], place),
    version: typeof version === "string" ? version : "1",
    last_updated: typeof lastUpdated === "string" ? lastUpdated : "",
    ...(simulate === true ? { simulate } : {}),
    rules: list(ruleset["rules"] ?? [], `${place}.rules`) as Ruleset["rules"],
  };
}

function kindOf(value: unknown, at: string): RulesetKind {
  if (value === "zone" || value === "root" || value === "custom") return value;
  return at === "rulesets" ? "zone" : "root";
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
