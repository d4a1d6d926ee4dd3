/** Addresses and networks as they stand in lists and conditions, in one canonical spelling. */
import { ipToText, parseIp } from "../expression/index.ts";

/** Smallest prefix lengths that lists take: shorter ones are almost always a slip. */
const MIN_PREFIX = { 4: 8, 16: 12 } as const;

/**
 * Canonical text of an address or CIDR, host bits cleared; `undefined` when it is none. A network of one address is
 * written as the address.
 */
export function canonicalCidr(text: string): string | undefined {
  const match = /^([0-9A-Fa-f:.]{2,45})(?:\/(\d{1,3}))?$/.exec(text);
  const bytes = match === null ? undefined : parseIp(match[1] ?? "")?.bytes;
  if (match === null || bytes === undefined) return undefined;
  const size = 8 * bytes.length;
  const bits = match[2] === undefined ? size : Number(match[2]);
  if (bits > size || bits < MIN_PREFIX[bytes.length as 4 | 16]) return undefined;
  const address = ipToText({ kind: "ip", bytes: masked(bytes, bits) });
  return bits === size ? address : `${address}/${bits}`;
}

function masked(bytes: string, bits: number): string {
  return Array.from({ length: bytes.length }, (_, at) => {
    const kept = Math.min(8, Math.max(0, bits - 8 * at));
    return String.fromCharCode(bytes.charCodeAt(at) & (0xff << (8 - kept)) & 0xff);
  }).join("");
}
