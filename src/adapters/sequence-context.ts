/** What a handler is told of the visitor's earlier operations. */
import type { Visit } from "../engine/index.ts";

/** The three fields of the Rules language, for the program. */
export interface SequenceContext {
  /** Short id of the operation this request is; `""` when it is none. */
  readonly currentOp: string;
  /** Short ids of earlier operations, newest first, repeats kept, without this request. */
  readonly previousOps: readonly string[];
  /** Short id → milliseconds since its latest earlier call. */
  readonly msecSinceOp: Readonly<Record<string, number>>;
}

type History = Awaited<ReturnType<Visit["history"]>>;

/** For runtimes on which cookies are opened synchronously: they are, when a handler first asks for what is in them. */
export class LazySequence implements SequenceContext {
  readonly currentOp: string;
  readonly #visit: Visit;
  #history: History | undefined;
  #ages: Readonly<Record<string, number>> | undefined;

  constructor(visit: Visit) {
    this.#visit = visit;
    this.currentOp = visit.currentOp;
  }

  get previousOps(): readonly string[] {
    return this.#read().previousOps;
  }

  get msecSinceOp(): Readonly<Record<string, number>> {
    return (this.#ages ??= toRecord(this.#read().msecSinceOp));
  }

  /** The getters are on the prototype, where JSON does not look. */
  toJSON(): SequenceContext {
    const { currentOp, previousOps, msecSinceOp } = this;
    return { currentOp, previousOps, msecSinceOp };
  }

  #read(): History {
    if (this.#history === undefined) {
      const history = this.#visit.history();
      if (history instanceof Promise) throw new TypeError("expected cookies that are opened synchronously");
      this.#history = history;
    }
    return this.#history;
  }
}

export function toSequenceContext(currentOp: string, history: History): SequenceContext {
  return { currentOp, previousOps: history.previousOps, msecSinceOp: toRecord(history.msecSinceOp) };
}

/** Short ids are of our making, but a prototype has names too. */
function toRecord(ages: ReadonlyMap<string, number>): Readonly<Record<string, number>> {
  const record = Object.create(null) as Record<string, number>;
  for (const [op, age] of ages) record[op] = age;
  return record;
}
