/** One request of one zone, whatever carries it: operation → sequence → phases → decision, then response → cookies. */
import { canonicalHost, canonicalTarget, isExactRequest } from "../operation/index.ts";
import type { CanonicalHost, CanonicalPath, Operation } from "../operation/index.ts";
import { runCustomRules } from "../phases/index.ts";
import type { Rule } from "../ruleset/index.ts";
import { blockAnswer, customAnswer, refusalAnswer } from "./answer.ts";
import type { Answer, RefusalReason } from "./answer.ts";
import type { SecurityEvent } from "./events.ts";
import { RequestFields } from "./fields.ts";
import type { RequestFacts } from "./fields.ts";
import { isPreflight, isPrefetch } from "./request.ts";
import type { EngineRequest } from "./request.ts";
import { withSequenceCookies } from "./response.ts";
import type { ConfigSnapshot, ConfigSource } from "./snapshot.ts";
import type { TrackedSequence, TrackerFactory } from "./tracker.ts";
import { compileZone } from "./zone.ts";
import type { CompiledRuleset, CompiledZone } from "./zone.ts";

/** Recognises Stepgate's own cookies, so that neither origins nor rules nor logs ever see a token. */
export interface OwnCookies {
  /** A `Cookie` value without our cookies, otherwise byte for byte; `undefined` when nothing is left. */
  strip(header: string | undefined): string | undefined;
  /** Whether a `Set-Cookie` line sets a cookie by one of our names. */
  isOwnSetCookie(line: string): boolean;
}

export interface EngineOptions {
  readonly source: ConfigSource;
  readonly trackerFor: TrackerFactory;
  readonly ownCookies: OwnCookies;
  /** Cryptographically strong random bytes. */
  readonly random: (lengthBytes: number) => Uint8Array;
  readonly onEvent: (event: SecurityEvent) => void;
}

/** A request that may go on to its origin. */
export interface Visit {
  readonly zoneId: string;
  /** Absolute URL of the origin, without a path. */
  readonly origin: string;
  /** Canonical path and query: the same string that was matched. */
  readonly target: string;
  /** Canonical host. */
  readonly host: string;
  /** `Cookie` value for the origin, without our cookies. */
  readonly cookie: string | undefined;
  /** Records the operation if it counts, and edits the response's header list (flat; not changed in place). */
  onResponse(status: number, headers: string[]): string[] | Promise<string[]>;
}

export type Outcome =
  | { readonly kind: "answer"; readonly answer: Answer; readonly refusal?: RefusalReason }
  | { readonly kind: "forward"; readonly visit: Visit };

export interface Engine {
  /** Decides about one request. Rejects only on a defect of ours or of a store; the carrier answers 500 then. */
  decide(request: EngineRequest): Promise<Outcome>;
  /** The zone that answers for a canonical host, if any. */
  hasHost(host: string): boolean;
  /** Origins of all zones in force. */
  origins(): ReadonlySet<string>;
  /** Stops following the configuration. */
  close(): void;
}

/** Length of `cf.random_seed`. */
const RANDOM_SEED_BYTES = 16;

export function createEngine(options: EngineOptions): Engine {
  let zones: ReadonlyMap<string, CompiledZone> = new Map();
  let byHost: ReadonlyMap<string, CompiledZone> = new Map();
  const load = (snapshot: ConfigSnapshot): void => {
    zones = new Map(
      snapshot.zones.map((zone) => [zone.id, compileZone(zone, zones.get(zone.id), options.trackerFor)]),
    );
    byHost = new Map([...zones.values()].flatMap((zone) => zone.zone.hosts.map((host) => [host, zone])));
  };
  load(options.source.current());
  const unsubscribe = options.source.subscribe(load);
  return {
    async decide(request) {
      const host = canonicalHost(request.authority ?? "");
      if (host.kind === "error") return refuse(request, "bad_host");
      const zone = byHost.get(host.host);
      if (zone === undefined) return refuse(request, "misdirected");
      const target = canonicalTarget(request.target);
      if (target.kind !== "path") return refuse(request, "bad_target");
      if (target.authority !== null && !namesHost(target.authority, host)) return refuse(request, "bad_host");
      return decideInZone({ request, zone, host: host.host, target, options });
    },
    hasHost: (host) => byHost.has(host),
    origins: () => new Set([...zones.values()].map(({ zone }) => zone.origin)),
    close: unsubscribe,
  };
}

/** Whether the authority of an absolute-form target is the one of the Host field (RFC 9112 section 3.2.2). */
function namesHost(authority: string, host: CanonicalHost): boolean {
  const named = canonicalHost(authority);
  return named.kind === "host" && named.host === host.host && named.port === host.port;
}

interface Located {
  readonly request: EngineRequest;
  readonly zone: CompiledZone;
  readonly host: string;
  readonly target: CanonicalPath;
  readonly options: EngineOptions;
}

function refuse(request: EngineRequest, refusal: RefusalReason): Outcome {
  return { kind: "answer", answer: refusalAnswer(request, refusal), refusal };
}

