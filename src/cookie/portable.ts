/**
 * The sequence cookies on WebCrypto and jose, for runtimes without `node:crypto`. The same protocol, names and
 * tokens as on Node: cookies made by one are opened by the other. A second door of this folder: nothing in its
 * module graph imports from `node:`.
 */
import { CompactEncrypt, compactDecrypt } from "jose";

import { decodePayload, encodePayload } from "../sequence/index.ts";
import type { SequenceCookies, SequenceState } from "../sequence/index.ts";
import { KEY_SALT } from "./epochs.ts";
import { stripCookies, stripOwnSetCookies } from "./header.ts";
import type { CookieCandidate } from "./header.ts";
import type { MasterKey } from "./master-keys.ts";
import { createCookieProtocol } from "./protocol.ts";
import type { CookieProtocol, ProtocolOptions, ReadOutcome } from "./protocol.ts";
import type { RecentPayloads } from "./recent-payloads.ts";
import { createRing } from "./ring.ts";
import type { KeyRingOptions, Ring } from "./ring.ts";
import { MAX_TOKEN_BYTES, copyOfToken, parseToken } from "./token.ts";

export { importKeySet, KeySetError } from "./key-set.ts";
export { RecentPayloads } from "./recent-payloads.ts";
export type { MasterKey } from "./master-keys.ts";
export { checkCookieScope } from "./scope.ts";
export { createPortableCookieTracker, OWN_COOKIES } from "./tracker.ts";

const SID_BYTES = 6;
const MAC = { name: "HMAC", hash: "SHA-256", length: 256 } as const;

const textEncoder = new TextEncoder();

/** Master keys in use; keys are derived in the background and awaited where they are needed. */
export type PortableKeyRing = Ring<Promise<CryptoKey>, Promise<CryptoKey>>;

export interface PortableSequenceCookiesOptions extends ProtocolOptions {
  readonly keyRing: PortableKeyRing;
}

/** As {@link SequenceCookies}, with promises where there is cryptography. */
export interface PortableSequenceCookies extends Omit<SequenceCookies, "read" | "write"> {
  read(cookieHeader: string | undefined, nowMs: number, bindValue?: string): Promise<SequenceState>;
  write(state: SequenceState, op: string, nowMs: number): Promise<readonly string[]>;
}

/** @throws {TypeError} for keys of a wrong size, ids or keys that occur twice, no key or too many */
export function createPortableKeyRing(
  masters: readonly MasterKey[],
  options: KeyRingOptions = {},
): PortableKeyRing {
  return createRing(masters, { sealingKey: deriveSealingKey, macKey: deriveMacKey }, options);
}

/**
 * @throws {TypeError} for a zone id that could make two zones share a key
 * @throws {RangeError} for limits that no cookie can carry
 */
export function createPortableSequenceCookies(
  options: PortableSequenceCookiesOptions,
): PortableSequenceCookies {
  const { zoneId, keyRing, recent } = options;
  const protocol = createCookieProtocol(options);
  keyRing.zone(zoneId);

  return {
    async read(cookieHeader, nowMs, bindValue) {
      const scanned = protocol.scan(cookieHeader);
      const keys = keyRing.zone(zoneId);
      const open = (cookie: CookieCandidate) => openCookie(cookie, nowMs, { protocol, keys, recent });
      const outcomes = await Promise.all(scanned.candidates.map(open));
      const sids = bindValue === undefined ? [] : keys.binding(nowMs).map((key) => boundSid(key, bindValue));
      const boundSids = bindValue === undefined ? undefined : await Promise.all(sids);
      return protocol.assemble(scanned, outcomes, { nowMs, boundSids });
    },
    async write(state, op, nowMs) {
      const keys = keyRing.zone(zoneId);
      const sealing = keys.sealing(nowMs);
      if (sealing === undefined) return [];
      // The plan is made before anything is awaited: parallel responses must not count as the same one.
      const plan = protocol.plan(state, op, nowMs);
      const shared =
        plan.role === "coalesce" ? await mac(keys.naming(nowMs), `${op}|${plan.view}`) : undefined;
      const name = protocol.chooseName(state, sealing, shared);
      const plaintext = encodePayload(plan.payload);
      const token = await sealTokenPortable(await sealing.key, plaintext);
      recent?.set({ token, keys, epoch: sealing.epoch, shard: sealing.shard }, plaintext);
      return protocol.lines(state, plan, { name, token });
    },
    clear: (state) => protocol.clear(state),
    strip: stripCookies,
    stripSetCookie: stripOwnSetCookies,
  };
}

