/** Zones in the store: creating, our own settings, deleting. */
import { DEFAULT_SEQUENCE_SETTINGS } from "../engine/index.ts";
import type { SequenceSettings } from "../engine/index.ts";
import { canonicalHost } from "../operation/index.ts";
import { DEFAULT_ZONE_SETTINGS, derivedId, operationKey } from "../store/index.ts";
import type { Transaction, View, ZoneRow } from "../store/index.ts";
import { invalid, invalidValue } from "./issues.ts";
import type { Issue } from "./issues.ts";
import { MAX_ZONES } from "./limits.ts";
import type { ApiDependencies } from "./route.ts";
import type { SettingsBody } from "./schemas/zones.ts";

/** Our settings of a zone, as they are answered. `origin` is null until there is one. */
export function toWireSettings(zone: ZoneRow) {
  const { sameSite, partitioned, domain } = zone.settings.cookieScope;
  return {
    // Who says hosts and origin: the configuration file, or this API.
    owner: zone.owner,
    origin: zone.origin === "" ? null : zone.origin,
    hosts: zone.hosts,
    cookie_scope: { same_site: sameSite, partitioned, domain },
    sequence: toWireSequence(sequenceOf(zone)),
    analytics: { sample_decisions: zone.settings.analytics?.sampleDecisions === true },
  };
}

/** How the zone keeps sequences. */
function toWireSequence(sequence: SequenceSettings) {
  return {
    tracking: sequence.tracking,
    bind: sequence.bind,
    strict: sequence.strict,
    duplicates: sequence.duplicates,
    allow_fires_without_identity: sequence.allowFiresWithoutIdentity,
    lookback_requests: sequence.lookbackRequests,
    lookback_seconds: sequence.lookbackSeconds,
  };
}

/** What a zone has until somebody says otherwise. */
export const DEFAULT_WIRE_SEQUENCE = toWireSequence(DEFAULT_SEQUENCE_SETTINGS);

const sequenceOf = ({ settings }: ZoneRow): SequenceSettings =>
  settings.sequence ?? DEFAULT_SEQUENCE_SETTINGS;

/** @throws {ApiError} for settings that do nothing, or not what they say */
function checkedSequence(zone: ZoneRow, body: NonNullable<SettingsBody["sequence"]>): SequenceSettings {
  const sequence = editedSequence(sequenceOf(zone), body);
  const { tracking, bind, strict } = sequence;
  if (strict && tracking === "session") {
    throw invalidValue(
      "/sequence/strict",
      strict,
      "sessions are kept on the server already; it is for cookies",
    );
  }
  if (bind && tracking !== "cookie") {
    const reason = `with tracking \`${tracking}\` a request that names a session is not tracked by its cookies`;
    throw invalidValue("/sequence/bind", bind, reason);
  }
  if (bind && strict) {
    throw invalidValue(
      "/sequence/bind",
      bind,
      "what is strict and bound is a session: use tracking `both` instead",
    );
  }
  if (bind && zone.settings.authIdCharacteristics.length === 0) {
    const reason = "the zone has no session identifier; set one under `api_gateway/configuration` first";
    throw invalidValue("/sequence/bind", bind, reason);
  }
  return sequence;
}

/** What a body leaves out stays. */
function editedSequence(
  sequence: SequenceSettings,
  body: NonNullable<SettingsBody["sequence"]>,
): SequenceSettings {
  return {
    tracking: body.tracking ?? sequence.tracking,
    bind: body.bind ?? sequence.bind,
    strict: body.strict ?? sequence.strict,
    duplicates: body.duplicates ?? sequence.duplicates,
    allowFiresWithoutIdentity:
      body.allow_fires_without_identity === undefined
        ? sequence.allowFiresWithoutIdentity
        : body.allow_fires_without_identity,
    lookbackRequests: body.lookback_requests ?? sequence.lookbackRequests,
    lookbackSeconds: body.lookback_seconds ?? sequence.lookbackSeconds,
  };
}

/** @throws {ApiError} for a name that is no host, or taken */
export function newZone(transaction: Transaction, name: string, accountId: string): ZoneRow {
  const host = checkedHost(name, "/name");
  if (transaction.find("zones", host) !== undefined) {
    throw invalidValue("/name", name, "a zone of this name exists already", "duplicate_value");
  }
  if (transaction.all("zones").length >= MAX_ZONES) {
    throw invalidValue("/name", name, `there are at most ${MAX_ZONES} zones`, "limit_reached");
  }
  refuseTakenHosts(transaction, [host], { zoneId: undefined, pointerOf: () => "/name" });
  const { at } = transaction;
  return {
    id: derivedId("zone", host),
    accountId,
    name: host,
    hosts: [host],
    origin: "",
    owner: "api",
    served: false,
    paused: false,
    createdAt: at,
    modifiedAt: at,
    settings: DEFAULT_ZONE_SETTINGS,
    seqRules: [],
  };
}

/**
 * The zone with changed settings. What the configuration file says of its zones cannot be changed here: it would be
 * undone by the next start.
 *
 * @throws {ApiError} with every mistake
 */
