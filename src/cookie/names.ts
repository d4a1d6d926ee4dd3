/**
 * Names of the sequence cookies: a prefix, one character for the hour of the key, four that are never used
 * twice. A name that does not have exactly this form is never read, deleted or stripped: it is the application's.
 */
import { BASE64URL_ALPHABET, valueOfCode } from "./base64url.ts";

/** `host`: bound to one host (RFC 6265bis section 4.1.3.2). `domain`: shared by the hosts of a domain. */
export type NameKind = "host" | "domain";

/** The browser refuses a cookie with such a name unless it has the attributes that the prefix promises. */
export const NAME_PREFIXES = { host: "__Host-sq.", domain: "__Secure-sq." } as const satisfies Record<
  NameKind,
  string
>;

/** The cookie of those who passed a challenge; see `clearance.ts`. */
export const CLEARANCE_NAME = "__Host-sg_clearance";

/** Characters behind the prefix. */
const SUFFIX_LENGTH = 5;

/** Random bytes of a name: 24 bits, so that parallel responses do not choose the same. */
export const NAME_RANDOM_BYTES = 3;

/** Values of the epoch character. */
export const EPOCH_CHARACTERS = BASE64URL_ALPHABET.length;

/**
 * The first random character tells the shard of the key: values below 56 are shard 0, the eight others one shard
 * each. So nothing has to be tried, and names of shard 0, the only one in ordinary traffic, keep 23.8 random bits.
 */
const FIRST_SHARD_VALUE = 56;

/** Shards of one key hour. */
export const MAX_SHARDS = 1 + EPOCH_CHARACTERS - FIRST_SHARD_VALUE;

const EQUALS = 0x3d;

/** Which key of a zone seals a cookie. */
export interface KeyEpoch {
  /** Hour number, see `epochAt`. */
  readonly epoch: number;
  readonly shard: number;
}

/** What a cookie's name tells about its key. */
interface KeyHint {
  /** Epoch mod 64. */
  readonly epochValue: number;
  readonly shard: number;
}

/**
 * @param random {@link NAME_RANDOM_BYTES} bytes
 */
export function createName(kind: NameKind, { epoch, shard }: KeyEpoch, random: Uint8Array): string {
  const bits = ((random[0] ?? 0) << 16) | ((random[1] ?? 0) << 8) | (random[2] ?? 0);
  const first = shard === 0 ? (bits >> 18) % FIRST_SHARD_VALUE : FIRST_SHARD_VALUE - 1 + shard;
  return (
    NAME_PREFIXES[kind] +
    BASE64URL_ALPHABET.charAt(epoch % EPOCH_CHARACTERS) +
    BASE64URL_ALPHABET.charAt(first) +
    BASE64URL_ALPHABET.charAt((bits >> 12) & 63) +
    BASE64URL_ALPHABET.charAt((bits >> 6) & 63) +
    BASE64URL_ALPHABET.charAt(bits & 63)
  );
}

/** @param name one of ours */
export function readKeyHint(kind: NameKind, name: string): KeyHint {
  const start = NAME_PREFIXES[kind].length;
  const first = valueOfCode(name.charCodeAt(start + 1));
  return {
    epochValue: valueOfCode(name.charCodeAt(start)),
    shard: first < FIRST_SHARD_VALUE ? 0 : first - FIRST_SHARD_VALUE + 1,
  };
}

/**
 * Whether one of our names and an equals sign stand at `start`.
 *
 * @returns offset of the equals sign, -1 when something else stands there
 */
export function matchOwnName(kind: NameKind, text: string, start: number): number {
  const prefix = NAME_PREFIXES[kind];
  const equals = start + prefix.length + SUFFIX_LENGTH;
  if (text.charCodeAt(equals) !== EQUALS || !text.startsWith(prefix, start)) return -1;
  for (let index = start + prefix.length; index < equals; index += 1) {
    if (valueOfCode(text.charCodeAt(index)) < 0) return -1;
  }
  return equals;
}

/** Which of the two kinds of name, if any, `text` is as a whole. */
export function kindOfName(text: string): NameKind | undefined {
  const probe = `${text}=`;
  if (matchOwnName("host", probe, 0) === text.length) return "host";
  return matchOwnName("domain", probe, 0) === text.length ? "domain" : undefined;
}
