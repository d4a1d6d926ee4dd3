/**
 * Byte strings. At run time Bytes are JavaScript strings whose every code unit is one byte, 0 to 255
 * ("binary strings", the form in which Node hands out header values): comparing, searching and slicing
 * are then byte-exact and need no copies.
 */

const encoder = new TextEncoder();
const strictDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const lenientDecoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Code units per `String.fromCharCode` call, well below the engines' limit on arguments. */
const CHUNK = 8192;

export function bytesFromArray(array: Uint8Array): string {
  if (array.length <= CHUNK) {
    return String.fromCharCode(...array);
  }
  let bytes = "";
  for (let at = 0; at < array.length; at += CHUNK) {
    bytes += String.fromCharCode(...array.subarray(at, at + CHUNK));
  }
  return bytes;
}

export function bytesToArray(bytes: string): Uint8Array {
  const array = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; at += 1) {
    array[at] = bytes.charCodeAt(at);
  }
  return array;
}

/** The UTF-8 bytes of a text; a lone surrogate becomes U+FFFD. */
export function toBytes(text: string): string {
  return /^[\0-\x7f]*$/.test(text) ? text : bytesFromArray(encoder.encode(text));
}

/** The text of bytes read as UTF-8; malformed sequences become U+FFFD. */
export function fromBytes(bytes: string): string {
  return /^[\0-\x7f]*$/.test(bytes) ? bytes : lenientDecoder.decode(bytesToArray(bytes));
}

/** The text of bytes that are valid UTF-8, `undefined` for any other bytes. */
export function fromUtf8(bytes: string): string | undefined {
  if (/^[\0-\x7f]*$/.test(bytes)) {
    return bytes;
  }
  try {
    return strictDecoder.decode(bytesToArray(bytes));
  } catch {
    return undefined;
  }
}

/** Length of a text in UTF-8 bytes, without encoding it. */
export function utf8Length(text: string): number {
  let length = 0;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) {
      length += 1;
    } else if (unit < 0x800) {
      length += 2;
    } else if (isHighSurrogate(unit) && isLowSurrogate(text.charCodeAt(at + 1))) {
      length += 4;
      at += 1;
    } else {
      length += 3;
    }
  }
  return length;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}
