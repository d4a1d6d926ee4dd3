/**
 * Session histories of one process, bounded by entries and by bytes.
 *
 * A session is on probation until its second recorded request, then established. When room is short:
 *
 * 1. sessions that have been idle for too long go first;
 * 2. once half of the room is taken, a source with more than its share makes room among its own sessions;
 * 3. then the session on probation goes that was used longest ago. Four fifths of the room are for established
 *    sessions; what is beyond that returns to probation, the least recently used first.
 *
 * The bounds that follow, for the defaults: as long as half of the room is free nobody is forgotten before time. Fresh
 * identifiers, however many, never touch the 800,000 established sessions used last. A session among those is pushed out
 * only if, between two of its own requests, 800,000 others are used for the second time or more and 200,000 appear
 * after that: 1,800,000 recorded requests within ten minutes, from 500 addresses or more, as one address has no more
 * than 1,000 of the sessions beyond the first half.
 */
import { EMPTY_HISTORY, recordEntry, toHistory } from "../sequence/index.ts";
import type { SequenceEntry, SequenceStore, Session, SessionHistory } from "../sequence/index.ts";
import { SessionTable } from "./memory-session-table.ts";
import type { SessionTableLimits } from "./memory-session-table.ts";
import { EntryPacker } from "./packed-entries.ts";

/** Sessions kept unless configured otherwise. */
export const DEFAULT_MAX_SESSIONS = 1_000_000;
/** Bytes kept unless configured otherwise: what a million full sessions take. */
export const DEFAULT_MAX_BYTES = 400 * 2 ** 20;

export interface MemorySequenceOptions {
  /** 1,000,000 by default. */
  readonly maxSessions?: number;
  /** Estimated from above; 400 MiB by default, at least 64 KiB. */
  readonly maxBytes?: number;
  /** Sessions of one source beyond which it makes room among its own; a thousandth of `maxSessions` by default, at least 64. */
  readonly maxSessionsPerSource?: number;
}

export interface MemorySequenceStore extends SequenceStore {
  read(session: Session, nowMs: number): SessionHistory;
  append(session: Session, entry: SequenceEntry, nowMs: number): SessionHistory;
  /** Sessions kept now; some may have been idle for too long already. */
  readonly size: number;
  /** Estimate from above of the memory they take. */
  readonly bytes: number;
}

/** @throws {RangeError} for limits that are not whole numbers or too small */
export function createMemorySequenceStore(options: MemorySequenceOptions = {}): MemorySequenceStore {
  const table = new SessionTable(readLimits(options));
  const packer = new EntryPacker();
  return {
    read(session, nowMs) {
      const stored = table.get(session.key, nowMs);
      if (stored === undefined) return EMPTY_HISTORY;
      return toHistory(packer.unpack(stored.packed, stored.newestAt), session.limits.maxEntries);
    },
    append(session, entry, nowMs) {
      const { maxEntries, maxIdleMs } = session.limits;
      const stored = table.get(session.key, nowMs);
      const before = stored === undefined ? [] : packer.unpack(stored.packed, stored.newestAt);
      const after = recordEntry(before, entry, maxEntries);
      const newestAt = after[0]?.at ?? nowMs;
      // A response that took longer than a session lives: what it would begin is over already.
      if (nowMs - newestAt <= maxIdleMs) {
        table.put(session, { packed: packer.pack(after), newestAt, maxIdleMs }, nowMs);
      }
      return toHistory(before, maxEntries);
    },
    get size() {
      return table.size;
    },
    get bytes() {
      return table.bytes;
    },
  };
}

function readLimits(options: MemorySequenceOptions): SessionTableLimits {
  const maxSessions = atLeast("maxSessions", options.maxSessions ?? DEFAULT_MAX_SESSIONS, 1);
  const fairShare = Math.max(64, Math.floor(maxSessions / 1000));
  return {
    maxSessions,
    maxBytes: atLeast("maxBytes", options.maxBytes ?? DEFAULT_MAX_BYTES, 65_536),
    maxSessionsPerSource: atLeast("maxSessionsPerSource", options.maxSessionsPerSource ?? fairShare, 1),
  };
}

function atLeast(name: string, value: number, min: number): number {
  if (Number.isSafeInteger(value) && value >= min) return value;
  throw new RangeError(`expected \`${name}\` to be a whole number of at least ${min}, found \`${value}\``);
}
