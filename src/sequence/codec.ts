/**
 * The plaintext of a sequence cookie.
 *
 * ```
 * byte 0      version (2 bits) | genesis (1) | reserved (1) | n (4 bits)
 *             version 1: n = 1..10.   version 2: n = 0 and byte 1 holds the count, 11..64
 * 6 bytes     sid
 * 4 bytes     time of the newest entry, epoch ms mod 2^32
 * n times     short id (4 bytes); from the 2nd on: LEB128 of the ms to the entry before it
 * ```
 *
 * Whole numbers are big-endian. Every sequence has exactly one encoding, and nothing else decodes.
 */
import { createEntry, opNumberOf } from "./entry.ts";
import { MAX_ENTRIES } from "./limits.ts";
import type { SequenceEntry, SequencePayload } from "./types.ts";

const VERSION_SHORT = 1;
const VERSION_LONG = 2;
const MAX_SHORT_ENTRIES = 10;
const GENESIS_BIT = 0x20;
const RESERVED_BIT = 0x10;

const SID_BYTES = 6;
const TIME_BYTES = 4;
const OP_BYTES = 4;
/** Four groups of seven bits are 74 hours, three times the longest look-back. */
const MAX_VARINT_BYTES = 4;
const MAX_GAP_MS = 2 ** (7 * MAX_VARINT_BYTES) - 1;

const TWO_32 = 2 ** 32;
const MAX_SID = 2 ** 48 - 1;

const OP_DIGITS = 8;
/** Short ids whose texts are kept, a power of two: a zone has few operations, and each cookie names ten of them. */
const OP_PLACES = 1024;
/** Multiplicative hashing (Knuth, TAOCP 6.4). */
const OP_HASH = 0x9e37_79b1;
const OP_SHIFT = Math.clz32(OP_PLACES - 1);

/** Longest plaintext in bytes; a longer one is refused unread. */
export const MAX_PAYLOAD_BYTES = 2 + SID_BYTES + TIME_BYTES + MAX_ENTRIES * (OP_BYTES + MAX_VARINT_BYTES);

/** Payloads share buffers: one of its own costs more than all that is written into it. No byte is used twice. */
const POOL_BYTES = 8192;
let pool = new Uint8Array(POOL_BYTES);
let used = 0;

/**
 * @param payload 1 to 64 entries, newest first, short ids of 8 lower-case hex characters
 * @throws {RangeError} when the payload cannot be written; that is a mistake of the program, never of a visitor
 */
export function encodePayload(payload: SequencePayload): Uint8Array {
  const { entries, sid } = payload;
  const newest = entries[0];
  if (newest === undefined || entries.length > MAX_ENTRIES) {
    throw new RangeError(`expected 1 to ${MAX_ENTRIES} entries, found ${entries.length}`);
  }
  if (!Number.isInteger(sid) || sid < 0 || sid > MAX_SID) {
    throw new RangeError(`expected a 48-bit sequence id, found \`${sid}\``);
  }
  if (used + MAX_PAYLOAD_BYTES > POOL_BYTES) {
    pool = new Uint8Array(POOL_BYTES);
    used = 0;
  }
  const bytes = pool.subarray(used);
  let end = writeCount(bytes, payload);
  end = writeUint16(bytes, end, Math.floor(sid / TWO_32));
  end = writeUint32(bytes, end, sid % TWO_32);
  end = writeUint32(bytes, end, newest.at);
  let newer: SequenceEntry | undefined;
  for (const entry of entries) {
    end = writeOp(bytes, end, entry);
    if (newer !== undefined) end = writeGap(bytes, end, gapBetween(newer, entry));
    newer = entry;
  }
  used += end;
  return bytes.subarray(0, end);
}

/**
 * Total: any bytes give a payload or `undefined`, and never an exception.
 *
 * @param nowMs epoch milliseconds; the 32 bits of the newest time are completed to the instant nearest to it,
 *   which is unambiguous because keys die long before 24 days have passed
 */
export function decodePayload(bytes: Uint8Array, nowMs: number): SequencePayload | undefined {
  const count = readCount(bytes);
  if (count === 0 || bytes.length > MAX_PAYLOAD_BYTES) return undefined;
  const first = bytes[0] ?? 0;
  let offset = count > MAX_SHORT_ENTRIES ? 2 : 1;
  if (bytes.length < offset + SID_BYTES + TIME_BYTES + count * OP_BYTES + (count - 1)) return undefined;

  const sid = readUint16(bytes, offset) * TWO_32 + readUint32(bytes, offset + 2);
  offset += SID_BYTES;
  let at = nearestInstant(readUint32(bytes, offset), Math.floor(nowMs));
  offset += TIME_BYTES;

  const newest = readUint32(bytes, offset) | 0;
  const entries: SequenceEntry[] = [createEntry(opOf(newest), at, newest)];
  offset += OP_BYTES;
  while (entries.length < count) {
    if (offset + OP_BYTES >= bytes.length) return undefined;
    const number = readUint32(bytes, offset) | 0;
    const op = opOf(number);
    offset += OP_BYTES;
    const length = varintLength(bytes, offset);
    if (length === 0) return undefined;
    const gapMs = readVarint(bytes, offset, length);
    offset += length;
    // INVARIANT: newest first, at the same millisecond ascending by operation, no pair twice.
    if (gapMs === 0 && op <= (entries.at(-1)?.op ?? "")) return undefined;
    at -= gapMs;
    entries.push(createEntry(op, at, number));
  }
  if (offset !== bytes.length) return undefined;
  return { sid, genesis: (first & GENESIS_BIT) !== 0, entries };
}

