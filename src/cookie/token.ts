/**
 * The one form of token that is issued: JWE in compact serialization (RFC 7516 section 3.1) with direct
 * encryption and AES-256-GCM (RFC 7518 sections 4.5 and 5.3). What is not byte for byte of this form is refused
 * before any cryptography, and no header that a visitor sent is ever parsed (RFC 8725 section 3.1).
 */
import { decodeBase64url, decodedLength, encodeBase64url } from "./base64url.ts";

/** The protected header as it stands in the token: base64url of `{"alg":"dir","enc":"A256GCM"}`. */
export const PROTECTED_HEADER = "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0";

/** Initialization vector, 96 bits (RFC 7518 section 5.3). */
export const IV_BYTES = 12;
/** Authentication tag, 128 bits; shorter ones are forgeable (NIST SP 800-38D appendix C). */
export const TAG_BYTES = 16;

/** Longest token looked at: browsers drop a cookie whose name and value exceed 4,096 bytes (RFC 6265bis section 5.6). */
export const MAX_TOKEN_BYTES = 4096;

/** Header and the empty encrypted key: with `dir` there is none (RFC 7516 section 5.2 step 10). */
const PREFIX = `${PROTECTED_HEADER}..`;
const DOT = 0x2e;

const IV_CHARACTERS = 16;
const TAG_CHARACTERS = 22;
const CIPHERTEXT_START = PREFIX.length + IV_CHARACTERS + 1;
const MIN_TOKEN_BYTES = CIPHERTEXT_START + 1 + TAG_CHARACTERS;

/** The variable parts of a token. */
export interface TokenParts {
  readonly iv: Uint8Array;
  readonly ciphertext: Uint8Array;
  readonly tag: Uint8Array;
}

/** @returns the parts, or `undefined` for anything but the issued form */
export function parseToken(token: string): TokenParts | undefined {
  const { length } = token;
  if (length < MIN_TOKEN_BYTES || length > MAX_TOKEN_BYTES || !token.startsWith(PREFIX)) return undefined;
  const tagStart = length - TAG_CHARACTERS;
  const ciphertextEnd = tagStart - 1;
  if (token.charCodeAt(CIPHERTEXT_START - 1) !== DOT || token.charCodeAt(ciphertextEnd) !== DOT)
    return undefined;
  const iv = new Uint8Array(IV_BYTES);
  const ciphertext = new Uint8Array(decodedLength(ciphertextEnd - CIPHERTEXT_START));
  const tag = new Uint8Array(TAG_BYTES);
  const isCanonical =
    decodeBase64url(token, PREFIX.length, CIPHERTEXT_START - 1, iv) &&
    decodeBase64url(token, CIPHERTEXT_START, ciphertextEnd, ciphertext) &&
    decodeBase64url(token, tagStart, length, tag);
  return isCanonical ? { iv, ciphertext, tag } : undefined;
}

/** @returns characters of a token for so many bytes of ciphertext */
export function tokenLength(ciphertextBytes: number): number {
  return MIN_TOKEN_BYTES + Math.ceil((ciphertextBytes * 4) / 3);
}

/** A token in a string of its own: a part of a header would keep the whole header as long as it is kept itself. */
export function copyOfToken(token: string): string {
  return DECODER.decode(ENCODER.encode(token));
}

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();

/**
 * Writes the token as ASCII codes.
 *
 * @param target holds at least {@link tokenLength} bytes and begins with {@link writeTokenPrefix}
 * @returns length of the token
 */
export function writeToken(parts: TokenParts, target: Uint8Array): number {
  let end = encodeBase64url(parts.iv, target, PREFIX.length);
  target[end] = DOT;
  end = encodeBase64url(parts.ciphertext, target, end + 1);
  target[end] = DOT;
  return encodeBase64url(parts.tag, target, end + 1);
}

/** Writes the constant beginning of every token. */
export function writeTokenPrefix(target: Uint8Array): void {
  for (let index = 0; index < PREFIX.length; index += 1) target[index] = PREFIX.charCodeAt(index);
}
