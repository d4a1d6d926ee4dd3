/** Saved endpoints: https://developers.cloudflare.com/api/resources/api_gateway/subresources/operations/ */
import { z } from "zod";
import type { Operation } from "../../operation/index.ts";
import { operationKey } from "../../store/index.ts";
import type { OperationRow, Transaction, View } from "../../store/index.ts";
import { bare, ok } from "../envelope.ts";
import { apiError } from "../errors.ts";
import { etagOf } from "../etag.ts";
import { invalid, invalidValue } from "../issues.ts";
import type { ZoneCall } from "../operation-changes.ts";
import { auditOperation, saveAudited } from "../operation-changes.ts";
import { checkOperations } from "../operations.ts";
import { toPage, toSinglePage } from "../paging.ts";
import { permission, route } from "../route.ts";
import type { Route } from "../route.ts";
import {
  operation as operationShape,
  operationGetQuery,
  operationIds,
  operationInput,
  operationListQuery,
  prefetchPolicy,
  recordPolicy,
} from "../schemas/operations.ts";
import { toWireOperation } from "../wire.ts";
import { rulesQuoting } from "../short-id-hints.ts";
import { zoneOf } from "../zone-access.ts";

const READ = permission("zone", "Read", "API Gateway");
const WRITE = permission("zone", "Write", "API Gateway");
const collection = "/zones/{zone_id}/api_gateway/operations";
const one = "/zones/{zone_id}/api_gateway/operations/{operation_id}";

export const operationRoutes: readonly Route[] = [
  route("GET", {
    path: collection,
    summary: "List saved operations",
    access: READ,
    query: operationListQuery,
    result: z.array(operationShape),
    run: ({ params, query, store }) => {
      const rows = sortedOperations(store.group("operations", params.zone_id), query.order);
      const wanted = rows.filter((operation) => matchesFilters(operation, query));
      return toPage(query.direction === "desc" ? wanted.toReversed() : wanted, query, (operation) =>
        toWireOperation(operation, featuresOf(query.feature)),
      );
    },
  }),
  route("POST", {
    path: `${collection}/item`,
    summary: "Save one operation",
    access: WRITE,
    body: operationInput,
    result: operationShape,
    run: (call) => {
      const inputs = checkOperations([call.body], () => "");
      return call.write((transaction) => {
        const [operation] = saveAudited(call, transaction, inputs);
        return okOperation(operation as Operation);
      });
    },
  }),
  route("POST", {
    path: collection,
    summary: "Save several operations",
    access: WRITE,
    body: z.array(operationInput),
    result: z.array(operationShape),
    run: (call) => {
      const inputs = checkOperations(call.body, (index) => `/${index}`);
      return call.write((transaction) =>
        toSinglePage(saveAudited(call, transaction, inputs).map((operation) => toWireOperation(operation))),
      );
    },
  }),
  route("DELETE", {
    path: collection,
    summary: "Delete the operations that the body names",
    access: WRITE,
    body: z.unknown(),
    run: (call) => call.write((transaction) => deleteMany(call, transaction)),
  }),
  route("GET", {
    path: one,
    summary: "Get an operation",
    access: READ,
    query: operationGetQuery,
    result: operationShape,
    run: ({ params, query, store }) => {
      const { operation } = operationOf(store, params);
      const schemas = query.with_schemas === undefined ? {} : { schemas: { learned: null, uploaded: null } };
      return okOperation(operation, { ...featuresOf(query.feature), ...schemas });
    },
  }),
  route("PATCH", {
    path: one,
    summary: "Change how an operation is recorded (extension of Stepgate)",
    access: WRITE,
    body: z.looseObject({ record: recordPolicy.optional(), prefetch: prefetchPolicy.optional() }),
    result: operationShape,
    run: (call) =>
      call.write((transaction) => {
        const { operation: before } = operationOf(transaction, call.params);
        call.checkPreconditions(operationEtag(before));
        const after: Operation = {
          ...before,
          record: call.body.record ?? before.record,
          prefetch: call.body.prefetch ?? before.prefetch,
          lastUpdatedAt: transaction.at,
        };
        transaction.put("operations", { zoneId: call.params.zone_id, operation: after });
        auditOperation(call, transaction, "update", before, after);
        return okOperation(after);
      }),
  }),
  route("DELETE", {
    path: one,
    summary: "Delete an operation",
    access: WRITE,
    run: (call) =>
      call.write((transaction) => {
        const { operation } = operationOf(transaction, call.params);
        call.checkPreconditions(operationEtag(operation));
        remove(call, transaction, operation);
        return bare(rulesQuoting(transaction, call.params.zone_id, operation));
      }),
  }),
];

