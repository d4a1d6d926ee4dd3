/** A zone made ready for requests. Compiled when its configuration changes; requests only look things up. */
import { createMatcher, DEFAULT_PATH_OPTIONS, DEFAULT_URL_NORMALIZATION } from "../operation/index.ts";
import type { OperationMatcher, PathOptions, UrlNormalization } from "../operation/index.ts";
import { prepareRuleset } from "../phases/index.ts";
import type { PreparedPhase, PreparedRuleset } from "../phases/index.ts";
import { PHASES } from "../ruleset/index.ts";
import type { Phase, Rule, Ruleset } from "../ruleset/index.ts";
import type { CompiledSeqRules } from "../sequence/index.ts";
import { checkTokenSources, createSessionReader } from "../session/index.ts";
import type { SessionReader, VerifyToken } from "../session/index.ts";
import { namesLists } from "./account.ts";
import type { CompiledAccount } from "./account.ts";
import type { Zone } from "./snapshot.ts";
import type { SequenceTracker, TrackerFactory } from "./tracker.ts";
import type { TrafficFactory, ZoneTraffic } from "./traffic.ts";
import { compileMitigation } from "./zone-mitigation.ts";
import { sequenceSettingsOf, trackingPartsOf } from "./zone-tracker.ts";

export interface CompiledZone {
  readonly zone: Zone;
  readonly account: CompiledAccount;
  /** For the canonical form of targets and for the matcher alike. */
  readonly pathOptions: PathOptions;
  /** Absent where rules and the origin get the canonical form, which is the default. */
  readonly normalization: UrlNormalization | undefined;
  readonly matcher: OperationMatcher;
  readonly tracker: SequenceTracker;
  /** Whether sequences are kept at all. */
  readonly isTracking: boolean;
  /** Reads the zone's session identifiers; absent when it has none. */
  readonly sessions: SessionReader | undefined;
  /** Whether a sequence depends on the session identifier. */
  readonly keepsByIdentity: boolean;
  /** Absent when the zone has no sequence rules. */
  readonly mitigation: CompiledSeqRules | undefined;
  readonly hosts: ReadonlySet<string>;
  /** Phases that have rules; the others cost nothing. */
  readonly phases: Readonly<Partial<Record<Phase, PreparedPhase>>>;
  /** Those of them between the sequence and the origin, in their order. */
  readonly requestPhases: readonly PreparedPhase[];
  /** Prepared entry points of the zone. */
  readonly prepared: ReadonlyMap<Ruleset, PreparedRuleset>;
  /** Whether a rule may ask for the history of a request that is no operation. */
  readonly needsHistory: boolean;
  /** Who counts the zone's requests; absent when nobody does. */
  readonly traffic: ZoneTraffic | undefined;
}

/** What a zone needs of the outside world. */
export interface ZoneParts {
  readonly trackerFor: TrackerFactory;
  /** Absent where tokens cannot be verified: a zone with session identifiers of type `jwt` is then refused. */
  readonly tokenVerifierFor: ((zone: Zone) => VerifyToken) | undefined;
  readonly trafficFor: TrafficFactory | undefined;
}

/** Phases between the sequence and the origin, in their order. */
const REQUEST_PHASES = [
  "http_request_firewall_custom",
  "http_ratelimit",
  "http_request_redirect",
  "http_request_late_transform",
] as const satisfies readonly Phase[];

/** Fields whose values come out of the sequence. */
const HISTORY_FIELDS = ["cf.sequence.previous_ops", "cf.sequence.msec_since_op", "cf.sequence.id"];

/**
 * @param previous the same zone as it was before, whose unchanged parts are kept as they are
 * @throws {PrepareError} for a ruleset that cannot be used
 */
export function compileZone(
  zone: Zone,
  previous: CompiledZone | undefined,
  account: CompiledAccount,
  parts: ZoneParts,
): CompiledZone {
  if (previous?.zone === zone && previous.account === account) return previous;
  const sameOperations =
    previous?.zone.operations === zone.operations &&
    previous.zone.settings.pathOptions === zone.settings.pathOptions;
  const pathOptions = { ...DEFAULT_PATH_OPTIONS, ...zone.settings.pathOptions };
  const kept = previous?.zone.settings === zone.settings ? previous : undefined;
  const prepared = prepareEntrypoints(zone, previous, account);
  const phases = toPhases(account, prepared);
  const rulesets = Object.values(phases).flatMap((phase) => phase.rulesets);
  return {
    zone,
    account,
    pathOptions,
    normalization: normalizationOf(zone),
    matcher: sameOperations ? previous.matcher : createMatcher(zone.operations, pathOptions),
    ...compileTracking(zone, kept, parts),
    hosts: new Set(zone.hosts),
    phases,
    requestPhases: REQUEST_PHASES.flatMap((name) => phases[name] ?? []),
    prepared,
    needsHistory: rulesets.some(({ fieldsWithoutOp }) =>
      HISTORY_FIELDS.some((field) => fieldsWithoutOp.has(field)),
    ),
    traffic: previous?.zone === zone ? previous.traffic : parts.trafficFor?.(zone),
  };
}

