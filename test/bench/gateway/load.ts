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

/** The request that all peers get. */
export const requestText = (cookie: string): string =>
  `GET ${TRACKED_PATH} HTTP/1.1\r\nHost: ${BENCH_HOST}\r\nCookie: ${cookie}\r\n\r\n`;

export interface RateOptions {
  readonly perSecond: number;
  readonly requests: number;
  readonly cookie: string;
}

/** Milliseconds after the last request was due in which all answers have to be there. */
const PATIENCE_MS = 30_000;

/**
 * Requests at fixed moments, whether or not earlier ones were answered in time: each on the connection that has been
 * free for longest, or waiting for one.
 *
 * @returns milliseconds from the moment a request was due to its complete answer, ascending
 * @throws {Error} when answers are missing
 */
export async function latenciesOn(
  lanes: readonly Lane[],
  { perSecond, requests, cookie }: RateOptions,
): Promise<readonly number[]> {
  const text = requestText(cookie);
  const latencies: number[] = [];
  const free = [...lanes];
  const waitingSince: number[] = [];
  const startAt = performance.now();
  let due = 0;
  await new Promise<void>((resolve, reject) => {
    const giveUp = (): void => reject(new Error(`${requests - latencies.length} answers are missing`));
    const timer = setTimeout(giveUp, (requests / perSecond) * 1000 + PATIENCE_MS);
    const ask = (lane: Lane, dueAt: number): void =>
      lane.ask(text, () => {
        latencies.push(performance.now() - dueAt);
        const next = waitingSince.shift();
        if (next === undefined) free.push(lane);
        else ask(lane, next);
        if (latencies.length < requests) return;
        clearTimeout(timer);
        resolve();
      });
    const tick = (): void => {
      const nowMs = performance.now();
      const untilNow = Math.min(requests, Math.floor(((nowMs - startAt) * perSecond) / 1000));
      for (; due < untilNow; due++) {
        const lane = free.shift();
        if (lane === undefined) waitingSince.push(nowMs);
        else ask(lane, nowMs);
      }
      if (due < requests) setTimeout(tick, 1);
    };
    tick();
  });
  return latencies.toSorted((one, other) => one - other);
}

/** A kept-alive connection on which one request follows the other. */
export interface Lane {
  readonly socket: Socket;
  ask(text: string, answered: () => void): void;
}

export const openLanes = (port: number, count: number): Promise<readonly Lane[]> =>
  Promise.all(Array.from({ length: count }, () => openLane(port)));

/** Ends the head of an answer. */
const HEAD_END = Buffer.from("\r\n\r\n");

/** Behind `HTTP/1.1 `; an answer that is not the origin's has another length, and would be waited for in vain. */
const STATUS_CLASS_AT = 9;
const HTTP = "H".charCodeAt(0);
const SUCCESS = "2".charCodeAt(0);

const MAX_ANSWER_BYTES = BODY_BYTES + 4096;

/**
 * The answers all have a body of `BODY_BYTES`, whose last byte ends them. What arrives is read into one place and
 * counted there: a load generator that makes garbage stops now and then to collect it, and what it then sends at once
 * seems slow.
 */
export async function openLane(port: number): Promise<Lane> {
  let onAnswer: (() => void) | undefined;
  const buffer = Buffer.allocUnsafe(MAX_ANSWER_BYTES);
  let endBytes = 0;
  const socket = connect({
    port,
    host: "127.0.0.1",
    onread: {
      // Behind what is not whole yet.
      buffer: () => buffer.subarray(endBytes),
      callback: (readBytes) => {
        endBytes += readBytes;
        const head = buffer.subarray(0, endBytes).indexOf(HEAD_END);
        // The end of a chunked answer may lie before the head of the next.
        if (head !== -1 && buffer[0] === HTTP && buffer[STATUS_CLASS_AT] !== SUCCESS)
          throw new Error(`expected 2xx, found ${buffer.toString("latin1", 0, head)}`);
        if (head === -1 || endBytes < head + HEAD_END.length + BODY_BYTES) return true;
        endBytes = 0;
        onAnswer?.();
        return true;
      },
    },
  });
  socket.setNoDelay(true);
  await new Promise((resolve) => socket.once("connect", resolve));
  return {
    socket,
    ask(text, answered) {
      onAnswer = answered;
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
