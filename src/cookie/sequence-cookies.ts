/** The sequence cookies of a zone on Node: everything of a request or response in one synchronous call. */
import type { KeyObject } from "node:crypto";

import { decodePayload, encodePayload } from "../sequence/index.ts";
import type { SequenceCookies } from "../sequence/index.ts";
import { boundSid, sharedNameBytes } from "./derive.ts";
import { stripCookies, stripOwnSetCookies } from "./header.ts";
import type { CookieCandidate } from "./header.ts";
import { openParts, sealToken } from "./jwe.ts";
import type { KeyRing } from "./key-ring.ts";
import { createCookieProtocol } from "./protocol.ts";
import type { CookieProtocol, ProtocolOptions, ReadOutcome } from "./protocol.ts";
import type { RecentPayloads } from "./recent-payloads.ts";
import { IV_BYTES, MAX_TOKEN_BYTES, copyOfToken, parseToken } from "./token.ts";
import type { TokenParts } from "./token.ts";

export interface SequenceCookiesOptions extends ProtocolOptions {
  readonly keyRing: KeyRing;
  /**
   * HMAC key for sequence ids bound to a session identifier, 32 bytes. By default derived from the key ring,
   * where it follows a rotation.
   */
  readonly bindKey?: Uint8Array;
}

/**
 * @throws {TypeError} for a zone id that could make two zones share a key
 * @throws {RangeError} for limits that no cookie can carry
 */
export function createSequenceCookies(options: SequenceCookiesOptions): SequenceCookies {
  const { zoneId, keyRing, random, bindKey, recent } = options;
  const protocol = createCookieProtocol(options);
  const context: OpenContext = { protocol, keyRing, zoneId, recent };
  keyRing.zone(zoneId);

  const boundSids = (bindValue: string | undefined, nowMs: number): readonly number[] | undefined => {
    if (bindValue === undefined) return undefined;
    const keys = bindKey === undefined ? keyRing.zone(zoneId).binding(nowMs) : [bindKey];
    return keys.map((key) => boundSid(key, bindValue));
  };

  return {
    read(cookieHeader, nowMs, bindValue) {
      const scanned = protocol.scan(cookieHeader);
      const outcomes = scanned.candidates.map((cookie) => openCookie(cookie, nowMs, context));
      return protocol.assemble(scanned, outcomes, { nowMs, boundSids: boundSids(bindValue, nowMs) });
    },
    write(state, op, nowMs) {
      const keys = keyRing.zone(zoneId);
      const sealing = keys.sealing(nowMs);
      if (sealing === undefined) return [];
      const plan = protocol.plan(state, op, nowMs);
      const shared =
        plan.role === "coalesce" ? sharedNameBytes(keys.naming(nowMs), op, plan.view) : undefined;
      const name = protocol.chooseName(state, sealing, shared);
      const plaintext = encodePayload(plan.payload);
      const token = sealToken(sealing.key, random(IV_BYTES), plaintext);
      recent?.set({ token, keys, epoch: sealing.epoch, shard: sealing.shard }, plaintext);
      return protocol.lines(state, plan, { name, token });
    },
    clear: (state) => protocol.clear(state),
    strip: stripCookies,
    stripSetCookie: stripOwnSetCookies,
  };
}

interface OpenContext {
  readonly protocol: CookieProtocol;
  readonly keyRing: KeyRing;
  readonly zoneId: string;
  readonly recent: RecentPayloads | undefined;
}

/** The cheapest refusal comes first: length, then form, then key, and only then cryptography. */
function openCookie({ name, value }: CookieCandidate, nowMs: number, context: OpenContext): ReadOutcome {
  const { protocol, keyRing, zoneId, recent } = context;
  if (value.length > MAX_TOKEN_BYTES) return "size";
  const key = protocol.keyOf(name, nowMs);
  const keys = keyRing.zone(zoneId);
  if (key !== undefined) {
    const known = recent?.get({ token: value, keys, epoch: key.epoch, shard: key.shard }, nowMs);
    if (known !== undefined) return known;
  }
  const parts = parseToken(value);
  if (parts === undefined) return "format";
  if (key === undefined) return "key";
  const plaintext = openWithAny(keys.opening(key.epoch, key.shard), parts);
  if (plaintext === undefined) return "seal";
  const payload = decodePayload(plaintext, nowMs);
  if (payload === undefined) return "payload";
  recent?.set({ ...key, token: copyOfToken(value), keys }, plaintext);
  return payload;
}

function openWithAny(keys: readonly KeyObject[], parts: TokenParts): Uint8Array | undefined {
  for (const key of keys) {
    const plaintext = openParts(key, parts);
    if (plaintext !== undefined) return plaintext;
  }
  return undefined;
}
