/** The fields of the Rules language for one request, computed when an expression first asks for them. */
import { parseIp } from "../expression/index.ts";
import type { FieldValues, Value } from "../expression/index.ts";
import { fieldSlot } from "../ruleset/index.ts";
import { EMPTY_SEQUENCE, toFields } from "../sequence/index.ts";
import type { Sequence, SequenceEntry, SequenceFields } from "../sequence/index.ts";
import {
  acceptedLanguages,
  cookiePairs,
  headerMultimap,
  headerPairs,
  pathExtension,
  queryPairs,
  toMultimap,
} from "./request-maps.ts";
import type { EngineRequest } from "./request.ts";
import type { TrackedSequence } from "./tracker.ts";

/** What the engine has found out about a request before any rule is asked. */
export interface RequestFacts {
  readonly request: EngineRequest;
  readonly zoneName: string;
  /** Canonical host. */
  readonly host: string;
  /** Canonical path. */
  readonly path: string;
  /** Query without `?`, empty when there is none. */
  readonly query: string;
  /** The request's cookies without those of Stepgate. */
  readonly cookie: string;
  /** Whether the request names a session. */
  readonly isIdentified: boolean;
  /** 16 random bytes as a binary string. */
  randomSeed(): string;
}

type Getter = (fields: RequestFields) => Value | undefined;

/** In the place of a value that no expression has asked for yet. */
const UNREAD: unique symbol = Symbol("unread");

const NO_HISTORY: SequenceFields = { previousOps: [], msecSinceOp: new Map() };

/** One request's field values. INVARIANT: every value has the static type that `src/ruleset/fields.ts` gives it. */
export class RequestFields implements FieldValues {
  readonly facts: RequestFacts;
  #values: (Value | undefined | typeof UNREAD)[] | undefined;
  #currentOp = "";
  #tracked: TrackedSequence | undefined;
  #history: SequenceFields | undefined;

  constructor(facts: RequestFacts) {
    this.facts = facts;
  }

  /**
   * Tells what the request is and what came before it. INVARIANT: no phase before this reads a sequence field (their
   * schemes do not have them), so nothing that was computed changes.
   *
   * @param currentOp short id of the operation; empty when it is none, or when the zone keeps no sequences
   */
  setSequence(currentOp: string, tracked: TrackedSequence | undefined): void {
    this.#currentOp = currentOp;
    this.#tracked = tracked;
  }

  /** Whether the sequence is empty because its state could not be had. */
  get isHistoryUnknown(): boolean {
    return this.#tracked?.isUnavailable === true;
  }

  /** Whether the sequence was read. */
  get knowsSequence(): boolean {
    return this.#tracked !== undefined;
  }

  get currentOp(): string {
    return this.#currentOp;
  }

  /** What sequence rules look back on; `undefined` when the state could not be had. */
  get lookback(): Sequence | undefined {
    const tracked = this.#tracked;
    if (tracked?.isUnavailable === true) return undefined;
    return tracked?.lookback ?? tracked?.sequence ?? EMPTY_SEQUENCE;
  }

  /** Names the sequence; empty when there is none. */
  get sequenceId(): string {
    return this.#tracked?.id ?? "";
  }

  /** Earlier operations, newest first. */
  get entries(): readonly SequenceEntry[] {
    return this.#tracked?.sequence.entries ?? [];
  }

