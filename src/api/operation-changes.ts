/** Changes of operations, each with its entry in the audit log. */
import type { Operation } from "../operation/index.ts";
import type { Transaction } from "../store/index.ts";
import { audit } from "./audit.ts";
import { saveOperations } from "./operations.ts";
import type { Call } from "./route.ts";
import { toWireOperation } from "./wire.ts";
import { zoneOf } from "./zone-access.ts";

export interface ZoneCall extends Pick<Call, "principal" | "deps"> {
  readonly params: { readonly zone_id: string };
}

/** @returns them in the given order, those that the zone had already too */
export function saveAudited(
  call: ZoneCall,
  transaction: Transaction,
  inputs: Parameters<typeof saveOperations>[2],
): readonly Operation[] {
  const before = new Set(
    transaction.group("operations", call.params.zone_id).map(({ operation }) => operation.id),
  );
  const saved = saveOperations(transaction, call.params.zone_id, inputs, call.deps.random);
  for (const operation of saved) {
    if (!before.has(operation.id)) auditOperation(call, transaction, "create", undefined, operation);
    before.add(operation.id);
  }
  return saved;
}

export function auditOperation(
  call: ZoneCall,
  transaction: Transaction,
  action: "create" | "update" | "delete",
  ...[before, after]: readonly [Operation | undefined, Operation | undefined]
): void {
  const zone = zoneOf(transaction, call.params.zone_id);
  audit(call, transaction, {
    action,
    type: "operation",
    id: (after ?? before)?.id ?? "",
    accountId: zone.accountId,
    zoneId: zone.id,
    before: before && toWireOperation(before),
    after: after && toWireOperation(after),
  });
}
