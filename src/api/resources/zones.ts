/** Zones: https://developers.cloudflare.com/api/resources/zones/ */
import { z } from "zod";
import { ok } from "../envelope.ts";
import { etagOf } from "../etag.ts";
import { pageQuery, toPage } from "../paging.ts";
import { ANY_TOKEN, permission, route, zoneResource } from "../route.ts";
import type { Call, Route } from "../route.ts";
import { direction, queryText } from "../schemas/common.ts";
import { toWireZone } from "../wire.ts";
import type { View, ZoneRow } from "../../store/index.ts";

const listQuery = z.object({
  ...pageQuery,
  name: queryText.optional(),
  status: queryText.optional(),
  "account.id": queryText.optional(),
  "account.name": queryText.optional(),
  order: z.enum(["name", "status", "account.id", "account.name"]).default("name"),
  direction: direction.default("asc"),
  match: z.enum(["any", "all"]).default("all"),
});

export const zoneRoutes: readonly Route[] = [
  route("GET", {
    path: "/zones",
    summary: "List the zones that the token may read",
    access: ANY_TOKEN,
    query: listQuery,
    run: (call) => {
      const { query, store } = call;
      const rows = visibleZones(call).filter((zone) => matchesFilters(zone, query, store));
      const keyOf = (zone: ZoneRow): string =>
        query.order === "name" ? zone.name : toFilterValue(zone, query.order, store);
      const sorted = rows.toSorted((left, right) => compare(keyOf(left), keyOf(right)));
      if (query.direction === "desc") sorted.reverse();
      return toPage(sorted, query, (zone) => wireZone(zone, store));
    },
  }),
  route("GET", {
    path: "/zones/{zone_id}",
    summary: "Get a zone",
    access: permission("zone", "Read", "Zone"),
    run: ({ params, store }) => {
      // The access check found it.
      const result = wireZone(store.get("zones", params.zone_id) as ZoneRow, store);
      return ok(result, { etag: etagOf(result) });
    },
  }),
];

export function wireZone(zone: ZoneRow, view: View) {
  return toWireZone(zone, view.get("accounts", zone.accountId));
}

function visibleZones({ store, isAllowed }: Pick<Call, "store" | "isAllowed">): readonly ZoneRow[] {
  return store.all("zones").filter((zone) => isAllowed(["Zone"], "Read", zoneResource(zone)));
}

type Filters = z.output<typeof listQuery>;

/** Filters of the original may start with an operator, `contains:shop`. */
const OPERATORS: Readonly<Record<string, (value: string, wanted: string) => boolean>> = {
  equal: (value, wanted) => value === wanted,
  not_equal: (value, wanted) => value !== wanted,
  starts_with: (value, wanted) => value.startsWith(wanted),
  ends_with: (value, wanted) => value.endsWith(wanted),
  contains: (value, wanted) => value.includes(wanted),
  starts_with_case_sensitive: (value, wanted) => value.startsWith(wanted),
  ends_with_case_sensitive: (value, wanted) => value.endsWith(wanted),
  contains_case_sensitive: (value, wanted) => value.includes(wanted),
};

function matchesFilters(zone: ZoneRow, filters: Filters, view: View): boolean {
  const results = (["name", "status", "account.id", "account.name"] as const)
    .filter((name) => filters[name] !== undefined)
    .map((name) => matchesText(toFilterValue(zone, name, view), filters[name] ?? ""));
  if (results.length === 0) return true;
  return filters.match === "any" ? results.some(Boolean) : results.every(Boolean);
}

function matchesText(value: string, filter: string): boolean {
  const [operator, wanted] = filter.split(/:(.*)/s, 2) as [string, string | undefined];
  const test = wanted !== undefined && Object.hasOwn(OPERATORS, operator) ? OPERATORS[operator] : undefined;
  return test === undefined ? value === filter : test(value, wanted ?? "");
}

function toFilterValue(zone: ZoneRow, name: Filters["order"], view: View): string {
  switch (name) {
    case "name":
      return zone.name;
    case "status":
      return zone.served ? "active" : "moved";
    case "account.id":
      return zone.accountId;
    case "account.name":
      return view.get("accounts", zone.accountId)?.name ?? "";
  }
}

const compare = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);
