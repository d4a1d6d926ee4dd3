/** What every store of snapshots does. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { SnapshotName, SnapshotStore, StoredSnapshot } from "../../src/analytics/index.ts";

/** A store, and another one on the same data, as a second process would have it. */
export interface SnapshotHarness {
  readonly store: SnapshotStore;
  readonly other: SnapshotStore;
  close(): Promise<void>;
}

const HOUR_MS = 3_600_000;

async function readAll(store: SnapshotStore, names: readonly SnapshotName[]) {
  return (await store.read(names)).map((bytes) => (bytes === undefined ? undefined : Array.from(bytes)));
}

export function describeSnapshotStore(name: string, open: () => Promise<SnapshotHarness>): void {
  describe(`store: ${name}`, () => {
    let harness: SnapshotHarness;
    let zones = 0;
    const freshZone = (): string => (zones += 1).toString(16).padStart(32, "0");
    // Redis expires by its own clock.
    const now = Date.now();
    const hour = Math.floor(now / HOUR_MS) * HOUR_MS;
    const snapshot = (zoneId: string, rest: Partial<StoredSnapshot> = {}): StoredSnapshot => ({
      zoneId,
      kind: "sequences",
      hourAt: hour,
      source: "aaaa",
      bytes: Uint8Array.of(0, 1, 2, 255),
      ...rest,
    });
    beforeAll(async () => {
      harness = await open();
    });
    afterAll(async () => {
      await harness.close();
    });

    test("what one process wrote, another reads, byte for byte", async () => {
      const { store, other } = harness;
      const zoneId = freshZone();
      const bytes = Uint8Array.from({ length: 300_000 }, (_, at) => (at * 7919) % 256);
      await store.put([snapshot(zoneId, { bytes })], now);
      const [entry] = await other.list(zoneId, "sequences", now);
      expect(entry).toMatchObject({ zoneId, kind: "sequences", hourAt: hour, source: "aaaa" });
      expect(Buffer.from((await other.read([entry!]))[0]!).equals(Buffer.from(bytes))).toBe(true);
    });

    test("a source replaces what it said of an hour, and its stamp grows; others stand beside it", async () => {
      const { store, other } = harness;
      const zoneId = freshZone();
      await store.put([snapshot(zoneId)], now);
      const [first] = await store.list(zoneId, "sequences", now);
      await other.put([snapshot(zoneId, { source: "bbbb", bytes: Uint8Array.of(9) })], now);
      await store.put([snapshot(zoneId, { bytes: Uint8Array.of(7) })], now);
      const entries = await other.list(zoneId, "sequences", now);
      expect(entries.map(({ source }) => source)).toEqual(["aaaa", "bbbb"]);
      expect(entries[0]!.stamp).toBeGreaterThan(first!.stamp);
      expect(await readAll(store, entries)).toEqual([[7], [9]]);
    });

    test("zones, kinds and hours are kept apart, and listed from the oldest hour on", async () => {
      const { store } = harness;
      const [one, two] = [freshZone(), freshZone()];
      await store.put(
        [
          snapshot(one, { bytes: Uint8Array.of(1) }),
          snapshot(one, { hourAt: hour - HOUR_MS, bytes: Uint8Array.of(2) }),
          snapshot(one, { kind: "discovery", bytes: Uint8Array.of(3) }),
          snapshot(two, { bytes: Uint8Array.of(4) }),
        ],
        now,
      );
      const entries = await store.list(one, "sequences", now);
      expect(entries.map(({ hourAt }) => hourAt)).toEqual([hour - HOUR_MS, hour]);
      expect(await readAll(store, entries)).toEqual([[2], [1]]);
      expect(await readAll(store, await store.list(one, "discovery", now))).toEqual([[3]]);
      expect(await readAll(store, await store.list(two, "sequences", now))).toEqual([[4]]);
      expect(await store.list(one, "sample", now)).toEqual([]);
    });

    test("what is older than a day is not taken, not listed, and its room given back", async () => {
      const { store, other } = harness;
      const zoneId = freshZone();
      const old = snapshot(zoneId, { hourAt: hour - 24 * HOUR_MS });
      await store.put([old, snapshot(zoneId, { hourAt: hour - 25 * HOUR_MS }), snapshot(zoneId)], now);
      expect(await other.list(zoneId, "sequences", now)).toHaveLength(2);
      const later = hour + HOUR_MS;
      expect((await other.list(zoneId, "sequences", later)).map(({ hourAt }) => hourAt)).toEqual([hour]);
      await store.prune(later);
      expect((await other.list(zoneId, "sequences", now)).map(({ hourAt }) => hourAt)).toEqual([hour]);
      expect(
        await store.list(zoneId, "discovery", now),
        "what discovery has learnt is kept for its ten days",
      ).toEqual([]);
    });

    test("a zone that is deleted leaves nothing, and the others stay", async () => {
      const { store, other } = harness;
      const [gone, kept] = [freshZone(), freshZone()];
      await store.put([snapshot(gone), snapshot(gone, { kind: "sample" }), snapshot(kept)], now);
      const entries = await store.list(gone, "sequences", now);
      await other.deleteZone(gone);
      expect(await store.list(gone, "sequences", now)).toEqual([]);
      expect(await store.list(gone, "sample", now)).toEqual([]);
      expect(await store.read(entries)).toEqual([undefined]);
      expect(await store.list(kept, "sequences", now)).toHaveLength(1);
      await other.deleteZone(gone);
    });

    test("many are read at once, and what is gone leaves a gap", async () => {
      const { store } = harness;
      const zoneId = freshZone();
      const sources = Array.from({ length: 40 }, (_, at) => `s${String(at).padStart(2, "0")}`);
      await store.put(
        sources.map((source, at) => snapshot(zoneId, { source, bytes: Uint8Array.of(at) })),
        now,
      );
      const entries = await store.list(zoneId, "sequences", now);
      const read = await readAll(store, [...entries, snapshot(zoneId, { source: "nobody" })]);
      expect(read).toEqual([...sources.map((_, at) => [at]), undefined]);
      expect(await store.read([])).toEqual([]);
    });
  });
}
