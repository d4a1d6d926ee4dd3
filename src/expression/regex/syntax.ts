/** The tree of a regular expression over bytes, and the reader its parsers share. */
import type { Range, Ranges } from "./ranges.ts";

export type Assertion = "textStart" | "textEnd" | "lineStart" | "lineEnd" | "word" | "notWord";

export type RegexNode =
  | { readonly kind: "empty" }
  /** One byte out of a set; an empty set matches nothing. */
  | { readonly kind: "byte"; readonly ranges: Ranges }
  | { readonly kind: "assertion"; readonly assertion: Assertion }
  | { readonly kind: "sequence"; readonly parts: readonly RegexNode[] }
  | { readonly kind: "alternation"; readonly branches: readonly RegexNode[] }
  | { readonly kind: "group"; readonly isCapture: boolean; readonly inner: RegexNode }
  | {
      readonly kind: "repeat";
      readonly inner: RegexNode;
      readonly min: number;
      /** `undefined`: without end. */
      readonly max: number | undefined;
      readonly isLazy: boolean;
    };

/** Flags in force at one place: `(?imsUux)`. Unicode is off unless asked for. */
export interface Flags {
  readonly i: boolean;
  readonly m: boolean;
  readonly s: boolean;
  readonly U: boolean;
  readonly u: boolean;
  readonly x: boolean;
}

/** Why a pattern is refused. */
export class RegexProblem extends Error {}

/** The pattern by characters, with the white space rules of `(?x)`. */
export class RegexReader {
  readonly #characters: readonly string[];
  #at = 0;

  constructor(pattern: string) {
    this.#characters = Array.from(pattern);
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#characters.length;
  }

  get next(): string {
    return this.#characters[this.#at] ?? "";
  }

  get at(): number {
    return this.#at;
  }

  /** Steps back to where the reader was. */
  reset(at: number): void {
    this.#at = at;
  }

  peek(ahead = 1): string {
    return this.#characters[this.#at + ahead] ?? "";
  }

  take(): string {
    const taken = this.next;
    this.#at += 1;
    return taken;
  }

  startsWith(text: string): boolean {
    return Array.from(text).every((character, index) => this.peek(index) === character);
  }

  accept(text: string): boolean {
    if (!this.startsWith(text)) {
      return false;
    }
    this.#at += text.length;
    return true;
  }

  /** In `(?x)`: steps over white space and comments. */
  skipBlank(flags: Flags): void {
    while (flags.x && !this.isAtEnd) {
      if (PATTERN_WHITE_SPACE.test(this.next)) {
        this.#at += 1;
      } else if (this.next === "#") {
        while (!this.isAtEnd && this.take() !== "\n") {
          // The comment ends with its line.
        }
      } else {
        return;
      }
    }
  }
}

/** Unicode Pattern_White_Space. */
const PATTERN_WHITE_SPACE = /[\t-\r \u0085\u200e\u200f\u2028\u2029]/;

export function byteNode(byte: number): RegexNode {
  return { kind: "byte", ranges: [[byte, byte]] };
}

export function sequenceNode(parts: readonly RegexNode[]): RegexNode {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) {
    return only;
  }
  return parts.length === 0 ? { kind: "empty" } : { kind: "sequence", parts };
}

export function alternationNode(branches: readonly RegexNode[]): RegexNode {
  const [only] = branches;
  return branches.length === 1 && only !== undefined ? only : { kind: "alternation", branches };
}

/**
 * Sequences of byte ranges as one node. Common beginnings are shared, so that a class of thousands of
 * code points does not try each of them from the start.
 */
export function sequencesNode(sequences: readonly (readonly Range[])[]): RegexNode {
  const branches: RegexNode[] = [];
  const single: Range[] = [];
  const byFirst = new Map<string, { readonly range: Range; readonly rests: (readonly Range[])[] }>();
  for (const [first, ...rest] of sequences) {
    if (first === undefined) {
      continue;
    }
    if (rest.length === 0) {
      single.push(first);
      continue;
    }
    const key = first.join("-");
    const entry = byFirst.get(key) ?? { range: first, rests: [] };
    entry.rests.push(rest);
    byFirst.set(key, entry);
  }
  if (single.length > 0 || sequences.length === 0) {
    branches.push({ kind: "byte", ranges: single });
  }
  for (const { range, rests } of byFirst.values()) {
    branches.push(sequenceNode([{ kind: "byte", ranges: [range] }, sequencesNode(rests)]));
  }
  return alternationNode(branches);
}
