/**
 * `node append-worker.ts <redis url> <first op> <count>`: appends so many operations to one session, some in flight
 * together, and prints for each the operation that was newest before it, or `lost` for a failed call.
 */
import { openRedisState } from "../../src/store/redis-state.ts";
import { until } from "./wait.ts";

const [, , url = "", firstOp = "0", count = "0"] = process.argv;
const LANES = 32;

const state = await openRedisState({ url, timeoutMs: 10_000 });
await until(() => state.status === "up", 10_000);
const session = { key: "zone:s:shared", limits: { maxEntries: 10, maxIdleMs: 600_000 } };
const before: string[] = [];
let next = 0;

async function lane(): Promise<void> {
  while (next < Number(count)) {
    const index = next;
    next += 1;
    const op = (Number(firstOp) + index).toString(16).padStart(8, "0");
    try {
      const now = Date.now();
      const { sequence } = await state.sequences.append(session, { op, at: now }, now);
      before[index] = sequence.entries.map((entry) => entry.op).join(",");
    } catch {
      before[index] = "lost";
    }
  }
}

await Promise.all(Array.from({ length: LANES }, lane));
state.close();
process.stdout.write(JSON.stringify(before));
