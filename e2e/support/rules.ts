/** The documented example rules, as expressions over the short ids of saved operations. */
import type { CustomRule } from "./api.ts";

export const isCurrent = (shortId: string): string => `cf.sequence.current_op eq "${shortId}"`;
export const wasBefore = (shortId: string): string => `any(cf.sequence.previous_ops[*] == "${shortId}")`;

export function blockWhen(expression: string, description = "journey"): CustomRule {
  return { description, expression, action: "block" };
}

/** Blocks `guarded` unless each of the others was called before it. */
export function needsAllBefore(guarded: string, others: readonly string[]): CustomRule {
  const missing = others.map((shortId) => `not ${wasBefore(shortId)}`).join(" or ");
  return blockWhen(`${isCurrent(guarded)} and (${missing})`, "needs all before");
}
