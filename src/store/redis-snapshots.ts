/**
 * Snapshots of counts that nodes share, in Redis: one value for each, which expires by itself, and an index of the
 * names of a zone, because looking for keys would search all of Redis.
 *
 * The connection is not that of the state: a request that waits for a counter must not stand behind megabytes.
 */
import { SNAPSHOT_KEEP_MS, SNAPSHOT_KINDS } from "../analytics/index.ts";
import type { SnapshotEntry, SnapshotKind, SnapshotName, SnapshotStore } from "../analytics/index.ts";
import { connectRedis } from "./redis-connection.ts";
import type { RedisConnectionOptions, SnapshotCommands } from "./redis-connection.ts";

/** Nobody's request waits here. */
const TIMEOUT_MS = 5_000;

/** Values that are asked for at a time: a few megabytes. */
const READ_SIZE = 16;

/**
 * Connects in the background; until Redis is there every call rejects with a `StateUnavailableError`.
 *
 * @throws {StoreError} `ERR_STORE_OPEN` for a malformed URL, or when the package `ioredis` is not installed
 */
export async function openRedisSnapshots(options: RedisConnectionOptions): Promise<SnapshotStore> {
  const { snapshots, close } = await connectRedis({ timeoutMs: TIMEOUT_MS, ...options });
  return createRedisSnapshotStore(snapshots, close);
}

function createRedisSnapshotStore(commands: SnapshotCommands, close: () => void): SnapshotStore {
  // Indexes that were written here, and are therefore looked after here.
  const written = new Map<string, SnapshotKind>();
  return {
    async put(snapshots, nowMs) {
      for (const { bytes, ...name } of snapshots) {
        const keepMs = name.hourAt + SNAPSHOT_KEEP_MS[name.kind] - nowMs;
        if (keepMs <= 0) continue;
        const index = indexOf(name.zoneId, name.kind);
        // The value before its stamp: who reads a new stamp finds the new value.
        await commands.set(keyOf(name), bytes, Math.ceil(keepMs));
        await commands.countUp(index, fieldOf(name), SNAPSHOT_KEEP_MS[name.kind]);
        written.set(index, name.kind);
      }
    },
    async list(zoneId, kind, nowMs) {
      const fields = await commands.fields(indexOf(zoneId, kind));
      return Object.entries(fields)
        .map(([field, stamp]) => toEntry({ zoneId, kind }, field, stamp))
        .filter(({ hourAt }) => hourAt > nowMs - SNAPSHOT_KEEP_MS[kind])
        .toSorted((a, b) => a.hourAt - b.hourAt || (a.source < b.source ? -1 : 1));
    },
    async read(names) {
      const found: (Uint8Array | undefined)[] = [];
      for (let from = 0; from < names.length; from += READ_SIZE) {
        const values = await commands.get(names.slice(from, from + READ_SIZE).map(keyOf));
        found.push(...values.map((value) => value ?? undefined));
      }
      return found;
    },
    async deleteZone(zoneId) {
      for (const kind of SNAPSHOT_KINDS) {
        const index = indexOf(zoneId, kind);
        const fields = Object.keys(await commands.fields(index));
        await commands.delete([index, ...fields.map((field) => `${index}:${field}`)]);
        written.delete(index);
      }
    },
    async prune(nowMs) {
      for (const [index, kind] of written) {
        const fields = Object.keys(await commands.fields(index));
        const gone = fields.filter((field) => Number.parseInt(field, 10) <= nowMs - SNAPSHOT_KEEP_MS[kind]);
        if (gone.length > 0) await commands.deleteFields(index, gone);
      }
    },
    close: async () => close(),
  };
}

const indexOf = (zoneId: string, kind: SnapshotKind): string => `seqa:${zoneId}:${kind}`;

const fieldOf = ({ hourAt, source }: SnapshotName): string => `${hourAt}:${source}`;

const keyOf = (name: SnapshotName): string => `${indexOf(name.zoneId, name.kind)}:${fieldOf(name)}`;

function toEntry(of: Pick<SnapshotName, "zoneId" | "kind">, field: string, stamp: string): SnapshotEntry {
  const colon = field.indexOf(":");
  return {
    ...of,
    hourAt: Number(field.slice(0, colon)),
    source: field.slice(colon + 1),
    stamp: Number(stamp),
  };
}
