/** Identities of operations: UUIDs whose first eight characters are unique in their zone. */
import { MAX_ID_DRAWS } from "./limits.ts";
import { hex } from "./quote.ts";

const SHORT_ID_LENGTH = 8;
const UUID_BYTES = 16;

/** The short id of an operation: the first 8 hex characters of its UUID, lower case. What expressions quote. */
export function shortIdOf(id: string): string {
  return id.slice(0, SHORT_ID_LENGTH).toLowerCase();
}

/** Whether an operation with this UUID can be added to a zone whose short ids are `taken`. */
export function isUniqueShortId(id: string, taken: ReadonlySet<string>): boolean {
  return !taken.has(shortIdOf(id));
}

/**
 * Draws a version 4 UUID (RFC 9562 section 5.4) until its short id is free. Rules quote short ids, so a second
 * operation with one in use would satisfy the rules of the first.
 *
 * @param randomBytes - `n` bytes from a cryptographic source, all of them new at each call.
 * @param taken - short ids in use in the zone.
 * @throws {Error} if no draw is free, which only a broken source of randomness can cause.
 */
export function drawOperationId(
  randomBytes: (count: number) => Uint8Array,
  taken: ReadonlySet<string>,
): string {
  for (let draw = 0; draw < MAX_ID_DRAWS; draw++) {
    const id = toUuid(randomBytes(UUID_BYTES));
    if (isUniqueShortId(id, taken)) return id;
  }
  throw new Error(
    `expected a free short id within ${MAX_ID_DRAWS} draws with ${taken.size} in use; check the source of randomness`,
  );
}

function toUuid(bytes: Uint8Array): string {
  if (bytes.length < UUID_BYTES) {
    throw new TypeError(`expected ${UUID_BYTES} random bytes, found ${bytes.length}`);
  }
  const digits = Array.from({ length: UUID_BYTES }, (_, index) => {
    const byte = bytes[index]!;
    if (index === 6) return hex((byte & 0x0f) | 0x40, 2); // version 4
    if (index === 8) return hex((byte & 0x3f) | 0x80, 2); // variant of RFC 9562
    return hex(byte, 2);
  }).join("");
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    digits.slice(12, 16),
    digits.slice(16, 20),
    digits.slice(20),
  ].join("-");
}
