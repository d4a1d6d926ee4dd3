/**
 * Session tokens: JWTs of the application, verified with keys that the operator gave (`token_validation/config`).
 *
 * The algorithm of a key is pinned when the key is saved, and a token that names another one is refused before its
 * signature is looked at (RFC 8725 sections 3.1 and 3.2). Every kind of bad token gives one and the same answer.
 */
import { decodeProtectedHeader, importJWK, jwtVerify } from "jose";
import type { CryptoKey } from "jose";

import { checkTokenKey } from "./token-keys.ts";
import type { TokenKey } from "./token-keys.ts";

/** Longest token that is looked at; header sections end at 16 KB. */
const MAX_TOKEN_LENGTH = 16_384;

/** JWS in compact serialization (RFC 7515 section 7.1), in base64url only: decoders skip what they do not know. */
const COMPACT_JWS = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** How far the clock of the issuer may be from ours (demands, row 18). */
const DEFAULT_TOLERANCE_MS = 5000;

export interface TokenValidatorOptions {
  /** Audiences of which a token must name one (RFC 7519 section 4.1.3); any, or none, when absent. */
  readonly audience?: string | readonly string[];
  /** Issuer that a token must name; any when absent. */
  readonly issuer?: string;
  /** Refuses tokens without `exp`; false by default, as the claim is optional (RFC 7519 section 4.1.4). */
  readonly requireExpiry?: boolean;
  /** 5,000 by default. */
  readonly clockToleranceMs?: number;
}

export interface TokenValidator {
  /**
   * Checks signature, `exp`, `nbf` and what the options ask for.
   *
   * @param token hostile text
   * @param nowMs epoch milliseconds
   * @returns the claims, or `undefined` for a token that is not valid, whatever the reason
   */
  verify(token: string, nowMs: number): Promise<Readonly<Record<string, unknown>> | undefined>;
}

type ImportedKey = CryptoKey | Uint8Array;

/**
 * @param keys JWKs as they were saved, checked by `checkTokenKeys`; each is imported once, when a token first needs it
 * @throws {TypeError} for a key that does not pass the check
 */
export function createTokenValidator(
  keys: readonly unknown[],
  options: TokenValidatorOptions = {},
): TokenValidator {
  const known = keys.map((key) => {
    const checked = checkTokenKey(key, "");
    if (checked.kind === "error") throw new TypeError(checked.message);
    return { key: checked.key, imported: cached(() => importKey(checked.key)) };
  });
  const toleranceSeconds = (options.clockToleranceMs ?? DEFAULT_TOLERANCE_MS) / 1000;
  const { audience, issuer } = options;
  const claimOptions = {
    clockTolerance: toleranceSeconds,
    ...(audience === undefined ? {} : { audience: typeof audience === "string" ? audience : [...audience] }),
    ...(issuer === undefined ? {} : { issuer }),
    ...(options.requireExpiry === true ? { requiredClaims: ["exp"] } : {}),
  };
  return {
    async verify(token, nowMs) {
      const header = readHeader(token);
      if (header === undefined) return undefined;
      for (const { key, imported } of known) {
        if (key.alg !== header.alg || (header.kid !== undefined && key.kid !== header.kid)) continue;
        try {
          const { payload } = await jwtVerify(token, await imported(), {
            ...claimOptions,
            algorithms: [key.alg],
            currentDate: new Date(nowMs),
          });
          return payload;
        } catch {
          // Another key of the same algorithm may fit a token that names none.
        }
      }
      return undefined;
    },
  };
}

/** @returns what chooses the key, `undefined` for a text that is no compact JWS */
function readHeader(token: string): { readonly alg: string; readonly kid: string | undefined } | undefined {
  if (token.length > MAX_TOKEN_LENGTH || !COMPACT_JWS.test(token)) return undefined;
  try {
    const { alg, kid } = decodeProtectedHeader(token);
    if (typeof alg !== "string" || (kid !== undefined && typeof kid !== "string")) return undefined;
    return { alg, kid };
  } catch {
    return undefined;
  }
}

/** `oct` keys come as bytes: jose would import those again for each token. */
async function importKey({ alg, jwk }: TokenKey): Promise<ImportedKey> {
  const imported = await importJWK(jwk, alg);
  if (!(imported instanceof Uint8Array)) return imported;
  const algorithm = { name: "HMAC", hash: `SHA-${alg.slice(2)}` };
  return crypto.subtle.importKey("raw", Uint8Array.from(imported), algorithm, false, ["verify"]);
}

/** Runs `load` once and keeps what it gives; a failure is not kept. */
function cached<Value>(load: () => Promise<Value>): () => Promise<Value> {
  let value: Promise<Value> | undefined;
  return () => {
    value ??= load().catch((error: unknown) => {
      value = undefined;
      throw error;
    });
    return value;
  };
}
