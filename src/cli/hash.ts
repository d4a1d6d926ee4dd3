/** SHA-256 as names of counters need it. */
import { createHash } from "node:crypto";

/** Over UTF-16 code units, so that no two texts share an encoding; 43 characters. */
export function hashText(text: string): string {
  return createHash("sha256").update(text, "utf16le").digest("base64url");
}
