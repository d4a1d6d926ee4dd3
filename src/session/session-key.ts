/** What a session is called where its state is kept. */
import type { SessionIdentity } from "./types.ts";

/**
 * HMAC-SHA256 under a key of the zone (from the key ring, with a label of its own) over the UTF-8 form of a text;
 * at least the first 128 bits of it (RFC 2104 section 5) as printable ASCII, at most 64 characters.
 */
export type SessionHmac = (text: string) => string;

/**
 * The name of a session. Whoever reads the store learns neither identifiers nor whether he has guessed one.
 *
 * @param zoneId 32 hex characters: an identifier in one zone says nothing in another
 */
export function sessionKey(
  zoneId: string,
  identity: Extract<SessionIdentity, { kind: "present" }>,
  hmac: SessionHmac,
): string {
  // Joined, not concatenated: a concatenation keeps its parts, which a table of sessions would hold as well.
  return [zoneId, ":s:", hmac(identityText(identity))].join("");
}

/**
 * The identity as one text: the same value in another header or cookie is somebody else.
 *
 * INVARIANT: names hold no line feed, so no two identities have the same text.
 */
export function identityText({
  characteristic,
  value,
}: Extract<SessionIdentity, { kind: "present" }>): string {
  return `${characteristic.type}\n${characteristic.name}\n${value}`;
}
