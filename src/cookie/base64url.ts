/**
 * Base64url without padding (RFC 4648 section 5), strict and allocation-free: the bytes go where the caller
 * wants them. The runtimes' own decoders skip characters they do not know and accept several spellings of the
 * last one (RFC 4648 section 3.5); a token must have exactly one spelling.
 */

/** The 64 characters in the order of their values. */
export const BASE64URL_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

const CODES = Uint8Array.from(BASE64URL_ALPHABET, (char) => char.charCodeAt(0));

/** Value by ASCII code; -1 where there is none. Typed arrays answer `undefined` beyond their end. */
const VALUES = new Int8Array(128).fill(-1);
for (const [value, code] of CODES.entries()) VALUES[code] = value;

/** @returns bytes of the decoded text, whatever it contains */
export function decodedLength(characters: number): number {
  return (characters * 3) >> 2;
}

/** @returns the value 0 to 63 of a character code, or -1 */
export function valueOfCode(code: number): number {
  return VALUES[code] ?? -1;
}

/**
 * Writes `bytes` as character codes.
 *
 * @param target large enough, with 4 codes for each 3 bytes
 * @returns offset behind the last code
 */
export function encodeBase64url(bytes: Uint8Array, target: Uint8Array, offset: number): number {
  const rest = bytes.length % 3;
  const whole = bytes.length - rest;
  let end = offset;
  for (let index = 0; index < whole; index += 3) {
    const bits = (byteAt(bytes, index) << 16) | (byteAt(bytes, index + 1) << 8) | byteAt(bytes, index + 2);
    target[end] = codeOf(bits >> 18);
    target[end + 1] = codeOf((bits >> 12) & 63);
    target[end + 2] = codeOf((bits >> 6) & 63);
    target[end + 3] = codeOf(bits & 63);
    end += 4;
  }
  if (rest === 0) return end;
  const bits = (byteAt(bytes, whole) << 16) | (rest === 2 ? byteAt(bytes, whole + 1) << 8 : 0);
  target[end] = codeOf(bits >> 18);
  target[end + 1] = codeOf((bits >> 12) & 63);
  if (rest === 2) target[end + 2] = codeOf((bits >> 6) & 63);
  return end + rest + 1;
}

/**
 * Reads `text` from `start` to `end` into `target`, which must hold {@link decodedLength} bytes.
 *
 * @returns `false` for a character outside the alphabet (padding included), an impossible length, or unused bits
 *   that are not zero; `target` then holds rubbish
 */
export function decodeBase64url(text: string, start: number, end: number, target: Uint8Array): boolean {
  const rest = (end - start) % 4;
  const whole = end - rest;
  let length = 0;
  for (let index = start; index < whole; index += 4) {
    const bits =
      (valueAt(text, index) << 18) |
      (valueAt(text, index + 1) << 12) |
      (valueAt(text, index + 2) << 6) |
      valueAt(text, index + 3);
    // One value of -1 makes the whole negative.
    if (bits < 0) return false;
    target[length] = bits >> 16;
    target[length + 1] = bits >> 8;
    target[length + 2] = bits;
    length += 3;
  }
  if (rest === 0) return true;
  if (rest === 1) return false;
  const third = rest === 3 ? valueAt(text, whole + 2) : 0;
  const bits = (valueAt(text, whole) << 18) | (valueAt(text, whole + 1) << 12) | (third << 6);
  if (bits < 0 || (bits & (rest === 3 ? 0xff : 0xffff)) !== 0) return false;
  target[length] = bits >> 16;
  if (rest === 3) target[length + 1] = bits >> 8;
  return true;
}

function byteAt(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0;
}

function codeOf(value: number): number {
  return CODES[value] ?? 0;
}

function valueAt(text: string, index: number): number {
  return VALUES[text.charCodeAt(index)] ?? -1;
}
