/** Names for sessions: HMACs of identifiers under keys of the ring, with a label of their own. */
import { createHmac } from "node:crypto";
import type { KeyRing } from "./key-ring.ts";

/**
 * @param graceMs how long a session may live: within this time after a rotation the former key is given too
 * @returns for a moment (epoch ms) the HMACs in force, the current one first; each gives 43 characters of base64url
 */
export function createSessionHmacs(
  keyRing: KeyRing,
  zoneId: string,
  graceMs: number,
): (nowMs: number) => readonly ((text: string) => string)[] {
  return (nowMs) =>
    keyRing
      .zone(zoneId)
      .sessions(nowMs, graceMs)
      .map((key) => (text) => createHmac("sha256", key).update(text, "utf8").digest("base64url"));
}
