export { startBank } from "./bank.ts";
export type { Bank, BankOptions } from "./bank.ts";
export { BANK_OPERATIONS } from "./operations.ts";
export type { BankOperation } from "./operations.ts";
