/** Functions of hashes: `sha256`, `uuidv4` and `is_timed_hmac_valid_v0`. */
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { decodeBase64 } from "./base64.ts";
import { bytesFromArray, bytesToArray } from "../bytes.ts";
import { parameter, type FunctionDefinition } from "./definition.ts";
import type { Int } from "../int.ts";

const UUID_BYTES = 16;

const NOT_NEGATIVE = parameter("literal", ["Int"], (value) =>
  (value as Int) >= 0 ? undefined : "a number from 0",
);

export const CRYPTO_FUNCTIONS: readonly FunctionDefinition[] = [
  {
    name: "sha256",
    parameters: [parameter("both", ["Bytes"])],
    required: 1,
    returns: () => "Bytes",
    bind: () => (source) =>
      source === undefined ? undefined : bytesFromArray(sha256(bytesToArray(source as string))),
  },
  {
    name: "uuidv4",
    parameters: [parameter("field", ["Bytes"])],
    required: 1,
    returns: () => "Bytes",
    bind: () => (seed) => (seed === undefined ? undefined : toUuid(seed as string)),
  },
  {
    name: "is_timed_hmac_valid_v0",
    parameters: [
      parameter("literal", ["Bytes"], (value) => (value === "" ? "a key that is not empty" : undefined)),
      parameter("field", ["Bytes"]),
      NOT_NEGATIVE,
      parameter("both", ["Int"]),
      NOT_NEGATIVE,
      parameter("literal", ["Bytes"], (value) =>
        value === "" || value === "s" ? undefined : 'the flag `"s"`',
      ),
    ],
    required: 4,
    returns: () => "Bool",
    bind: ([key, , ttl, , separatorLength, flags]) => {
      const check = {
        key: bytesToArray(key as string),
        ttlSeconds: ttl as Int,
        separatorLength: Number(separatorLength ?? 0),
        isUrlSafe: flags === "s",
      };
      return (_key, messageMac, _ttl, now) =>
        messageMac === undefined || now === undefined
          ? undefined
          : isTimedHmacValid(messageMac as string, now as Int, check);
    },
  },
];

/** The first 16 bytes of a seed as a version 4 UUID (RFC 9562 section 5.4); missing when there are fewer. */
function toUuid(seed: string): string | undefined {
  if (seed.length < UUID_BYTES) {
    return undefined;
  }
  const bytes = bytesToArray(seed.slice(0, UUID_BYTES));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

interface TimedHmac {
  readonly key: Uint8Array;
  readonly ttlSeconds: Int;
  readonly separatorLength: number;
  /** The code is in the URL-safe alphabet; otherwise in the standard one, percent-encoded. */
  readonly isUrlSafe: boolean;
}

/**
 * Message, separator, ten digits of seconds, `-`, and the base64 of HMAC-SHA256(key, message + digits).
 * Valid while now < issued + ttl (product page "Require a valid HMAC token").
 */
function isTimedHmacValid(messageMac: string, now: Int, check: TimedHmac): boolean {
  const [, signed = "", seconds = "", code = ""] = /^(.+)(\d{10})-(.{43,})$/s.exec(messageMac) ?? [];
  const message = signed.slice(0, signed.length - check.separatorLength);
  if (message === "" || BigInt(now) >= BigInt(seconds) + BigInt(check.ttlSeconds)) {
    return false;
  }
  const given = decodeBase64(check.isUrlSafe ? code : percentDecode(code));
  const expected = bytesFromArray(hmac(sha256, check.key, bytesToArray(message + seconds)));
  return given !== undefined && isEqualInConstantTime(given, expected);
}

function percentDecode(text: string): string {
  return text.replaceAll(/%([\da-f]{2})/gi, (_, byte: string) =>
    String.fromCharCode(Number.parseInt(byte, 16)),
  );
}

/** The time taken tells nothing about where the two differ. */
function isEqualInConstantTime(left: string, right: string): boolean {
  let difference = left.length ^ right.length;
  for (let at = 0; at < right.length; at += 1) {
    difference |= (left.charCodeAt(at) || 0) ^ right.charCodeAt(at);
  }
  return difference === 0;
}
