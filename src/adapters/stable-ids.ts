/** Identifiers derived from what they name: the same in every process, after every restart, on every runtime. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";

const digest = (text: string): string => bytesToHex(sha256(utf8ToBytes(text)));

/** As the store derives it: a zone of one name has one id, and so one set of keys, in application and gateway. */
export function zoneIdOf(name: string): string {
  return digest(`stepgate zone ${name}`).slice(0, 32);
}

/** 32 hex characters for a rule, ruleset or list that has no id of its own. */
export function contentId(what: "rule" | "ruleset" | "list", content: string): string {
  return digest(`stepgate ${what} ${content}`).slice(0, 32);
}

/**
 * UUIDs of version 8 (RFC 9562 section 5.8) for operations, each the hash of its key. Where the first eight
 * characters of two are equal, the one whose key sorts later is hashed again: rules quote these eight.
 *
 * @param keys `operationKey` of each operation, no two alike
 */
export function operationIds(keys: readonly string[]): ReadonlyMap<string, string> {
  const ids = new Map<string, string>();
  const taken = new Set<string>();
  for (const key of keys.toSorted()) {
    let id = toUuid(digest(`stepgate operation ${key}`));
    for (let again = 1; taken.has(id.slice(0, 8)); again += 1)
      id = toUuid(digest(`stepgate operation ${key} ${again}`));
    taken.add(id.slice(0, 8));
    ids.set(key, id);
  }
  return ids;
}

function toUuid(hex: string): string {
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 3) | 8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    variant + hex.slice(17, 20),
    hex.slice(20, 32),
  ].join("-");
}

/** SHA-256 of the UTF-16 code units of a text, for the names of counters. */
export function hashText(text: string): string {
  const bytes = new Uint8Array(text.length * 2);
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    bytes[2 * index] = unit >> 8;
    bytes[2 * index + 1] = unit & 0xff;
  }
  return bytesToHex(sha256(bytes));
}
