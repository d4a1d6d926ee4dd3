/**
 * Master keys as a JWK set (RFC 7517 section 5), the form of keys.json:
 *
 * ```json
 * { "keys": [{ "kty": "oct", "kid": "3f9a11c2", "use": "enc", "k": "…43 characters…", "nbf": 1790000000 }] }
 * ```
 *
 * `nbf` (seconds, as in RFC 7519 section 4.1.5) is when the key begins to seal; a key without it seals at once.
 */
import { exportJWK, importJWK } from "jose";
import type { JWK } from "jose";

import { MASTER_KEY_BYTES, MAX_MASTER_KEYS, findProblems } from "./master-keys.ts";
import type { MasterKey } from "./master-keys.ts";

/** Longest text of a key set: room for all keys with long ids, and a bound for what JSON.parse gets to see. */
const MAX_KEY_SET_BYTES = 16_384;

const KEY_ID_BYTES = 4;

/** 32 bytes in base64url; of the last character only four bits are in use (RFC 4648 section 3.5). */
const KEY_TEXT = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

/** What may stand in a key. An unknown member is refused: a misspelt `nbf` would put a key in force too early. */
const KEY_MEMBERS: ReadonlySet<string> = new Set(["kty", "kid", "k", "use", "key_ops", "alg", "ext", "nbf"]);

/** Member of a JWK for each member of a master key. */
const JWK_MEMBER = { id: "kid", secret: "k", activeFrom: "nbf" } as const;

export type KeySetErrorCode = "key_set_syntax" | "key_set_empty" | "key_set_too_large" | "key_invalid";

/** A key set that cannot be used. The message names the place and the remedy, and never quotes key material. */
export class KeySetError extends Error {
  override readonly name = "KeySetError";
  readonly code: KeySetErrorCode;
  /** JSON pointer (RFC 6901) to the offending member. */
  readonly pointer: string;

  constructor(code: KeySetErrorCode, pointer: string, message: string) {
    super(pointer === "" ? message : `\`${pointer}\`: ${message}`);
    this.code = code;
    this.pointer = pointer;
  }
}

/** A JWK set of symmetric keys. */
export interface KeySet {
  readonly keys: readonly JWK[];
}

/**
 * @param json the text of a key set, or what was parsed from it
 * @returns at least one master key, in the order of the set
 * @throws {KeySetError}
 */
export async function importKeySet(json: unknown): Promise<readonly MasterKey[]> {
  const jwks = readKeys(typeof json === "string" ? parseText(json) : json);
  const masters: MasterKey[] = [];
  for (const [index, jwk] of jwks.entries()) masters.push(await importMaster(jwk, `/keys/${index}`));
  const [problem] = findProblems(masters);
  if (problem !== undefined) {
    const pointer = `/keys/${problem.index}/${JWK_MEMBER[problem.member]}`;
    throw new KeySetError("key_invalid", pointer, `${problem.message}; replace or remove this key`);
  }
  return masters;
}

/** @returns an object for JSON.stringify; it holds the secrets, so the file needs mode 0600 */
export async function exportKeySet(masters: readonly MasterKey[]): Promise<KeySet> {
  const keys = masters.map(async ({ id, secret, activeFrom }) => ({
    kid: id,
    use: "enc",
    ...(await exportJWK(secret)),
    // Up to the whole second: never earlier than asked for.
    ...(activeFrom === undefined ? {} : { nbf: Math.ceil(activeFrom / 1000) }),
  }));
  return { keys: await Promise.all(keys) };
}

/**
 * @param random cryptographically strong bytes
 * @param activeFrom epoch milliseconds from which on the key seals. When other processes have to learn of it
 *   first, give them that time; without it the key seals at once
 */
export function generateMasterKey(random: (size: number) => Uint8Array, activeFrom?: number): MasterKey {
  const id = Array.from(random(KEY_ID_BYTES), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const secret = Uint8Array.from(random(MASTER_KEY_BYTES));
  return activeFrom === undefined ? { id, secret } : { id, secret, activeFrom };
}

function parseText(text: string): unknown {
  if (text.length > MAX_KEY_SET_BYTES) {
    throw new KeySetError(
      "key_set_too_large",
      "",
      `expected at most ${MAX_KEY_SET_BYTES} bytes, found ${text.length}`,
    );
  }
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, which holds secrets.
    throw new KeySetError("key_set_syntax", "", 'expected a JWK set in JSON, such as `{"keys":[…]}`');
  }
}

function readKeys(value: unknown): readonly unknown[] {
  if (!isObject(value) || !Array.isArray(value["keys"])) {
    throw new KeySetError("key_set_syntax", "", "expected a JWK set, an object with an array `keys`");
  }
  const keys: readonly unknown[] = value["keys"];
  if (keys.length === 0) {
    throw new KeySetError(
      "key_set_empty",
      "/keys",
      "expected at least one key; without the file a new one is made",
    );
  }
  if (keys.length > MAX_MASTER_KEYS) {
    const message = `expected at most ${MAX_MASTER_KEYS} keys, found ${keys.length}; remove retired ones`;
    throw new KeySetError("key_set_too_large", "/keys", message);
  }
  return keys;
}

async function importMaster(value: unknown, pointer: string): Promise<MasterKey> {
  const refuse = (member: string, message: string) =>
    new KeySetError("key_invalid", member === "" ? pointer : `${pointer}/${member}`, message);
  if (!isObject(value)) throw refuse("", "expected a JWK, an object");
  const unknown = Object.keys(value).find((member) => !KEY_MEMBERS.has(member));
  if (unknown !== undefined) {
    const message = `expected only ${[...KEY_MEMBERS].join(", ")}; remove this member or correct its name`;
    throw refuse(unknown.replaceAll("~", "~0").replaceAll("/", "~1"), message);
  }
  const { kty, kid, k, use, nbf } = value;
  if (kty !== "oct") throw refuse("kty", "expected `oct`, a symmetric key");
  if (typeof kid !== "string") throw refuse("kid", "expected a string that names the key");
  if (use !== undefined && use !== "enc") throw refuse("use", "expected `enc`, or no such member");
  if (typeof k !== "string" || !KEY_TEXT.test(k)) {
    throw refuse(
      "k",
      `expected ${MASTER_KEY_BYTES} bytes in base64url without padding, 43 characters; make a new key`,
    );
  }
  if (nbf !== undefined && (typeof nbf !== "number" || !Number.isFinite(nbf) || nbf < 0)) {
    throw refuse("nbf", "expected the time of activation in seconds since 1970, or no such member");
  }
  const secret = await importJWK({ kty, k });
  return nbf === undefined ? { id: kid, secret } : { id: kid, secret, activeFrom: nbf * 1000 };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
