/** Token texts: what is handed out once, and what is kept of it. */
import { createHash, timingSafeEqual } from "node:crypto";

/** Marks our tokens, so that scanners for leaked secrets can find them. */
const PREFIX = "sg_";

/** ASVS 5.0 11.5.1 asks for at least 128 bits; twice that costs nothing. */
const SECRET_BYTES = 32;

/** A fresh token text: `sg_` and 256 random bits in base64url. */
export function newTokenText(random: (lengthBytes: number) => Uint8Array): string {
  return `${PREFIX}${Buffer.from(random(SECRET_BYTES)).toString("base64url")}`;
}

/** What is stored of a token. One round of SHA-256 is enough for a secret of 256 random bits. */
export function tokenHash(text: string): string {
  return createHash("sha256").update(text, "utf8").digest("hex");
}

/**
 * Whether two stored hashes are equal, in constant time. The look-up by hash before it leaks at most how much of
 * the SHA-256 of a guess is right, which says nothing about the token.
 */
export function isSameHash(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left, "hex"), Buffer.from(right, "hex")];
  return a.length === b.length && timingSafeEqual(a, b);
}
