/** Load on the bench's peers: as much as they take (wrk), or at a constant rate. */
import { connect } from "node:net";
import type { Socket } from "node:net";
import { run } from "../../setup/run.ts";
import { BENCH_HOST, BODY_BYTES, TRACKED_PATH } from "./kinds.ts";
import type { Peer } from "./processes.ts";

export interface LoadResult {
  readonly requests: number;
  readonly requestsPerSecond: number;
}

export interface LoadOptions {
  readonly wrk: string;
  readonly seconds: number;
  readonly connections: number;
  readonly cookie: string;
}

/** @throws {Error} when anything but 2xx came back */
export async function loadPeer(
  peer: Peer,
  { wrk, seconds, connections, cookie }: LoadOptions,
): Promise<LoadResult> {
  const args = ["-t1", `-c${connections}`, `-d${seconds}s`, "-H", `Host: ${BENCH_HOST}`];
  const { output } = await run(
    wrk,
    [...args, "-H", `Cookie: ${cookie}`, `http://127.0.0.1:${peer.port}${TRACKED_PATH}`],
    { timeoutMs: (seconds + 20) * 1000 },
  );
  const requests = Number(/(\d+) requests in/.exec(output)?.[1]);
  const requestsPerSecond = Number(/Requests\/sec:\s+([\d.]+)/.exec(output)?.[1]);
  if (!Number.isFinite(requests) || /Non-2xx|Socket errors/.test(output))
    throw new Error(`${peer.name}: the load did not go well: ${output}`);
  return { requests, requestsPerSecond };
}

export interface RateOptions {
  readonly perSecond: number;
  readonly seconds: number;
  readonly connections: number;
  readonly cookie: string;
}

/**
 * Requests at fixed moments, whether or not earlier ones were answered in time.
 *
 * @returns milliseconds from the moment a request was due to its complete answer, ascending
 */
export async function latenciesAt(peer: Peer, options: RateOptions): Promise<readonly number[]> {
  const { perSecond, seconds, connections, cookie } = options;
  const text = `GET ${TRACKED_PATH} HTTP/1.1\r\nHost: ${BENCH_HOST}\r\nCookie: ${cookie}\r\n\r\n`;
  const lanes = await Promise.all(Array.from({ length: connections }, () => openLane(peer.port)));
  const latencies: number[] = [];
  const startAt = performance.now();
  let sent = 0;
  await new Promise<void>((resolve) => {
    const tick = (): void => {
      const due = Math.min(
        perSecond * seconds,
        Math.floor(((performance.now() - startAt) * perSecond) / 1000),
      );
      for (; sent < due; sent++) {
        const dueAt = performance.now();
        lanes[sent % connections]?.ask(text, () => latencies.push(performance.now() - dueAt));
      }
      if (latencies.length >= perSecond * seconds || performance.now() - startAt > (seconds + 5) * 1000)
        resolve();
      else setTimeout(tick, 1);
    };
    tick();
  });
  for (const lane of lanes) lane.socket.destroy();
  return latencies.toSorted((one, other) => one - other);
}

interface Lane {
  readonly socket: Socket;
  ask(text: string, answered: () => void): void;
}

/** Ends the head of an answer. */
const HEAD_END = Buffer.from("\r\n\r\n");

/**
 * One kept-alive connection; its answers all have a body of `BODY_BYTES`, whose last byte ends them. What arrives is
 * read into one place and counted there: a load generator that makes garbage stops now and then to collect it, and
 * what it then sends at once seems slow.
 */
export async function openLane(port: number): Promise<Lane> {
  const waiting: (() => void)[] = [];
  const buffer = Buffer.allocUnsafe(4 * (BODY_BYTES + 4096));
  let endBytes = 0;
  const socket = connect({
    port,
    host: "127.0.0.1",
    onread: {
      // Behind what is not whole yet.
      buffer: () => buffer.subarray(endBytes),
      callback: (readBytes) => {
        endBytes += readBytes;
        let startBytes = 0;
        for (;;) {
          const head = buffer.subarray(0, endBytes).indexOf(HEAD_END, startBytes);
          if (head === -1 || endBytes < head + HEAD_END.length + BODY_BYTES) break;
          startBytes = head + HEAD_END.length + BODY_BYTES;
          waiting.shift()?.();
        }
        buffer.copyWithin(0, startBytes, endBytes);
        endBytes -= startBytes;
        return true;
      },
    },
  });
  socket.setNoDelay(true);
  await new Promise((resolve) => socket.once("connect", resolve));
  return {
    socket,
    ask(text, answered) {
      waiting.push(answered);
      socket.write(text, "latin1");
    },
  };
}

export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return quantile(
    values.toSorted((one, other) => one - other),
    0.5,
  );
}
