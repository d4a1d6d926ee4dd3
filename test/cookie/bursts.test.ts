/** Bursts of a page, simulated event by event: what they cost in the Cookie header, and that they lose nothing. */
import { describe, expect, test } from "vitest";

import type { SequenceEntry } from "../../src/sequence/index.ts";
import { createJar } from "./browser.ts";
import { NOW, OPS, createDice, createProcess, pairOf } from "./fixtures.ts";

interface Burst {
  readonly processes: number;
  readonly leads: number;
  readonly parallel: number;
  readonly bursts: number;
  /** Connections of the browser: 6 with HTTP/1.1, as many as needed with HTTP/2. */
  readonly connections: number;
  readonly ops?: number;
}

interface Result {
  /** Bytes of our part of the Cookie header, for each request. */
  readonly headerBytes: readonly number[];
  readonly missingEntries: number;
  /** Operations that were delivered and should be among the newest 10, but are not there at all. */
  readonly missingOps: number;
}

const SLOW_SHARE = 0.01;
const LOST_SHARE = 0.01;

/** Seeded discrete events: requests 0.3 ms apart, jittered latency, 1 % slow responses, 1 % that never arrive. */
function simulate({ processes, leads, parallel, bursts, connections, ops = OPS.length }: Burst): Result {
  const dice = createDice(parallel * 1000 + processes);
  const servers = Array.from({ length: processes }, (_, index) => ({
    cookies: createProcess({ leads }, index + 1),
    skewMs: processes === 1 ? 0 : Math.round((dice() - 0.5) * 40),
  }));
  const reader = createProcess({}, 99);
  const jar = createJar();
  const headerBytes: number[] = [];
  let delivered: SequenceEntry[] = [];
  let missingEntries = 0;
  let missingOps = 0;
  let now = NOW;

  const queue: { readonly at: number; readonly run: () => void }[] = [];
  const after = (ms: number, run: () => void) => queue.push({ at: now + ms, run });
  let waiting = 0;
  let open = 0;

  const startNext = () => {
    if (waiting === 0 || open >= connections) return;
    waiting -= 1;
    open += 1;
    request();
  };
  const request = () => {
    const header = jar.header(now);
    headerBytes.push(header?.length ?? 0);
    const server = servers[Math.floor(dice() * processes)];
    const op = OPS[Math.floor(dice() ** 2 * ops)] ?? "";
    after(10 + dice() * 20, () => {
      if (server === undefined) return;
      const state = server.cookies.read(header, Math.round(now) + server.skewMs);
      const serviceMs = dice() < SLOW_SHARE ? 1_000 + dice() * 4_000 : 5 + 80 * dice() ** 3;
      after(serviceMs, () => {
        const lines = server.cookies.write(state, op, Math.round(now) + server.skewMs);
        const entry = reader.read(pairOf(lines[0]), Math.round(now)).sequence.entries[0];
        after(10 + dice() * 20, () => {
          if (dice() >= LOST_SHARE && entry !== undefined) {
            for (const line of lines) jar.apply(line, now);
            delivered = [entry, ...delivered].toSorted((a, b) => b.at - a.at).slice(0, 200);
          }
          open -= 1;
          startNext();
        });
      });
    });
  };

  for (let burst = 0; burst < bursts; burst += 1) {
    for (let index = 0; index < parallel; index += 1) {
      after(index * 0.3, () => {
        waiting += 1;
        startNext();
      });
    }
    for (let steps = 0; queue.length > 0 && steps < 10_000; steps += 1) {
      queue.sort((a, b) => a.at - b.at);
      const event = queue.shift();
      now = event?.at ?? now;
      event?.run();
    }
    const visible = reader.read(jar.header(now), Math.round(now)).sequence.entries;
    const lost = delivered
      .filter((entry) => now - entry.at < 3_500_000)
      .slice(0, 10)
      .filter((entry) => !visible.some((other) => other.op === entry.op && other.at === entry.at));
    // Delivered entries are all we compare with; others in the sequence may be newer.
    const outnumbered = lost.filter((entry) => visible.filter((other) => other.at >= entry.at).length >= 10);
    missingEntries += lost.length - outnumbered.length;
    missingOps += lost.filter((entry) => !visible.some((other) => other.op === entry.op)).length;
    now += 1_000 + dice() * 20_000;
  }
  return { headerBytes, missingEntries, missingOps };
}

function quantile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? 0;
}

describe("bursts of a page", () => {
  test.each([
    ["one process", { processes: 1, leads: 2, connections: 100 }],
    ["one process, HTTP/1.1", { processes: 1, leads: 2, connections: 6 }],
    ["four processes, no stickiness", { processes: 4, leads: 1, connections: 100 }],
  ])("8 parallel requests, %s: nothing lost, at most 1,300 bytes in 99 of 100 requests", (_, setting) => {
    const result = simulate({ ...setting, parallel: 8, bursts: 150 });
    expect(result.headerBytes).toHaveLength(1_200);
    expect(result.missingEntries).toBe(0);
    expect(quantile(result.headerBytes, 0.99)).toBeLessThanOrEqual(1_300);
  });

  test.each([
    ["one process", { processes: 1, leads: 2 }, 0.99],
    ["two processes", { processes: 2, leads: 1 }, 0.97],
  ])("one request after the other, %s: a single cookie of at most 205 bytes", (_, setting, share) => {
    const result = simulate({ ...setting, connections: 1, parallel: 1, bursts: 300 });
    expect(result.missingEntries).toBe(0);
    expect(quantile(result.headerBytes, share)).toBeLessThanOrEqual(205);
    // A response that led and was lost leaves the old cookie behind; the next one for the same view follows.
    expect(Math.max(...result.headerBytes)).toBeLessThanOrEqual(2 * 205);
  });

  test("16 parallel requests lose nothing", () => {
    const result = simulate({ processes: 1, leads: 2, connections: 100, parallel: 16, bursts: 40 });
    expect(result.missingEntries).toBe(0);
  });

  test("32 parallel requests, where equal operations share a cookie: no operation is missing", () => {
    const result = simulate({ processes: 1, leads: 2, connections: 100, parallel: 32, bursts: 40, ops: 12 });
    expect(result.missingOps).toBe(0);
  });

  test("100 parallel requests over six operations: the header stays bounded", () => {
    const result = simulate({ processes: 1, leads: 2, connections: 200, parallel: 100, bursts: 10, ops: 6 });
    expect(result.missingOps).toBe(0);
    // The requests of the first burst have no view to share: each response writes a cookie of its own. They travel
    // with the second burst, whose leads delete the 64 that they read, and what is left goes with the third.
    const byBurst = Array.from({ length: 10 }, (__, burst) =>
      result.headerBytes.slice(burst * 100, burst * 100 + 100),
    );
    expect(Math.max(...(byBurst[1] ?? []))).toBeLessThanOrEqual(12_000);
    expect(quantile(byBurst.slice(3).flat(), 0.99)).toBeLessThanOrEqual(3_800);
  });
});
