/** The one connection to Redis, and the commands on it. The client is loaded only here, and only when it is needed. */
import type { Redis, RedisOptions } from "ioredis";

import type { SessionLimits } from "../sequence/index.ts";
import { StoreError } from "./errors.ts";
import { RedisGate } from "./redis-gate.ts";
import type { GateOptions } from "./redis-gate.ts";
import { APPEND, HIT, READ } from "./redis-scripts.ts";

/** All keys of ours begin with it. */
const KEY_PREFIX = "sg:";

const CONNECT_TIMEOUT_MS = 1000;
/** How long a connection that is being closed may linger. */
const DISCONNECT_TIMEOUT_MS = 100;
/** Delays between attempts to connect: from the first to the longest, with some jitter so that nodes do not march in step. */
const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 400;
const RETRY_JITTER_MS = 100;

export interface RedisConnectionOptions extends GateOptions {
  /** `redis://` or `rediss://`, with user, password and database where needed. */
  readonly url: string;
}

/** What a session's script answers. */
export interface SessionReply {
  /** Epoch milliseconds by the clock of Redis. */
  readonly redisNow: number;
  readonly value: Buffer;
}

/** The commands that state needs. All reject with a `StateUnavailableError` when Redis does not answer in time. */
export interface StateCommands {
  /** @returns count, ms until the window ends, ms until the lock-out ends */
  hit(key: string, ...figures: readonly number[]): Promise<readonly [number, number, number]>;
  forget(key: string): Promise<void>;
  read(key: string): Promise<SessionReply>;
  append(key: string, op: Buffer, ageMs: number, limits: SessionLimits): Promise<SessionReply>;
}

/** The commands that snapshots need; they reject in the same way. */
export interface SnapshotCommands {
  set(key: string, bytes: Uint8Array, keepMs: number): Promise<void>;
  get(keys: readonly string[]): Promise<readonly (Buffer | null)[]>;
  delete(keys: readonly string[]): Promise<void>;
  /** Adds one to a number of a hash, which is kept for `keepMs` from now on. */
  countUp(key: string, field: string, keepMs: number): Promise<void>;
  fields(key: string): Promise<Readonly<Record<string, string>>>;
  deleteFields(key: string, fields: readonly string[]): Promise<void>;
}

/** A script as ioredis adds it to its client: EVALSHA, and EVAL where Redis does not know the script yet. */
interface ScriptedRedis extends Redis {
  sgHit(key: string, ...figures: readonly number[]): Promise<readonly [number, number, number]>;
  sgReadBuffer(key: string): Promise<readonly [number, Buffer]>;
  sgAppendBuffer(key: string, ...args: readonly (Buffer | number)[]): Promise<readonly [number, Buffer]>;
}

export interface RedisConnection {
  readonly commands: StateCommands;
  readonly snapshots: SnapshotCommands;
  readonly gate: RedisGate;
  readonly close: () => void;
}

/**
 * Connects in the background: a Redis that is down now does not keep Stepgate from starting.
 *
 * @throws {StoreError} `ERR_STORE_OPEN` for a malformed URL, or when the package `ioredis` is not installed
 */
export async function connectRedis(options: RedisConnectionOptions): Promise<RedisConnection> {
  checkUrl(options.url);
  const Client = await loadClient();
  const client = new Client(options.url, clientOptions()) as ScriptedRedis;
  const gate = new RedisGate(
    {
      isReady: () => client.status === "ready",
      ping: () => client.ping(),
      reconnect: () => client.disconnect(true),
    },
    options,
  );
  let lastError = "closed";
  client.on("ready", () => gate.ready());
  client.on("close", () => gate.lost(`the connection is lost: ${lastError}`));
  // Without a listener an unreachable Redis would end the process; what follows from it is the gate's business.
  client.on("error", (error: NodeJS.ErrnoException) => (lastError = error.code ?? error.name));
  return {
    commands: createCommands(client, gate),
    snapshots: createSnapshotCommands(client, gate),
    gate,
    close() {
      gate.close();
      client.disconnect();
    },
  };
}

function createCommands(client: ScriptedRedis, gate: RedisGate): StateCommands {
  return {
    hit: (key, ...figures) => gate.run(() => client.sgHit(KEY_PREFIX + key, ...figures)),
    forget: (key) => gate.run(async () => void (await client.del(KEY_PREFIX + key))),
    read: async (key) => toReply(await gate.run(() => client.sgReadBuffer(KEY_PREFIX + key))),
    append: async (key, op, ageMs, { maxEntries, maxIdleMs }) =>
      toReply(
        await gate.run(() => client.sgAppendBuffer(KEY_PREFIX + key, op, ageMs, maxEntries, maxIdleMs)),
      ),
  };
}

function prefixed(keys: readonly string[]): string[] {
  return keys.map((key) => KEY_PREFIX + key);
}

function createSnapshotCommands(client: Redis, gate: RedisGate): SnapshotCommands {
  return {
    set: (key, bytes, keepMs) =>
      gate.run(async () => void (await client.set(KEY_PREFIX + key, Buffer.from(bytes), "PX", keepMs))),
    get: (keys) => gate.run(() => client.mgetBuffer(prefixed(keys))),
    delete: (keys) => gate.run(async () => void (await client.unlink(prefixed(keys)))),
    countUp: (key, field, keepMs) =>
      gate.run(
        async () =>
          void (await Promise.all([
            client.hincrby(KEY_PREFIX + key, field, 1),
            client.pexpire(KEY_PREFIX + key, keepMs),
          ])),
      ),
    fields: (key) => gate.run(() => client.hgetall(KEY_PREFIX + key)),
    deleteFields: (key, fields) =>
      gate.run(async () => void (await client.hdel(KEY_PREFIX + key, ...fields))),
  };
}

function toReply([redisNow, value]: readonly [number, Buffer]): SessionReply {
  return { redisNow, value };
}

function clientOptions() {
  return {
    connectionName: "stepgate",
    // Commands of one turn of the event loop travel together.
    enableAutoPipelining: true,
    // A command that cannot be sent or was lost with its connection fails: a late count or entry would be a wrong one.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: CONNECT_TIMEOUT_MS,
    disconnectTimeout: DISCONNECT_TIMEOUT_MS,
    retryStrategy: (attempt: number) =>
      Math.min(FIRST_RETRY_MS * 2 ** Math.min(attempt - 1, 8), LONGEST_RETRY_MS) +
      Math.random() * RETRY_JITTER_MS,
    // After a failover the old master only reads.
    reconnectOnError: (error: Error) => error.message.startsWith("READONLY"),
    scripts: {
      sgHit: { lua: HIT, numberOfKeys: 1 },
      sgRead: { lua: READ, numberOfKeys: 1, readOnly: true },
      sgAppend: { lua: APPEND, numberOfKeys: 1 },
    },
  } satisfies RedisOptions;
}

function checkUrl(url: string): void {
  const protocol = URL.canParse(url) ? new URL(url).protocol : "";
  if (protocol === "redis:" || protocol === "rediss:") return;
  // The URL may hold a password: it is not quoted.
  throw new StoreError("ERR_STORE_OPEN", "expected a Redis URL, such as `redis://127.0.0.1:6379/0`");
}

async function loadClient(): Promise<typeof Redis> {
  try {
    const library = await import("ioredis");
    return library.Redis;
  } catch (error) {
    throw new StoreError(
      "ERR_STORE_OPEN",
      "expected the package `ioredis`, found none; install it to use Redis: `npm install ioredis`",
      error,
    );
  }
}
