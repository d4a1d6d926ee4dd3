/** What the configuration file says about zones and the store does not keep: origins in detail, path options. */
import { readFile } from "node:fs/promises";
import type { ConfigSource, Zone } from "../engine/index.ts";
import type { GroupSpec } from "../proxy/index.ts";
import type { Config } from "./config.ts";
import { reasonOf, UserError } from "./user-error.ts";

type ConfiguredZone = Config["zones"][number];

/**
 * Groups of origins by zone id. A group that is configured as before is the same object, so that its connections
 * and what is known of its health stay.
 *
 * @throws {UserError} for a CA file that cannot be read
 */
export async function originGroups(
  source: ConfigSource,
  zones: readonly ConfiguredZone[],
  before: OriginGroups = { texts: new Map(), groups: new Map() },
): Promise<OriginGroups> {
  const texts = new Map<string, string>();
  const groups = new Map<string, GroupSpec>();
  for (const zone of zones) {
    const id = source.current().zones.find(({ name }) => name === zone.name)?.id;
    if (id === undefined || (zone.origins.length === 0 && zone.health === undefined)) continue;
    const group = await toGroup(zone);
    const text = JSON.stringify(group);
    const kept = before.texts.get(id) === text ? before.groups.get(id) : undefined;
    texts.set(id, text);
    groups.set(id, kept ?? group);
  }
  return { texts, groups };
}

export interface OriginGroups {
  /** What each group was made of. */
  readonly texts: ReadonlyMap<string, string>;
  readonly groups: ReadonlyMap<string, GroupSpec>;
}

async function toGroup({ name, origin, origins, health }: ConfiguredZone): Promise<GroupSpec> {
  const specs = await Promise.all(
    origins.map(async ({ url, weight, ca, servername }) => ({
      url,
      weight,
      ...(ca === undefined ? {} : { ca: await readCa(ca) }),
      ...(servername === undefined ? {} : { servername }),
    })),
  );
  return {
    origins: specs.length === 0 ? [{ url: origin }] : specs,
    ...(health === undefined ? {} : { health: { ...health, host: name } }),
  };
}

async function readCa(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new UserError(`cannot read the CA of an origin in \`${file}\`: ${reasonOf(error)}`);
  }
}

export interface ZoneSource extends ConfigSource {
  /** Takes another configuration's path options into force. */
  setZones(zones: readonly ConfiguredZone[]): void;
}

/** The store's configuration with the path options of the file laid over it. Unchanged zones keep their identity. */
export function withFileZones(store: ConfigSource, zones: readonly ConfiguredZone[]): ZoneSource {
  let optionsOf = pathOptionsByName(zones);
  let laidOver = new WeakMap<Zone, Zone>();
  const layOver = (zone: Zone): Zone => {
    const pathOptions = optionsOf.get(zone.name);
    if (pathOptions === undefined) return zone;
    let result = laidOver.get(zone);
    if (result === undefined) {
      result = {
        ...zone,
        settings: {
          ...zone.settings,
          pathOptions: pathOptions as NonNullable<Zone["settings"]["pathOptions"]>,
        },
      };
      laidOver.set(zone, result);
    }
    return result;
  };
  const current = (): ReturnType<ConfigSource["current"]> => {
    const snapshot = store.current();
    return { ...snapshot, zones: snapshot.zones.map(layOver) };
  };
  const listeners = new Set<Parameters<ConfigSource["subscribe"]>[0]>();
  return {
    current,
    subscribe(listener) {
      const relay = (): void => listener(current());
      listeners.add(relay);
      const unsubscribe = store.subscribe(relay);
      return () => {
        listeners.delete(relay);
        unsubscribe();
      };
    },
    setZones(next) {
      optionsOf = pathOptionsByName(next);
      laidOver = new WeakMap();
      for (const listener of listeners) listener(current());
    },
  };
}

function pathOptionsByName(
  zones: readonly ConfiguredZone[],
): ReadonlyMap<string, NonNullable<ConfiguredZone["pathOptions"]>> {
  return new Map(
    zones.flatMap(({ name, pathOptions }) =>
      pathOptions === undefined ? [] : [[name, pathOptions] as const],
    ),
  );
}
