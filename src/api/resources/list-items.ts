/**
 * Items of lists and the bulk operations that change them:
 * https://developers.cloudflare.com/api/resources/rules/subresources/lists/subresources/items/
 *
 * A bulk operation has finished when its id is answered; asking about it is what clients of the original do.
 */
import { z } from "zod";
import type { ListItemRow } from "../../store/index.ts";
import { ok } from "../envelope.ts";
import type { Reply } from "../envelope.ts";
import { invalid } from "../issues.ts";
import { MAX_WHOLE_BODY_BYTES } from "../limits.ts";
import { finishBulkOperation, itemRows, listOf, noList, writeItems } from "../lists.ts";
import type { ItemsChange } from "../lists.ts";
import { toCursorPage } from "../paging.ts";
import { permission, route } from "../route.ts";
import type { Call, Route } from "../route.ts";
import {
  bulkOperation,
  bulkOperationId,
  deleteItemsBody,
  itemListQuery,
  itemsBody,
  listItem,
} from "../schemas/lists.ts";
import { timestamp } from "../wire.ts";

const READ = permission("account", "Read", "Account Rule Lists");
const WRITE = permission("account", "Write", "Account Rule Lists");
const collection = "/accounts/{account_id}/rules/lists/{list_id}/items";

export const listItemRoutes: readonly Route[] = [
  route("GET", {
    path: collection,
    summary: "List the items of a list",
    access: READ,
    query: itemListQuery,
    result: z.array(listItem),
    run: ({ params, query, store }) => {
      const list = listOf(store, params.account_id, params.list_id);
      const { search } = query;
      const rows = itemRows(store, list.id);
      const wanted = search === undefined ? rows : rows.filter((row) => mentions(row, search.toLowerCase()));
      return toCursorPage(
        wanted,
        query,
        ({ position }) => position,
        ({ item }) => item,
      );
    },
  }),
  route("POST", {
    path: collection,
    summary: "Append items",
    access: WRITE,
    body: itemsBody,
    result: bulkOperationId,
    run: (call) => write(call, "append", call.body),
  }),
  route("PUT", {
    path: collection,
    summary: "Replace all items",
    access: WRITE,
    body: itemsBody,
    result: bulkOperationId,
    maxBodyBytes: MAX_WHOLE_BODY_BYTES,
    run: (call) => write(call, "replace", call.body),
  }),
  route("DELETE", {
    path: collection,
    summary: "Delete the items that the body names",
    access: WRITE,
    body: deleteItemsBody,
    result: bulkOperationId,
    run: (call) =>
      call.write((transaction) => {
        const list = listOf(transaction, call.params.account_id, call.params.list_id);
        const before = transaction.count("listItems", list.id);
        const issues = call.body.items.flatMap(({ id }, index) =>
          transaction.get("listItems", id)?.listId === list.id
            ? []
            : [
                {
                  name: "unknown_reference" as const,
                  pointer: `/items/${index}/id`,
                  value: id,
                  reason: "the list has no item with this id",
                },
              ],
        );
        if (issues.length > 0) throw invalid(issues);
        for (const { id } of call.body.items) transaction.delete("listItems", id);
        return ok(finishBulkOperation(call, transaction, { list, before }));
      }),
  }),
  route("GET", {
    path: "/accounts/{account_id}/rules/lists/{list_id}/items/{item_id}",
    summary: "Get an item",
    access: READ,
    result: listItem,
    run: ({ params, store }) => {
      const list = listOf(store, params.account_id, params.list_id);
      const row = store.get("listItems", params.item_id);
      if (row === undefined || row.listId !== list.id) throw noList();
      return ok(row.item);
    },
  }),
  route("GET", {
    path: "/accounts/{account_id}/rules/lists/bulk_operations/{operation_id}",
    summary: "Get the state of a bulk operation",
    access: READ,
    result: bulkOperation,
    run: ({ params, store }) => {
      const operation = store.get("bulkOperations", params.operation_id);
      if (operation === undefined || operation.accountId !== params.account_id) throw noList();
      return ok({ id: operation.id, status: "completed", completed: timestamp(operation.completedAt) });
    },
  }),
];

function write(
  call: Pick<Call, "write" | "principal" | "deps"> & {
    readonly params: { readonly account_id: string; readonly list_id: string };
  },
  mode: ItemsChange["mode"],
  items: readonly unknown[],
): Reply {
  return call.write((transaction) => {
    const list = listOf(transaction, call.params.account_id, call.params.list_id);
    const before = transaction.count("listItems", list.id);
    writeItems(call, transaction, { list, items, mode });
    return ok(finishBulkOperation(call, transaction, { list, before }));
  });
}

function mentions({ item }: ListItemRow, search: string): boolean {
  const { comment = "" } = item;
  const texts =
    "ip" in item
      ? [item.ip]
      : "asn" in item
        ? [String(item.asn)]
        : "hostname" in item
          ? [item.hostname.url_hostname]
          : [item.redirect.source_url, item.redirect.target_url];
  return [comment, ...texts].some((text) => text.toLowerCase().includes(search));
}
