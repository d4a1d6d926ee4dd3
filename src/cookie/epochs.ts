/**
 * Key hours. Each hour has its own key per zone, so that no key seals more than AES-GCM with random IVs allows
 * (NIST SP 800-38D section 8.3) and a cookie is worthless soon after its entries are.
 */
import { EPOCH_CHARACTERS, MAX_SHARDS } from "./names.ts";

/** Length of an epoch. */
export const EPOCH_MS = 3_600_000;

/** How far the clocks of two processes may be apart. */
export const CLOCK_SKEW_MS = 60_000;

/** How long a process may keep sealing with a master key after its successor became active. */
export const ROTATION_GRACE_MS = 3_600_000;

/**
 * Seals under one key before the next shard is used. A quarter of the 2^32 that SP 800-38D allows: several
 * processes share a key and do not know of each other's seals.
 */
const SEALS_PER_SHARD = 2 ** 30;

/** Salt of every derived key; it names the layout, so that another layout has other keys. */
export const KEY_SALT = "seq-cookie-v1";

export function epochAt(nowMs: number): number {
  return Math.floor(nowMs / EPOCH_MS);
}

/**
 * The epoch that a cookie's name means now.
 *
 * @param epochValue epoch mod 64, from the name
 * @param previousEpochs how many hours back a cookie may have been sealed
 * @returns `undefined` when no epoch in use has this value
 */
export function resolveEpoch(epochValue: number, nowMs: number, previousEpochs: number): number | undefined {
  // The next epoch is accepted only while the clock of another process may have reached it already.
  const newest = epochAt(nowMs + CLOCK_SKEW_MS);
  const back = (((newest - epochValue) % EPOCH_CHARACTERS) + EPOCH_CHARACTERS) % EPOCH_CHARACTERS;
  const epoch = newest - back;
  return epoch >= epochAt(nowMs) - previousEpochs ? epoch : undefined;
}

/** Epochs in which a cookie of this age may have been sealed, the current one not counted. */
export function previousEpochsFor(maxAgeMs: number): number {
  return Math.ceil(maxAgeMs / EPOCH_MS);
}

/**
 * HKDF `info` of a sealing key.
 *
 * @param zoneId without `;` and `=`, see {@link checkZoneId}
 */
export function sealingInfo(zoneId: string, epoch: number, shard: number): string {
  return `zone=${zoneId};epoch=${epoch};shard=${shard}`;
}

/** HKDF `info` of a key that outlives an epoch: `bind` for sequence ids, `name` for shared cookie names. */
export function purposeInfo(zoneId: string, use: "bind" | "name" | "session"): string {
  return `zone=${zoneId};use=${use}`;
}

/**
 * Which shard the next seal belongs to.
 *
 * @param seals seals under the keys of this epoch, the next one included
 * @returns `undefined` when all shards are used up
 */
export function shardFor(seals: number): number | undefined {
  const shard = Math.floor((seals - 1) / SEALS_PER_SHARD);
  return shard < MAX_SHARDS ? shard : undefined;
}

/**
 * @throws {TypeError} for an id that could make two zones share a key
 */
export function checkZoneId(zoneId: string): void {
  if (/^[A-Za-z0-9_.-]{1,64}$/.test(zoneId)) return;
  throw new TypeError(
    `expected a zone id of 1 to 64 letters, digits, \`_\`, \`.\` or \`-\`, found \`${zoneId}\``,
  );
}
