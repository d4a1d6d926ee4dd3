/** Key derivation on Node: HKDF with SHA-256 (RFC 5869), and what is made with the derived keys beside sealing. */
import { createHmac, createSecretKey, hkdfSync } from "node:crypto";
import type { KeyObject } from "node:crypto";

import { KEY_SALT } from "./epochs.ts";
import type { MasterKey } from "./master-keys.ts";

const DERIVED_KEY_BYTES = 32;
const SID_BYTES = 6;

/** Inputs of HKDF, named as in RFC 5869 section 2. */
export interface HkdfInput {
  readonly ikm: Uint8Array;
  readonly salt: Uint8Array;
  readonly info: Uint8Array;
}

/** @param size bytes of output keying material, at most 8,160 */
export function hkdfSha256({ ikm, salt, info }: HkdfInput, size: number): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", ikm, salt, info, size));
}

/** @param info see `sealingInfo` and `purposeInfo` */
export function deriveKey(master: MasterKey, info: string): KeyObject {
  const input = {
    ikm: master.secret,
    salt: Buffer.from(KEY_SALT, "latin1"),
    info: Buffer.from(info, "latin1"),
  };
  const bytes = hkdfSha256(input, DERIVED_KEY_BYTES);
  const key = createSecretKey(bytes);
  bytes.fill(0);
  return key;
}

/** @returns the sequence id (48 bits) of chains bound to a session identifier */
export function boundSid(key: KeyObject | Uint8Array, bindValue: string): number {
  return createHmac("sha256", key).update(bindValue, "utf8").digest().readUIntBE(0, SID_BYTES);
}

/** @returns bytes for a cookie name that equal operations of one view share */
export function sharedNameBytes(key: KeyObject, op: string, view: string): Uint8Array {
  return createHmac("sha256", key).update(`${op}|${view}`, "latin1").digest();
}
