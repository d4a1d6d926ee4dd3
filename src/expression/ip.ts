/** IP addresses as compact immutable values: 4 or 16 bytes, so that order and ranges are string comparisons. */

/**
 * One address. `bytes` is a binary string of 4 bytes (IPv4) or 16 (IPv6), network byte order. The two
 * families are disjoint: `::ffff:1.2.3.4` is IPv6 and never equals `1.2.3.4`.
 */
export interface Ip {
  readonly kind: "ip";
  readonly bytes: string;
}

/** First and last address of a range, of one family. */
export interface IpRange {
  readonly first: Ip;
  readonly last: Ip;
}

const GROUPS = 8;

const DOT = 46;
const ZERO = 48;

/**
 * Reads an address from its text, strictly: four decimal octets without leading zeros, or RFC 4291
 * section 2.2 text. No zone id, no prefix, no short form. `undefined` when it is no address.
 */
export function parseIp(text: string): Ip | undefined {
  const bytes = text.includes(":") ? parseV6(text) : parseV4(text);
  return bytes === undefined ? undefined : makeIp(bytes);
}

/**
 * Reads an address, a CIDR or `first..last` from its text, as members of address lists are written. Host
 * bits of a CIDR have to be zero. `undefined` when it is none of them.
 */
export function parseIpRange(text: string): IpRange | undefined {
  const dots = text.indexOf("..");
  return dots === -1 ? parseNetwork(text) : parseBounds(text.slice(0, dots), text.slice(dots + 2));
}

function parseBounds(from: string, to: string): IpRange | undefined {
  const first = parseIp(from);
  const last = parseIp(to);
  if (first === undefined || last === undefined) {
    return undefined;
  }
  const isRange = first.bytes.length === last.bytes.length && first.bytes <= last.bytes;
  return isRange ? { first, last } : undefined;
}

function parseNetwork(text: string): IpRange | undefined {
  const [, address = "", bits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const ip = parseIp(address);
  if (ip === undefined) {
    return undefined;
  }
  const width = ip.bytes.length * 8;
  const length = Number(bits ?? width);
  const network = length <= width ? networkOf(ip, length) : undefined;
  return network?.first.bytes === ip.bytes ? network : undefined;
}

/** Address text in the canonical form of RFC 5952. */
export function ipToText(ip: Ip): string {
  return ip.bytes.length === 4 ? v4ToText(ip.bytes) : v6ToText(ip.bytes);
}

export function isIpv4(ip: Ip): boolean {
  return ip.bytes.length === 4;
}

export function makeIp(bytes: string): Ip {
  return Object.freeze({ kind: "ip", bytes });
}

/** The first and last address that share the first `bits` bits of `ip`. */
export function networkOf(ip: Ip, bits: number): IpRange {
  let first = "";
  let last = "";
  for (let at = 0; at < ip.bytes.length; at += 1) {
    const kept = Math.min(8, Math.max(0, bits - at * 8));
    const mask = (0xff << (8 - kept)) & 0xff;
    const octet = ip.bytes.charCodeAt(at);
    first += String.fromCharCode(octet & mask);
    last += String.fromCharCode((octet & mask) | (~mask & 0xff));
  }
  return { first: makeIp(first), last: makeIp(last) };
}

/**
 * Four decimal octets. With `short`, also fewer than four (`10` is `10.0.0.0`) and leading zeros, which
 * the reference engine's address library accepts inside `{}` only.
 */
export function parseV4(text: string, short = false): string | undefined {
  let bytes = "";
  let octet: number | undefined;
  for (let index = 0; index <= text.length; index += 1) {
    const code = index === text.length ? DOT : text.charCodeAt(index);
    if (code === DOT) {
      if (octet === undefined || bytes.length === 4) {
        return undefined;
      }
      bytes += String.fromCharCode(octet);
      octet = undefined;
      continue;
    }
    const digit = code - ZERO;
    const isLeadingZero = octet === 0 && !short;
    octet = (octet ?? 0) * 10 + digit;
    if (digit < 0 || digit > 9 || isLeadingZero || octet > 255) {
      return undefined;
    }
  }
  return short || bytes.length === 4 ? bytes.padEnd(4, "\0") : undefined;
}

function parseV6(text: string): string | undefined {
  const halves = text.split("::", 3);
  const head = parseGroups(halves[0] ?? "", halves.length === 1);
  if (head === undefined || halves.length > 2) {
    return undefined;
  }
  if (halves.length === 1) {
    return head.length === GROUPS * 2 ? head : undefined;
  }
  const tail = parseGroups(halves[1] ?? "", true);
  // `::` stands for at least one group.
  if (tail === undefined || head.length + tail.length > (GROUPS - 1) * 2) {
    return undefined;
  }
  return head.padEnd(GROUPS * 2 - tail.length, "\0") + tail;
}

/** Groups between colons; the last may be a dotted IPv4 address when it ends the whole text. */
function parseGroups(text: string, endsText: boolean): string | undefined {
  if (text === "") {
    return "";
  }
  const groups = text.split(":", GROUPS + 1);
  let bytes = "";
  for (const [index, group] of groups.entries()) {
    if (/^[0-9a-f]{1,4}$/i.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes += String.fromCharCode(value >> 8, value & 0xff);
      continue;
    }
    const dotted = endsText && index === groups.length - 1 ? parseV4(group) : undefined;
    if (dotted === undefined) {
      return undefined;
    }
    bytes += dotted;
  }
  return bytes.length <= GROUPS * 2 ? bytes : undefined;
}

function v4ToText(bytes: string): string {
  return Array.from(bytes, (octet) => octet.charCodeAt(0)).join(".");
}

function v6ToText(bytes: string): string {
  const groups = Array.from(
    { length: GROUPS },
    (_, index) => bytes.charCodeAt(index * 2) * 256 + bytes.charCodeAt(index * 2 + 1),
  );
  // RFC 5952 section 5: mapped IPv4 addresses are shown with their dotted part.
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return `::ffff:${v4ToText(bytes.slice(12))}`;
  }
  const { start, length } = longestZeroRun(groups);
  return length < 2
    ? hexGroups(groups)
    : `${hexGroups(groups.slice(0, start))}::${hexGroups(groups.slice(start + length))}`;
}

function hexGroups(groups: readonly number[]): string {
  return groups.map((group) => group.toString(16)).join(":");
}

function longestZeroRun(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (let index = 0; index <= groups.length; index += 1) {
    if (groups[index] !== 0) {
      if (index - start > best.length) {
        best = { start, length: index - start };
      }
      start = index + 1;
    }
  }
  return best;
}
