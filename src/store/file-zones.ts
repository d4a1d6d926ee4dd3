/** The zones of the configuration file, brought into the store at each start. */
import { canonicalHost, DEFAULT_URL_NORMALIZATION } from "../operation/index.ts";
import { StoreError } from "./errors.ts";
import { derivedId } from "./ids.ts";
import type { FileZone, StoredZoneSettings, Transaction, ZoneRow } from "./types.ts";

/** What a zone has until somebody says otherwise. */
export const DEFAULT_ZONE_SETTINGS: StoredZoneSettings = {
  sequenceCookies: { enabled: false },
  cookieScope: { sameSite: "Lax", partitioned: false, domain: null },
  authIdCharacteristics: [],
  urlNormalization: DEFAULT_URL_NORMALIZATION,
};

/**
 * Creates or corrects the zones that the file names. Zones of an earlier file that this one leaves out keep
 * their rules but are no longer served; a zone made through the API that the file now names becomes the file's.
 *
 * @throws {StoreError} when two served zones would answer for one host
 */
export function applyFileZones(
  transaction: Transaction,
  zones: readonly FileZone[],
  accountId: string,
): readonly ZoneRow[] {
  const names = new Set(zones.map(({ name }) => name));
  for (const row of transaction.all("zones")) {
    if (row.owner === "file" && row.served && !names.has(row.name)) {
      transaction.put("zones", { ...row, served: false, modifiedAt: transaction.at });
    }
  }
  const rows = zones.map((zone) =>
    applyFileZone(transaction, { ...zone, hosts: zone.hosts.map(canonical) }, accountId),
  );
  refuseSharedHosts(transaction.all("zones"));
  return rows;
}

function applyFileZone(transaction: Transaction, zone: FileZone, accountId: string): ZoneRow {
  const known = transaction.find("zones", zone.name);
  if (known !== undefined && says(known, zone)) return known;
  const row: ZoneRow = {
    ...(known ?? {
      id: derivedId("zone", zone.name),
      accountId,
      name: zone.name,
      paused: false,
      createdAt: transaction.at,
      settings: DEFAULT_ZONE_SETTINGS,
      seqRules: [],
    }),
    hosts: zone.hosts,
    origin: zone.origin,
    owner: "file",
    served: true,
    modifiedAt: transaction.at,
  };
  transaction.put("zones", row);
  return row;
}

/** Requests are looked up by the canonical form of their host. */
function canonical(text: string): string {
  const host = canonicalHost(text);
  if (host.kind === "host") return host.host;
  throw new StoreError("ERR_STORE_CONFLICT", `host \`${text}\` of a zone: ${host.message}`);
}

function says(row: ZoneRow, zone: FileZone): boolean {
  return (
    row.owner === "file" &&
    row.served &&
    row.origin === zone.origin &&
    row.hosts.length === zone.hosts.length &&
    row.hosts.every((host, index) => host === zone.hosts[index])
  );
}

function refuseSharedHosts(zones: readonly ZoneRow[]): void {
  const holders = new Map<string, string>();
  for (const zone of zones) {
    if (!zone.served) continue;
    for (const host of zone.hosts) {
      const holder = holders.get(host);
      if (holder !== undefined && holder !== zone.name) {
        throw new StoreError(
          "ERR_STORE_CONFLICT",
          `expected each host in one zone, found \`${host}\` in \`${holder}\` and \`${zone.name}\``,
        );
      }
      holders.set(host, zone.name);
    }
  }
}
