/** The operations of the bank's API: the demo zone saves them, and the bank's own router is made of them. */

interface BankOperation {
  readonly method: "GET" | "POST";
  /** Path template; a variable stands in braces. */
  readonly endpoint: string;
}

/** In the order in which a funds transfer is meant to call them; the profile is no part of it. */
export const BANK_OPERATIONS = [
  { method: "GET", endpoint: "/api/v1/users/{user_id}/accounts" },
  { method: "GET", endpoint: "/api/v1/accounts/{account_id}/balance" },
  { method: "POST", endpoint: "/api/v1/transferFunds" },
  { method: "GET", endpoint: "/api/v1/users/{user_id}/profile" },
] as const satisfies readonly BankOperation[];
