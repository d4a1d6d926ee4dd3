/** The bank's books: whole cents in memory, moved in one step, never created and never lost. */
import { CUSTOMERS } from "./customers.ts";

export interface Transfer {
  readonly from: string;
  readonly to: string;
  readonly cents: number;
}

export type TransferOutcome =
  | { readonly kind: "moved" }
  | { readonly kind: "unknown-account"; readonly side: "from" | "to" }
  | { readonly kind: "insufficient-funds" };

export interface Ledger {
  /** @returns cents, or undefined when there is no such account */
  balanceOf(accountId: string): number | undefined;
  /** @param transfer `cents` is a positive whole number; `from` and `to` differ */
  transfer(transfer: Transfer): TransferOutcome;
  /** Back to what the accounts held when the bank opened. */
  reset(): void;
}

export function createLedger(): Ledger {
  // A Map, not an object: account ids come from the network.
  const balances = new Map<string, number>();
  const reset = (): void => {
    for (const { accounts } of CUSTOMERS) {
      for (const { id, openingCents } of accounts) balances.set(id, openingCents);
    }
  };
  reset();
  return {
    balanceOf: (accountId) => balances.get(accountId),
    transfer({ from, to, cents }) {
      const source = balances.get(from);
      const target = balances.get(to);
      if (source === undefined) return { kind: "unknown-account", side: "from" };
      if (target === undefined) return { kind: "unknown-account", side: "to" };
      if (source < cents) return { kind: "insufficient-funds" };
      balances.set(from, source - cents);
      balances.set(to, target + cents);
      return { kind: "moved" };
    },
    reset,
  };
}