  get(slot: number): Value | undefined {
    const values = (this.#values ??= ALL_UNREAD.slice());
    const known = values[slot];
    if (known !== UNREAD) return known;
    const value = GETTERS[slot]?.(this);
    values[slot] = value;
    return value;
  }

  /** The two history fields, empty when no sequence is kept. */
  get history(): SequenceFields {
    const tracked = this.#tracked;
    this.#history ??=
      tracked === undefined ? NO_HISTORY : toFields(tracked.sequence, this.facts.request.receivedAt);
    return this.#history;
  }
}

function pathAndQuery({ facts }: RequestFields): string {
  return facts.query === "" ? facts.path : `${facts.path}?${facts.query}`;
}

function rawTarget({ facts }: RequestFields): { readonly path: string; readonly query: string } {
  const { target } = facts.request;
  const start = target.startsWith("/") ? 0 : Math.max(target.indexOf("/", target.indexOf("://") + 3), 0);
  const question = target.indexOf("?", start);
  return question === -1
    ? { path: target.slice(start), query: "" }
    : { path: target.slice(start, question), query: target.slice(question + 1) };
}

function origin({ facts }: RequestFields): string {
  return `${facts.request.scheme}://${facts.host}`;
}

const header =
  (name: string): Getter =>
  ({ facts }) =>
    facts.request.header(name) ?? "";

/** Name → how the field is computed. Fields of the table that are not here are missing in a request. */
const REQUEST_FIELDS: Readonly<Record<string, Getter>> = {
  "cf.api_gateway.auth_id_present": ({ facts }) => facts.isIdentified,
  "cf.sequence.current_op": ({ currentOp }) => currentOp,
  "cf.sequence.previous_ops": ({ history }) => history.previousOps,
  "cf.sequence.msec_since_op": ({ history }) => history.msecSinceOp,
  "cf.sequence.id": ({ sequenceId }) => sequenceId,
  "http.host": ({ facts }) => facts.host,
  "http.request.method": ({ facts }) => facts.request.method,
  "http.request.version": ({ facts }) => VERSIONS.get(facts.request.httpVersion),
  "http.request.uri": pathAndQuery,
  "http.request.uri.path": ({ facts }) => facts.path,
  "http.request.uri.path.extension": ({ facts }) => pathExtension(facts.path),
  "http.request.uri.query": ({ facts }) => facts.query,
  "http.request.full_uri": (fields) => origin(fields) + pathAndQuery(fields),
  "http.request.uri.args": ({ facts }) => toMultimap(queryPairs(facts.query)),
  "http.request.uri.args.names": ({ facts }) => queryPairs(facts.query).map(([name]) => name),
  "http.request.uri.args.values": ({ facts }) => queryPairs(facts.query).map(([, value]) => value),
  "http.request.headers": visibleHeaderMap,
  "http.request.headers.names": ({ facts }) => visibleHeaders(facts).map(([name]) => name),
  "http.request.headers.values": ({ facts }) => visibleHeaders(facts).map(([, value]) => value),
  "http.request.headers.truncated": () => false,
  "http.request.cookies": ({ facts }) => toMultimap(cookiePairs(facts.cookie)),
  "http.request.accepted_languages": ({ facts }) =>
    acceptedLanguages(facts.request.header("accept-language") ?? ""),
  "http.request.timestamp.sec": ({ facts }) => Math.floor(facts.request.receivedAt / 1000),
  "http.request.timestamp.msec": ({ facts }) => facts.request.receivedAt % 1000,
  "http.cookie": ({ facts }) => facts.cookie,
  "http.referer": header("referer"),
  "http.user_agent": header("user-agent"),
  "http.x_forwarded_for": header("x-forwarded-for"),
  "raw.http.request.uri": (fields) => {
    const { path, query } = rawTarget(fields);
    return query === "" ? path : `${path}?${query}`;
  },
  "raw.http.request.uri.path": (fields) => rawTarget(fields).path,
  "raw.http.request.uri.path.extension": (fields) => pathExtension(rawTarget(fields).path),
  "raw.http.request.uri.query": (fields) => rawTarget(fields).query,
  "raw.http.request.uri.args": (fields) => toMultimap(queryPairs(rawTarget(fields).query)),
  "raw.http.request.uri.args.names": (fields) => queryPairs(rawTarget(fields).query).map(([name]) => name),
  "raw.http.request.uri.args.values": (fields) =>
    queryPairs(rawTarget(fields).query).map(([, value]) => value),
  "raw.http.request.full_uri": (fields) => {
    const { path, query } = rawTarget(fields);
    return origin(fields) + (query === "" ? path : `${path}?${query}`);
  },
  "raw.http.request.headers": visibleHeaderMap,
  "raw.http.request.headers.names": ({ facts }) => visibleHeaders(facts).map(([name]) => name),
  "raw.http.request.headers.values": ({ facts }) => visibleHeaders(facts).map(([, value]) => value),
  "ip.src": ({ facts }) => parseIp(facts.request.clientAddress),
  ssl: ({ facts }) => facts.request.scheme === "https",
  "cf.ray_id": ({ facts }) => facts.request.rayId,
  "cf.random_seed": ({ facts }) => facts.randomSeed(),
  "cf.zone.name": ({ facts }) => facts.zoneName,
  "cf.edge.server_ip": ({ facts }) => optionalIp(facts.request.connection.serverAddress),
  "cf.edge.server_port": ({ facts }) => facts.request.connection.serverPort,
  "cf.edge.client_port": ({ facts }) => facts.request.connection.clientPort,
  "cf.edge.client_tcp": () => true,
  "cf.tls_version": ({ facts }) => facts.request.connection.tlsVersion,
  "cf.tls_cipher": ({ facts }) => facts.request.connection.tlsCipher,
};

const VERSIONS = new Map([
  ["1.0", "HTTP/1.0"],
  ["1.1", "HTTP/1.1"],
  ["2.0", "HTTP/2"],
]);

function visibleHeaderMap({ facts }: RequestFields): Value {
  return headerMultimap(facts.request.rawHeaders, facts.cookie);
}

/** Header pairs with our own cookies taken out of `Cookie`: a rule must never see, log or forward a token. */
function visibleHeaders(facts: RequestFacts): readonly (readonly [string, string])[] {
  const pairs = headerPairs(facts.request.rawHeaders).filter(([name]) => name !== "cookie");
  return facts.cookie === "" ? pairs : [...pairs, ["cookie", facts.cookie] as const];
}

function optionalIp(text: string | undefined): Value | undefined {
  return text === undefined ? undefined : parseIp(text);
}

const GETTERS: readonly (Getter | undefined)[] = indexBySlot(REQUEST_FIELDS);

const ALL_UNREAD: readonly (Value | undefined | typeof UNREAD)[] = Array.from(GETTERS, () => UNREAD);

function indexBySlot(getters: Readonly<Record<string, Getter>>): readonly (Getter | undefined)[] {
  const bySlot: (Getter | undefined)[] = [];
  for (const [name, getter] of Object.entries(getters)) bySlot[fieldSlot(name)] = getter;
  return bySlot;
}
