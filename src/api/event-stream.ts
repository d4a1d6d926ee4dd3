/** Stored events as server-sent events (HTML standard, section 9.2). */
import type { StoredEvent } from "../store/index.ts";

export interface EventStreamOptions {
  /** Sequence of the last event that is not sent. */
  readonly from: number;
  /** The oldest events behind a sequence. */
  readonly read: (afterSequence: number, limit: number) => readonly StoredEvent[];
  /** Calls its listener when there may be new events of this process. */
  readonly subscribe: (listener: () => void) => () => void;
  readonly toRecord: (event: StoredEvent) => unknown;
  /** Called once, when the client has left. */
  readonly onEnd: () => void;
}

/** How often the store is asked for events that other processes have written. */
const POLL_MS = 1_000;

/** Rounds of polling after which a comment keeps proxies from closing a silent connection: 15 s. */
const ROUNDS_PER_COMMENT = 15;

/** Events sent at a time; the next ones when the client has taken these. */
const BATCH = 100;

const encoder = new TextEncoder();

/**
 * A client that reads slowly is sent nothing until it has caught up; the events wait in the store meanwhile, and those
 * that the store forgets are missed.
 */
export function createEventStream(options: EventStreamOptions): ReadableStream<Uint8Array> {
  let sequence = options.from;
  let stop: (() => void) | undefined;
  const send = (controller: ReadableStreamDefaultController<Uint8Array>): boolean => {
    if ((controller.desiredSize ?? 0) <= 0) return false;
    const rows = options.read(sequence, BATCH);
    if (rows.length === 0) return false;
    sequence = rows.at(-1)?.sequence ?? sequence;
    controller.enqueue(encoder.encode(rows.map((row) => toMessage(row, options.toRecord)).join("")));
    return true;
  };
  return new ReadableStream<Uint8Array>({
    start(controller) {
      // Opens the stream at the client before there is anything to tell.
      controller.enqueue(encoder.encode(": following\n\n"));
      let rounds = 0;
      const timer = setInterval(() => {
        rounds += 1;
        const hasSent = send(controller);
        if (!hasSent && rounds % ROUNDS_PER_COMMENT === 0 && (controller.desiredSize ?? 0) > 0)
          controller.enqueue(encoder.encode(": still here\n\n"));
      }, POLL_MS).unref();
      const unsubscribe = options.subscribe(() => void send(controller));
      stop = () => {
        clearInterval(timer);
        unsubscribe();
        options.onEnd();
      };
    },
    pull(controller) {
      send(controller);
    },
    cancel() {
      stop?.();
    },
  });
}

/** JSON has no line ends: one `data` line is enough. */
function toMessage(row: StoredEvent, toRecord: EventStreamOptions["toRecord"]): string {
  return `id: ${row.sequence}\nevent: rule\ndata: ${JSON.stringify(toRecord(row))}\n\n`;
}
