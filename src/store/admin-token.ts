/** The token of the first start. */
import { randomId } from "./ids.ts";
import { newTokenText, tokenHash } from "./token-text.ts";
import type { Transaction } from "./types.ts";

/** Stands for every permission group, those of later versions included. */
export const ALL_PERMISSIONS = "*";

/** Stands for every resource. */
export const ALL_RESOURCES = "*";

/**
 * Creates a token that may do everything, if there is none of any kind; returns its text.
 *
 * @param publish told the text before the token is stored: a process that dies in between leaves a text that nobody
 *   knows and makes a new one at its next start, instead of a token whose text is lost
 */
export function adminToken(
  transaction: Transaction,
  random: (lengthBytes: number) => Uint8Array,
  publish: ((text: string) => void) | undefined,
): string | undefined {
  if (transaction.all("tokens").length > 0) return undefined;
  const text = newTokenText(random);
  publish?.(text);
  transaction.put("tokens", {
    id: randomId(random),
    name: "admin",
    scope: "user",
    hash: tokenHash(text),
    disabled: false,
    policies: [
      {
        id: randomId(random),
        effect: "allow",
        permissionGroups: [ALL_PERMISSIONS],
        resources: [ALL_RESOURCES],
      },
    ],
    ipIn: [],
    ipNotIn: [],
    notBeforeAt: null,
    expiresAt: null,
    issuedAt: transaction.at,
    modifiedAt: transaction.at,
  });
  return text;
}
