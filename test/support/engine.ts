/** An engine on a configuration held in memory, with the real cookie carrier, and a browser's jar in small. */
import { randomBytes } from "node:crypto";
import { createSequenceCarrier } from "../../src/cli/sequence-cookies.ts";
import { generateMasterKey } from "../../src/cookie/index.ts";
import type { MasterKey } from "../../src/cookie/index.ts";
import { createEngine } from "../../src/engine/index.ts";
import type {
  ConfigSnapshot,
  ConfigSource,
  Engine,
  EngineRequest,
  Outcome,
  SecurityEvent,
  Zone,
} from "../../src/engine/index.ts";
import type { Operation } from "../../src/operation/index.ts";
import type { Rule, Ruleset } from "../../src/ruleset/index.ts";

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

export function rule(expression: string, members: Partial<Rule> = {}): Rule {
  nextId += 1;
  const id = nextId.toString(16).padStart(32, "0");
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

/** A configuration that tests replace at will. */
export function configSource(initial: ConfigSnapshot): ConfigSource & { set(zones: readonly Zone[]): void } {
  let snapshot = initial;
  const listeners = new Set<(snapshot: ConfigSnapshot) => void>();
  return {
    current: () => snapshot,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    set(zones) {
      snapshot = { ...snapshot, version: snapshot.version + 1, zones };
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

export function startEngine(zones: readonly Zone[], masters: readonly MasterKey[] = testKeys()): TestEngine {
  const source = configSource({ version: 1, zones });
  const events: SecurityEvent[] = [];
  const carrier = createSequenceCarrier(masters, { maxEntries: 10, maxAgeSeconds: 3600, leads: 2 });
  const engine = createEngine({
    source,
    ...carrier,
    random: (lengthBytes) => randomBytes(lengthBytes),
    onEvent: (event) => events.push(event),
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
    return { outcome, status, headers, body: outcome.kind === "answer" ? outcome.answer.body : "" };
  };
  return { jar, visit };
}
