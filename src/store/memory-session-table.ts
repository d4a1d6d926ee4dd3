/** Who is remembered when room is short: the table behind the session histories of one process. */
import { randomInt } from "node:crypto";

import type { Session } from "../sequence/index.ts";
import { LinkedList } from "./linked-list.ts";

/**
 * What a session takes beside its key and its packed entries: node, headers of strings, place in the Map. Measured
 * with a million sessions on Node 24 and rounded up.
 */
const SESSION_BYTES = 256;
const BYTES_PER_UNIT = 2;

/** Established sessions may take this part of the room. */
const ESTABLISHED_SHARE = 0.8;
/** From this part of the room on, sources are held to their share. */
const PRESSED_SHARE = 0.5;

/**
 * Sources are counted in buckets, not by name: a table of names would itself have to be bounded. The hash is seeded,
 * so nobody can choose whose bucket to share, and with 65,536 of them few do.
 */
const SOURCE_BUCKETS = 2 ** 16;

export interface SessionTableLimits {
  readonly maxSessions: number;
  readonly maxBytes: number;
  readonly maxSessionsPerSource: number;
}

/** What is stored of a session. */
export interface SessionState {
  readonly packed: string;
  /** Time of the newest entry, epoch milliseconds. */
  readonly newestAt: number;
  readonly maxIdleMs: number;
}

/** A stored session. It lies in the list of its standing and in that of its source, both by last use. */
class StoredSession implements SessionState {
  readonly key: string;
  readonly bucket: number;
  packed: string;
  newestAt: number;
  maxIdleMs: number;
  isEstablished = false;
  older: StoredSession | undefined = undefined;
  newer: StoredSession | undefined = undefined;
  sourceOlder: StoredSession | undefined = undefined;
  sourceNewer: StoredSession | undefined = undefined;

  constructor(key: string, bucket: number, state: SessionState) {
    this.key = key;
    this.bucket = bucket;
    this.packed = state.packed;
    this.newestAt = state.newestAt;
    this.maxIdleMs = state.maxIdleMs;
  }
}

type StandingList = LinkedList<"older", "newer", StoredSession>;
type SourceList = LinkedList<"sourceOlder", "sourceNewer", StoredSession>;

export class SessionTable {
  readonly #limits: SessionTableLimits;
  readonly #maxEstablished: number;
  readonly #sessions = new Map<string, StoredSession>();
  readonly #probation: StandingList = new LinkedList("older", "newer");
  readonly #established: StandingList = new LinkedList("older", "newer");
  readonly #sources: (SourceList | undefined)[] = Array.from({ length: SOURCE_BUCKETS });
  readonly #seed = randomInt(2 ** 32);
  #bytes = 0;

  constructor(limits: SessionTableLimits) {
    this.#limits = limits;
    this.#maxEstablished = Math.floor(limits.maxSessions * ESTABLISHED_SHARE);
  }

  get size(): number {
    return this.#sessions.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @returns the session unless it was idle for too long by `nowMs` */
  get(key: string, nowMs: number): SessionState | undefined {
    const stored = this.#sessions.get(key);
    return stored === undefined || isIdle(stored, nowMs) ? undefined : stored;
  }

  /** Remembers a session's new state, and forgets others where there is no room. */
  put(session: Session, state: SessionState, nowMs: number): void {
    const stored = this.#sessions.get(session.key);
    if (stored !== undefined && !isIdle(stored, nowMs)) this.#update(stored, state);
    else {
      if (stored !== undefined) this.#remove(stored);
      this.#add(session, state, nowMs);
    }
    while (this.#bytes > this.#limits.maxBytes && this.#sessions.size > 1) this.#evict();
  }

  #add(session: Session, state: SessionState, nowMs: number): void {
    this.#removeIdle(this.#probation, nowMs);
    this.#removeIdle(this.#established, nowMs);
    const bucket = session.source === undefined ? -1 : this.#bucketOf(session.source);
    this.#holdToShare(bucket);
    if (this.#sessions.size >= this.#limits.maxSessions) this.#evict();
    const stored = new StoredSession(session.key, bucket, state);
    this.#sessions.set(stored.key, stored);
    this.#bytes += bytesOf(stored);
    this.#probation.add(stored);
    this.#sourceOf(stored)?.add(stored);
  }

  #update(stored: StoredSession, state: SessionState): void {
    this.#bytes += (state.packed.length - stored.packed.length) * BYTES_PER_UNIT;
    stored.packed = state.packed;
    stored.newestAt = state.newestAt;
    stored.maxIdleMs = state.maxIdleMs;
    this.#sourceOf(stored)?.renew(stored);
    if (stored.isEstablished) {
      this.#established.renew(stored);
      return;
    }
    this.#probation.remove(stored);
    this.#established.add(stored);
    stored.isEstablished = true;
    const { oldest } = this.#established;
    if (this.#established.size <= this.#maxEstablished || oldest === undefined) return;
    this.#established.remove(oldest);
    this.#probation.add(oldest);
    oldest.isEstablished = false;
  }

  /** At most two for each one that is added, so that garbage shrinks and no request pays for all of it. */
  #removeIdle(list: StandingList, nowMs: number): void {
    for (let step = 0; step < 2; step += 1) {
      const { oldest } = list;
      if (oldest === undefined || !isIdle(oldest, nowMs)) return;
      this.#remove(oldest);
    }
  }

  #holdToShare(bucket: number): void {
    const { maxSessions, maxBytes, maxSessionsPerSource } = this.#limits;
    const isPressed =
      this.#sessions.size >= maxSessions * PRESSED_SHARE || this.#bytes >= maxBytes * PRESSED_SHARE;
    const source = isPressed ? this.#sources[bucket] : undefined;
    if (source?.oldest !== undefined && source.size >= maxSessionsPerSource) this.#remove(source.oldest);
  }

  #evict(): void {
    const victim = this.#probation.oldest ?? this.#established.oldest;
    if (victim !== undefined) this.#remove(victim);
  }

  #remove(stored: StoredSession): void {
    this.#sessions.delete(stored.key);
    this.#bytes -= bytesOf(stored);
    (stored.isEstablished ? this.#established : this.#probation).remove(stored);
    this.#sourceOf(stored)?.remove(stored);
  }

  #sourceOf({ bucket }: StoredSession): SourceList | undefined {
    if (bucket < 0) return undefined;
    return (this.#sources[bucket] ??= new LinkedList("sourceOlder", "sourceNewer"));
  }

  #bucketOf(source: string): number {
    // FNV-1a from a random start, with the final mixing of MurmurHash3.
    let hash = this.#seed;
    for (let index = 0; index < source.length; index += 1) {
      hash = Math.imul(hash ^ source.charCodeAt(index), 0x01000193);
    }
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return (hash ^ (hash >>> 16)) & (SOURCE_BUCKETS - 1);
  }
}

/** A session of exactly the greatest idleness goes on. */
function isIdle(state: SessionState, nowMs: number): boolean {
  return nowMs - state.newestAt > state.maxIdleMs;
}

function bytesOf(stored: StoredSession): number {
  return SESSION_BYTES + stored.key.length + stored.packed.length * BYTES_PER_UNIT;
}
