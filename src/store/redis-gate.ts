/**
 * What stands between requests and a Redis that may be slow or gone: a deadline for each call and a circuit breaker.
 *
 * A call that is not answered in time is given up. From then on nothing is sent any more: calls fail at once, and a PING
 * of our own finds out when Redis answers in time again, at the earliest a millisecond later. So a request that makes
 * several calls one after another waits once. Without a connection calls fail at once as well; the client reconnects
 * by itself.
 */
import { StateUnavailableError } from "../sequence/index.ts";

/** The connection as the gate sees it. */
export interface GatedConnection {
  /** Whether commands would be sent now. */
  isReady(): boolean;
  ping(): Promise<unknown>;
  /** Drops the connection and makes a new one. */
  reconnect(): void;
}

export type RedisStatus = "up" | "down";

export interface GateOptions {
  /** What a request can wait; 50 ms by default. Covers the call as a whole, queueing included. */
  readonly timeoutMs?: number;
  /** Told when shared state becomes available or unavailable; `reason` is for logs. */
  readonly onStatus?: (status: RedisStatus, reason: string) => void;
}

const DEFAULT_TIMEOUT_MS = 50;

/** How often a closed gate asks whether Redis is back. */
const PROBE_INTERVAL_MS = 250;

/** A connection that answers nothing, or does not get ready, for so long is replaced. */
const SILENCE_MS = 1000;

const DOWN = new StateUnavailableError("ERR_STATE_DOWN", "expected Redis to be available, found it down");

export class RedisGate {
  readonly #connection: GatedConnection;
  readonly #timeoutMs: number;
  readonly #onStatus: (status: RedisStatus, reason: string) => void;
  #status: RedisStatus = "down";
  #probeTimer: NodeJS.Timeout | undefined;
  /** When the PING went out that has no answer yet, monotonic ms. */
  #pingedAt: number | undefined;
  /** Since when the connection is there but not ready, monotonic ms. */
  #waitingSince: number;
  #isClosed = false;

  constructor(connection: GatedConnection, options: GateOptions) {
    this.#connection = connection;
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.#onStatus = options.onStatus ?? (() => undefined);
    this.#waitingSince = performance.now();
    this.#watch();
  }

  get status(): RedisStatus {
    return this.#status;
  }

  /**
   * Runs one call.
   *
   * @returns its reply; rejects with {@link StateUnavailableError} and nothing else, within the time-out
   */
  run<Reply>(call: () => Promise<Reply>): Promise<Reply> {
    if (this.#status === "down" || !this.#connection.isReady()) return Promise.reject(DOWN);
    return new Promise((resolve, reject) => {
      let isAnswered = false;
      const timer = setTimeout(() => {
        // If it was this process that was late, the answer is here already, and is read before what is set now runs.
        setImmediate(() => {
          if (isAnswered) return;
          reject(timedOut(this.#timeoutMs));
          this.#suspect();
        });
      }, this.#timeoutMs);
      const answered = (settle: () => void): void => {
        isAnswered = true;
        clearTimeout(timer);
        settle();
      };
      call().then(
        (reply) => answered(() => resolve(reply)),
        (error: unknown) => answered(() => reject(toUnavailable(error))),
      );
    });
  }

  /** The connection has become ready for commands. */
  ready(): void {
    this.#open("connected");
  }

  /** The connection is lost. */
  lost(reason: string): void {
    this.#waitingSince = performance.now();
    this.#pingedAt = undefined;
    this.#shut(reason);
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#probeTimer);
  }

  /** A call was late: whether Redis is, a PING tells. */
  #suspect(): void {
    if (this.#status === "down") return;
    this.#shut("a call was not answered in time");
    this.#probe();
  }

  #open(reason: string): void {
    clearInterval(this.#probeTimer);
    this.#probeTimer = undefined;
    if (this.#status === "up") return;
    this.#status = "up";
    this.#onStatus("up", reason);
  }

  #shut(reason: string): void {
    this.#watch();
    if (this.#status === "down") return;
    this.#status = "down";
    if (!this.#isClosed) this.#onStatus("down", reason);
  }

  #watch(): void {
    if (this.#isClosed || this.#probeTimer !== undefined) return;
    this.#probeTimer = setInterval(() => this.#probe(), PROBE_INTERVAL_MS);
    this.#probeTimer.unref();
  }

  #probe(): void {
    const now = performance.now();
    if (!this.#connection.isReady()) {
      if (now - this.#waitingSince < SILENCE_MS) return;
      this.#waitingSince = now;
      this.#connection.reconnect();
      return;
    }
    if (this.#pingedAt === undefined) {
      this.#pingedAt = now;
      this.#connection.ping().then(
        () => this.#answered(now),
        () => (this.#pingedAt = undefined),
      );
    } else if (now - this.#pingedAt >= SILENCE_MS) {
      this.#pingedAt = undefined;
      this.#connection.reconnect();
    }
  }

  #answered(pingedAt: number): void {
    if (this.#pingedAt !== pingedAt) return;
    this.#pingedAt = undefined;
    // An answer that comes too late shows that Redis lives, not that requests could wait for it.
    if (performance.now() - pingedAt <= this.#timeoutMs) this.#open("answers in time");
  }
}

function timedOut(timeoutMs: number): StateUnavailableError {
  return new StateUnavailableError(
    "ERR_STATE_TIMEOUT",
    `expected an answer of Redis within ${timeoutMs} ms, found none`,
  );
}

/** Of an error that Redis replies with only the first word is told (`OOM`, `READONLY`, …): the rest may quote arguments. */
function toUnavailable(error: unknown): StateUnavailableError {
  if (!(error instanceof Error) || error.name !== "ReplyError") return DOWN;
  const [cause = ""] = error.message.split(" ", 1);
  return new StateUnavailableError(
    "ERR_STATE_REFUSED",
    `expected Redis to run the command, found the error \`${cause}\``,
    error,
  );
}
