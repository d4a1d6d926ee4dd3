/** The parts of a running Stepgate that stand before its listeners: files, store, certificate. */
import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { openEventStore, openStore } from "../store/index.ts";
import type { EventStore, Store } from "../store/index.ts";
import { ensureDevCertificate, loadCertificate } from "../tls/index.ts";
import type { Certificate } from "../tls/index.ts";
import type { Config } from "./config.ts";
import type { Logger } from "./log.ts";
import { writePrivateFileSync } from "./private-file.ts";
import { reasonOf, UserError } from "./user-error.ts";

/** Milliseconds until what another process wrote (`stepgate import`, the process with the API) is in force here. */
const REFRESH_EVERY_MS = 100;

export async function makeDataDir(dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new UserError(`cannot make the data directory \`${dataDir}\`: ${reasonOf(error)}`);
  }
}

export interface ServerCertificate extends Certificate {
  /** PEM file of the local CA; `undefined` for a certificate of the operator's own. */
  readonly caFile: string | undefined;
}

export async function certificateOf(
  config: Config,
  nowMs: number,
  logger: Logger,
): Promise<ServerCertificate> {
  try {
    if (config.tls !== undefined) {
      const own = await loadCertificate(config.tls, nowMs);
      for (const warning of own.warnings) logger.warn(warning);
      return { ...own, caFile: undefined };
    }
    const hosts = config.zones.flatMap((zone) => zone.hosts ?? [zone.name]);
    return await ensureDevCertificate({ dir: config.certsDir, nowMs, hosts });
  } catch (error) {
    throw new UserError((error as Error).message);
  }
}

export function openStoreIn(dataDir: string, now: () => number, logger: Logger): Store {
  const path = join(dataDir, "stepgate.db");
  try {
    return openStore({
      path,
      now,
      random: (lengthBytes) => randomBytes(lengthBytes),
      refreshEveryMs: REFRESH_EVERY_MS,
      onListenerError: (error) =>
        logger.error(
          { event: "configuration", error: reasonOf(error) },
          "a change could not be put in force",
        ),
    });
  } catch (error) {
    throw new UserError(`cannot open the store \`${path}\`: ${reasonOf(error)}`);
  }
}

export function openEventsIn({ dataDir, events }: Config, now: () => number, logger: Logger): EventStore {
  const path = join(dataDir, "events.db");
  try {
    return openEventStore({
      path,
      now,
      maxEvents: events.maxCount,
      maxAgeMs: events.maxAgeSeconds * 1000,
      onError: (error) =>
        logger.error({ event: "events", error: error.message }, "events could not be written"),
    });
  } catch (error) {
    throw new UserError(`cannot open the events \`${path}\`: ${reasonOf(error)}`);
  }
}

/** The first start of a data directory makes a token with every permission; its text is kept in a file only. */
export function writeAdminToken(store: Store, dataDir: string): string {
  const file = join(dataDir, "admin-token");
  store.ensureAdminToken((token) => writePrivateFileSync(file, `${token}\n`));
  return file;
}
