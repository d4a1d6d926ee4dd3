/**
 * Master keys and their turns. A new key is added beside the old one: it waits (pending) until every process
 * has it, seals from `activeFrom` on (active), and at last only opens what it sealed (retired).
 */
import { CLOCK_SKEW_MS, EPOCH_MS, ROTATION_GRACE_MS } from "./epochs.ts";

/** Bytes of a master key. */
export const MASTER_KEY_BYTES = 32;

/** Most master keys of a ring: each one is a trial for every cookie that does not open. */
export const MAX_MASTER_KEYS = 8;

const KEY_ID = /^[A-Za-z0-9_.-]{1,64}$/;

export interface MasterKey {
  /** Name for people and files (`kid`): 1 to 64 letters, digits, `_`, `.` or `-`. Not part of any cookie. */
  readonly id: string;
  /** 32 bytes. */
  readonly secret: Uint8Array;
  /** Epoch milliseconds from which on it seals; without it, at once. */
  readonly activeFrom?: number;
}

export type MasterKeyState = "pending" | "active" | "retired";

/** What a mistake in a set of master keys is about, and where. */
export interface MasterKeyProblem {
  readonly index: number;
  readonly member: "id" | "secret" | "activeFrom";
  readonly message: string;
}

/** Master keys in the order of their turns. */
export type OrderedMasterKeys = readonly [MasterKey, ...MasterKey[]];

/**
 * @param masters in any order; of two with the same `activeFrom` the later one in the list counts as newer
 * @throws {TypeError} for an empty or overlong list, a wrong size, an id or key that occurs twice
 */
export function orderMasterKeys(masters: readonly MasterKey[]): OrderedMasterKeys {
  if (masters.length > MAX_MASTER_KEYS) {
    throw new TypeError(
      `expected at most ${MAX_MASTER_KEYS} master keys, found ${masters.length}: remove retired ones`,
    );
  }
  const [problem] = findProblems(masters);
  if (problem !== undefined) throw new TypeError(`master key ${problem.index}: ${problem.message}`);
  const [first, ...rest] = masters.toSorted((a, b) => startOf(a) - startOf(b));
  if (first === undefined)
    throw new TypeError("expected at least one master key: make one with `generateMasterKey`");
  return [first, ...rest];
}

/** The key that seals now: the newest whose turn has come, or the very first when none has. */
export function sealingMaster(masters: OrderedMasterKeys, nowMs: number): MasterKey {
  return masters.findLast((master) => startOf(master) <= nowMs) ?? masters[0];
}

/** The key in force now, then those that were in force at some time of the last `spanMs`, newest first. */
export function sealingMasters(
  masters: OrderedMasterKeys,
  nowMs: number,
  spanMs: number,
): readonly MasterKey[] {
  const active = sealingMaster(masters, nowMs);
  const begun = masters.slice(0, masters.indexOf(active) + 1);
  // A successor that does not say when it took over may have done so long ago: its predecessor counts as gone.
  return begun
    .filter((_, index) => {
      const supersededAt = begun[index + 1]?.activeFrom ?? 0;
      return index === begun.length - 1 || supersededAt + spanMs > nowMs;
    })
    .toReversed();
}

/**
 * Keys that may have sealed a cookie in an epoch, the likeliest first.
 *
 * A key drops out when its successor has been active for {@link ROTATION_GRACE_MS} before the epoch began, so
 * that a key which was stolen and replaced cannot forge cookies for long. A successor without `activeFrom` says
 * nothing about when it took over; then the old key opens until it is removed.
 */
export function openingMasters(masters: OrderedMasterKeys, epoch: number): readonly MasterKey[] {
  const startsAt = epoch * EPOCH_MS;
  const begun = masters.filter((master) => startOf(master) < startsAt + EPOCH_MS + CLOCK_SKEW_MS);
  const candidates = begun.length === 0 ? [masters[0]] : begun;
  return candidates
    .filter((_, index) => {
      const supersededAt = candidates[index + 1]?.activeFrom;
      return supersededAt === undefined || supersededAt + ROTATION_GRACE_MS > startsAt;
    })
    .toReversed();
}

/** When the next pending key takes over, `Infinity` when none waits. */
export function nextActivationAt(masters: OrderedMasterKeys, nowMs: number): number {
  return masters.find((master) => startOf(master) > nowMs)?.activeFrom ?? Number.POSITIVE_INFINITY;
}

export function masterKeyState(masters: OrderedMasterKeys, master: MasterKey, nowMs: number): MasterKeyState {
  if (master === sealingMaster(masters, nowMs)) return "active";
  return startOf(master) > nowMs ? "pending" : "retired";
}

/** Everything that is wrong with single keys or pairs of them. */
export function findProblems(masters: readonly MasterKey[]): readonly MasterKeyProblem[] {
  const problems: MasterKeyProblem[] = [];
  for (const [index, master] of masters.entries()) {
    const earlier = masters.slice(0, index);
    const add = (member: MasterKeyProblem["member"], message: string) =>
      problems.push({ index, member, message });
    if (!KEY_ID.test(master.id)) {
      add("id", `expected 1 to 64 letters, digits, \`_\`, \`.\` or \`-\`, found \`${master.id}\``);
    } else if (earlier.some((other) => other.id === master.id)) {
      add("id", `expected an id that no other key has, found \`${master.id}\` again`);
    }
    if (master.secret.length !== MASTER_KEY_BYTES) {
      add("secret", `expected ${MASTER_KEY_BYTES} bytes, found ${master.secret.length}`);
    } else if (master.secret.every((byte) => byte === master.secret[0])) {
      add("secret", "expected random bytes, found one byte repeated");
    } else if (earlier.some((other) => isSameSecret(other.secret, master.secret))) {
      add("secret", "expected a key of its own, found that of another master key");
    }
    if (master.activeFrom !== undefined && !Number.isFinite(master.activeFrom)) {
      add("activeFrom", `expected epoch milliseconds, found \`${master.activeFrom}\``);
    }
  }
  return problems;
}

function startOf(master: MasterKey): number {
  return master.activeFrom ?? 0;
}

function isSameSecret(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
