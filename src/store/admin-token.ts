/** The token of the first start. */
import { randomId } from "./ids.ts";
import { newTokenText, tokenHash } from "./token-text.ts";
import type { Transaction } from "./types.ts";

/** Stands for every permission group, those of later versions included. */
export const ALL_PERMISSIONS = "*";

/** Stands for every resource. */
export const ALL_RESOURCES = "*";

/** Creates a token that may do everything, if there is none of any kind; returns its text. */
export function adminToken(
  transaction: Transaction,
  random: (lengthBytes: number) => Uint8Array,
): string | undefined {
  if (transaction.all("tokens").length > 0) return undefined;
  const text = newTokenText(random);
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
