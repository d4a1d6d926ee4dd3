import { assert, constantFrom, array, integer, property, record } from "fast-check";
import { expect, test } from "vitest";
import { CUSTOMERS } from "../../src/demo/customers.ts";
import { createLedger } from "../../src/demo/ledger.ts";

const ACCOUNT_IDS = CUSTOMERS.flatMap(({ accounts }) => accounts.map(({ id }) => id));
const total = (ledger: ReturnType<typeof createLedger>): number =>
  ACCOUNT_IDS.reduce((sum, id) => sum + (ledger.balanceOf(id) ?? Number.NaN), 0);

test("whatever is transferred, no money is made or lost and no account goes below zero", () => {
  const account = constantFrom(...ACCOUNT_IDS, "99999999");
  const transfers = array(record({ from: account, to: account, cents: integer({ min: 1, max: 3_000_000 }) }));
  assert(
    property(transfers, (all) => {
      const ledger = createLedger();
      const before = total(ledger);
      for (const transfer of all.filter(({ from, to }) => from !== to)) ledger.transfer(transfer);
      expect(total(ledger)).toBe(before);
      for (const id of ACCOUNT_IDS) expect(ledger.balanceOf(id)).toBeGreaterThanOrEqual(0);
    }),
  );
});

test("account numbers are unique", () => {
  expect(new Set(ACCOUNT_IDS).size).toBe(ACCOUNT_IDS.length);
});
