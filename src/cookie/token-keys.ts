/** The keys of token configurations: public JWKs (RFC 7517) with a pinned algorithm, checked before they are saved. */
import { importJWK } from "jose";
import type { JWK } from "jose";

/** Keys of one configuration: a rotation needs two, a few issuers some more. */
export const MAX_TOKEN_KEYS = 16;

/** A key that can verify tokens. */
export interface TokenKey {
  readonly kid: string;
  readonly alg: string;
  /** Only the members that make up the key. */
  readonly jwk: JWK;
}

/** One thing to correct. */
export interface TokenKeyProblem {
  /** JSON pointer of the faulty value (RFC 6901). */
  readonly pointer: string;
  /** Never quotes key material. */
  readonly message: string;
}

interface Algorithm {
  readonly kty: "RSA" | "EC" | "oct";
  readonly crv?: string;
  /** Bytes that a shared secret must have (RFC 7518 section 3.2). */
  readonly minSecretBytes?: number;
}

const ALGORITHMS: ReadonlyMap<string, Algorithm> = new Map<string, Algorithm>([
  ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"].map((alg): [string, Algorithm] => [
    alg,
    { kty: "RSA" },
  ]),
  ["ES256", { kty: "EC", crv: "P-256" }],
  ["ES384", { kty: "EC", crv: "P-384" }],
  ["ES512", { kty: "EC", crv: "P-521" }],
  ["HS256", { kty: "oct", minSecretBytes: 32 }],
  ["HS384", { kty: "oct", minSecretBytes: 48 }],
  ["HS512", { kty: "oct", minSecretBytes: 64 }],
]);

/** Members that make up the public key of each type (RFC 7518 sections 6.2 to 6.4). */
const KEY_MEMBERS: Readonly<Record<Algorithm["kty"], readonly string[]>> = {
  RSA: ["n", "e"],
  EC: ["crv", "x", "y"],
  oct: ["k"],
};

/** Members of private keys. They have no business here, and a mistake of this kind has to be noticed. */
const PRIVATE_MEMBERS: readonly string[] = ["d", "p", "q", "dp", "dq", "qi", "oth"];

const BASE64URL = /^[A-Za-z0-9_-]+$/;
const MAX_KID_LENGTH = 256;
const MAX_MEMBER_LENGTH = 2048;

export type CheckedTokenKey =
  | { readonly kind: "key"; readonly key: TokenKey }
  | ({ readonly kind: "error" } & TokenKeyProblem);

/**
 * Checks the keys of a configuration, down to whether they can be imported.
 *
 * @param value the member `keys` of `credentials` as it was sent
 * @returns everything there is to correct; empty when the keys can be saved
 */
export async function checkTokenKeys(
  value: unknown,
  pointer = "/credentials/keys",
): Promise<readonly TokenKeyProblem[]> {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_TOKEN_KEYS) {
    return [{ pointer, message: `expected a list of 1 to ${MAX_TOKEN_KEYS} JWKs` }];
  }
  const problems: TokenKeyProblem[] = [];
  const kids = new Set<string>();
  for (const [index, item] of (value as readonly unknown[]).entries()) {
    const at = `${pointer}/${index}`;
    const checked = checkTokenKey(item, at);
    if (checked.kind === "error") {
      problems.push({ pointer: checked.pointer, message: checked.message });
      continue;
    }
    const { kid, alg, jwk } = checked.key;
    if (kids.has(kid)) problems.push({ pointer: `${at}/kid`, message: "expected another id for each key" });
    kids.add(kid);
    if (!(await canImport(jwk, alg))) {
      problems.push({
        pointer: at,
        message: `expected a valid key for ${alg}, of 2048 bits or more where it is RSA`,
      });
    }
  }
  return problems;
}

