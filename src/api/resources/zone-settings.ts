/** Settings of a zone: Stepgate's own, session identifiers, URL normalisation. */
import type { z } from "zod";
import type { StoredZoneSettings, Transaction, ZoneRow } from "../../store/index.ts";
import { audit } from "../audit.ts";
import { NO_CONTENT, ok } from "../envelope.ts";
import type { Reply } from "../envelope.ts";
import { etagOf } from "../etag.ts";
import { invalidValue } from "../issues.ts";
import { permission, route } from "../route.ts";
import type { Call, Route } from "../route.ts";
import { checkAuthIds } from "../auth-ids.ts";
import {
  configuration,
  configurationBody,
  urlNormalization as normalizationShape,
} from "../schemas/zone-settings.ts";
import { settings as settingsShape, settingsBody } from "../schemas/zones.ts";
import { DEFAULT_ZONE_SETTINGS } from "../../store/index.ts";
import { tokenConfigsOf } from "../token-configs.ts";
import { zoneOf } from "../zone-access.ts";
import { toWireSettings, withSettings } from "../zones.ts";

const own = "/zones/{zone_id}/stepgate/settings";
const session = "/zones/{zone_id}/api_gateway/configuration";
const normalization = "/zones/{zone_id}/url_normalization";

export const zoneSettingRoutes: readonly Route[] = [
  route("GET", {
    path: own,
    summary: "Get origin, hosts, cookie scope and tracking of a zone (extension of Stepgate)",
    access: permission("zone", "Read", "Zone Settings"),
    result: settingsShape,
    run: ({ params, store }) => okTagged(toWireSettings(zoneOf(store, params.zone_id))),
  }),
  route("PATCH", {
    path: own,
    summary: "Change origin, hosts, cookie scope or tracking of a zone (extension of Stepgate)",
    access: permission("zone", "Write", "Zone Settings"),
    body: settingsBody,
    result: settingsShape,
    run: (call) =>
      change(call, {
        type: "zone_settings",
        read: toWireSettings,
        edit: (zone, transaction) => withSettings(transaction, zone, { body: call.body, deps: call.deps }),
      }),
  }),
  route("GET", {
    path: session,
    summary: "Get the session identifiers",
    access: permission("zone", "Read", "API Gateway"),
    result: configuration,
    run: ({ params, store }) => okTagged(toConfiguration(zoneOf(store, params.zone_id))),
  }),
  route("PUT", {
    path: session,
    summary: "Set the session identifiers",
    access: permission("zone", "Write", "API Gateway"),
    body: configurationBody,
    result: configuration,
    run: (call) =>
      change(call, {
        type: "api_gateway_configuration",
        read: toConfiguration,
        edit: (zone) =>
          withStored(zone, {
            authIdCharacteristics: boundIds(
              zone,
              checkAuthIds(call.body.auth_id_characteristics, tokenConfigsOf(zone)),
            ),
          }),
      }),
  }),
  route("GET", {
    path: normalization,
    summary: "Get how paths are normalised",
    access: permission("zone", "Read", "Zone Settings"),
    result: normalizationShape,
    run: ({ params, store }) => okTagged(toNormalization(zoneOf(store, params.zone_id))),
  }),
  route("PUT", {
    path: normalization,
    summary: "Set how paths are normalised",
    access: permission("zone", "Write", "Zone Settings"),
    body: normalizationShape,
    result: normalizationShape,
    run: (call) => setNormalization(call, { scope: call.body.scope, type: call.body.type }),
  }),
  route("DELETE", {
    path: normalization,
    summary: "Go back to the default normalisation",
    access: permission("zone", "Write", "Zone Settings"),
    run: (call) => {
      setNormalization(call, DEFAULT_ZONE_SETTINGS.urlNormalization);
      return NO_CONTENT;
    },
  }),
];

type ZoneCall = Pick<Call, "principal" | "write" | "checkPreconditions"> & {
  readonly params: { readonly zone_id: string };
};

interface Change {
  readonly type: string;
  /** The part of the zone that is answered, compared and logged. */
  readonly read: (zone: ZoneRow) => unknown;
  readonly edit: (zone: ZoneRow, transaction: Transaction) => ZoneRow;
}

function change(call: ZoneCall, { type, read, edit }: Change): Reply {
  return call.write((transaction) => {
    const zone = zoneOf(transaction, call.params.zone_id);
    const before = read(zone);
    call.checkPreconditions(etagOf(before));
    const edited = edit(zone, transaction);
    const after = read(edited);
    if (JSON.stringify(after) !== JSON.stringify(before)) {
      transaction.put("zones", { ...edited, modifiedAt: transaction.at });
      audit(call, transaction, {
        action: "update",
        type,
        id: zone.id,
        accountId: zone.accountId,
        zoneId: zone.id,
        before,
        after,
      });
    }
    return okTagged(after);
  });
}

const okTagged = (result: unknown): Reply => ok(result, { etag: etagOf(result) });

function withStored(zone: ZoneRow, settings: Partial<StoredZoneSettings>): ZoneRow {
  return { ...zone, settings: { ...zone.settings, ...settings } };
}

/** @throws {ApiError} `in_use` when nothing would be left that cookies are bound to */
function boundIds(
  { settings }: ZoneRow,
  ids: StoredZoneSettings["authIdCharacteristics"],
): StoredZoneSettings["authIdCharacteristics"] {
  if (ids.length > 0 || settings.sequence?.bind !== true) return ids;
  const reason = "sequence cookies are bound to the session identifier; turn `sequence.bind` off first";
  throw invalidValue("/auth_id_characteristics", ids, reason, "in_use");
}

const toConfiguration = ({ settings }: ZoneRow): z.output<typeof configuration> => ({
  auth_id_characteristics: settings.authIdCharacteristics.map(({ type, name }) => ({ type, name })),
});

const toNormalization = ({ settings }: ZoneRow): StoredZoneSettings["urlNormalization"] =>
  settings.urlNormalization;

function setNormalization(call: ZoneCall, urlNormalization: StoredZoneSettings["urlNormalization"]): Reply {
  return change(call, {
    type: "url_normalization",
    read: toNormalization,
    edit: (zone) => withStored(zone, { urlNormalization }),
  });
}
