/** The key ring on Node. */
import type { KeyObject } from "node:crypto";

import { deriveKey } from "./derive.ts";
import type { MasterKey } from "./master-keys.ts";
import { createRing } from "./ring.ts";
import type { KeyRingOptions, Ring } from "./ring.ts";

/** Master keys in use, for any number of zones. */
export type KeyRing = Ring<KeyObject, KeyObject>;

/**
 * @param masters 1 to 8 master keys; the newest whose turn has come seals, all open (see `MasterKey`)
 * @throws {TypeError} for keys of a wrong size, ids or keys that occur twice, no key or too many
 */
export function createKeyRing(masters: readonly MasterKey[], options: KeyRingOptions = {}): KeyRing {
  return createRing(masters, { sealingKey: deriveKey, macKey: deriveKey }, options);
}