/** @param key AES-GCM, 256 bits. The IV is drawn by jose */
export async function sealTokenPortable(key: CryptoKey, plaintext: Uint8Array): Promise<string> {
  return new CompactEncrypt(plaintext).setProtectedHeader({ alg: "dir", enc: "A256GCM" }).encrypt(key);
}

/** @returns the plaintext, or `undefined` for every token that this key did not seal in the issued form */
export async function openTokenPortable(key: CryptoKey, token: string): Promise<Uint8Array | undefined> {
  // jose accepts other spellings of a header and of the last characters, and other algorithms; we issue none.
  if (parseToken(token) === undefined) return undefined;
  try {
    const { plaintext } = await compactDecrypt(token, key, {
      keyManagementAlgorithms: ["dir"],
      contentEncryptionAlgorithms: ["A256GCM"],
      maxDecompressedLength: 0,
    });
    return plaintext;
  } catch {
    return undefined;
  }
}

/** HKDF with SHA-256 (RFC 5869) on WebCrypto; `size` in bytes. */
export async function hkdfSha256Portable(
  { ikm, salt, info }: { readonly ikm: Uint8Array; readonly salt: Uint8Array; readonly info: Uint8Array },
  size: number,
): Promise<Uint8Array> {
  const key = await crypto.subtle.importKey("raw", copyOf(ikm), "HKDF", false, ["deriveBits"]);
  const algorithm = { name: "HKDF", hash: "SHA-256", salt: copyOf(salt), info: copyOf(info) };
  return new Uint8Array(await crypto.subtle.deriveBits(algorithm, key, size * 8));
}

interface OpenContext {
  readonly protocol: CookieProtocol;
  readonly keys: ReturnType<PortableKeyRing["zone"]>;
  readonly recent: RecentPayloads | undefined;
}

async function openCookie(
  { name, value }: CookieCandidate,
  nowMs: number,
  { protocol, keys, recent }: OpenContext,
): Promise<ReadOutcome> {
  if (value.length > MAX_TOKEN_BYTES) return "size";
  const key = protocol.keyOf(name, nowMs);
  const known = key === undefined ? undefined : recent?.get({ ...key, token: value, keys }, nowMs);
  if (known !== undefined) return known;
  if (parseToken(value) === undefined) return "format";
  if (key === undefined) return "key";
  for (const opening of keys.opening(key.epoch, key.shard)) {
    const plaintext = await openTokenPortable(await opening, value);
    if (plaintext === undefined) continue;
    const payload = decodePayload(plaintext, nowMs);
    if (payload === undefined) return "payload";
    recent?.set({ ...key, token: copyOfToken(value), keys }, plaintext);
    return payload;
  }
  return "seal";
}

async function deriveSealingKey(master: MasterKey, info: string): Promise<CryptoKey> {
  const bytes = await deriveBytes(master, info);
  return crypto.subtle.importKey("raw", copyOf(bytes), "AES-GCM", false, ["encrypt", "decrypt"]);
}

async function deriveMacKey(master: MasterKey, info: string): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", copyOf(await deriveBytes(master, info)), MAC, false, ["sign"]);
}

function deriveBytes(master: MasterKey, info: string): Promise<Uint8Array> {
  const input = { ikm: master.secret, salt: textEncoder.encode(KEY_SALT), info: textEncoder.encode(info) };
  return hkdfSha256Portable(input, 32);
}

async function boundSid(key: Promise<CryptoKey>, bindValue: string): Promise<number> {
  const digest = await mac(key, bindValue);
  return digest.subarray(0, SID_BYTES).reduce((sid, byte) => sid * 256 + byte, 0);
}

async function mac(key: Promise<CryptoKey>, text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.sign("HMAC", await key, textEncoder.encode(text)));
}

/** WebCrypto's types want a plain ArrayBuffer below, which a view of anything may not have. */
function copyOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(bytes);
}
