/** Where counts wait for whoever asks for them: written by every process that counts, added up by the one that reads. */

/** What is counted of a zone; each kind has a format of its own. */
export const SNAPSHOT_KINDS = ["sequences", "discovery", "sample"] as const;

export type SnapshotKind = (typeof SNAPSHOT_KINDS)[number];

/** Names a snapshot: what `source` counted of a zone in one period. */
export interface SnapshotName {
  /** 32 hex characters. */
  readonly zoneId: string;
  readonly kind: SnapshotKind;
  /** Beginning of the period, epoch milliseconds; the hour, for sequences. */
  readonly hourAt: number;
  /** Who counted: letters, digits and `-`, at most 64. Names of running processes differ, and so do those of two starts. */
  readonly source: string;
}

export interface StoredSnapshot extends SnapshotName {
  readonly bytes: Uint8Array;
}

/** A snapshot that is there. */
export interface SnapshotEntry extends SnapshotName {
  /** Grows with every write of this snapshot: as long as it is the same, so are the bytes. */
  readonly stamp: number;
}

/**
 * Bytes by zone, kind, period and source. What has left its time of keeping (`SNAPSHOT_KEEP_MS`, counted from the
 * beginning of the period) is not there any more.
 */
export interface SnapshotStore {
  /**
   * Writes all of them, each in place of what its source said of the same period before.
   *
   * @param nowMs epoch milliseconds
   */
  put(snapshots: readonly StoredSnapshot[], nowMs: number): Promise<void>;
  /** What there is of one kind of a zone, the oldest period first. */
  list(zoneId: string, kind: SnapshotKind, nowMs: number): Promise<readonly SnapshotEntry[]>;
  /** The bytes of snapshots, in the same order; `undefined` for one that is gone. */
  read(names: readonly SnapshotName[]): Promise<readonly (Uint8Array | undefined)[]>;
  /** Forgets everything of a zone. */
  deleteZone(zoneId: string): Promise<void>;
  /** Gives back the room of what has left its time; for a timer. */
  prune(nowMs: number): Promise<void>;
  close(): Promise<void>;
}
