/** The body of `POST /api/v1/transferFunds`: hostile text until it has been through here. */
import type { Violation } from "./answers.ts";
import type { Transfer } from "./ledger.ts";
import { MAX_TRANSFER_CENTS } from "./limits.ts";

export type ParsedTransfer =
  | { readonly kind: "transfer"; readonly transfer: Transfer }
  | { readonly kind: "violations"; readonly violations: readonly Violation[] };

const ACCOUNT_ID = /^\d{8}$/;

/** @param body `{ "from": "40021001", "to": "40021002", "amount": 2500 }`, the amount in cents; more is ignored */
export function parseTransfer(body: unknown): ParsedTransfer {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    return { kind: "violations", violations: [{ pointer: "", detail: "expected a JSON object" }] };
  }
  const { from, to, amount } = body as Readonly<Record<string, unknown>>;
  const violations: Violation[] = [];
  for (const [pointer, id] of [
    ["/from", from],
    ["/to", to],
  ] as const) {
    if (typeof id !== "string" || !ACCOUNT_ID.test(id)) {
      violations.push({ pointer, detail: "expected an account number of eight digits, as a string" });
    }
  }
  if (violations.length === 0 && from === to) {
    violations.push({ pointer: "/to", detail: "expected another account than the one to transfer from" });
  }
  if (!Number.isInteger(amount) || (amount as number) < 1 || (amount as number) > MAX_TRANSFER_CENTS) {
    violations.push({ pointer: "/amount", detail: `expected whole cents from 1 to ${MAX_TRANSFER_CENTS}` });
  }
  return violations.length > 0
    ? { kind: "violations", violations }
    : {
        kind: "transfer",
        transfer: { from: from as string, to: to as string, cents: amount as number },
      };
}
