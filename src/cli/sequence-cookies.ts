/** What carries sequences, as the engine wants it: cookies on one key ring, sessions in one store, or both. */
import {
  createBoundCookieTracker,
  createClearanceGate,
  createCookieTracker,
  createKeyRing,
  createRandomSource,
  createSequenceCookies,
  createSessionHmacs,
  createTokenValidator,
  OWN_COOKIES,
  RecentPayloads,
} from "../cookie/index.ts";
import type { ClearanceOptions, KeyRing, MasterKey } from "../cookie/index.ts";
import {
  createSessionTracker,
  createStrictTracker,
  createZoneTracker,
  DEFAULT_SEQUENCE_SETTINGS,
} from "../engine/index.ts";
import type { EngineOptions, OwnCookies, SequenceTracker, TrackerFactory, Zone } from "../engine/index.ts";
import type { SequenceCookies, SequenceState, SequenceStore } from "../sequence/index.ts";
import { identityText } from "../session/index.ts";
import type { SessionIdentity } from "../session/index.ts";
import { createMemorySequenceStore } from "../store/index.ts";
import type { Config } from "./config.ts";

export interface SequenceCarrier {
  readonly trackerFor: TrackerFactory;
  readonly tokenVerifierFor: NonNullable<EngineOptions["tokenVerifierFor"]>;
  readonly ownCookies: OwnCookies;
  readonly clearance: NonNullable<EngineOptions["clearance"]>;
}

/** Where sequences are kept that are not in cookies. */
export interface SessionState {
  readonly sequences: SequenceStore;
  /** The clock, epoch milliseconds. */
  readonly now: () => number;
  /** Told what each request's cookies held. */
  readonly onRead?: (state: SequenceState) => void;
}

/**
 * @param masters master keys; several processes that share them read each other's cookies
 * @param challenge difficulty of challenges and duration of clearances
 * @param state in the memory of this process unless given
 */
export function createSequenceCarrier(
  masters: readonly MasterKey[],
  sequence: Config["sequence"],
  challenge: Omit<ClearanceOptions, "keyRing" | "random"> = {},
  state: SessionState = { sequences: createMemorySequenceStore(), now: Date.now },
): SequenceCarrier {
  const keyRing = createKeyRing(masters);
  const random = createRandomSource();
  const recent = new RecentPayloads();
  return {
    trackerFor: (zone) =>
      createZoneTracker(zone, {
        cookies: () => cookieTracker(zone, { keyRing, random, recent, sequence, state }),
        sessions: () => sessionTracker(zone, keyRing, state),
      }),
    tokenVerifierFor,
    ownCookies: OWN_COOKIES,
    clearance: createClearanceGate({ keyRing, random, ...challenge }),
  };
}

interface CookieParts {
  readonly keyRing: KeyRing;
  readonly random: (size: number) => Uint8Array;
  readonly recent: RecentPayloads;
  readonly sequence: Config["sequence"];
  readonly state: SessionState;
}

function cookieTracker(zone: Zone, { sequence, state, ...parts }: CookieParts): SequenceTracker {
  const { bind, strict } = zone.settings.sequence ?? DEFAULT_SEQUENCE_SETTINGS;
  const { maxEntries, maxAgeSeconds, leads } = sequence;
  const limits = { maxEntries, maxAgeMs: maxAgeSeconds * 1000 };
  const scope = { ...zone.settings.cookieScope, maxAgeSeconds };
  const cookies = observed(
    createSequenceCookies({ ...parts, zoneId: zone.id, scope, limits, leads }),
    state.onRead,
  );
  if (strict) {
    return createStrictTracker({
      zoneId: zone.id,
      cookies,
      store: state.sequences,
      limits,
      random: parts.random,
      now: state.now,
    });
  }
  return bind ? createBoundCookieTracker(cookies, bindValueOf) : createCookieTracker(cookies);
}

function observed(cookies: SequenceCookies, onRead: SessionState["onRead"]): SequenceCookies {
  if (onRead === undefined) return cookies;
  return {
    ...cookies,
    read(cookieHeader, nowMs, bindValue) {
      const state = cookies.read(cookieHeader, nowMs, bindValue);
      onRead(state);
      return state;
    },
  };
}

/** No identity is the empty text. */
function bindValueOf(identity: SessionIdentity | undefined): string {
  return identity?.kind === "present" ? identityText(identity) : "";
}

function sessionTracker(zone: Zone, keyRing: KeyRing, { sequences, now }: SessionState): SequenceTracker {
  const { lookbackRequests, lookbackSeconds } = zone.settings.sequence ?? DEFAULT_SEQUENCE_SETTINGS;
  const limits = { maxEntries: lookbackRequests, maxIdleMs: lookbackSeconds * 1000 };
  return createSessionTracker({
    zoneId: zone.id,
    store: sequences,
    hmacs: createSessionHmacs(keyRing, zone.id, limits.maxIdleMs),
    limits,
    now,
  });
}

/** A token of a configuration that the zone does not have is not valid. */
const tokenVerifierFor: SequenceCarrier["tokenVerifierFor"] = ({ settings }) => {
  const validators = new Map(
    (settings.tokenConfigs ?? []).map(({ id, keys, audience, issuer }) => [
      id,
      createTokenValidator(keys, {
        ...(audience.length === 0 ? {} : { audience }),
        ...(issuer === "" ? {} : { issuer }),
      }),
    ]),
  );
  return async (configId, token, nowMs) => validators.get(configId)?.verify(token, nowMs);
};
