/** Zones: https://developers.cloudflare.com/api/resources/zones/ */
import { z } from "zod";
import type { Transaction, View, ZoneRow } from "../../store/index.ts";
import { audit } from "../audit.ts";
import { ok } from "../envelope.ts";
import type { Reply } from "../envelope.ts";
import { etagOf } from "../etag.ts";
import { invalid, invalidValue } from "../issues.ts";
import type { Issue } from "../issues.ts";
import { toPage } from "../paging.ts";
import { ANY_TOKEN, HANDLER_DECIDES, permission, route, zoneResource } from "../route.ts";
import type { Call, Route } from "../route.ts";
import { createZoneBody, editZoneBody, zone as zoneShape, zoneListQuery } from "../schemas/zones.ts";
import type { ZoneFilters } from "../schemas/zones.ts";
import { toWireZone, zoneStatus } from "../wire.ts";
import { zoneOf } from "../zone-access.ts";
import { deleteZone, newZone } from "../zones.ts";

const one = "/zones/{zone_id}";

export const zoneRoutes: readonly Route[] = [
  route("GET", {
    path: "/zones",
    summary: "List the zones that the token may read",
    access: ANY_TOKEN,
    query: zoneListQuery,
    result: z.array(zoneShape),
    run: (call) => {
      const { query, store } = call;
      const sorted = visibleZones(call)
        .filter((zone) => matchesFilters(zone, query, store))
        .map((zone) => ({ zone, key: `${toFilterValue(zone, query.order, store)} ${zone.name}` }))
        .toSorted((left, right) => (left.key < right.key ? -1 : 1));
      if (query.direction === "desc") sorted.reverse();
      return toPage(sorted, query, ({ zone }) => wireZone(zone, store));
    },
  }),
  route("POST", {
    path: "/zones",
    summary: "Create a zone; it is served once `stepgate/settings` give it an origin",
    access: HANDLER_DECIDES,
    body: createZoneBody,
    result: zoneShape,
    run: (call) => create(call, call.body),
  }),
  route("GET", {
    path: one,
    summary: "Get a zone",
    access: permission("zone", "Read", "Zone"),
    result: zoneShape,
    run: ({ params, store }) => okZone(zoneOf(store, params.zone_id), store),
  }),
  route("PATCH", {
    path: one,
    summary: "Pause a zone or end its pause",
    access: permission("zone", "Write", "Zone"),
    body: editZoneBody,
    result: zoneShape,
    run: (call) =>
      call.write((transaction) => {
        const zone = zoneOf(transaction, call.params.zone_id);
        call.checkPreconditions(zoneEtag(zone, transaction));
        refuseUnsupported(call.body);
        const { paused = zone.paused } = call.body;
        if (paused === zone.paused) return okZone(zone, transaction);
        const after = { ...zone, paused, modifiedAt: transaction.at };
        transaction.put("zones", after);
        auditZone(call, transaction, { action: "update", before: zone, after });
        return okZone(after, transaction);
      }),
  }),
  route("DELETE", {
    path: one,
    summary: "Delete a zone with its operations and rules",
    access: permission("zone", "Write", "Zone"),
    run: (call) =>
      call.write((transaction) => {
        const zone = zoneOf(transaction, call.params.zone_id);
        call.checkPreconditions(zoneEtag(zone, transaction));
        if (zone.owner === "file" && zone.served) {
          throw invalid([
            {
              name: "not_changeable",
              pointer: "",
              field: "zone_id",
              value: zone.id,
              reason: "the configuration file of Stepgate names this zone; take it out there first",
            },
          ]);
        }
        deleteZone(transaction, zone);
        auditZone(call, transaction, { action: "delete", before: zone, after: undefined });
        return ok({ id: zone.id });
      }),
  }),
];

function create(call: Omit<Call, "params">, body: z.output<typeof createZoneBody>): Reply {
  const accountId = body.account?.id ?? call.store.defaultAccountId;
  // There is no zone yet that a permission could be about: one on all zones of the account is needed.
  call.require(["Zone"], "Write", { kind: "zone", id: "", accountId });
  if (call.store.get("accounts", accountId) === undefined) {
    throw invalidValue("/account/id", accountId, "there is no account with this id", "unknown_reference");
  }
  refuseUnsupported(body);
  return call.write((transaction) => {
    const zone = newZone(transaction, body.name, accountId);
    transaction.put("zones", zone);
    auditZone(call, transaction, { action: "create", before: undefined, after: zone });
    return okZone(zone, transaction);
  });
}

function refuseUnsupported(body: { readonly type?: unknown; readonly vanity_name_servers?: unknown }): void {
  const issues: Issue[] = [];
  if (body.type !== undefined && body.type !== "full") {
    const reason = "Stepgate is no name server; every zone has type `full`";
    issues.push({ name: "not_supported", pointer: "/type", value: body.type, reason });
  }
  if (body.vanity_name_servers !== undefined) {
    const reason = "Stepgate is no name server";
    issues.push({
      name: "not_supported",
      pointer: "/vanity_name_servers",
      value: body.vanity_name_servers,
      reason,
    });
  }
  if (issues.length > 0) throw invalid(issues);
}

function okZone(zone: ZoneRow, view: View): Reply {
  return ok(wireZone(zone, view), { etag: zoneEtag(zone, view) });
}

const zoneEtag = (zone: ZoneRow, view: View): string => etagOf(wireZone(zone, view));

function auditZone(
  call: Pick<Call, "principal">,
  transaction: Transaction,
  change: {
    readonly action: "create" | "update" | "delete";
    readonly before: ZoneRow | undefined;
    readonly after: ZoneRow | undefined;
  },
): void {
  const { action, before, after } = change;
  const zone = after ?? before;
  if (zone === undefined) return;
  audit(call, transaction, {
    action,
    type: "zone",
    id: zone.id,
    accountId: zone.accountId,
    zoneId: zone.id,
    before: before && wireZone(before, transaction),
    after: after && wireZone(after, transaction),
  });
}

function wireZone(zone: ZoneRow, view: View) {
  return toWireZone(zone, view.get("accounts", zone.accountId));
}

function visibleZones({ store, isAllowed }: Pick<Call, "store" | "isAllowed">): readonly ZoneRow[] {
  return store.all("zones").filter((zone) => isAllowed(["Zone"], "Read", zoneResource(zone)));
}

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

function matchesFilters(zone: ZoneRow, filters: ZoneFilters, view: View): boolean {
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

function toFilterValue(zone: ZoneRow, name: ZoneFilters["order"], view: View): string {
  switch (name) {
    case "name":
      return zone.name;
    case "status":
      return zoneStatus(zone);
    case "account.id":
      return zone.accountId;
    case "account.name":
      return view.get("accounts", zone.accountId)?.name ?? "";
  }
}