function writeCount(bytes: Uint8Array, { entries, genesis }: SequencePayload): number {
  const flag = genesis ? GENESIS_BIT : 0;
  if (entries.length <= MAX_SHORT_ENTRIES) {
    bytes[0] = (VERSION_SHORT << 6) | flag | entries.length;
    return 1;
  }
  bytes[0] = (VERSION_LONG << 6) | flag;
  bytes[1] = entries.length;
  return 2;
}

/** Number of entries announced, 0 when the header is none of ours. */
function readCount(bytes: Uint8Array): number {
  const first = bytes[0] ?? 0;
  if ((first & RESERVED_BIT) !== 0) return 0;
  const version = first >> 6;
  const short = first & 0x0f;
  if (version === VERSION_SHORT) return short <= MAX_SHORT_ENTRIES ? short : 0;
  const long = bytes[1] ?? 0;
  const isLong = version === VERSION_LONG && short === 0 && long > MAX_SHORT_ENTRIES && long <= MAX_ENTRIES;
  return isLong ? long : 0;
}

function writeUint16(bytes: Uint8Array, offset: number, value: number): number {
  bytes[offset] = value >>> 8;
  bytes[offset + 1] = value;
  return offset + 2;
}

function writeUint32(bytes: Uint8Array, offset: number, value: number): number {
  // `>>> 0` of a larger number keeps its low 32 bits: the modulo of the layout.
  const low = value >>> 0;
  bytes[offset] = low >>> 24;
  bytes[offset + 1] = low >>> 16;
  bytes[offset + 2] = low >>> 8;
  bytes[offset + 3] = low;
  return offset + 4;
}

function writeOp(bytes: Uint8Array, offset: number, entry: SequenceEntry): number {
  const number = opNumberOf(entry);
  if (number === undefined) {
    throw new RangeError(`expected a short id of 8 lower-case hex characters, found \`${entry.op}\``);
  }
  return writeUint32(bytes, offset, number);
}

function gapBetween(newer: SequenceEntry, older: SequenceEntry): number {
  const gapMs = newer.at - older.at;
  const isOrdered = gapMs > 0 || (gapMs === 0 && newer.op < older.op);
  if (Number.isInteger(gapMs) && isOrdered && gapMs <= MAX_GAP_MS) return gapMs;
  throw new RangeError(`expected entries newest first and at most ${MAX_GAP_MS} ms apart, found ${gapMs} ms`);
}

function writeGap(bytes: Uint8Array, offset: number, gapMs: number): number {
  let rest = gapMs;
  let end = offset;
  while (rest > 0x7f) {
    bytes[end] = (rest & 0x7f) | 0x80;
    end += 1;
    rest >>>= 7;
  }
  bytes[end] = rest;
  return end + 1;
}

function readUint16(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0);
}

function readUint32(bytes: Uint8Array, offset: number): number {
  return ((readUint16(bytes, offset) << 16) | readUint16(bytes, offset + 2)) >>> 0;
}

/** The numbers of short ids, and their texts in the same places. */
const opNumbers = new Int32Array(OP_PLACES);
const opTexts = Array.from({ length: OP_PLACES }, () => "0".repeat(OP_DIGITS));

/** @param number the signed 32-bit number that the short id spells */
function opOf(number: number): string {
  const place = Math.imul(number, OP_HASH) >>> OP_SHIFT;
  if (opNumbers[place] !== number) {
    opNumbers[place] = number;
    opTexts[place] = (number >>> 0).toString(16).padStart(OP_DIGITS, "0");
  }
  return opTexts[place] as string;
}

/** Bytes of the varint that starts here, 0 when it is cut off, too long or not in its shortest form. */
function varintLength(bytes: Uint8Array, offset: number): number {
  for (let length = 1; length <= MAX_VARINT_BYTES; length += 1) {
    const byte = bytes[offset + length - 1];
    if (byte === undefined) return 0;
    if ((byte & 0x80) === 0) return byte === 0 && length > 1 ? 0 : length;
  }
  return 0;
}

function readVarint(bytes: Uint8Array, offset: number, length: number): number {
  let value = 0;
  for (let index = length - 1; index >= 0; index -= 1) {
    value = (value << 7) | ((bytes[offset + index] ?? 0) & 0x7f);
  }
  return value;
}

function nearestInstant(low32: number, nowMs: number): number {
  // `| 0` wraps the difference into the range -2^31 … 2^31 - 1.
  return nowMs + ((low32 - (nowMs % TWO_32)) | 0);
}
