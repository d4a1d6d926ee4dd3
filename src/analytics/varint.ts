/** Whole numbers of 0 to 2^32 - 1 in one to five bytes (LEB128), in their shortest form only. */

const START_BYTES = 1024;
const MAX_VARINT_BYTES = 5;
const MAX_LAST_GROUP = 15;

/** Bytes that grow as they are written. */
export interface ByteWriter {
  bytes: Uint8Array<ArrayBuffer>;
  end: number;
}

export function createWriter(): ByteWriter {
  return { bytes: new Uint8Array(START_BYTES), end: 0 };
}

/** @param value whole number, 0 to 2^32 - 1 */
export function writeVarint(writer: ByteWriter, value: number): void {
  if (writer.end + MAX_VARINT_BYTES > writer.bytes.length) {
    const wider = new Uint8Array(writer.bytes.length * 2);
    wider.set(writer.bytes);
    writer.bytes = wider;
  }
  const { bytes } = writer;
  let rest = value >>> 0;
  while (rest > 0x7f) {
    bytes[writer.end] = (rest & 0x7f) | 0x80;
    writer.end += 1;
    rest >>>= 7;
  }
  bytes[writer.end] = rest;
  writer.end += 1;
}

/** A place in bytes that somebody else wrote. */
export interface ByteReader {
  readonly bytes: Uint8Array;
  at: number;
  /** Set by the first number that cannot be read; from then on all numbers are 0. */
  failed: boolean;
}

export function createReader(bytes: Uint8Array, at: number): ByteReader {
  return { bytes, at, failed: false };
}

/** Total: never an exception, and never beyond the end. */
export function readVarint(reader: ByteReader): number {
  const { bytes } = reader;
  const first = bytes[reader.at];
  // Most numbers are small.
  if (first !== undefined && first < 0x80 && !reader.failed) {
    reader.at += 1;
    return first;
  }
  return readLong(reader);
}

function readLong(reader: ByteReader): number {
  let value = 0;
  for (let group = 0; group < MAX_VARINT_BYTES && !reader.failed; group += 1) {
    const byte = reader.bytes[reader.at + group];
    if (byte === undefined) break;
    value += (byte & 0x7f) * 2 ** (7 * group);
    if (byte >= 0x80) continue;
    // Not in its shortest form, or more than 32 bits.
    if ((byte === 0 && group > 0) || (group === MAX_VARINT_BYTES - 1 && byte > MAX_LAST_GROUP)) break;
    reader.at += group + 1;
    return value;
  }
  reader.failed = true;
  return 0;
}
