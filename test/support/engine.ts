/** An engine on a configuration held in memory, with the real cookie carrier, and a browser's jar in small. */
import { createHash, randomBytes } from "node:crypto";
import { createSequenceCarrier } from "../../src/cli/sequence-cookies.ts";
import { generateMasterKey } from "../../src/cookie/index.ts";
import type { MasterKey } from "../../src/cookie/index.ts";
import { createEngine } from "../../src/engine/index.ts";
import type {
  Account,
  ConfigSnapshot,
  ConfigSource,
  Engine,
  EngineOptions,
  EngineRequest,
  Outcome,
  RateLimits,
  SecurityEvent,
  Zone,
} from "../../src/engine/index.ts";
import type { Operation } from "../../src/operation/index.ts";
import type { Redirect, Rule, Ruleset } from "../../src/ruleset/index.ts";
import { createMemoryRateLimitStore } from "../../src/store/memory-rate-limits.ts";

export const ZONE_ID = "0123456789abcdef0123456789abcdef";
export const HOUR_MS = 3_600_000;
/** A moment in the middle of an hour, so that no test crosses a key epoch by accident. */
export const NOON = Date.UTC(2026, 10, 21, 12, 10);

export function operation(shortId: string, method: Operation["method"], endpoint: string): Operation {
  return {
    id: `${shortId}-0000-4000-8000-000000000000`,
    shortId,
    method,
    host: "shop.example",
    endpoint,
    lastUpdatedAt: 0,
    record: "forwarded",
    prefetch: "record",
  };
}

/** Operations by the letters that the documentation uses. */
export const A = operation("aaaaaaaa", "GET", "/a");
export const B = operation("bbbbbbbb", "POST", "/b");
export const C = operation("cccccccc", "GET", "/c/{var1}");

let nextId = 0;

/** A new id, 32 hex characters. */
export function hexId(): string {
  nextId += 1;
  return nextId.toString(16).padStart(32, "0");
}

export function rule(expression: string, members: Partial<Rule> = {}): Rule {
  const id = hexId();
  return {
    id,
    ref: id,
    version: "1",
    action: "block",
    expression,
    description: "",
    enabled: true,
    last_updated: "2026-11-21T12:00:00Z",
    ...members,
  };
}

export function ruleset(rules: readonly Rule[], members: Partial<Ruleset> = {}): Ruleset {
  return {
    id: "f".repeat(32),
    name: "default",
    description: "",
    kind: "zone",
    phase: "http_request_firewall_custom",
    version: "1",
    last_updated: "2026-11-21T12:00:00Z",
    rules,
    ...members,
  };
}

export function zone(members: Partial<Zone> = {}): Zone {
  return {
    id: ZONE_ID,
    accountId: "a".repeat(32),
    name: "shop.example",
    hosts: ["shop.example"],
    origin: "http://127.0.0.1:1",
    settings: {
      sequenceCookies: { enabled: true },
      cookieScope: { sameSite: "Lax", partitioned: false, domain: null },
    },
    operations: [A, B, C],
    rulesets: [],
    ...members,
  };
}

/** The account of the test zone. */
export function account(members: Partial<Account> = {}): Account {
  return { id: "a".repeat(32), name: "Test", rulesets: [], lists: [], ...members };
}

/** A bulk redirect list. */
export function redirectList(
  name: string,
  redirects: readonly (Pick<Redirect, "source_url" | "target_url"> & Partial<Redirect>)[],
): Account["lists"][number] {
  return {
    id: hexId(),
    name,
    kind: "redirect",
    items: redirects.map((redirect) => ({
      id: hexId(),
      created_on: "2026-11-21T12:00:00Z",
      modified_on: "2026-11-21T12:00:00Z",
      redirect: {
        status_code: 301,
        include_subdomains: false,
        subpath_matching: false,
        preserve_query_string: false,
        preserve_path_suffix: true,
        ...redirect,
      },
    })),
  };
}

/** A configuration that tests replace at will. */
export function configSource(
  initial: ConfigSnapshot,
): ConfigSource & { set(zones: readonly Zone[], accounts?: readonly Account[]): void } {
  let snapshot = initial;
  const listeners = new Set<(snapshot: ConfigSnapshot) => void>();
  return {
    current: () => snapshot,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    set(zones, accounts = snapshot.accounts ?? []) {
      snapshot = { ...snapshot, version: snapshot.version + 1, zones, accounts };
      for (const listener of listeners) listener(snapshot);
    },
  };
}

