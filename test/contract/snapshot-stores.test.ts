/** The suite of snapshot stores, run against SQLite and against a real Redis. */
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { openRedisSnapshots, openSqliteSnapshots, StoreError } from "../../src/store/index.ts";
import { startRedis } from "./redis-server.ts";
import { describeSnapshotStore } from "./snapshot-store.ts";
import { until } from "./wait.ts";

const HOUR_MS = 3_600_000;
const ZONE = "0123456789abcdef0123456789abcdef";

async function openOnRedis() {
  const redis = await startRedis();
  const statuses: string[] = [];
  const options = { url: redis.url, onStatus: (status: string) => void statuses.push(status) };
  const [store, other] = [await openRedisSnapshots(options), await openRedisSnapshots(options)];
  await until(() => statuses.length === 2, 5000);
  const close = async () => {
    await Promise.all([store.close(), other.close()]);
    await redis.close();
  };
  return { redis, store, other, close };
}

async function openOnFile() {
  const folder = await mkdtemp(join(tmpdir(), "stepgate-snapshots-"));
  const path = join(folder, "analytics.db");
  const [store, other] = [openSqliteSnapshots(path), openSqliteSnapshots(path)];
  const close = async () => {
    await Promise.all([store.close(), other.close()]);
    await rm(folder, { recursive: true });
  };
  return { folder, path, store, other, close };
}

describeSnapshotStore("snapshots in SQLite", openOnFile);
describeSnapshotStore("snapshots on Redis", openOnRedis);

describe("snapshots in a file", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "stepgate-snapshots-"));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  test("are for their owner only, and outlive the process", async () => {
    const path = join(folder, "kept.db");
    const before = openSqliteSnapshots(path);
    const hourAt = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
    await before.put(
      [{ zoneId: ZONE, kind: "sequences", hourAt, source: "a", bytes: Uint8Array.of(5) }],
      hourAt,
    );
    await before.close();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const after = openSqliteSnapshots(path);
    expect(await after.list(ZONE, "sequences", hourAt)).toHaveLength(1);
    await after.close();
  });

  test("are begun anew when the file is damaged, and refused when there can be none", async () => {
    const path = join(folder, "damaged.db");
    await writeFile(path, "this is no database, and long enough for one to be looked for in it".repeat(20));
    const store = openSqliteSnapshots(path);
    expect(await store.list(ZONE, "sequences", 0)).toEqual([]);
    await store.close();
    expect(() => openSqliteSnapshots(join(folder, "nowhere", "x.db"))).toThrow(StoreError);
  });
});

describe("what Redis holds of snapshots", () => {
  test("expires by itself, under keys of ours only; while Redis is away, calls fail and then work again", async () => {
    const { redis, store, close } = await openOnRedis();
    const hourAt = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
    const snapshot = {
      zoneId: ZONE,
      kind: "sequences",
      hourAt,
      source: "a",
      bytes: Uint8Array.of(5),
    } as const;
    await store.put([snapshot], Date.now());
    expect(await redis.command("DBSIZE")).toBe(":2");
    const key = `sg:seqa:${ZONE}:sequences`;
    const ttl = Number((await redis.command(`PTTL ${key}:${hourAt}:a`)).slice(1));
    expect(ttl).toBeGreaterThan(23.9 * HOUR_MS);
    expect(ttl).toBeLessThanOrEqual(25 * HOUR_MS);
    expect(Number((await redis.command(`PTTL ${key}`)).slice(1))).toBeGreaterThan(24 * HOUR_MS);
    await redis.kill();
    await until(
      () =>
        store.list(ZONE, "sequences", hourAt).then(
          () => false,
          () => true,
        ),
      5000,
    );
    await expect(store.put([snapshot], Date.now())).rejects.toThrow("expected Redis to be available");
    await redis.start();
    await until(
      () =>
        store.put([snapshot], Date.now()).then(
          () => true,
          () => false,
        ),
      5000,
    );
    expect(await store.list(ZONE, "sequences", hourAt)).toHaveLength(1);
    await close();
  });
});
