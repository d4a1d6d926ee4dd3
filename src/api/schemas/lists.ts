/** Shapes of the Lists API. What an item says is checked by `checkListItems`. */
import { z } from "zod";
import { LIST_KINDS, MAX_COMMENT_LENGTH, MAX_LIST_NAME_LENGTH } from "../../ruleset/index.ts";
import { cursorQuery } from "../paging.ts";
import { hexId } from "./common.ts";

const description = z.string().max(MAX_COMMENT_LENGTH);

export const createListBody = z.looseObject({
  name: z
    .string()
    .min(1)
    .max(MAX_LIST_NAME_LENGTH)
    .regex(/^[a-z0-9_]+$/, "it must consist of lower-case letters, digits and `_`, as expressions name it"),
  kind: z.enum(LIST_KINDS),
  description: description.optional(),
});

export const updateListBody = z.looseObject({ description: description.optional() });

export const itemsBody = z.array(z.unknown());

export const deleteItemsBody = z.looseObject({ items: z.array(z.looseObject({ id: hexId })).min(1) });

export const itemListQuery = z.object({ ...cursorQuery, search: z.string().max(1000).optional() });

export const list = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string(),
  kind: z.enum(LIST_KINDS),
  num_items: z.int(),
  num_referencing_filters: z.int(),
  created_on: z.string(),
  modified_on: z.string(),
});

export const listItem = z.looseObject({
  id: z.string(),
  created_on: z.string(),
  modified_on: z.string(),
  comment: z.string().optional(),
});

export const bulkOperationId = z.object({ operation_id: z.string() });

export const bulkOperation = z.object({
  id: z.string(),
  status: z.enum(["pending", "running", "completed", "failed"]),
  completed: z.string(),
});
