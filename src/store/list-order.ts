/** Items of a list in their order, sorted once for as long as they stay the same. */
import type { ListItemRow } from "./types.ts";

const ordered = new WeakMap<readonly ListItemRow[], readonly ListItemRow[]>();

/** @param rows as `group` of a view gives them: the same array as long as nothing in it changes */
export function inListOrder(rows: readonly ListItemRow[]): readonly ListItemRow[] {
  let sorted = ordered.get(rows);
  if (sorted === undefined) {
    sorted = rows.toSorted((left, right) => left.position - right.position);
    ordered.set(rows, sorted);
  }
  return sorted;
}
