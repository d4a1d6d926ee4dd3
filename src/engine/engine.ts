/** One request of one zone, whatever carries it: operation → sequence → phases → decision, then response → cookies. */
import { canonicalHost, canonicalTarget, pathForms } from "../operation/index.ts";
import type { CanonicalHost, HostError, PathForms } from "../operation/index.ts";
import { RecentMap } from "../sequence/index.ts";
import { compileAccount, NO_ACCOUNT } from "./account.ts";
import type { CompiledAccount } from "./account.ts";
import { refusalAnswer } from "./answer.ts";
import type { RefusalReason } from "./answer.ts";
import { decideInZone, matchIn } from "./decide.ts";
import type { Located } from "./located.ts";
import type { EngineRequest } from "./request.ts";
import type { ConfigSnapshot } from "./snapshot.ts";
import type { EngineOptions, Outcome } from "./types.ts";
import { compileZone } from "./zone.ts";
import type { CompiledZone } from "./zone.ts";

export interface Engine {
  /**
   * Decides about one request, at once unless a store or a token lets it wait. Throws or rejects only on a defect of
   * ours or of a store; the carrier answers 500 then.
   */
  decide(request: EngineRequest): Outcome | Promise<Outcome>;
  /** Whether a zone answers for a canonical host. */
  hasHost(host: string): boolean;
  /** Origins of all zones in force. */
  origins(): ReadonlySet<string>;
  /** Stops following the configuration. */
  close(): void;
}

/** @throws {PrepareError} when the configuration in force has a rule that cannot be used */
export function createEngine(options: EngineOptions): Engine {
  let accounts: ReadonlyMap<string, CompiledAccount> = new Map();
  let zones: ReadonlyMap<string, CompiledZone> = new Map();
  let byHost: ReadonlyMap<string, CompiledZone> = new Map();
  let forAnyHost: CompiledZone | undefined;
  const { trackerFor, tokenVerifierFor, trafficFor } = options;
  const parts = { trackerFor, tokenVerifierFor, trafficFor };
  const load = (snapshot: ConfigSnapshot): void => {
    const nextAccounts = new Map(
      (snapshot.accounts ?? []).map((account) => [
        account.id,
        compileAccount(account, accounts.get(account.id)),
      ]),
    );
    const nextZones = new Map(
      snapshot.zones.map((zone) => {
        const account = nextAccounts.get(zone.accountId) ?? NO_ACCOUNT;
        return [zone.id, compileZone(zone, zones.get(zone.id), account, parts)];
      }),
    );
    // All or nothing: what could not be compiled leaves everything as it was.
    accounts = nextAccounts;
    zones = nextZones;
    byHost = new Map([...zones.values()].flatMap((zone) => zone.zone.hosts.map((host) => [host, zone])));
    forAnyHost = [...zones.values()].find(({ zone }) => zone.anyHost === true);
  };
  const hostOf = createHostReader();
  load(options.source.current());
  const unsubscribe = options.source.subscribe(load);
  return {
    decide(request) {
      const host = hostOf(request.authority ?? "");
      if (host.kind === "error") return refuse(request, "bad_host");
      const zone = byHost.get(host.host) ?? forAnyHost;
      if (zone === undefined) return refuse(request, "misdirected");
      const target = canonicalTarget(request.target, zone.pathOptions);
      if (target.kind !== "path") return refuse(request, "bad_target");
      if (target.authority !== null && !namesHost(target.authority, host)) return refuse(request, "bad_host");
      const forms = formsOf({ request, zone, host, target });
      return decideInZone({ request, zone, host, target, forms, options });
    },
    hasHost: (host) => byHost.has(host) || forAnyHost !== undefined,
    origins: () => new Set([...zones.values()].map(({ zone }) => zone.origin)),
    close: unsubscribe,
  };
}

/** Hosts remembered as requests spelled them: most requests name one of few. */
const MAX_HOSTS = 256;

/** As `canonicalHost`, which is a good part of what a request to no operation costs. */
function createHostReader(): (authority: string) => CanonicalHost | HostError {
  const known = new RecentMap<string, CanonicalHost>(MAX_HOSTS);
  return (authority) => {
    const seen = known.get(authority);
    if (seen !== undefined) return seen;
    const host = canonicalHost(authority);
    if (host.kind === "host") known.set(authority, host);
    return host;
  };
}

/** The spellings of the path that rules see and the origin receives. */
function formsOf(found: Pick<Located, "request" | "zone" | "host" | "target">): PathForms {
  const { zone, target } = found;
  const { normalization, pathOptions } = zone;
  if (normalization === undefined) return { rules: target.path, origin: target.path };
  return pathForms(target, { normalization, pathOptions, match: (path) => matchIn(found, path) });
}

/** Whether the authority of an absolute-form target is the one of the Host field (RFC 9112 section 3.2.2). */
function namesHost(authority: string, host: CanonicalHost): boolean {
  const named = canonicalHost(authority);
  return named.kind === "host" && named.host === host.host && named.port === host.port;
}

function refuse(request: EngineRequest, refusal: RefusalReason): Outcome {
  return { kind: "answer", answer: refusalAnswer(request, refusal), refusal };
}
