/** Identifiers: derived ones that survive restarts, and random ones. */
import { createHash } from "node:crypto";

const ID_BYTES = 16;

/**
 * The id of a thing that has a name: 32 hex characters of SHA-256 over what it is and how it is called. A zone
 * keeps its id whether the configuration file or the API names it, on every machine.
 */
export function derivedId(what: "account" | "zone" | "permission group", name: string): string {
  return createHash("sha256")
    .update(`stepgate ${what} ${name}`)
    .digest("hex")
    .slice(0, 2 * ID_BYTES);
}

/** Fresh ids, drawn at once: asking the system for each of a hundred thousand takes longer than storing them. */
export function randomIds(random: (lengthBytes: number) => Uint8Array, count: number): readonly string[] {
  const digits = Buffer.from(random(ID_BYTES * count)).toString("hex");
  return Array.from({ length: count }, (_, index) =>
    digits.slice(2 * ID_BYTES * index, 2 * ID_BYTES * (index + 1)),
  );
}

/** A fresh id, 32 hex characters. */
export function randomId(random: (lengthBytes: number) => Uint8Array): string {
  return Buffer.from(random(ID_BYTES)).toString("hex");
}
