/** Whole zones out and in (extension of Stepgate). */
import { z } from "zod";
import { audit } from "../audit.ts";
import { ok } from "../envelope.ts";
import { MAX_WHOLE_BODY_BYTES } from "../limits.ts";
import type { Level, Product } from "../permissions.ts";
import { HANDLER_DECIDES, route, zoneResource } from "../route.ts";
import type { Call, Route } from "../route.ts";
import { zoneDocument } from "../schemas/zone-document.ts";
import type { ZoneRow } from "../../store/index.ts";
import { noObject } from "../errors.ts";
import { zoneOf } from "../zone-access.ts";
import { exportZone } from "../zone-export.ts";
import { applyDocument, parseZoneDocument } from "../zone-import.ts";

/** A document has a part of each of these, so that it needs all of them. */
const ZONE_PRODUCTS: readonly Product[] = [
  "Zone",
  "Zone Settings",
  "API Gateway",
  "Fraud Detection",
  "Zone WAF",
  "Dynamic URL Redirects",
  "Zone Transform Rules",
];

export const zoneDocumentRoutes: readonly Route[] = [
  route("GET", {
    path: "/zones/{zone_id}/stepgate/export",
    summary: "Get everything that the API manages of a zone as one document",
    access: HANDLER_DECIDES,
    result: zoneDocument,
    run: (call) => ok(exportZone(call.store, zoneWith(call, "Read"))),
  }),
  route("PUT", {
    path: "/zones/{zone_id}/stepgate/import",
    summary: "Make a zone what a document says",
    access: HANDLER_DECIDES,
    body: z.unknown(),
    result: z.looseObject({ operations: z.int(), rules: z.int() }),
    maxBodyBytes: MAX_WHOLE_BODY_BYTES,
    run: (call) => {
      const zone = zoneWith(call, "Write");
      const document = parseZoneDocument(call.body);
      return call.write((transaction) => {
        const summary = applyDocument(transaction, zoneOf(transaction, zone.id), {
          document,
          deps: call.deps,
        });
        audit(call, transaction, {
          action: "update",
          type: "zone_document",
          id: zone.id,
          accountId: zone.accountId,
          zoneId: zone.id,
          after: summary,
        });
        return ok(summary);
      });
    },
  }),
];

function zoneWith(
  call: Pick<Call, "store" | "require" | "path"> & { readonly params: { readonly zone_id: string } },
  level: Level,
): ZoneRow {
  const zone = call.store.get("zones", call.params.zone_id);
  const resource =
    zone === undefined
      ? { kind: "zone" as const, id: call.params.zone_id, accountId: undefined }
      : zoneResource(zone);
  for (const product of ZONE_PRODUCTS) call.require([product], level, resource);
  if (zone === undefined) throw noObject(call.path);
  // The lists that the rules name belong to the account.
  call.require(["Account Rule Lists"], level, { kind: "account", id: zone.accountId });
  return zone;
}
