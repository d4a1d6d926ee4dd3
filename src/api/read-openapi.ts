/** Has uploaded documents read in a thread, one at a time, with bounds on memory and time. */
import { once } from "node:events";
import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import type { ReadDocument } from "./openapi-source.ts";

/** Next to this file, compiled or not. */
const WORKER_FILE = new URL(`./openapi-worker${extname(import.meta.url)}`, import.meta.url);

/** The largest documents that are taken need about a third of both. */
const MAX_HEAP_MEGABYTES = 512;
/** What takes longer is such nesting as nobody writes. */
const TIME_LIMIT_MS = 15_000;
/** How long an idle thread waits for another document. */
const IDLE_MS = 5000;

/** @returns the document, or why it is refused; rejects only when no thread can be had */
export type OpenApiReader = (text: string) => Promise<ReadDocument>;

export function createOpenApiReader(timeLimitMs = TIME_LIMIT_MS): OpenApiReader {
  let worker: Worker | undefined;
  let idle: NodeJS.Timeout | undefined;
  let last: Promise<unknown> = Promise.resolve();

  return (text) => {
    const turn = last.then(() => readNext(text));
    last = turn.catch(() => undefined);
    return turn;
  };

  async function readNext(text: string): Promise<ReadDocument> {
    clearTimeout(idle);
    try {
      worker ??= await startWorker();
      const read = await ask(worker, text, timeLimitMs);
      if (read === undefined) {
        end();
        return refused(`expected a document that is read in ${timeLimitMs / 1000} s; split it`);
      }
      idle = setTimeout(end, IDLE_MS).unref();
      return read;
    } catch (error) {
      end();
      if ((error as NodeJS.ErrnoException).code !== "ERR_WORKER_OUT_OF_MEMORY") throw error;
      return refused("it takes too much memory to read; split it");
    }
  }

  function end(): void {
    void worker?.terminate();
    worker = undefined;
  }
}

export const readOpenApi: OpenApiReader = createOpenApiReader();

async function startWorker(): Promise<Worker> {
  const worker = new Worker(WORKER_FILE, {
    env: {},
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MEGABYTES },
  });
  await once(worker, "message");
  // A document that is being read keeps its request open, and nothing else the process.
  worker.unref();
  return worker;
}

/** @returns `undefined` when there was no answer in time */
async function ask(worker: Worker, text: string, timeLimitMs: number): Promise<ReadDocument | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<ReadDocument | undefined>();
  const onExit = (): void => reject(new Error("expected an answer of the thread, found that it ended"));
  const timer = setTimeout(() => resolve(undefined), timeLimitMs);
  worker.once("message", resolve);
  worker.once("error", reject);
  worker.once("exit", onExit);
  worker.postMessage(text, []);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    worker.off("message", resolve);
    worker.off("error", reject);
    worker.off("exit", onExit);
  }
}

function refused(reason: string): ReadDocument {
  return { kind: "error", problems: [{ reason }] };
}
