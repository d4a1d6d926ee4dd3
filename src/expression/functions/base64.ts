/** Base64 over binary strings (RFC 4648), without the host's `atob` or Buffer. */

const STANDARD = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

export interface Base64Options {
  readonly urlSafe: boolean;
  readonly padded: boolean;
}

export function encodeBase64(bytes: string, { urlSafe, padded }: Base64Options): string {
  const alphabet = urlSafe ? URL_SAFE : STANDARD;
  let text = "";
  for (let at = 0; at < bytes.length; at += 3) {
    const left = Math.min(3, bytes.length - at);
    const group =
      (bytes.charCodeAt(at) << 16) | ((bytes.charCodeAt(at + 1) || 0) << 8) | (bytes.charCodeAt(at + 2) || 0);
    for (let digit = 0; digit <= left; digit += 1) {
      text += alphabet.charAt((group >> (18 - 6 * digit)) & 0x3f);
    }
    text += padded ? "=".repeat(3 - left) : "";
  }
  return text;
}

/** Accepts both alphabets, with or without padding; `undefined` when the text is no base64. */
export function decodeBase64(text: string): string | undefined {
  const digits = text.replace(/={1,2}$/, "");
  if (digits.length % 4 === 1 || (digits.length !== text.length && text.length % 4 !== 0)) {
    return undefined;
  }
  let bytes = "";
  let bits = 0;
  let held = 0;
  for (let at = 0; at < digits.length; at += 1) {
    const value = valueOf(digits.charAt(at));
    if (value === -1) {
      return undefined;
    }
    held = ((held << 6) | value) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes += String.fromCharCode((held >> bits) & 0xff);
    }
  }
  return bytes;
}

function valueOf(digit: string): number {
  const value = STANDARD.indexOf(digit);
  return value === -1 ? URL_SAFE.indexOf(digit) : value;
}
