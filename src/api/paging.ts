/** Pages of lists, in the two ways of the official client. */
import { z } from "zod";
import type { Reply, ResultInfo } from "./envelope.ts";
import { ok } from "./envelope.ts";
import { invalidValue } from "./issues.ts";
import { MAX_CURSOR_ROWS, MAX_PAGE_ROWS } from "./limits.ts";

/** A whole number as it stands in a query. */
export const queryInteger = (min: number, max: number) =>
  z
    .string()
    .regex(/^-?\d{1,15}$/, "it must be a whole number")
    .transform(Number)
    .pipe(z.int().min(min).max(max));

/** `page` and `per_page`. */
export const pageQuery = {
  page: queryInteger(1, 999_999_999).prefault("1"),
  per_page: queryInteger(1, MAX_PAGE_ROWS).prefault("20"),
};

export interface PageRequest {
  readonly page: number;
  readonly per_page: number;
}

/**
 * One page. The client asks for the next one until it is empty, whatever the totals say: beyond the end there is
 * an empty page, never an error.
 */
export function toPage<Row>(
  rows: readonly Row[],
  { page, per_page: perPage }: PageRequest,
  toResult: (row: Row) => unknown,
): Reply {
  const result = rows.slice((page - 1) * perPage, page * perPage).map(toResult);
  const resultInfo: ResultInfo = {
    page,
    per_page: perPage,
    count: result.length,
    total_count: rows.length,
    total_pages: Math.ceil(rows.length / perPage),
  };
  return ok(result, { resultInfo });
}

/** Everything in one page, for lists that the client does not page through. */
export function toSinglePage(result: readonly unknown[]): Reply {
  return ok(result, {
    resultInfo: {
      page: 1,
      per_page: Math.max(result.length, 1),
      count: result.length,
      total_count: result.length,
      total_pages: 1,
    },
  });
}

/** `cursor` and `per_page`. */
export const cursorQuery = {
  cursor: z.string().max(200).optional(),
  per_page: queryInteger(1, MAX_CURSOR_ROWS).prefault("100"),
};

export interface CursorRequest {
  readonly cursor?: string | undefined;
  readonly per_page: number;
}

/**
 * One page of rows in a fixed order. A cursor says after which row its page starts, so that rows which come or go
 * meanwhile shift nothing.
 *
 * @param orderOf a number of a row that stays with it and grows along `rows`
 * @throws {ApiError} for a cursor that is none of ours
 */
export function toCursorPage<Row>(
  rows: readonly Row[],
  { cursor, per_page: perPage }: CursorRequest,
  orderOf: (row: Row) => number,
  toResult: (row: Row) => unknown,
): Reply {
  const after = cursor === undefined || cursor === "" ? undefined : parseCursor(cursor);
  const start = after === undefined ? 0 : firstAfter(rows, after, orderOf);
  const end = Math.min(start + perPage, rows.length);
  const last = rows[end - 1];
  const next = end < rows.length && last !== undefined ? toCursor(orderOf(last)) : undefined;
  const beforeStart = rows[start - perPage - 1];
  const previous = start === 0 ? undefined : toCursor(beforeStart === undefined ? -1 : orderOf(beforeStart));
  return ok(rows.slice(start, end).map(toResult), {
    resultInfo: {
      per_page: perPage,
      count: end - start,
      total_count: rows.length,
      ...(next === undefined ? {} : { cursor: next }),
      cursors: {
        ...(next === undefined ? {} : { after: next }),
        ...(previous === undefined ? {} : { before: previous }),
      },
    },
  });
}

const toCursor = (order: number): string => Buffer.from(`after:${order}`).toString("base64url");

function parseCursor(cursor: string): number {
  const order = /^after:(-1|\d{1,15})$/.exec(Buffer.from(cursor, "base64url").toString("latin1"))?.[1];
  if (order === undefined) {
    throw invalidValue("/cursor", cursor, "it is not a cursor of an earlier answer");
  }
  return Number(order);
}

/** Index of the first row behind `after`; rows are in order. */
function firstAfter<Row>(rows: readonly Row[], after: number, orderOf: (row: Row) => number): number {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (orderOf(rows[middle] as Row) <= after) low = middle + 1;
    else high = middle;
  }
  return low;
}
