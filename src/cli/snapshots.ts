/** Where the counts of Sequence Analytics go: a file of the data directory, or the Redis that nodes share. */
import { randomBytes, randomInt } from "node:crypto";
import { join } from "node:path";
import type { SnapshotStore } from "../analytics/index.ts";
import type { ConfigSource } from "../engine/index.ts";
import { openRedisSnapshots, openSqliteSnapshots, StoreError } from "../store/index.ts";
import type { Config } from "./config.ts";
import type { Logger } from "./log.ts";
import { createTraffic } from "./traffic.ts";
import type { Traffic } from "./traffic.ts";
import { reasonOf, UserError } from "./user-error.ts";

/** Name of the database in the data directory. */
const SNAPSHOTS_FILE = "analytics.db";

/** A deleted zone is forgotten once more when every process has heard of it and written for the last time. */
const FORGET_AGAIN_MS = 90_000;

/** @throws {UserError} when the file cannot be opened, or the client library is not installed */
export async function openSnapshots({
  dataDir,
  redis,
}: Pick<Config, "dataDir" | "redis">): Promise<SnapshotStore> {
  try {
    return redis === undefined
      ? openSqliteSnapshots(join(dataDir, SNAPSHOTS_FILE))
      : await openRedisSnapshots({ url: redis.url });
  } catch (error) {
    if (error instanceof StoreError) throw new UserError(`analytics: ${error.message}`);
    throw error;
  }
}

/** The store of counts as the process with the API has it, which also forgets zones that are deleted. */
export async function openCounts(
  config: Config,
  source: ConfigSource,
  logger: Logger,
): Promise<{ readonly snapshots: SnapshotStore | undefined; readonly close: () => Promise<void> }> {
  if (!config.analytics.enabled) return { snapshots: undefined, close: async () => undefined };
  const snapshots = await openSnapshots(config);
  const stopForgetting = forgetDeletedZones(snapshots, source, logger);
  return {
    snapshots,
    async close() {
      stopForgetting();
      await snapshots.close();
    },
  };
}

/** Counts the requests of this process into a store. */
export function countInto(
  store: SnapshotStore,
  {
    source,
    config: { analytics },
    now,
    logger,
  }: {
    readonly source: ConfigSource;
    readonly config: Pick<Config, "analytics">;
    readonly now: () => number;
    readonly logger: Logger;
  },
): Traffic {
  const { perSequence, perAddressPrefix } = analytics;
  const resolution = 2 ** 32;
  return createTraffic({
    store,
    source,
    processId: randomBytes(8).toString("hex"),
    cap: { perSequence, perAddressPrefix, seed: randomInt(resolution) },
    now,
    random: () => randomInt(resolution) / resolution,
    logger,
  });
}

/** Deletes what was counted of zones that are deleted. Returns how to stop that. */
function forgetDeletedZones(store: SnapshotStore, source: ConfigSource, logger: Logger): () => void {
  const idsOf = (): ReadonlySet<string> => new Set(source.current().zones.map(({ id }) => id));
  const timers = new Set<NodeJS.Timeout>();
  const forget = (zoneId: string): void => {
    if (idsOf().has(zoneId)) return;
    store
      .deleteZone(zoneId)
      .catch((error: unknown) =>
        logger.warn(
          { event: "analytics", error: reasonOf(error) },
          "counts of a deleted zone are kept until they expire",
        ),
      );
  };
  let known = idsOf();
  const unsubscribe = source.subscribe(() => {
    const gone = known.difference(idsOf());
    known = idsOf();
    for (const zoneId of gone) {
      forget(zoneId);
      const timer = setTimeout(() => {
        timers.delete(timer);
        forget(zoneId);
      }, FORGET_AGAIN_MS).unref();
      timers.add(timer);
    }
  });
  return () => {
    unsubscribe();
    for (const timer of timers) clearTimeout(timer);
  };
}
