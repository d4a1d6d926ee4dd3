/**
 * From master keys to the keys of zones and hours, each derived once and kept. How a key is derived, and what a
 * key is, belongs to the runtime and is handed in.
 */
import { RecentMap } from "../sequence/index.ts";
import { EPOCH_MS, checkZoneId, epochAt, purposeInfo, sealingInfo, shardFor } from "./epochs.ts";
import {
  masterKeyState,
  nextActivationAt,
  openingMasters,
  orderMasterKeys,
  sealingMaster,
  sealingMasters,
} from "./master-keys.ts";
import type { MasterKey, MasterKeyState, OrderedMasterKeys } from "./master-keys.ts";
import { MAX_SHARDS } from "./names.ts";
import type { KeyEpoch } from "./names.ts";

/**
 * Sealing keys kept per zone; the ones used longest ago go first. More than there are names that point to a key
 * in use, so that a visitor who invents names cannot make us derive keys again and again.
 */
const MAX_CACHED_KEYS = 256;

/** The key for one new cookie. */
interface SealingKey<Key> extends KeyEpoch {
  readonly key: Key;
}

/** The keys of one zone. */
interface ZoneKeys<Key, MacKey> {
  /** The key to seal with now; each call counts as one seal. `undefined` when the shards of this hour are used up. */
  sealing(nowMs: number): SealingKey<Key> | undefined;
  /** Keys that may have sealed a cookie of this epoch and shard, the likeliest first. */
  opening(epoch: number, shard: number): readonly Key[];
  /** HMAC keys for bound sequence ids: that of the active master first, then those of the others. */
  binding(nowMs: number): readonly MacKey[];
  /** HMAC key for cookie names that parallel responses share. */
  naming(nowMs: number): MacKey;
  /** HMAC keys for the names of sessions: that of the active master, then those in force within `graceMs` before. */
  sessions(nowMs: number, graceMs: number): readonly MacKey[];
}

/** How a runtime derives keys; `info` is that of HKDF. */
export interface KeyDerivation<Key, MacKey> {
  readonly sealingKey: (master: MasterKey, info: string) => Key;
  readonly macKey: (master: MasterKey, info: string) => MacKey;
}

/** A set of master keys in use. */
export interface Ring<Key, MacKey> {
  /** @throws {TypeError} for a zone id that is not 1 to 64 letters, digits, `_`, `.` or `-` */
  zone(zoneId: string): ZoneKeys<Key, MacKey>;
  /**
   * Replaces the master keys, for a rotation without a restart. Counters of seals stay.
   *
   * @throws {TypeError} as at creation; the old keys then stay in force
   */
  update(masters: readonly MasterKey[]): void;
  /** State of every master key, in the order of their turns. */
  states(nowMs: number): readonly { readonly id: string; readonly state: MasterKeyState }[];
}

export interface KeyRingOptions {
  /**
   * Counts seals: returns how many there were for this zone and epoch, the present one included. By default those
   * of this process; a counter shared by all processes makes the bound of 2^30 seals for each key exact.
   */
  readonly countSeal?: (zoneId: string, epoch: number) => number;
}

/** @throws {TypeError} for keys of a wrong size, ids or keys that occur twice, no key or too many */
export function createRing<Key, MacKey>(
  masters: readonly MasterKey[],
  derivation: KeyDerivation<Key, MacKey>,
  options: KeyRingOptions = {},
): Ring<Key, MacKey> {
  let ordered = orderMasterKeys(masters);
  const countSeal = options.countSeal ?? createSealCounter();
  const zones = new Map<string, ZoneKeys<Key, MacKey>>();
  return {
    zone(zoneId) {
      let keys = zones.get(zoneId);
      if (keys === undefined) {
        checkZoneId(zoneId);
        keys = createZoneKeys(ordered, derivation, { zoneId, countSeal });
        zones.set(zoneId, keys);
      }
      return keys;
    },
    update(next) {
      ordered = orderMasterKeys(next);
      zones.clear();
    },
    states(nowMs) {
      return ordered.map((master) => ({ id: master.id, state: masterKeyState(ordered, master, nowMs) }));
    },
  };
}

interface ZoneContext {
  readonly zoneId: string;
  readonly countSeal: NonNullable<KeyRingOptions["countSeal"]>;
}

function createZoneKeys<Key, MacKey>(
  masters: OrderedMasterKeys,
  { sealingKey, macKey }: KeyDerivation<Key, MacKey>,
  { zoneId, countSeal }: ZoneContext,
): ZoneKeys<Key, MacKey> {
  const opening = new RecentMap<number, readonly Key[]>(MAX_CACHED_KEYS);
  const binding = createMemo((master: MasterKey) => macKey(master, purposeInfo(zoneId, "bind")));
  const session = createMemo((master: MasterKey) => macKey(master, purposeInfo(zoneId, "session")));
  const naming = createMemo((master: MasterKey) => macKey(master, purposeInfo(zoneId, "name")));
  let current: (SealingKey<Key> & { readonly from: number; readonly until: number }) | undefined;

  return {
    sealing(nowMs) {
      const epoch = epochAt(nowMs);
      const shard = shardFor(countSeal(zoneId, epoch));
      if (shard === undefined) return undefined;
      if (current?.shard === shard && nowMs >= current.from && nowMs < current.until) return current;
      current = {
        key: sealingKey(sealingMaster(masters, nowMs), sealingInfo(zoneId, epoch, shard)),
        epoch,
        shard,
        from: nowMs,
        until: Math.min((epoch + 1) * EPOCH_MS, nextActivationAt(masters, nowMs)),
      };
      return current;
    },
    opening(epoch, shard) {
      const slot = epoch * MAX_SHARDS + shard;
      let keys = opening.get(slot);
      if (keys === undefined) {
        keys = openingMasters(masters, epoch).map((master) =>
          sealingKey(master, sealingInfo(zoneId, epoch, shard)),
        );
        opening.set(slot, keys);
      }
      return keys;
    },
    binding(nowMs) {
      const active = sealingMaster(masters, nowMs);
      return [active, ...masters.filter((master) => master !== active)].map(binding);
    },
    naming: (nowMs) => naming(sealingMaster(masters, nowMs)),
    sessions: (nowMs, graceMs) => sealingMasters(masters, nowMs, graceMs).map(session),
  };
}

function createMemo<Input, Output>(compute: (input: Input) => Output): (input: Input) => Output {
  const known = new Map<Input, Output>();
  return (input) => {
    const output = known.get(input) ?? compute(input);
    known.set(input, output);
    return output;
  };
}

/** Counts the seals of this process, for each zone those of the newest epoch: older ones seal no more. */
function createSealCounter(): NonNullable<KeyRingOptions["countSeal"]> {
  const counters = new Map<string, { epoch: number; seals: number }>();
  return (zoneId, epoch) => {
    let counter = counters.get(zoneId);
    if (counter === undefined || counter.epoch < epoch) {
      counter = { epoch, seals: 0 };
      counters.set(zoneId, counter);
    }
    counter.seals += 1;
    return counter.seals;
  };
}
