/** Stored rows in the shapes of the wire. */
import type { Operation } from "../operation/index.ts";
import type { AccountRow, ZoneRow } from "../store/index.ts";

/** RFC 3339 with milliseconds. */
export const timestamp = (epochMs: number): string => new Date(epochMs).toISOString();

/** The same with microseconds, as API Shield writes it. */
export const microTimestamp = (epochMs: number): string => timestamp(epochMs).replace("Z", "000Z");

/** @param features members that are only there when asked for */
export function toWireOperation(operation: Operation, extra: Readonly<Record<string, unknown>> = {}) {
  return {
    operation_id: operation.id,
    // Our extension: what expressions quote. The original shows it in the dashboard only.
    short_id: operation.shortId,
    method: operation.method,
    host: operation.host,
    endpoint: operation.endpoint,
    last_updated: microTimestamp(operation.lastUpdatedAt),
    // Our extensions.
    record: operation.record,
    prefetch: operation.prefetch,
    ...extra,
  };
}

/** The zone object of the original; members that mean nothing without its network are constant. */
export function toWireZone(zone: ZoneRow, account: AccountRow | undefined) {
  return {
    id: zone.id,
    name: zone.name,
    status: zoneStatus(zone),
    paused: zone.paused,
    type: "full",
    development_mode: 0,
    name_servers: [],
    original_name_servers: null,
    original_registrar: null,
    original_dnshost: null,
    vanity_name_servers: [],
    created_on: timestamp(zone.createdAt),
    modified_on: timestamp(zone.modifiedAt),
    activated_on: timestamp(zone.createdAt),
    account: { id: zone.accountId, name: account?.name ?? "" },
    owner: { id: zone.accountId, name: account?.name ?? "", type: "organization" },
    permissions: [],
    plan: {
      id: "stepgate",
      name: "Stepgate",
      price: 0,
      currency: "",
      frequency: "",
      is_subscribed: true,
      can_subscribe: false,
      externally_managed: false,
      legacy_id: "stepgate",
      legacy_discount: false,
    },
    meta: { cdn_only: false, dns_only: false, foundation_dns: false, phishing_detected: false, step: 0 },
  };
}

/** A zone without an origin is not served yet; one that the configuration file gave up is not served any more. */
export function zoneStatus({ served, owner }: ZoneRow): "active" | "pending" | "moved" {
  if (served) return "active";
  return owner === "file" ? "moved" : "pending";
}