function normalizationOf({ settings }: Zone): UrlNormalization | undefined {
  const { scope, type } = settings.urlNormalization ?? DEFAULT_URL_NORMALIZATION;
  const isDefault = scope === DEFAULT_URL_NORMALIZATION.scope && type === DEFAULT_URL_NORMALIZATION.type;
  return isDefault ? undefined : { scope, type };
}

/** @param kept the zone as it was before, if its settings are the same */
function compileTracking(
  zone: Zone,
  kept: CompiledZone | undefined,
  parts: ZoneParts,
): Pick<CompiledZone, "tracker" | "isTracking" | "keepsByIdentity" | "mitigation" | "sessions"> {
  const { cookies, sessions } = trackingPartsOf(zone);
  const isSame = kept !== undefined && kept.zone.seqRules === zone.seqRules;
  return {
    tracker: kept?.tracker ?? parts.trackerFor(zone),
    isTracking: cookies || sessions,
    keepsByIdentity: sessions || (cookies && sequenceSettingsOf(zone).bind),
    mitigation: isSame ? kept.mitigation : compileMitigation(zone),
    sessions: kept === undefined ? createReader(zone, parts) : kept.sessions,
  };
}

function createReader(zone: Zone, { tokenVerifierFor }: ZoneParts): SessionReader | undefined {
  const { authIdCharacteristics = [], tokenConfigs = [] } = zone.settings;
  if (authIdCharacteristics.length === 0) return undefined;
  const needsTokens = authIdCharacteristics.some(({ type }) => type === "jwt");
  return createSessionReader(authIdCharacteristics, {
    duplicates: sequenceSettingsOf(zone).duplicates,
    tokenSources: new Map(
      tokenConfigs.map(({ id, tokenSources }) => [id, checkTokenSources(tokenSources).sources]),
    ),
    ...(needsTokens && tokenVerifierFor !== undefined ? { verifyToken: tokenVerifierFor(zone) } : {}),
  });
}

/** The ruleset and rule of an id, among all that can fire for the zone. */
export function findRule(
  { phases }: CompiledZone,
  ruleId: string,
): { readonly ruleset: Ruleset; readonly rule: Rule } | undefined {
  for (const { rulesets } of Object.values(phases)) {
    for (const prepared of rulesets) {
      const found = findIn(prepared, ruleId);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function findIn(
  { ruleset, rules }: PreparedRuleset,
  ruleId: string,
): { readonly ruleset: Ruleset; readonly rule: Rule } | undefined {
  for (const { rule } of rules.rules) {
    if (rule.rule.id === ruleId) return { ruleset, rule: rule.rule };
    const executed = rule.action.kind === "execute" ? findIn(rule.action.ruleset, ruleId) : undefined;
    if (executed !== undefined) return executed;
  }
  return undefined;
}

function prepareEntrypoints(
  zone: Zone,
  previous: CompiledZone | undefined,
  { lists }: CompiledAccount,
): ReadonlyMap<Ruleset, PreparedRuleset> {
  const sameLists = previous?.account.lists === lists;
  const earlier = [...(previous?.prepared.values() ?? [])];
  const prepared = new Map<Ruleset, PreparedRuleset>();
  for (const ruleset of zone.rulesets) {
    if (ruleset.kind !== "zone") continue;
    const canReuse = sameLists || !namesLists(ruleset);
    const before = canReuse ? earlier.find((other) => other.ruleset.id === ruleset.id) : undefined;
    if (before?.ruleset === ruleset) prepared.set(ruleset, before);
    else {
      const context = { lists, customRuleset: () => undefined };
      prepared.set(
        ruleset,
        prepareRuleset(ruleset, before === undefined ? context : { ...context, previous: before }),
      );
    }
  }
  return prepared;
}

function toPhases(
  { roots }: CompiledAccount,
  prepared: ReadonlyMap<Ruleset, PreparedRuleset>,
): CompiledZone["phases"] {
  const phases: Partial<Record<Phase, PreparedPhase>> = {};
  for (const phase of PHASES) {
    const root = roots.get(phase);
    const own = [...prepared.values()].filter(({ ruleset }) => ruleset.phase === phase);
    const rulesets = [...(root === undefined ? [] : [root]), ...own].filter(hasRules);
    if (rulesets.length > 0) phases[phase] = { phase, rulesets };
  }
  return phases;
}

/** Rules that are off were left out. */
function hasRules({ rules }: PreparedRuleset): boolean {
  return rules.rules.length > 0;
}
