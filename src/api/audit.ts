/** Entries for the audit log: who, what, before and after. */
import { auditValue } from "../store/index.ts";
import type { Transaction } from "../store/index.ts";
import type { Ruleset } from "../ruleset/index.ts";
import type { Call } from "./route.ts";

export interface Audited {
  readonly action: "create" | "update" | "delete" | "roll";
  readonly type: string;
  readonly id: string;
  readonly accountId: string;
  readonly zoneId?: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** Adds an entry in the transaction of the change. Values must not hold secrets. */
export function audit(
  { principal }: Pick<Call, "principal">,
  transaction: Transaction,
  entry: Audited,
): void {
  transaction.audit({
    accountId: entry.accountId,
    zoneId: entry.zoneId ?? null,
    actor: { id: principal.token.id, type: "token", ip: principal.ip },
    action: entry.action,
    resource: { type: entry.type, id: entry.id },
    before: auditValue(entry.before ?? null),
    after: auditValue(entry.after ?? null),
  });
}

/** Two versions of a ruleset with only the rules that differ: an edit of one in thousands stays small. */
export function rulesetChange(
  before: Ruleset | undefined,
  after: Ruleset | undefined,
): { readonly before: unknown; readonly after: unknown } {
  const [known, kept] = [new Set(before?.rules), new Set(after?.rules)];
  return {
    before: before && { ...before, rules: before.rules.filter((rule) => !kept.has(rule)) },
    after: after && { ...after, rules: after.rules.filter((rule) => !known.has(rule)) },
  };
}
