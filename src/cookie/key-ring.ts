/** The key ring on Node: from master keys to the keys of zones and hours, derived once and kept. */
import type { KeyObject } from "node:crypto";

import { deriveKey } from "./derive.ts";
import { EPOCH_MS, checkZoneId, epochAt, purposeInfo, sealingInfo, shardFor } from "./epochs.ts";
import {
  masterKeyState,
  nextActivationAt,
  openingMasters,
  orderMasterKeys,
  sealingMaster,
} from "./master-keys.ts";
import type { MasterKey, MasterKeyState, OrderedMasterKeys } from "./master-keys.ts";
import { MAX_SHARDS } from "./names.ts";
import type { KeyEpoch } from "./names.ts";

/**
 * Derived keys kept per zone, least recently used first to go. Covers every name that is accepted with the
 * longest look-back, so that a visitor who invents names cannot make us derive keys again and again.
 */
const MAX_CACHED_KEYS = 256;

/** The key for one new cookie. */
export interface SealingKey extends KeyEpoch {
  readonly key: KeyObject;
}

/** The keys of one zone. */
export interface ZoneKeys {
  /** The key to seal with now; each call counts as one seal. `undefined` when the shards of this hour are used up. */
  sealing(nowMs: number): SealingKey | undefined;
  /** Keys that may have sealed a cookie of this epoch and shard, the likeliest first. */
  opening(epoch: number, shard: number): readonly KeyObject[];
  /** HMAC keys for bound sequence ids: that of the active master first, then those of the others. */
  binding(nowMs: number): readonly KeyObject[];
  /** HMAC key for cookie names that parallel responses share. */
  naming(nowMs: number): KeyObject;
}

export interface KeyRing {
  /** @throws {TypeError} for a zone id that is not 1 to 64 letters, digits, `_`, `.` or `-` */
  zone(zoneId: string): ZoneKeys;
  /**
   * Replaces the master keys, for a rotation without a restart. Counters of seals stay.
   *
   * @throws {TypeError} as {@link createKeyRing}; the old keys then stay in force
   */
  update(masters: readonly MasterKey[]): void;
  /** State of every master key, in the order of their turns. */
  states(nowMs: number): readonly { readonly id: string; readonly state: MasterKeyState }[];
}

export interface KeyRingOptions {
  /**
   * Counts seals: returns how many there were for this zone and epoch, the present one included. By default those
   * of this process; a counter shared by all processes makes the bound of 2^30 seals exact.
   */
  readonly countSeal?: (zoneId: string, epoch: number) => number;
}

/**
 * @param masters 1 to 8 master keys; the newest whose turn has come seals, all open (see {@link MasterKey})
 * @throws {TypeError} for keys of a wrong size, ids or keys that occur twice, no key or too many
 */
export function createKeyRing(masters: readonly MasterKey[], options: KeyRingOptions = {}): KeyRing {
  let ordered = orderMasterKeys(masters);
  const countSeal = options.countSeal ?? createSealCounter();
  let zones = new Map<string, ZoneKeys>();
  return {
    zone(zoneId) {
      let keys = zones.get(zoneId);
      if (keys === undefined) {
        checkZoneId(zoneId);
        keys = createZoneKeys(zoneId, ordered, countSeal);
        zones.set(zoneId, keys);
      }
      return keys;
    },
    update(next) {
      ordered = orderMasterKeys(next);
      zones = new Map();
    },
    states(nowMs) {
      return ordered.map((master) => ({ id: master.id, state: masterKeyState(ordered, master, nowMs) }));
    },
  };
}

type CountSeal = NonNullable<KeyRingOptions["countSeal"]>;

function createZoneKeys(zoneId: string, masters: OrderedMasterKeys, countSeal: CountSeal): ZoneKeys {
  const opening = new Map<number, readonly KeyObject[]>();
  const binding = new Map<MasterKey, KeyObject>();
  const naming = new Map<MasterKey, KeyObject>();
  let current: (SealingKey & { readonly from: number; readonly until: number }) | undefined;

  return {
    sealing(nowMs) {
      const epoch = epochAt(nowMs);
      const shard = shardFor(countSeal(zoneId, epoch));
      if (shard === undefined) return undefined;
      const isCurrent =
        current !== undefined && current.shard === shard && nowMs >= current.from && nowMs < current.until;
      if (!isCurrent) {
        current = {
          key: deriveKey(sealingMaster(masters, nowMs), sealingInfo(zoneId, epoch, shard)),
          epoch,
          shard,
          from: nowMs,
          until: Math.min((epoch + 1) * EPOCH_MS, nextActivationAt(masters, nowMs)),
        };
      }
      return current;
    },
    opening(epoch, shard) {
      const slot = epoch * MAX_SHARDS + shard;
      const keys =
        opening.get(slot) ??
        openingMasters(masters, epoch).map((master) => deriveKey(master, sealingInfo(zoneId, epoch, shard)));
      keepRecent(opening, slot, keys);
      return keys;
    },
    binding(nowMs) {
      const active = sealingMaster(masters, nowMs);
      const order = [active, ...masters.filter((master) => master !== active)];
      return order.map((master) => deriveOnce(binding, master, purposeInfo(zoneId, "bind")));
    },
    naming(nowMs) {
      return deriveOnce(naming, sealingMaster(masters, nowMs), purposeInfo(zoneId, "name"));
    },
  };
}

function deriveOnce(cache: Map<MasterKey, KeyObject>, master: MasterKey, info: string): KeyObject {
  const key = cache.get(master) ?? deriveKey(master, info);
  cache.set(master, key);
  return key;
}

function keepRecent<Value>(cache: Map<number, Value>, slot: number, value: Value): void {
  // A Map lists its keys in the order of insertion: what is used moves to the end, what is old leaves first.
  cache.delete(slot);
  cache.set(slot, value);
  if (cache.size <= MAX_CACHED_KEYS) return;
  const oldest = cache.keys().next();
  if (oldest.done !== true) cache.delete(oldest.value);
}

/** Counts the seals of this process. Only the newest epochs of a zone are remembered: older ones seal no more. */
function createSealCounter(): CountSeal {
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
