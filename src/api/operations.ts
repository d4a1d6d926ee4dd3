/** Saving operations: the rules of Endpoint Management, for the API and for imports. */
import { checkOperationInput, drawOperationId, shortIdOf } from "../operation/index.ts";
import type { CheckedOperationInput, Operation } from "../operation/index.ts";
import { operationUnique } from "../store/index.ts";
import type { Transaction } from "../store/index.ts";
import { invalid, invalidValue } from "./issues.ts";
import type { Issue } from "./issues.ts";
import { MAX_OPERATIONS } from "./limits.ts";
import type { OperationBody } from "./schemas/operations.ts";

/** An operation to be saved, with the id it had elsewhere if it comes from there. */
export type OperationToSave = CheckedOperationInput & Partial<Pick<Operation, "id" | "record" | "prefetch">>;

/**
 * Checks operations as they arrive.
 *
 * @param pointerOf JSON pointer of the one at `index`
 * @param idOf id that the one at `index` has to get; a fresh one unless given
 * @throws {ApiError} with every mistake in any of them
 */
export function checkOperations(
  bodies: readonly OperationBody[],
  pointerOf: (index: number) => string,
  idOf: (index: number) => string | undefined = () => undefined,
): readonly OperationToSave[] {
  const issues: Issue[] = [];
  const checked: OperationToSave[] = [];
  for (const [index, body] of bodies.entries()) {
    const input = checkOperationInput(body);
    if (input.kind === "errors") {
      for (const { field, pointer, reason } of input.errors) {
        const value = body[field];
        issues.push({
          name: value === undefined ? "missing_value" : "invalid_value",
          pointer: pointerOf(index) + pointer,
          value: value ?? "",
          reason,
        });
      }
      continue;
    }
    const id = idOf(index);
    checked.push({
      ...input,
      ...(id === undefined ? {} : { id }),
      ...(body.record === undefined ? {} : { record: body.record }),
      ...(body.prefetch === undefined ? {} : { prefetch: body.prefetch }),
    });
  }
  if (issues.length > 0) throw invalid(issues);
  return checked;
}

/**
 * Saves operations. One that the zone has already keeps its ids and is only touched: rules quote short ids.
 *
 * @returns them in the given order
 */
export function saveOperations(
  transaction: Transaction,
  zoneId: string,
  inputs: readonly OperationToSave[],
  random: (lengthBytes: number) => Uint8Array,
): readonly Operation[] {
  const taken = new Set(transaction.group("operations", zoneId).map(({ operation }) => operation.shortId));
  return inputs.map((input) => {
    const known = transaction.find("operations", operationUnique(zoneId, input))?.operation;
    if (known === undefined && taken.size >= MAX_OPERATIONS) {
      throw invalidValue(
        "",
        inputs.length,
        `a zone has at most ${MAX_OPERATIONS} operations`,
        "limit_reached",
      );
    }
    const base = known ?? newOperation(input, freeId(input.id, taken) ?? drawOperationId(random, taken));
    taken.add(base.shortId);
    const operation: Operation = {
      ...base,
      lastUpdatedAt: transaction.at,
      record: input.record ?? base.record,
      prefetch: input.prefetch ?? base.prefetch,
    };
    transaction.put("operations", { zoneId, operation });
    return operation;
  });
}

function newOperation({ method, host, endpoint }: OperationToSave, id: string): Operation {
  return {
    id,
    shortId: shortIdOf(id),
    method,
    host,
    endpoint,
    lastUpdatedAt: 0,
    record: "forwarded",
    prefetch: "record",
  };
}

/** A given id, if its short id is free. */
function freeId(id: string | undefined, taken: ReadonlySet<string>): string | undefined {
  return id === undefined || taken.has(shortIdOf(id)) ? undefined : id;
}
