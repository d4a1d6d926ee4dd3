import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { RedisGate } from "../../src/store/redis-gate.ts";
import type { GatedConnection } from "../../src/store/redis-gate.ts";

/** A connection whose answers the test gives. */
function createConnection() {
  const pings: (() => void)[] = [];
  const connection = {
    isUp: true,
    reconnects: 0,
    isReady: () => connection.isUp,
    ping: () => new Promise<void>((resolve) => pings.push(resolve)),
    reconnect: () => void (connection.reconnects += 1),
    pings,
  };
  return connection satisfies GatedConnection;
}

const never = () => new Promise<never>(() => undefined);
const refuse = () =>
  Promise.reject(Object.assign(new Error("OOM command not allowed: secret"), { name: "ReplyError" }));
const fails = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => "answered",
    (error: { readonly code: string }) => error.code,
  );

let connection: ReturnType<typeof createConnection>;
let statuses: string[];
let gate: RedisGate;

beforeEach(() => {
  vi.useFakeTimers();
  connection = createConnection();
  statuses = [];
  gate = new RedisGate(connection, { onStatus: (status, reason) => statuses.push(`${status}: ${reason}`) });
  gate.ready();
});
afterEach(() => {
  gate.close();
  vi.useRealTimers();
});

/** Lets calls that nobody answers run into their time-out. */
async function timeOut(calls: number): Promise<readonly string[]> {
  const results = Promise.all(Array.from({ length: calls }, () => fails(gate.run(never))));
  await vi.advanceTimersByTimeAsync(50);
  return results;
}

describe("calls", () => {
  test("are given up after 50 ms", async () => {
    const result = fails(gate.run(never));
    await vi.advanceTimersByTimeAsync(49);
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(await result).toBe("ERR_STATE_TIMEOUT");
  });

  test("leave no timer behind when they are answered", async () => {
    expect(await gate.run(async () => 7)).toBe(7);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("are not sent without a connection", async () => {
    connection.isUp = false;
    const call = vi.fn<() => Promise<never>>(never);
    expect(await fails(gate.run(call))).toBe("ERR_STATE_DOWN");
    expect(call).not.toHaveBeenCalled();
  });

  test("that Redis refuses are no failure of Redis", async () => {
    for (let call = 0; call < 10; call += 1) expect(await fails(gate.run(refuse))).toBe("ERR_STATE_REFUSED");
    expect(gate.status).toBe("up");
    await expect(gate.run(refuse)).rejects.not.toThrow(/secret/);
  });
});

describe("the breaker", () => {
  test("shuts after three calls in a row that were late, and sends nothing then", async () => {
    expect(await timeOut(2)).toEqual(["ERR_STATE_TIMEOUT", "ERR_STATE_TIMEOUT"]);
    expect(gate.status).toBe("up");
    await timeOut(1);
    expect(gate.status).toBe("down");
    const call = vi.fn<() => Promise<never>>(never);
    expect(await fails(gate.run(call))).toBe("ERR_STATE_DOWN");
    expect(call).not.toHaveBeenCalled();
  });

  test("forgets late calls when one is answered", async () => {
    await timeOut(2);
    await gate.run(async () => 1);
    await timeOut(2);
    expect(gate.status).toBe("up");
  });

  test("opens when a PING is answered in time, with one PING at a time", async () => {
    await timeOut(3);
    await vi.advanceTimersByTimeAsync(900);
    expect(connection.pings).toHaveLength(1);
    connection.pings[0]?.();
    await vi.advanceTimersByTimeAsync(0);
    expect(gate.status).toBe("down");
    await vi.advanceTimersByTimeAsync(100);
    connection.pings[1]?.();
    await vi.advanceTimersByTimeAsync(0);
    expect(gate.status).toBe("up");
    expect(vi.getTimerCount()).toBe(0);
  });

  test("replaces a connection that answers nothing for a second", async () => {
    await timeOut(3);
    await vi.advanceTimersByTimeAsync(1500);
    expect(connection.reconnects).toBe(1);
  });

  test("replaces a connection that does not get ready for a second, again and again", async () => {
    connection.isUp = false;
    gate.lost("ECONNRESET");
    await vi.advanceTimersByTimeAsync(3500);
    expect(connection.reconnects).toBe(3);
  });

  test("tells each change once", async () => {
    await timeOut(5);
    gate.lost("ECONNRESET");
    gate.ready();
    gate.ready();
    expect(statuses).toEqual([
      "up: connected",
      "down: 3 calls in a row were not answered in time",
      "up: connected",
    ]);
  });
});