/** The order of every page, made once for as long as the operations stay the same. */
const sortedByOrder = new WeakMap<readonly OperationRow[], Map<string, readonly Operation[]>>();

function sortedOperations(rows: readonly OperationRow[], order: string): readonly Operation[] {
  let orders = sortedByOrder.get(rows);
  if (orders === undefined) sortedByOrder.set(rows, (orders = new Map()));
  const field = order === "method" || order === "host" ? order : "endpoint";
  let sorted = orders.get(field);
  if (sorted === undefined) {
    const keyOf = (operation: Operation): string =>
      [operation[field], operation.host, operation.endpoint, operation.method].join(" ");
    sorted = rows
      .map(({ operation }) => ({ operation, key: keyOf(operation) }))
      .toSorted((left, right) => (left.key < right.key ? -1 : 1))
      .map(({ operation }) => operation);
    orders.set(field, sorted);
  }
  return sorted;
}

function matchesFilters(operation: Operation, filters: z.output<typeof operationListQuery>): boolean {
  const { host: hosts, method: methods, endpoint } = filters;
  return (
    (hosts === undefined || hosts.includes(operation.host)) &&
    (methods === undefined || methods.includes(operation.method)) &&
    (endpoint === undefined || operation.endpoint.includes(endpoint))
  );
}

/** Features are learned from traffic; Stepgate learns none of them, and says so with an empty object. */
const featuresOf = (wanted: readonly string[] | undefined): Readonly<Record<string, unknown>> =>
  wanted === undefined ? {} : { features: {} };

function operationOf(
  view: View,
  { zone_id: zoneId, operation_id: operationId }: { readonly zone_id: string; readonly operation_id: string },
): OperationRow {
  const row = view.get("operations", operationKey(zoneId, operationId.toLowerCase()));
  if (row === undefined) throw apiError("no_operation", "operation not found: no operation has this id");
  return row;
}

const operationEtag = (operation: Operation): string => etagOf(toWireOperation(operation));

function okOperation(operation: Operation, extra: Readonly<Record<string, unknown>> = {}) {
  return ok(toWireOperation(operation, extra), { etag: operationEtag(operation) });
}

/** A call without a body never means "all of them". */
function deleteMany(call: ZoneCall & { readonly body: unknown }, transaction: Transaction) {
  const parsed = operationIds.safeParse(call.body);
  if (!parsed.success) {
    throw invalidValue(
      "",
      call.body ?? "",
      'deleting several operations needs an array of `{"operation_id": …}` as body',
    );
  }
  const { zone_id: zoneId } = call.params;
  const rows = parsed.data.map(({ operation_id: id }) =>
    transaction.get("operations", operationKey(zoneId, id.toLowerCase())),
  );
  const issues = rows.flatMap((row, index) =>
    row === undefined
      ? [
          {
            name: "unknown_reference" as const,
            pointer: `/${index}/operation_id`,
            value: parsed.data[index]?.operation_id,
            reason: "the zone has no operation with this id",
          },
        ]
      : [],
  );
  if (issues.length > 0) throw invalid(issues);
  const operations = [...new Set(rows as readonly OperationRow[])].map(({ operation }) => operation);
  for (const operation of operations) remove(call, transaction, operation);
  return bare(operations.flatMap((operation) => rulesQuoting(transaction, zoneId, operation)).slice(0, 20));
}

function remove(call: ZoneCall, transaction: Transaction, operation: Operation): void {
  const { seqRules } = zoneOf(transaction, call.params.zone_id);
  const user = seqRules.find(({ sequence }) => sequence.includes(operation.id));
  if (user !== undefined) {
    throw apiError("in_use", `'${operation.id}' cannot be deleted because sequence rule ${user.id} names it`);
  }
  transaction.delete("operations", operationKey(call.params.zone_id, operation.id));
  auditOperation(call, transaction, "delete", operation, undefined);
}
