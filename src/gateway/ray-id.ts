/** Names of requests: unpredictable, so that nobody can claim another visitor's. */
import { randomFillSync } from "node:crypto";

const RAY_ID_HEX_LENGTH = 16;
/** Ids per call of the system's random source; each call costs as much as a small request. */
const IDS_PER_DRAW = 512;

const pool = Buffer.alloc((IDS_PER_DRAW * RAY_ID_HEX_LENGTH) / 2);
let drawn = "";
let used = 0;

/** @returns 16 hexadecimal characters, cryptographically random */
export function nextRayId(): string {
  if (used === drawn.length) {
    drawn = randomFillSync(pool).toString("hex");
    used = 0;
  }
  used += RAY_ID_HEX_LENGTH;
  return drawn.slice(used - RAY_ID_HEX_LENGTH, used);
}
