/** Shapes that several resources share. */
import { z } from "zod";

/** Ids of zones, accounts, rulesets, rules, lists and tokens. */
export const hexId = z.string().regex(/^[0-9a-f]{32}$/, "it must have 32 lower-case hexadecimal digits");

/** One query parameter or several of the same name, as an array; the query reader gives arrays for repeats. */
export const oneOrMore = <Item extends z.ZodType<unknown, string>>(item: Item) =>
  z.union([z.array(item).max(100), item.transform((value) => [value])]);

export const queryText = z.string().max(4096);

export const direction = z.enum(["asc", "desc"]);
