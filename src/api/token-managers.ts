/** There is always a token that may make tokens: without one nobody could get in again through the API. */
import type { TokenRow, Transaction } from "../store/index.ts";
import { tokenStatus } from "./auth.ts";
import { invalid } from "./issues.ts";
import { isAllowed } from "./permissions.ts";

/**
 * To be called after a token was changed or deleted, in the same transaction.
 *
 * @param before the token as it was
 * @throws {ApiError} `in_use` when it was the last one that may manage the tokens of the user
 */
export function requireManager(transaction: Transaction, before: TokenRow): void {
  const manages = (token: TokenRow): boolean =>
    tokenStatus(token, transaction.at) === "active" &&
    isAllowed(token.policies, ["API Tokens"], "Write", { kind: "user" });
  if (!manages(before) || transaction.all("tokens").some(manages)) return;
  throw invalid([
    {
      name: "in_use",
      pointer: "",
      field: "token_id",
      value: before.id,
      reason: "it is the last token that may manage tokens; create another one first",
    },
  ]);
}
