/** Operations that a start brings along: the demo's, when its zone is new. */
import { randomBytes } from "node:crypto";
import { checkOperationInput, drawOperationId, shortIdOf } from "../operation/index.ts";
import type { OperationInput } from "../operation/index.ts";
import { operationUnique } from "../store/index.ts";
import type { Store } from "../store/index.ts";

/**
 * Saves operations, on the host that has the zone's name unless they say another. Those that the zone has already
 * stay as they are.
 *
 * @throws {TypeError} when a definition is not valid, which is a mistake in the program
 */
export function saveOperations(
  store: Store,
  { id: zoneId, name }: { readonly id: string; readonly name: string },
  definitions: readonly OperationInput[],
): void {
  store.write((transaction) => {
    const taken = new Set(transaction.group("operations", zoneId).map(({ operation }) => operation.shortId));
    for (const { method, host = name, endpoint } of definitions) {
      const checked = checkOperationInput({ method, host, endpoint });
      if (checked.kind === "errors")
        throw new TypeError(checked.errors.map(({ message }) => message).join("; "));
      if (transaction.find("operations", operationUnique(zoneId, checked)) !== undefined) continue;
      const id = drawOperationId((lengthBytes) => randomBytes(lengthBytes), taken);
      taken.add(shortIdOf(id));
      transaction.put("operations", {
        zoneId,
        operation: {
          id,
          shortId: shortIdOf(id),
          method: checked.method,
          host: checked.host,
          endpoint: checked.endpoint,
          lastUpdatedAt: transaction.at,
          record: "forwarded",
          prefetch: "record",
        },
      });
    }
  });
}
