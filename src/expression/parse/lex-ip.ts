/** Address literals: plain after an operator; also CIDR and ranges inside `{}` (language.md section 3.4). */
import type { Cursor } from "./cursor.ts";
import { isIpv4, makeIp, networkOf, parseIp, parseV4, type Ip, type IpRange } from "../ip.ts";
import { isHexDigit } from "./lex-number.ts";

interface Chunk {
  readonly text: string;
  /** Offset of the text in the source. */
  readonly start: number;
}

export function lexIp(cursor: Cursor): Ip {
  const chunk = takeChunk(cursor);
  const ip = parseIp(chunk.text);
  if (ip === undefined) {
    const hint = chunk.text.includes("/") ? "; a CIDR stands inside `{}`" : "";
    throw refuse(cursor, chunk, `expected an IP address${hint}`);
  }
  return ip;
}

export function lexIpRange(cursor: Cursor): IpRange {
  const chunk = takeChunk(cursor);
  const dots = chunk.text.indexOf("..");
  return dots === -1 ? readNetwork(cursor, chunk) : readRange(cursor, chunk, dots);
}

function readRange(cursor: Cursor, chunk: Chunk, dots: number): IpRange {
  const [first, last] = [part(chunk, 0, dots), part(chunk, dots + 2)].map((bound) => {
    const ip = parseIp(bound.text);
    if (ip === undefined) {
      throw refuse(cursor, bound, "expected an IP address as the bound of a range");
    }
    return ip;
  });
  if (first === undefined || last === undefined || isIpv4(first) !== isIpv4(last)) {
    throw refuse(cursor, chunk, "expected both bounds of one family", "invalid_range");
  }
  if (last.bytes < first.bytes) {
    throw refuse(cursor, chunk, "expected a range from low to high", "invalid_range");
  }
  return { first, last };
}

function readNetwork(cursor: Cursor, chunk: Chunk): IpRange {
  const lastSlash = chunk.text.lastIndexOf("/");
  const firstSlash = chunk.text.indexOf("/");
  const address = part(chunk, 0, firstSlash === -1 ? undefined : firstSlash);
  const ip = parseLoose(lastSlash === -1 ? chunk.text : chunk.text.slice(0, lastSlash));
  if (ip === undefined) {
    throw refuse(cursor, address, "expected an IP address or CIDR");
  }
  if (lastSlash === -1) {
    return { first: ip, last: ip };
  }
  const bits = chunk.text.slice(lastSlash + 1);
  if (!/^0*\d{1,3}$/.test(bits) || Number(bits) > 255) {
    throw refuse(cursor, part(chunk, firstSlash + 1), "expected a prefix length");
  }
  if (Number(bits) > ip.bytes.length * 8) {
    throw refuse(cursor, chunk, `expected a prefix length up to ${ip.bytes.length * 8}`);
  }
  const network = networkOf(ip, Number(bits));
  if (network.first.bytes !== ip.bytes) {
    throw refuse(cursor, address, "expected the first address of the network, all host bits zero");
  }
  return network;
}

/** Inside `{}` the reference engine's address library also reads short IPv4 such as `10`. */
function parseLoose(text: string): Ip | undefined {
  const ip = parseIp(text);
  if (ip !== undefined) {
    return ip;
  }
  const bytes = parseV4(text, true);
  return bytes === undefined ? undefined : makeIp(bytes);
}

function takeChunk(cursor: Cursor): Chunk {
  const found = cursor.found();
  const start = cursor.at;
  const text = cursor.takeWhile(isAddressUnit);
  if (text === "") {
    throw cursor.fault("expected_name", `expected an IP address, found ${found}`, start);
  }
  return { text, start };
}

/** Hex digits, `.`, `/` and `:`. */
function isAddressUnit(unit: number): boolean {
  return isHexDigit(unit) || unit === 0x2e || unit === 0x2f || unit === 0x3a;
}

function part(chunk: Chunk, from: number, to?: number): Chunk {
  return { text: chunk.text.slice(from, to), start: chunk.start + from };
}

function refuse(
  cursor: Cursor,
  chunk: Chunk,
  expected: string,
  code: "invalid_address" | "invalid_range" = "invalid_address",
) {
  return cursor.fault(
    code,
    `${expected}, found \`${chunk.text}\``,
    chunk.start,
    chunk.start + chunk.text.length,
  );
}
