/** The switch of the sequence cookies (product page "Sequence rules"). */
import { z } from "zod";
import { audit } from "../audit.ts";
import { ok } from "../envelope.ts";
import { etagOf } from "../etag.ts";
import { permission, route } from "../route.ts";
import type { Route } from "../route.ts";
import { zoneOf } from "../zone-access.ts";

const path = "/zones/{zone_id}/fraud_detection/sequence_cookies";
const shape = z.looseObject({ enabled: z.boolean() });

export const sequenceCookieRoutes: readonly Route[] = [
  route("GET", {
    path,
    summary: "Get whether sequence cookies are on",
    access: permission("zone", "Read", "Fraud Detection"),
    result: shape,
    run: ({ params, store }) => {
      const { sequenceCookies } = zoneOf(store, params.zone_id).settings;
      return ok(sequenceCookies, { etag: etagOf(sequenceCookies) });
    },
  }),
  route("PUT", {
    path,
    summary: "Switch sequence cookies on or off",
    access: permission("zone", "Write", "Fraud Detection"),
    body: shape,
    result: shape,
    run: (call) =>
      call.write((transaction) => {
        const zone = zoneOf(transaction, call.params.zone_id);
        const before = zone.settings.sequenceCookies;
        const after = { enabled: call.body.enabled };
        call.checkPreconditions(etagOf(before));
        if (after.enabled !== before.enabled) {
          transaction.put("zones", {
            ...zone,
            modifiedAt: transaction.at,
            settings: { ...zone.settings, sequenceCookies: after },
          });
          audit(call, transaction, {
            action: "update",
            type: "sequence_cookies",
            id: zone.id,
            accountId: zone.accountId,
            zoneId: zone.id,
            before,
            after,
          });
        }
        return ok(after, { etag: etagOf(after) });
      }),
  }),
];