/** Checks the form of one key. */
export function checkTokenKey(value: unknown, pointer: string): CheckedTokenKey {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return error(pointer, "expected a JWK, an object");
  }
  const jwk = value as Readonly<Record<string, unknown>>;
  const { alg, kid, kty } = jwk;
  const algorithm = typeof alg === "string" ? ALGORITHMS.get(alg) : undefined;
  if (typeof alg !== "string" || algorithm === undefined) {
    return error(`${pointer}/alg`, `expected one of ${[...ALGORITHMS.keys()].join(", ")}`);
  }
  if (kty !== algorithm.kty) return error(`${pointer}/kty`, `expected \`${algorithm.kty}\` for ${alg}`);
  if (typeof kid !== "string" || kid === "" || kid.length > MAX_KID_LENGTH) {
    return error(`${pointer}/kid`, `expected a text of 1 to ${MAX_KID_LENGTH} characters`);
  }
  const unfit = unfitUse(jwk);
  if (unfit !== undefined) return error(`${pointer}/${unfit.member}`, unfit.message);
  const leaked = PRIVATE_MEMBERS.find((member) => Object.hasOwn(jwk, member));
  if (leaked !== undefined) {
    return error(
      `${pointer}/${leaked}`,
      "expected a public key; remove its private members and make a new key pair",
    );
  }
  return checkMembers(jwk, { alg, kid, algorithm }, pointer);
}

/** RFC 7517 sections 4.2 and 4.3. */
function unfitUse({
  use,
  key_ops: operations,
}: Readonly<Record<string, unknown>>): { readonly member: string; readonly message: string } | undefined {
  if (use !== undefined && use !== "sig")
    return { member: "use", message: "expected `sig`, or no such member" };
  if (operations === undefined || (Array.isArray(operations) && operations.includes("verify")))
    return undefined;
  return { member: "key_ops", message: "expected `verify` among them, or no such member" };
}

function checkMembers(
  jwk: Readonly<Record<string, unknown>>,
  { alg, kid, algorithm }: { readonly alg: string; readonly kid: string; readonly algorithm: Algorithm },
  pointer: string,
): CheckedTokenKey {
  const { kty, crv, minSecretBytes } = algorithm;
  const clean: Record<string, string> = { kty };
  for (const member of KEY_MEMBERS[kty]) {
    const text = jwk[member];
    if (member === "crv") {
      if (text !== crv) return error(`${pointer}/crv`, `expected \`${crv ?? ""}\` for ${alg}`);
    } else if (typeof text !== "string" || text.length > MAX_MEMBER_LENGTH || !BASE64URL.test(text)) {
      return error(`${pointer}/${member}`, "expected base64url without padding");
    }
    clean[member] = text as string;
  }
  const unsound = unsoundMember(clean, { alg, minSecretBytes });
  if (unsound !== undefined) return error(`${pointer}/${unsound.member}`, unsound.message);
  return { kind: "key", key: { kid, alg, jwk: clean } };
}

/** A key of the right form that would still let others sign. */
function unsoundMember(
  { n = "", e = "", k = "", kty }: Readonly<Record<string, string>>,
  { alg, minSecretBytes = 0 }: { readonly alg: string; readonly minSecretBytes: number | undefined },
): { readonly member: string; readonly message: string } | undefined {
  if (kty === "RSA" && !isSoundExponent(e))
    return { member: "e", message: "expected an odd exponent from 65537 to 256 bits, such as `AQAB`" };
  if (kty === "RSA" && isEven(n)) return { member: "n", message: "expected an odd modulus" };
  if (Math.floor((k.length * 3) / 4) >= minSecretBytes) return undefined;
  return { member: "k", message: `expected a secret of at least ${minSecretBytes} bytes for ${alg}` };
}

/**
 * FIPS 186-5 section 5.4. Libraries import any exponent, and with 1 a signature is the padded digest itself: whoever
 * knows the key can sign.
 */
function isSoundExponent(text: string): boolean {
  const exponent = Buffer.from(text, "base64url").toString("hex").replace(/^0+/, "");
  return !isEven(text) && exponent.length <= 64 && BigInt(`0x0${exponent}`) >= 65_537n;
}

function isEven(text: string): boolean {
  return ((Buffer.from(text, "base64url").at(-1) ?? 0) & 1) === 0;
}

async function canImport(jwk: JWK, alg: string): Promise<boolean> {
  try {
    const key = await importJWK(jwk, alg);
    return key instanceof Uint8Array || rsaBits(key) >= 2048;
  } catch {
    return false;
  }
}

/** `Infinity` for a key that is not RSA. */
function rsaBits(key: { readonly algorithm: object }): number {
  return "modulusLength" in key.algorithm ? Number(key.algorithm.modulusLength) : Number.POSITIVE_INFINITY;
}

function error(pointer: string, message: string): CheckedTokenKey {
  return { kind: "error", pointer, message: pointer === "" ? message : `\`${pointer}\`: ${message}` };
}
