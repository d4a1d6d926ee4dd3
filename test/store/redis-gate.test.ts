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

/** The 50 ms, and the turn of the event loop that an answer still has, which fake timers count as a millisecond. */
const TIME_OUT_MS = 51;

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
  await vi.advanceTimersByTimeAsync(TIME_OUT_MS);
  return results;
}

describe("calls", () => {
  test("are given up after 50 ms", async () => {
    const result = fails(gate.run(never));
    await vi.advanceTimersByTimeAsync(49);
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(TIME_OUT_MS - 49);
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
  test("shuts after one late call, asks at once whether Redis is there, and sends nothing else until it is", async () => {
    expect(await timeOut(1)).toEqual(["ERR_STATE_TIMEOUT"]);
    expect(gate.status).toBe("down");
    expect(connection.pings).toHaveLength(1);
    const call = vi.fn<() => Promise<never>>(never);
    expect(await fails(gate.run(call))).toBe("ERR_STATE_DOWN");
    expect(call).not.toHaveBeenCalled();
    connection.pings[0]?.();
    await vi.advanceTimersByTimeAsync(0);
    expect(gate.status).toBe("up");
    expect(await gate.run(async () => 1)).toBe(1);
  });

  test("of several calls one after another only the first waits", async () => {
    const startedAt = Date.now();
    const results = (async () => [
      await fails(gate.run(never)),
      await fails(gate.run(never)),
      await fails(gate.run(never)),
    ])();
    await vi.advanceTimersByTimeAsync(60);
    expect(await results).toEqual(["ERR_STATE_TIMEOUT", "ERR_STATE_DOWN", "ERR_STATE_DOWN"]);
    expect(Date.now() - startedAt).toBe(60);
  });

  test("an answer that waits in this process when the time is up is an answer", async () => {
    const { promise, resolve } = Promise.withResolvers<number>();
    const result = gate.run(() => promise);
    // Fires after the gate's own timer, in the same turn of the event loop.
    setTimeout(() => resolve(7), 50);
    await vi.advanceTimersByTimeAsync(TIME_OUT_MS);
    expect(await result).toBe(7);
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
    expect(statuses).toEqual(["up: connected", "down: a call was not answered in time", "up: connected"]);
  });
});
