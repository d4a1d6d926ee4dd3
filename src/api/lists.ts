/** Lists and their items in the store. */
import { checkListItems, MAX_LIST_ITEMS } from "../ruleset/index.ts";
import type { ListItem, ListItemContent } from "../ruleset/index.ts";
import { inListOrder, listItemUnique, randomId, randomIds } from "../store/index.ts";
import type { ListItemRow, ListRow, Transaction, View } from "../store/index.ts";
import { audit } from "./audit.ts";
import { apiError } from "./errors.ts";
import { invalid, invalidValue } from "./issues.ts";
import { MAX_BULK_OPERATIONS } from "./limits.ts";
import type { ApiDependencies, Call } from "./route.ts";
import { toIssue } from "./rulesets.ts";
import { timestamp } from "./wire.ts";

export function toWireList(list: ListRow, view: View) {
  return {
    id: list.id,
    name: list.name,
    description: list.description,
    kind: list.kind,
    num_items: view.count("listItems", list.id),
    num_referencing_filters: referencesTo(list, view).length,
    created_on: timestamp(list.createdAt),
    modified_on: timestamp(list.modifiedAt),
  };
}

/** @throws {ApiError} `no_list` also for a list of another account */
export function listOf(view: View, accountId: string, listId: string): ListRow {
  const list = view.get("lists", listId);
  if (list === undefined || list.accountId !== accountId) throw noList();
  return list;
}

export const noList = (): Error =>
  apiError("no_list", "could not find list, item or bulk operation: nothing has this id");

/** Rules of the account and its zones that name the list. */
function referencesTo(
  list: ListRow,
  view: View,
): readonly { readonly rulesetId: string; readonly ruleId: string }[] {
  const mention = new RegExp(`\\$${list.name}(?![\\w.])`);
  const scopes = [
    `account:${list.accountId}`,
    ...view.group("zones", list.accountId).map(({ id }) => `zone:${id}`),
  ];
  return scopes.flatMap((scope) =>
    view
      .group("rulesets", scope)
      .flatMap(({ ruleset }) =>
        ruleset.rules
          .filter(
            ({ expression, ratelimit }) =>
              mention.test(expression) || mention.test(ratelimit?.counting_expression ?? ""),
          )
          .map(({ id }) => ({ rulesetId: ruleset.id, ruleId: id })),
      ),
  );
}

/** Items in the order of the list. */
export function itemRows(view: View, listId: string): readonly ListItemRow[] {
  return inListOrder(view.group("listItems", listId));
}

export interface ItemsChange {
  readonly list: ListRow;
  readonly items: readonly unknown[];
  /** `append` leaves the other items; `replace` removes those that are not named. */
  readonly mode: "append" | "replace";
  /** JSON pointer of the items in what was sent; the whole body unless given. */
  readonly pointer?: string;
}

/**
 * Writes items. One that the list has already keeps its id, and its place when it is appended again.
 *
 * @throws {ApiError} with every mistake in any of them
 */
export function writeItems(
  { deps }: { readonly deps: Pick<ApiDependencies, "random"> },
  transaction: Transaction,
  { list, items, mode, pointer = "" }: ItemsChange,
): void {
  const { items: contents, issues } = checkListItems(list.kind, items, (index) => `${pointer}/${index}`);
  if (issues.length > 0) throw invalid(issues.map(toIssue));
  const before = itemRows(transaction, list.id);
  const isReplaced = mode === "replace";
  const known = contents.map((content) => transaction.find("listItems", listItemUnique(list.id, content)));
  const ids = randomIds(deps.random, known.filter((row) => row === undefined).length).values();
  const identity = { at: timestamp(transaction.at), newId: () => ids.next().value ?? "" };
  // A replacement is numbered from the start: writing the same list again changes no row.
  let next = isReplaced ? 1 : (before.at(-1)?.position ?? 0) + 1;
  for (const [index, content] of contents.entries()) {
    const row = known[index];
    const item = toItem(content, row?.item, identity);
    const position = row === undefined || isReplaced ? next++ : row.position;
    if (item !== row?.item || position !== row.position) {
      transaction.put("listItems", { listId: list.id, position, item });
    }
  }
  if (isReplaced) removeOthers(transaction, before, known);
  if (transaction.count("listItems", list.id) > MAX_LIST_ITEMS) {
    const reason = `a list has at most ${MAX_LIST_ITEMS} items`;
    throw invalidValue(pointer, contents.length, reason, "limit_reached");
  }
}

function removeOthers(
  transaction: Transaction,
  before: readonly ListItemRow[],
  kept: readonly (ListItemRow | undefined)[],
): void {
  const stays = new Set(kept);
  for (const row of before) if (!stays.has(row)) transaction.delete("listItems", row.item.id);
}

function toItem(
  content: ListItemContent,
  known: ListItem | undefined,
  { at, newId }: { readonly at: string; readonly newId: () => string },
): ListItem {
  if (known !== undefined && JSON.stringify(contentOf(known)) === JSON.stringify(contentOf(content))) {
    return known;
  }
  return {
    id: known?.id ?? newId(),
    ...content,
    created_on: known?.created_on ?? at,
    modified_on: at,
  };
}

function contentOf(item: ListItemContent): readonly unknown[] {
  const value =
    "ip" in item ? item.ip : "asn" in item ? item.asn : "hostname" in item ? item.hostname : item.redirect;
  return [value, item.comment ?? ""];
}

/** Ends a change of items: the list is modified, the change logged, and the operation can be asked about. */
export function finishBulkOperation(
  call: Pick<Call, "principal" | "deps">,
  transaction: Transaction,
  { list, before }: { readonly list: ListRow; readonly before: number },
): { readonly operation_id: string } {
  const { accountId } = list;
  transaction.put("lists", { ...list, modifiedAt: transaction.at });
  audit(call, transaction, {
    action: "update",
    type: "list_items",
    id: list.id,
    accountId,
    before: { num_items: before },
    after: { num_items: transaction.count("listItems", list.id) },
  });
  const id = randomId(call.deps.random);
  transaction.put("bulkOperations", { id, accountId, completedAt: transaction.at });
  const finished = transaction.group("bulkOperations", accountId);
  for (const { id: old } of finished.slice(0, finished.length - MAX_BULK_OPERATIONS)) {
    transaction.delete("bulkOperations", old);
  }
  return { operation_id: id };
}

/** Refuses to take away what rules name. */
export function refuseReferenced(list: ListRow, view: View): void {
  const [reference] = referencesTo(list, view);
  if (reference === undefined) return;
  throw apiError(
    "in_use",
    `'${list.name}' cannot be deleted because rule ${reference.ruleId} of ruleset ${reference.rulesetId} names it`,
  );
}
