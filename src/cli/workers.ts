/** Several processes that serve the gateway on one port. The one that starts them owns the API and the store's files. */
import cluster from "node:cluster";
import type { Worker } from "node:cluster";
import { setTimeout as sleep } from "node:timers/promises";
import type { SecurityEvent } from "../engine/index.ts";
import type { Logger } from "./log.ts";

/** What the processes tell each other. */
export type WorkerMessage =
  | { readonly kind: "listening"; readonly port: number }
  | { readonly kind: "failed"; readonly message: string }
  | { readonly kind: "event"; readonly event: SecurityEvent }
  | { readonly kind: "flushed"; readonly request: number };

export type PrimaryMessage =
  | { readonly kind: "stop"; readonly graceMs: number }
  | { readonly kind: "reload" }
  | { readonly kind: "flush"; readonly request: number };

/** Milliseconds until a worker that ended by itself is started again: one that fails at once must not spin. */
const RESTART_DELAY_MS = 1_000;
/** Milliseconds that somebody waits for the counts of a worker that is busy. */
const FLUSH_TIMEOUT_MS = 1_000;
/** Milliseconds beyond the grace time until a worker that does not end is killed. */
const KILL_AFTER_MS = 1_000;

export interface Workers {
  readonly port: number;
  /** How many are serving now. */
  readonly listening: number;
  reload(): void;
  /** Has all of them write their counts; returns when they have, or after a second. */
  flush(): Promise<void>;
  close(graceMs: number): Promise<void>;
}

export interface WorkersOptions {
  readonly count: number;
  readonly logger: Logger;
  readonly onEvent: (event: SecurityEvent) => void;
}

/**
 * Starts the program of this process once more as `count` workers, with the same arguments.
 *
 * @throws {Error} with the message of a worker that cannot serve
 */
export async function startWorkers({ count, logger, onEvent }: WorkersOptions): Promise<Workers> {
  const serving = new Set<Worker>();
  let isClosing = false;
  const start = (): Promise<number> =>
    new Promise((resolve, reject) => {
      const worker = cluster.fork();
      worker.on("message", (message: WorkerMessage) => {
        if (message.kind === "event") onEvent(message.event);
        else if (message.kind === "failed") reject(new Error(message.message));
        else if (message.kind === "listening") {
          serving.add(worker);
          resolve(message.port);
        }
      });
      worker.once("exit", (code, signal) => {
        const wasServing = serving.delete(worker);
        reject(new Error(`a worker ended with ${signal ?? code}`));
        if (isClosing || !wasServing) return;
        logger.error(
          { event: "worker", pid: worker.process.pid, code, signal },
          "a worker ended; starting another",
        );
        void restart();
      });
    });
  const restart = async (attempt = 1): Promise<void> => {
    await sleep(RESTART_DELAY_MS * Math.min(attempt, 30), undefined, { ref: false });
    if (isClosing) return;
    try {
      await start();
    } catch (error) {
      logger.error({ event: "worker", error: (error as Error).message }, "a worker cannot be started");
      await restart(attempt + 1);
    }
  };
  const close = async (graceMs: number): Promise<void> => {
    isClosing = true;
    const left = Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined);
    await Promise.all(left.map((worker) => stopWorker(worker, graceMs)));
  };
  try {
    const [port = 0] = await Promise.all(Array.from({ length: count }, start));
    return {
      port,
      get listening() {
        return serving.size;
      },
      reload: () => {
        for (const worker of serving) worker.send({ kind: "reload" } satisfies PrimaryMessage);
      },
      flush: async () => void (await Promise.all([...serving].map(flushWorker))),
      close,
    };
  } catch (error) {
    await close(0);
    throw error;
  }
}

/** Numbers the requests for counts, so that a late answer is not taken for that of the next. */
let flushes = 0;

function flushWorker(worker: Worker): Promise<void> {
  const request = (flushes += 1);
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      worker.off("message", onMessage);
      worker.off("exit", done);
      resolve();
    };
    const onMessage = (message: WorkerMessage): void => {
      if (message.kind === "flushed" && message.request === request) done();
    };
    const timer = setTimeout(done, FLUSH_TIMEOUT_MS);
    worker.on("message", onMessage);
    worker.once("exit", done);
    if (worker.isConnected()) worker.send({ kind: "flush", request } satisfies PrimaryMessage);
    else done();
  });
}

function stopWorker(worker: Worker, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    if (worker.isDead()) {
      resolve();
      return;
    }
    const timer = setTimeout(() => worker.process.kill("SIGKILL"), graceMs + KILL_AFTER_MS);
    worker.once("exit", () => {
      clearTimeout(timer);
      resolve();
    });
    if (worker.isConnected()) worker.send({ kind: "stop", graceMs } satisfies PrimaryMessage);
  });
}
