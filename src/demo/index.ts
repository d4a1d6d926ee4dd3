export { LOGIN_PATH } from "./app-access.ts";
export { APP_AUDIENCE, APP_ISSUER } from "./app-tokens.ts";
export { startBank } from "./bank.ts";
export type { Bank } from "./bank.ts";
export { BANK_OPERATIONS } from "./operations.ts";