export function withSettings(
  transaction: Transaction,
  zone: ZoneRow,
  { body, deps }: { readonly body: SettingsBody; readonly deps: Pick<ApiDependencies, "isOriginAllowed"> },
): ZoneRow {
  refuseFileFacts(zone, body);
  const hosts = body.hosts?.map((host, index) => checkedHost(host, `/hosts/${index}`)) ?? zone.hosts;
  refuseTakenHosts(transaction, hosts, { zoneId: zone.id, pointerOf: (index) => `/hosts/${index}` });
  const origin = body.origin === undefined ? zone.origin : checkedOrigin(body.origin, deps);
  const scope = zone.settings.cookieScope;
  const cookieScope = {
    sameSite: body.cookie_scope?.same_site ?? scope.sameSite,
    partitioned: body.cookie_scope?.partitioned ?? scope.partitioned,
    domain: body.cookie_scope?.domain === undefined ? scope.domain : checkedDomain(body.cookie_scope.domain),
  };
  refuseImpossibleScope(cookieScope, hosts);
  return {
    ...zone,
    hosts,
    origin,
    served: zone.owner === "file" ? zone.served : origin !== "",
    modifiedAt: transaction.at,
    settings: {
      ...zone.settings,
      cookieScope,
      ...(body.sequence === undefined ? {} : { sequence: checkedSequence(zone, body.sequence) }),
      ...(body.analytics?.sample_decisions === undefined
        ? {}
        : { analytics: { sampleDecisions: body.analytics.sample_decisions } }),
    },
  };
}

function refuseFileFacts(zone: ZoneRow, body: SettingsBody): void {
  if (zone.owner === "api") return;
  const issues = (["origin", "hosts"] as const).flatMap((name): readonly Issue[] => {
    const value = body[name];
    if (value === undefined || JSON.stringify(value) === JSON.stringify(zone[name])) return [];
    return [
      {
        name: "not_changeable",
        pointer: `/${name}`,
        value,
        reason: "the configuration file of Stepgate says it for this zone; change it there and start again",
      },
    ];
  });
  if (issues.length > 0) throw invalid(issues);
}

function checkedHost(text: string, pointer: string): string {
  const host = canonicalHost(text);
  if (host.kind === "error") throw invalidValue(pointer, text, host.message);
  if (host.port !== null) throw invalidValue(pointer, text, "it must not have a port");
  return host.host;
}

function refuseTakenHosts(
  view: View,
  hosts: readonly string[],
  {
    zoneId,
    pointerOf,
  }: { readonly zoneId: string | undefined; readonly pointerOf: (index: number) => string },
): void {
  const holders = new Map(
    view
      .all("zones")
      .filter(({ id }) => id !== zoneId)
      .flatMap((zone) => zone.hosts.map((host) => [host, zone.name] as const)),
  );
  const seen = new Set<string>();
  for (const [index, host] of hosts.entries()) {
    const holder = holders.get(host);
    if (holder !== undefined) {
      throw invalidValue(
        pointerOf(index),
        host,
        `zone \`${holder}\` answers for it already`,
        "duplicate_value",
      );
    }
    if (seen.has(host))
      throw invalidValue(pointerOf(index), host, "the list has it twice", "duplicate_value");
    seen.add(host);
  }
}

function checkedOrigin(text: string, { isOriginAllowed }: Pick<ApiDependencies, "isOriginAllowed">): string {
  const url = URL.parse(text);
  const isPlain =
    url !== null &&
    /^https?:\/\//i.test(text) &&
    url.pathname === "/" &&
    url.search + url.hash + url.username + url.password === "";
  if (!isPlain) {
    throw invalidValue(
      "/origin",
      text,
      "it must be `http://host:port` or `https://host:port` without a path",
    );
  }
  if (!isOriginAllowed(url)) {
    throw invalidValue(
      "/origin",
      text,
      "the operator has not allowed this origin for zones made through the API; name it in `allowedOrigins` of the configuration, or the zone itself",
    );
  }
  return url.origin;
}

function checkedDomain(domain: string | null): string | null {
  if (domain === null) return null;
  return checkedHost(domain.replace(/^\./, ""), "/cookie_scope/domain");
}

/** RFC 6265bis sections 4.1.2.3, 4.1.3 and 5.5; CHIPS for partitioned cookies. */
function refuseImpossibleScope(scope: ZoneRow["settings"]["cookieScope"], hosts: readonly string[]): void {
  const { sameSite, partitioned, domain } = scope;
  if (partitioned && sameSite !== "None") {
    throw invalidValue(
      "/cookie_scope/partitioned",
      partitioned,
      `browsers send partitioned cookies inside other sites only with \`same_site\` None; it is ${sameSite}`,
    );
  }
  if (domain === null) return;
  const pointer = "/cookie_scope/domain";
  if (!domain.includes(".") || /^\[|^[\d.]+$/.test(domain)) {
    throw invalidValue(
      pointer,
      domain,
      "browsers refuse cookies for a single label or an address; write a domain",
    );
  }
  const foreign = hosts.find((host) => host !== domain && !host.endsWith(`.${domain}`));
  if (foreign !== undefined) {
    throw invalidValue(
      pointer,
      domain,
      `host \`${foreign}\` of the zone is not below it, so browsers would refuse its cookies`,
    );
  }
}

/** Takes the zone away with everything in it. */
export function deleteZone(transaction: Transaction, zone: ZoneRow): void {
  for (const { operation } of transaction.group("operations", zone.id)) {
    transaction.delete("operations", operationKey(zone.id, operation.id));
  }
  for (const { ruleset } of transaction.group("rulesets", `zone:${zone.id}`)) {
    transaction.delete("rulesets", ruleset.id);
  }
  for (const table of ["schemas", "ignoredEndpoints"] as const) {
    for (const { id } of transaction.group(table, zone.id)) {
      transaction.delete(table, operationKey(zone.id, id));
    }
  }
  transaction.delete("zones", zone.id);
}
