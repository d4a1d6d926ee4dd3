/** Traffic of visitors who follow a Markov chain, with the scores that are true of it. */

/** Uniform numbers in [0, 1), the same ones for the same seed (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Short id of the operation with the number `at`; not in the order of the numbers. */
export function shortId(at: number): string {
  return (Math.imul(at + 1, 0x9e3779b1) >>> 0).toString(16).padStart(8, "0");
}

export interface ChainOptions {
  readonly operations: number;
  /** Operations that each operation goes on to, itself not counted. */
  readonly fanOut: number;
  /** Probability of a direct repeat. */
  readonly repeat: number;
  /** Probability that a visit ends. */
  readonly end: number;
  /** How much likelier the first of them are: exponent of a power law, 0 for none. */
  readonly skew?: number;
  readonly seed: number;
}

export interface Chain {
  readonly options: ChainOptions;
  /** Where each operation goes on to, with probabilities that add up to 1 - repeat - end. */
  readonly steps: readonly (readonly { readonly to: number; readonly probability: number }[])[];
}

export function createChain(options: ChainOptions): Chain {
  const random = createRandom(options.seed);
  const steps = Array.from({ length: options.operations }, (_, from) => {
    const targets = new Set<number>();
    while (targets.size < Math.min(options.fanOut, options.operations - 1)) {
      const to = Math.floor(random() * options.operations);
      if (to !== from) targets.add(to);
    }
    const weights = [...targets].map((to, rank) => ({
      to,
      weight: (0.05 + random()) / (rank + 1) ** (options.skew ?? 0),
    }));
    const total = weights.reduce((sum, { weight }) => sum + weight, 0);
    const rest = 1 - options.repeat - options.end;
    return weights.map(({ to, weight }) => ({ to, probability: (weight / total) * rest }));
  });
  return { options, steps };
}

export interface Traffic {
  readonly size: number;
  /** Operation of each request. */
  readonly ops: Uint16Array;
  /** Length of its history. */
  readonly lengths: Uint8Array;
  /** History of each request, newest first, `MAX_HISTORY` places for each. */
  readonly histories: Uint16Array;
}

export const MAX_HISTORY = 10;

/**
 * Requests of visitors who start anywhere.
 *
 * @param atOnce visitors at a time. The visits of as many are cut off at the end, of which only the beginnings are
 *   there: where scores are compared with true ones they have to be few.
 */
export function createTraffic({ options, steps }: Chain, size: number, seed: number, atOnce = 1000): Traffic {
  const random = createRandom(seed);
  const ops = new Uint16Array(size);
  const lengths = new Uint8Array(size);
  const histories = new Uint16Array(size * MAX_HISTORY);
  const visitors: number[][] = Array.from({ length: atOnce }, () => []);
  for (let at = 0; at < size; at += 1) {
    const visitor = Math.floor(random() * visitors.length);
    let history = visitors[visitor]!;
    let op = next(history[0]);
    if (op === undefined) {
      history = [];
      visitors[visitor] = history;
      op = Math.floor(random() * options.operations);
    }
    ops[at] = op;
    lengths[at] = history.length;
    histories.set(history, at * MAX_HISTORY);
    history.unshift(op);
    if (history.length > MAX_HISTORY) history.pop();
  }
  return { size, ops, lengths, histories };

  function next(last: number | undefined): number | undefined {
    if (last === undefined) return undefined;
    let rest = random() - options.repeat;
    if (rest < 0) return last;
    for (const { to, probability } of steps[last]!) {
      rest -= probability;
      if (rest < 0) return to;
    }
    return undefined;
  }
}

/** Calls `record` for each request, with short ids. */
export function replay(
  traffic: Traffic,
  record: (currentOp: string, previousOps: readonly string[], at: number) => void,
): void {
  const most = traffic.ops.reduce((max, op) => Math.max(max, op), 0);
  const ids = Array.from({ length: most + 1 }, (_, op) => shortId(op));
  const byLength = Array.from({ length: MAX_HISTORY + 1 }, (_, length) => Array.from({ length }, () => ""));
  for (let at = 0; at < traffic.size; at += 1) {
    const length = traffic.lengths[at]!;
    const previous = byLength[length]!;
    for (let entry = 0; entry < length; entry += 1)
      previous[entry] = ids[traffic.histories[at * MAX_HISTORY + entry]!]!;
    record(ids[traffic.ops[at]!]!, previous, at);
  }
}

export interface TrueSequence {
  /** Short ids, the oldest first. */
  readonly operations: readonly string[];
  readonly precedence: number;
  readonly follow: number;
  /** Share of all requests that end it. */
  readonly frequency: number;
}

/**
 * Every sequence of up to `maxLength` operations whose true precedence is at least `minPrecedence`, from the expected
 * visits of the chain: (I - Q)⁻¹ applied to a uniform start, by iteration.
 */
export function trueSequences(chain: Chain, maxLength: number, minPrecedence: number): TrueSequence[] {
  const { operations, repeat } = chain.options;
  let requests = new Float64Array(operations).fill(1 / operations);
  const start = requests.slice();
  for (let round = 0; round < 1000; round += 1) {
    const next = start.slice();
    for (const [from, steps] of chain.steps.entries()) {
      next[from]! += requests[from]! * repeat;
      for (const { to, probability } of steps) next[to]! += requests[from]! * probability;
    }
    requests = next;
  }
  const total = requests.reduce((sum, expected) => sum + expected, 0);
  // A visit without its repeats: it is entered once, and left by a step with these probabilities.
  const visits = requests.map((expected) => expected * (1 - repeat));
  const found: TrueSequence[] = [];
  const extend = (path: readonly number[], expected: number): void => {
    const last = path.at(-1)!;
    const precedence = expected / visits[last]!;
    // A longer one keeps at most its count, so its precedence at any later end is checked there.
    if (path.length >= 2 && precedence >= minPrecedence) {
      const leave = chain.steps[path.at(-2)!]!.find(({ to }) => to === last)!;
      found.push({
        operations: path.map(shortId),
        precedence,
        follow: leave.probability / (1 - repeat),
        frequency: expected / total,
      });
    }
    if (path.length === maxLength) return;
    for (const { to, probability } of chain.steps[last]!) {
      extend([...path, to], (expected * probability) / (1 - repeat));
    }
  };
  for (let op = 0; op < operations; op += 1) extend([op], visits[op]!);
  return found;
}