export interface TestEngine {
  readonly engine: Engine;
  readonly source: ReturnType<typeof configSource>;
  readonly events: SecurityEvent[];
}

export const testKeys = (): readonly MasterKey[] => [
  generateMasterKey((lengthBytes) => randomBytes(lengthBytes)),
];

/** What an engine may be started with beside its zones. */
export interface EngineExtras extends Partial<
  Pick<EngineOptions, "rateLimits" | "clearance" | "trackerFor" | "tokenVerifierFor" | "trafficFor">
> {
  readonly accounts?: readonly Account[];
}

export const hashText = (text: string): string =>
  createHash("sha256").update(text, "utf16le").digest("base64url");

/** Counters as a gateway of one process has them. */
export const memoryLimits = (): RateLimits => ({ store: createMemoryRateLimitStore(), hash: hashText });

export function startEngine(
  zones: readonly Zone[],
  masters: readonly MasterKey[] = testKeys(),
  { accounts, ...extras }: EngineExtras = {},
): TestEngine {
  const source = configSource({ version: 1, zones, ...(accounts === undefined ? {} : { accounts }) });
  const events: SecurityEvent[] = [];
  const carrier = createSequenceCarrier(
    masters,
    { maxEntries: 10, maxAgeSeconds: 3600, leads: 2 },
    { difficultyBits: 4 },
  );
  const engine = createEngine({
    source,
    ...carrier,
    rateLimits: memoryLimits(),
    random: (lengthBytes) => randomBytes(lengthBytes),
    onEvent: (event) => events.push(event),
    ...extras,
  });
  return { engine, source, events };
}

export interface RequestInput {
  readonly method?: string;
  readonly target: string;
  readonly authority?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly at?: number;
}

export function engineRequest({
  method = "GET",
  target,
  authority = "shop.example",
  headers = {},
  at = NOON,
}: RequestInput): EngineRequest {
  const names = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return {
    method,
    target,
    authority,
    scheme: "https",
    httpVersion: "2.0",
    rawHeaders: Object.entries(headers).flat(),
    header: (name) => names.get(name),
    clientAddress: "192.0.2.7",
    connection: {},
    receivedAt: at,
    rayId: "0123456789abcdef",
  };
}

export interface VisitResult {
  readonly outcome: Outcome;
  /** Status the visitor saw. */
  readonly status: number;
  /** Flat header list the visitor saw. */
  readonly headers: readonly string[];
  readonly body: string;
  /** Flat header list the origin saw, without what a carrier adds; empty when it was not asked. */
  readonly sent: readonly string[];
}

/** A visitor that keeps cookies as a browser does, and an origin that answers `originStatus`. */
export function createVisitor(engine: Engine) {
  const jar = new Map<string, string>();
  const apply = (headers: readonly string[]): void => {
    for (let index = 0; index < headers.length; index += 2) {
      if (headers[index]!.toLowerCase() !== "set-cookie") continue;
      const [pair = "", ...attributes] = headers[index + 1]!.split(/; */);
      const equals = pair.indexOf("=");
      const name = pair.slice(0, equals);
      if (attributes.some((attribute) => /^max-age=0$/i.test(attribute))) jar.delete(name);
      else jar.set(name, pair.slice(equals + 1));
    }
  };
  const visit = async (
    input: RequestInput,
    origin: { readonly status?: number; readonly headers?: string[] } = {},
  ): Promise<VisitResult> => {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const request = engineRequest({
      ...input,
      headers: { ...input.headers, ...(cookie === "" ? {} : { cookie }) },
    });
    const outcome = await engine.decide(request);
    const { status: originStatus = 200, headers: originHeaders = [] } = origin;
    const status = outcome.kind === "answer" ? outcome.answer.status : originStatus;
    const headers =
      outcome.kind === "answer"
        ? outcome.answer.headers
        : await outcome.visit.onResponse(originStatus, originHeaders);
    apply(headers);
    const sent = outcome.kind === "answer" ? [] : outcome.visit.requestHeaders(request.rawHeaders);
    return { outcome, status, headers, body: outcome.kind === "answer" ? outcome.answer.body : "", sent };
  };
  return { jar, visit };
}

/** The value of a field of a flat header list; several are joined by `, `. */
export function headerOf(headers: readonly string[], name: string): string | undefined {
  const values = headers.filter(
    (_value, index) => index % 2 === 1 && headers[index - 1]?.toLowerCase() === name,
  );
  return values.length === 0 ? undefined : values.join(", ");
}
