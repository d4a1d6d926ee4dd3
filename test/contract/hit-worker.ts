/** `node hit-worker.ts <redis url> <limit> <count>`: hits one key so many times in parallel and prints how many passed. */
import { openRedisState } from "../../src/store/redis-state.ts";
import { until } from "./wait.ts";

const [, , url = "", limit = "1", count = "0"] = process.argv;
const state = await openRedisState({ url, timeoutMs: 10_000 });
await until(() => state.status === "up", 10_000);
const policy = { limit: Number(limit), periodMs: 60_000, lockoutMs: 0 };
const hit = async () => state.rateLimits.hit("zone:rl:shared", policy, Date.now(), 1);
const states = await Promise.all(Array.from({ length: Number(count) }, hit));
state.close();
process.stdout.write(String(states.filter(({ acts }) => !acts).length));
