/** Where an adapter's configuration comes from, as the engine wants it. */
import type { ConfigSnapshot, ConfigSource } from "../engine/index.ts";
import { canonicalHost } from "../operation/index.ts";
import type { Operation } from "../operation/index.ts";
import { readControlPlane } from "./control-plane.ts";
import type { ControlPlaneOptions } from "./control-plane.ts";
import type { DefinedOperation } from "./define-operations.ts";
import type { AdapterProblem, StepgateOptions } from "./options.ts";
import { toRulesets } from "./rulesets.ts";
import { zoneIdOf } from "./stable-ids.ts";
import { DEFAULT_COOKIE_SCOPE, parseZoneDocument } from "./zone-document.ts";
import type { ZoneConfig } from "./zone-document.ts";

export interface AdapterSource extends ConfigSource {
  /** Host for requests that name none, `undefined` when they need one. */
  readonly fallbackHost: string | undefined;
  /** Looks for changes when it is time; resolves when there is a configuration to go by. */
  refresh(nowMs: number): Promise<void> | undefined;
  /** Whether requests may be judged; `false` while there is no configuration and none may pass without. */
  isUsable(): boolean;
}

const DEFAULT_INTERVAL_MS = 5000;

/** @throws {TypeError} for options that contradict each other, and for every mistake in what they say */
export function createSource(options: StepgateOptions): AdapterSource {
  const { operations, zone, controlPlane, rules } = options;
  const given = [operations, zone, controlPlane].filter((member) => member !== undefined).length;
  if (given !== 1) {
    throw new TypeError(
      `expected one of \`operations\`, \`zone\` and \`controlPlane\`, found ${given} of them`,
    );
  }
  if (operations === undefined && rules !== undefined) {
    throw new TypeError(
      "expected `rules` beside `operations` only; rules of a zone are managed where it comes from",
    );
  }
  if (controlPlane !== undefined) return pollingSource(controlPlane, options.onProblem ?? (() => undefined));
  return fixedSource(zone === undefined ? fromCode(options) : parseZoneDocument(zone));
}

function fromCode({ operations, rules = [], name = "app", cookies = {} }: StepgateOptions): ZoneConfig {
  const host = canonicalHost(name);
  if (host.kind === "error" || host.host !== name) {
    throw new TypeError(`expected a name in the form of a host name in lower case, found \`${name}\``);
  }
  const accountId = zoneIdOf(`account of ${name}`);
  return {
    zone: {
      id: zoneIdOf(name),
      accountId,
      name,
      hosts: [],
      anyHost: true,
      origin: "http://127.0.0.1:0",
      settings: {
        sequenceCookies: { enabled: true },
        cookieScope: { ...DEFAULT_COOKIE_SCOPE, ...cookies },
      },
      operations: Object.values(operations?.operations ?? {}).map((operation) =>
        toOperation(operation, name),
      ),
      rulesets: toRulesets(rules),
    },
    account: { id: accountId, name: "", rulesets: [], lists: [] },
  };
}

function toOperation(defined: DefinedOperation, host: string): Operation {
  const { id, shortId, method, endpoint, record, prefetch } = defined;
  return { id, shortId, method, host, endpoint, lastUpdatedAt: 0, record, prefetch };
}

function toSnapshot({ zone, account }: ZoneConfig, version: number): ConfigSnapshot {
  return { version, zones: [zone], accounts: [account] };
}

function fixedSource(config: ZoneConfig): AdapterSource {
  const snapshot = toSnapshot(config, 1);
  return {
    fallbackHost: config.zone.anyHost === true ? config.zone.name : undefined,
    current: () => snapshot,
    subscribe: () => () => undefined,
    refresh: () => undefined,
    isUsable: () => true,
  };
}

function pollingSource(
  options: ControlPlaneOptions,
  onProblem: (problem: AdapterProblem) => void,
): AdapterSource {
  const { intervalMs = DEFAULT_INTERVAL_MS, whenUnavailable = "refuse" } = options;
  let snapshot: ConfigSnapshot = { version: 0, zones: [] };
  let known = "";
  let etag: string | undefined;
  let nextLookAt = Number.NEGATIVE_INFINITY;
  let looking: Promise<void> | undefined;
  const listeners = new Set<(next: ConfigSnapshot) => void>();
  const look = async (): Promise<void> => {
    try {
      const found = await readControlPlane(options, etag);
      // Compiling the same again would also begin every rate limit anew.
      if (found.kind === "unchanged" || found.text === known) return;
      const next = toSnapshot(parseZoneDocument(found.document), snapshot.version + 1);
      for (const listener of listeners) listener(next);
      snapshot = next;
      known = found.text;
      etag = found.etag;
    } catch (error) {
      onProblem({ reason: "control_plane", error: error as Error });
    } finally {
      looking = undefined;
    }
  };
  return {
    fallbackHost: undefined,
    current: () => snapshot,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    refresh(nowMs) {
      if (nowMs >= nextLookAt && looking === undefined) {
        nextLookAt = nowMs + intervalMs;
        looking = look();
      }
      return snapshot.version === 0 ? looking : undefined;
    },
    isUsable: () => snapshot.version > 0 || whenUnavailable === "pass",
  };
}
