export { runCustomRules } from "./custom.ts";
export type { CustomDecision } from "./custom.ts";
