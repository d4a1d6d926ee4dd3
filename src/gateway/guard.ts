/** Keeps a gateway answering: bounds what is under way, sheds load, and ends what does not move. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { getHeapStatistics } from "node:v8";
import { SourceCounts } from "./source-counts.ts";

/** Limits of a gateway as a whole. Each is reached long before the process is in danger. */
export interface GuardLimits {
  /** Requests under way; beyond it 503. Each holds some 30 KB, more while its buffers are full. */
  readonly maxRequests: number;
  /** Requests under way from one address (one /64 of IPv6): few enough that one client cannot take all of an origin's. */
  readonly maxRequestsPerAddress: number;
  /** Milliseconds the event loop may be late; beyond it 503 until it is on time again. 0 for no limit. */
  readonly maxLoopDelayMs: number;
  /** Share of the heap limit in use; beyond it 503. V8 spends its time on collecting from about nine tenths. */
  readonly maxHeapShare: number;
  /** Milliseconds in which less than `bodyStallBytes` of a request's body came, while it was wanted, until it is cut. */
  readonly bodyStallMs: number;
  /** Bytes: some 30 a second, a tenth of what the slowest of modems sends. */
  readonly bodyStallBytes: number;
  /** Milliseconds in which a client takes nothing of a response that waits for it, until it is cut. */
  readonly responseStallMs: number;
}

export const DEFAULT_GUARD_LIMITS: GuardLimits = {
  maxRequests: 10_000,
  maxRequestsPerAddress: 500,
  maxLoopDelayMs: 1_000,
  maxHeapShare: 0.85,
  bodyStallMs: 30_000,
  bodyStallBytes: 1_024,
  responseStallMs: 60_000,
};

/** Milliseconds between two looks at the event loop and the heap: overload is noticed within one of them. */
const PULSE_MS = 250;

/** Where a request stood at the last look. */
interface Progress {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly source: string;
  /** Its place among the requests under way. */
  index: number;
  received: number;
  unsent: number;
  receivedAtMs: number;
  sentAtMs: number;
}

export class Guard {
  readonly #limits: GuardLimits;
  /**
   * In no order. Not a Map or Set: V8 makes a new table for one every few dozen requests that come and go, and each old
   * table points to the next one. Once a table has grown old, everything that was ever in a later one outlives the
   * collections of the young, which then take ten times as long.
   */
  readonly #underWay: Progress[] = [];
  readonly #bySource = new SourceCounts();
  readonly #timers: readonly NodeJS.Timeout[];
  #pulseAtMs = performance.now();
  #isStruggling = false;
  #latePulses = 0;

  constructor(limits: Partial<GuardLimits> = {}) {
    this.#limits = { ...DEFAULT_GUARD_LIMITS, ...limits };
    const { bodyStallMs, responseStallMs } = this.#limits;
    const sweepMs = Math.min(5_000, bodyStallMs / 4, responseStallMs / 4);
    this.#timers = [
      setInterval(() => this.#pulse(), PULSE_MS).unref(),
      setInterval(() => this.#sweep(), sweepMs).unref(),
    ];
  }

  /** Requests under way. */
  get size(): number {
    return this.#underWay.length;
  }

  /** Whether one more request of a client can be taken on. */
  admits(address: string): boolean {
    return (
      !this.#isStruggling && this.#underWay.length < this.#limits.maxRequests && this.hasRoomFor(address)
    );
  }

  /** Whether an address has not all the requests under way that it may have. */
  hasRoomFor(address: string): boolean {
    return this.#bySource.of(address) < this.#limits.maxRequestsPerAddress;
  }

  track(req: IncomingMessage, res: ServerResponse, address: string): void {
    const progress = {
      req,
      res,
      source: this.#bySource.add(address),
      index: this.#underWay.length,
      received: -Infinity,
      unsent: -1,
      receivedAtMs: 0,
      sentAtMs: 0,
    };
    this.#underWay.push(progress);
    // It closes once; `once` would make two objects to be sure of it.
    res.on("close", () => this.#forget(progress));
  }

  #forget({ index, source }: Progress): void {
    this.#bySource.remove(source);
    // The last one takes the place of the one that is gone.
    const last = this.#underWay.pop();
    if (last === undefined || last.index === index) return;
    last.index = index;
    this.#underWay[index] = last;
  }

  close(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  #pulse(): void {
    const nowMs = performance.now();
    const lateMs = nowMs - this.#pulseAtMs - PULSE_MS;
    this.#pulseAtMs = nowMs;
    const { maxLoopDelayMs, maxHeapShare } = this.#limits;
    const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
    this.#latePulses = maxLoopDelayMs > 0 && lateMs > maxLoopDelayMs ? this.#latePulses + 1 : 0;
    // A single pause is over by the time it is noticed.
    this.#isStruggling = this.#latePulses > 1 || used > limit * maxHeapShare;
  }

  #sweep(): void {
    const nowMs = performance.now();
    const stalled = this.#underWay.filter(
      (progress) => this.#bodyStalls(progress, nowMs) || this.#responseStalls(progress, nowMs),
    );
    for (const { res } of stalled) res.destroy();
  }

  /** Bytes are counted by connection: a stream of HTTP/2 does not tell its own. */
  #bodyStalls(progress: Progress, nowMs: number): boolean {
    const { req } = progress;
    const { bodyStallMs, bodyStallBytes } = this.#limits;
    const received = req.socket?.bytesRead ?? 0;
    if (req.complete || req.readableLength > 0 || received - progress.received >= bodyStallBytes) {
      progress.received = received;
      progress.receivedAtMs = nowMs;
    }
    return nowMs - progress.receivedAtMs > bodyStallMs;
  }

  #responseStalls(progress: Progress, nowMs: number): boolean {
    const { res } = progress;
    const unsent = res.writableLength + (res.socket?.writableLength ?? 0);
    if (unsent === 0 || unsent !== progress.unsent) {
      progress.unsent = unsent;
      progress.sentAtMs = nowMs;
    }
    return nowMs - progress.sentAtMs > this.#limits.responseStallMs;
  }
}
