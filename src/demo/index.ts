export { startBank } from "./bank.ts";
export type { Bank } from "./bank.ts";
export { BANK_OPERATIONS } from "./operations.ts";
