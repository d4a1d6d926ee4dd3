/** What the cases of responses share: options of the guard, a gate that streams wait at, and what handlers note. */
import { defineOperations } from "../../../src/adapters/define-operations.ts";
import type { KeySetInput, StepgateOptions } from "../../../src/adapters/options.ts";
import { keys, startClock } from "../kit.ts";

/** Every case is a tracked operation: its head is edited. */
const operations = defineOperations({
  look: "GET /case/{name}",
  send: "POST /case/{name}",
  socket: "GET /socket",
});

export const guardOptions = (): StepgateOptions & { readonly keys: KeySetInput } => ({
  operations,
  rules: [operations.require("look").before("send").logOnly()],
  keys,
  now: startClock().now,
});

/** What one exchange asks and how it is looked at; GET without body unless given. */
export interface Case {
  readonly method?: string;
  /** Field lines, each with its CRLF. */
  readonly fields?: string;
  /** Sent at once; after the interim 100 when `fields` expect one. */
  readonly body?: string;
  /** The client leaves as soon as it has a piece of the body. */
  readonly leaves?: boolean;
  /** Whether the head that is sent is one of ours; `false` where the application never completes one. */
  readonly isSealed?: boolean;
  /** Whether HEAD is tried too; `false` where Node itself throws at it. */
  readonly hasHead?: boolean;
  /** Whether the server may choose anew how it marks the end of the body: of a response that has to be built anew. */
  readonly isReframed?: boolean;
  /** Over HTTP/1.1 only. */
  readonly isHttp1?: boolean;
}

/** A gate that only the client opens, when a piece of the body has reached it: what is held back never arrives. */
let gate = Promise.withResolvers<void>();
let notes: string[] = [];

export function nextExchange(): void {
  gate = Promise.withResolvers<void>();
  notes = [];
}
export const openGate = (): void => gate.resolve();
export const atGate = (): Promise<void> => gate.promise;

/** What a handler sees of its own response; compared like the answer. */
export const note = (text: string): void => void notes.push(text);
export const noted = (): readonly string[] => notes;

/** The first piece at once, the others when it has arrived. */
export async function* slowly(...pieces: readonly string[]): AsyncGenerator<string> {
  for (const [index, piece] of pieces.entries()) {
    if (index === 1) await atGate();
    yield piece;
  }
}

/** A stream that breaks when its first piece has arrived. */
export async function* breaking(): AsyncGenerator<string> {
  yield* slowly("one ");
  await atGate();
  throw new Error("boom");
}

/** Pages of errors show the stack, in which our callers would be seen. */
export function appError(fields: object = {}): Error {
  const error = Object.assign(new Error("boom"), fields);
  error.stack = "Error: boom";
  return error;
}
