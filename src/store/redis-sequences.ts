/** Session histories that nodes share, in Redis: one string for each session, one atomic call for each step. */
import { toHistory } from "../sequence/index.ts";
import type { SequenceEntry, SequenceStore, SessionHistory } from "../sequence/index.ts";
import type { SessionReply, StateCommands } from "./redis-connection.ts";
import { ENTRY_BYTES } from "./redis-scripts.ts";

const OP_BYTES = 4;
const TIME_BYTES = 6;
const SHORT_ID = /^[0-9a-f]{8}$/;

/**
 * About 250 bytes of Redis for a session of ten entries. Ages are exact but for the time that calls are under way.
 *
 * Appending throws a RangeError for an operation that is no short id: a mistake of the program.
 */
export function createRedisSequenceStore(commands: StateCommands): SequenceStore {
  return {
    async read({ key, limits }, nowMs) {
      return decode(await commands.read(key), nowMs, limits.maxEntries);
    },
    async append({ key, limits }, { op, at }, nowMs) {
      if (!SHORT_ID.test(op)) {
        throw new RangeError(`expected a short id of 8 lower-case hex characters, found \`${op}\``);
      }
      const ageMs = Math.max(0, Math.floor(nowMs - at));
      const reply = await commands.append(key, Buffer.from(op, "hex"), ageMs, limits);
      return decode(reply, nowMs, limits.maxEntries);
    },
  };
}

function decode({ redisNow, value }: SessionReply, nowMs: number, maxEntries: number): SessionHistory {
  const entries: SequenceEntry[] = [];
  const toCaller = Math.floor(nowMs) - redisNow;
  for (let offset = 0; offset + ENTRY_BYTES <= value.length; offset += ENTRY_BYTES) {
    const op = value.toString("hex", offset, offset + OP_BYTES);
    entries.push({ op, at: value.readUIntBE(offset + OP_BYTES, TIME_BYTES) + toCaller });
  }
  return toHistory(entries, maxEntries);
}