async function decideInZone(located: Located): Promise<Outcome> {
  const { request, zone, options } = located;
  const cookie = options.ownCookies.strip(request.header("cookie"));
  // A preflight carries no credentials and asks for nothing: it is neither judged nor remembered.
  if (zone.zone.paused === true || isPreflight(request)) return forward(located, cookie, undefined);
  const operation = findOperation(located);
  const speculative = operation !== undefined && operation.prefetch !== "record" && isPrefetch(request);
  if (speculative && operation.prefetch === "refuse") return refuse(request, "prefetch_refused");
  const tracked = await readSequence(located, operation);
  const fields = new RequestFields(factsOf(located, { cookie, operation, tracked }));
  const blocked = zone.custom === undefined ? undefined : applyCustomRules(located, zone.custom, fields);
  if (blocked !== undefined) return { kind: "answer", answer: blocked };
  if (operation === undefined || tracked === undefined || speculative)
    return forward(located, cookie, undefined);
  return forward(located, cookie, operation.method === request.method ? { operation, tracked } : undefined);
}

/** While a zone keeps no sequences its requests are no operations: the history fields and `current_op` are empty. */
function findOperation({ request, zone, host, target }: Located): Operation | undefined {
  if (!zone.zone.settings.sequenceCookies.enabled) return undefined;
  return zone.matcher.match(request.method, host, target.path);
}

/** Cookies are opened only when something depends on them: a recording, or a rule about any request's history. */
async function readSequence(
  { request, zone }: Located,
  operation: Operation | undefined,
): Promise<TrackedSequence | undefined> {
  const needed = operation !== undefined || zone.needsHistory;
  if (!needed || !zone.zone.settings.sequenceCookies.enabled) return undefined;
  return zone.tracker.read(request, request.receivedAt);
}

interface FoundOut {
  readonly cookie: string | undefined;
  readonly operation: Operation | undefined;
  readonly tracked: TrackedSequence | undefined;
}

function factsOf(
  { request, zone, host, target, options }: Located,
  { cookie, operation, tracked }: FoundOut,
): RequestFacts {
  return {
    request,
    zoneName: zone.zone.name,
    host,
    path: target.path,
    query: target.query.slice(1),
    cookie: cookie ?? "",
    currentOp: operation?.shortId ?? "",
    tracked,
    randomSeed: () => binaryString(options.random(RANDOM_SEED_BYTES)),
  };
}

function applyCustomRules(
  { request, options, zone }: Located,
  custom: CompiledRuleset,
  fields: RequestFields,
): Answer | undefined {
  const decision = runCustomRules(custom.rules, fields, fields.facts.currentOp, (rule) =>
    options.onEvent(toEvent(zone, custom, rule, fields)),
  );
  if (decision.kind === "continue") return undefined;
  return decision.response === undefined ? blockAnswer(request) : customAnswer(request, decision.response);
}

function toEvent(
  { zone }: CompiledZone,
  { ruleset }: CompiledRuleset,
  rule: Rule,
  { facts }: RequestFields,
): SecurityEvent {
  const { request } = facts;
  return {
    rayId: request.rayId,
    at: request.receivedAt,
    zoneId: zone.id,
    zoneName: zone.name,
    phase: ruleset.phase,
    rulesetId: ruleset.id,
    ruleId: rule.id,
    ruleRef: rule.ref,
    ruleVersion: rule.version,
    ruleDescription: rule.description,
    action: rule.action,
    method: request.method,
    host: facts.host,
    path: facts.path,
    clientAddress: request.clientAddress,
    userAgent: request.header("user-agent") ?? "",
    currentOp: facts.currentOp,
    previousOps: (facts.tracked?.sequence.entries ?? []).map(({ op, at }) => ({
      op,
      ageMs: Math.max(0, request.receivedAt - at),
    })),
  };
}

interface Recording {
  readonly operation: Operation;
  readonly tracked: TrackedSequence;
}

function forward(located: Located, cookie: string | undefined, recording: Recording | undefined): Outcome {
  const { request, zone, host, target, options } = located;
  return {
    kind: "forward",
    visit: {
      zoneId: zone.zone.id,
      origin: zone.zone.origin,
      target: target.path + target.query,
      host,
      cookie,
      onResponse(status, headers) {
        const answered = withoutOwnSetCookies(headers, options.ownCookies);
        answered.push("stepgate-ray", request.rayId);
        if (recording === undefined || !counts(recording.operation, located, status)) return answered;
        const cookies = recording.tracked.record(recording.operation.shortId, request.receivedAt);
        return cookies instanceof Promise
          ? cookies.then((lines) => withSequenceCookies(answered, lines))
          : withSequenceCookies(answered, cookies);
      },
    },
  };
}

/**
 * Whether an answer of the origin makes the operation one that the visitor has called. A path that only matched by
 * folding (case, slash, parameters) may have been nothing at the origin, so there the origin has to confirm it.
 */
function counts(operation: Operation, { request, target }: Located, status: number): boolean {
  if (status < 400) return true;
  return operation.record === "forwarded" && isExactRequest(operation, request.method, target.path);
}

/** An origin that sets a cookie by one of our names could forge nothing, but it could erase a sequence. */
function withoutOwnSetCookies(headers: readonly string[], ownCookies: OwnCookies): string[] {
  const kept: string[] = [];
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] as string;
    const value = headers[index + 1] as string;
    if (name.length === 10 && name.toLowerCase() === "set-cookie" && ownCookies.isOwnSetCookie(value))
      continue;
    if (name.length === 12 && name.toLowerCase() === "stepgate-ray") continue;
    kept.push(name, value);
  }
  return kept;
}

function binaryString(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
