/** The store of a data directory, for commands beside a running Stepgate. */
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { openStore } from "../store/index.ts";
import type { Store, ZoneRow } from "../store/index.ts";
import { reasonOf, UserError } from "./user-error.ts";

/** Name of the database in the data directory. */
const STORE_FILE = "stepgate.db";

export const dataDirOption = {
  type: "string",
  valueHint: "DIR",
  default: ".stepgate",
  description: "data directory of Stepgate",
} as const;

/**
 * Opens the store that is there, runs `work` and closes it. A running Stepgate on the same directory takes over what
 * was written within a tenth of a second.
 *
 * @throws {UserError} when there is no store, or it cannot be opened
 */
export async function withStore<Result>(
  dataDir: string,
  work: (store: Store) => Promise<Result> | Result,
): Promise<Result> {
  const path = join(dataDir, STORE_FILE);
  if (!existsSync(path)) {
    throw new UserError(
      `no store at \`${path}\`: name the data directory with --data-dir, or start Stepgate once to make one`,
    );
  }
  let store: Store;
  try {
    store = openStore({ path, now: Date.now, random: (lengthBytes) => randomBytes(lengthBytes) });
  } catch (error) {
    throw new UserError(`cannot open the store \`${path}\`: ${reasonOf(error)}`);
  }
  try {
    return await work(store);
  } finally {
    store.close();
  }
}

/**
 * @param name of a zone; may be left out when there is only one
 * @throws {UserError} naming the zones there are
 */
export function zoneNamed(store: Store, name: string | undefined): ZoneRow {
  const zones = store.all("zones");
  const zone = name === undefined && zones.length === 1 ? zones[0] : zones.find((each) => each.name === name);
  if (zone !== undefined) return zone;
  const names = zones.map((each) => `\`${each.name}\``).join(", ") || "none";
  throw new UserError(
    name === undefined
      ? `name the zone with --zone; there are: ${names}`
      : `no zone \`${name}\`; there are: ${names}`,
  );
}
