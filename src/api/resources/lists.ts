/** Lists: https://developers.cloudflare.com/api/resources/rules/subresources/lists/ */
import { z } from "zod";
import { listUnique, randomId } from "../../store/index.ts";
import type { ListRow } from "../../store/index.ts";
import { audit } from "../audit.ts";
import { ok } from "../envelope.ts";
import type { Reply } from "../envelope.ts";
import { etagOf } from "../etag.ts";
import { invalidValue } from "../issues.ts";
import { listOf, refuseReferenced, toWireList } from "../lists.ts";
import { toSinglePage } from "../paging.ts";
import { permission, route } from "../route.ts";
import type { Route } from "../route.ts";
import { createListBody, list as listShape, updateListBody } from "../schemas/lists.ts";

const READ = permission("account", "Read", "Account Rule Lists");
const WRITE = permission("account", "Write", "Account Rule Lists");
const collection = "/accounts/{account_id}/rules/lists";
const one = "/accounts/{account_id}/rules/lists/{list_id}";

/** An account has few lists and all of them are in every snapshot. */
const MAX_LISTS = 1000;

export const listRoutes: readonly Route[] = [
  route("GET", {
    path: collection,
    summary: "List the lists of the account",
    access: READ,
    result: z.array(listShape),
    run: ({ params, store }) =>
      toSinglePage(
        store
          .group("lists", params.account_id)
          .toSorted((left, right) => (left.name < right.name ? -1 : 1))
          .map((list) => toWireList(list, store)),
      ),
  }),
  route("POST", {
    path: collection,
    summary: "Create a list",
    access: WRITE,
    body: createListBody,
    result: listShape,
    run: (call) =>
      call.write((transaction) => {
        const { name, kind, description = "" } = call.body;
        const { account_id: accountId } = call.params;
        if (transaction.find("lists", listUnique(accountId, name)) !== undefined) {
          throw invalidValue("/name", name, "another list of the account has it", "duplicate_value");
        }
        if (transaction.count("lists", accountId) >= MAX_LISTS) {
          throw invalidValue("/name", name, `an account has at most ${MAX_LISTS} lists`, "limit_reached");
        }
        const { at } = transaction;
        const id = randomId(call.deps.random);
        const list: ListRow = { id, accountId, name, description, kind, createdAt: at, modifiedAt: at };
        transaction.put("lists", list);
        const result = toWireList(list, transaction);
        audit(call, transaction, { action: "create", type: "list", id, accountId, after: result });
        return ok(result, { etag: etagOf(result) });
      }),
  }),
  route("GET", {
    path: one,
    summary: "Get a list without its items",
    access: READ,
    result: listShape,
    run: ({ params, store }) => okList(toWireList(listOf(store, params.account_id, params.list_id), store)),
  }),
  route("PUT", {
    path: one,
    summary: "Change the description of a list",
    access: WRITE,
    body: updateListBody,
    result: listShape,
    run: (call) =>
      call.write((transaction) => {
        const { account_id: accountId, list_id: id } = call.params;
        const list = listOf(transaction, accountId, id);
        const before = toWireList(list, transaction);
        call.checkPreconditions(etagOf(before));
        const { description = "" } = call.body;
        if (description === list.description) return okList(before);
        const changed: ListRow = { ...list, description, modifiedAt: transaction.at };
        transaction.put("lists", changed);
        const after = toWireList(changed, transaction);
        audit(call, transaction, { action: "update", type: "list", id, accountId, before, after });
        return okList(after);
      }),
  }),
  route("DELETE", {
    path: one,
    summary: "Delete a list that no rule names",
    access: WRITE,
    run: (call) =>
      call.write((transaction) => {
        const { account_id: accountId, list_id: id } = call.params;
        const list = listOf(transaction, accountId, id);
        const before = toWireList(list, transaction);
        call.checkPreconditions(etagOf(before));
        refuseReferenced(list, transaction);
        for (const { item } of transaction.group("listItems", id)) transaction.delete("listItems", item.id);
        transaction.delete("lists", id);
        audit(call, transaction, { action: "delete", type: "list", id, accountId, before });
        return ok({ id });
      }),
  }),
];

function okList(result: ReturnType<typeof toWireList>): Reply {
  return ok(result, { etag: etagOf(result) });
}
