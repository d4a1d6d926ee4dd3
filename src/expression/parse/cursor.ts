/**
 * Reading position in a source. The language has no tokens that stand on their own: words are matched as
 * plain prefixes, and how a literal ends depends on the type to its left. So the lexers read from here on
 * demand instead of from a list of tokens.
 */
import type { ErrorCode, Fault } from "../errors.ts";

/** Ends parsing: what follows cannot be read. */
export class SyntaxFault extends Error {
  readonly fault: Fault;

  constructor(fault: Fault) {
    super(fault.message);
    this.fault = fault;
  }
}

export class Cursor {
  readonly source: string;
  /** Where the input ends, without the white space after it. */
  readonly end: number;
  at: number;

  constructor(source: string) {
    const { start, end } = trimmed(source);
    this.source = source;
    this.end = end;
    this.at = start;
  }

  get isAtEnd(): boolean {
    return this.at >= this.end;
  }

  /** The character here; empty at the end. */
  get next(): string {
    return this.isAtEnd ? "" : String.fromCodePoint(this.source.codePointAt(this.at) ?? 0);
  }

  startsWith(text: string, at = this.at): boolean {
    return at + text.length <= this.end && this.source.startsWith(text, at);
  }

  /** Steps over `text` when it stands here. */
  accept(text: string): boolean {
    if (!this.startsWith(text)) {
      return false;
    }
    this.at += text.length;
    return true;
  }

  /** @throws {SyntaxFault} unless `text` stands here. */
  expect(text: string): void {
    if (!this.accept(text)) {
      throw this.fault("expected_literal", `expected \`${text}\`, found ${this.found()}`);
    }
  }

  /** Steps over space, CR and LF; a tab is no white space here (language.md section 2). */
  skipSpace(): void {
    while (!this.isAtEnd && isSpace(this.source.charCodeAt(this.at))) {
      this.at += 1;
    }
  }

  /** The longest run of characters that match here, which may be empty. */
  takeWhile(matches: (unit: number) => boolean): string {
    const start = this.at;
    while (!this.isAtEnd && matches(this.source.charCodeAt(this.at))) {
      this.at += 1;
    }
    return this.source.slice(start, this.at);
  }

  /** @throws {SyntaxFault} when fewer than `count` characters are left. */
  take(count: number): string {
    const start = this.at;
    let at = start;
    for (let taken = 0; taken < count; taken += 1) {
      if (at >= this.end) {
        throw this.fault("too_few_characters", `expected ${count} characters, found ${this.found()}`);
      }
      at += (this.source.codePointAt(at) ?? 0) > 0xffff ? 2 : 1;
    }
    this.at = at;
    return this.source.slice(start, at);
  }

  /** A fault from here, or from `start`, to the end of the input or `end`. */
  fault(code: ErrorCode, message: string, start = this.at, end = this.end): SyntaxFault {
    return new SyntaxFault({ code, message, start, end });
  }

  /** What stands here, for messages: the text up to the next white space, in backticks. */
  found(): string {
    if (this.isAtEnd) {
      return "the end of the expression";
    }
    const rest = this.source.slice(this.at, Math.min(this.end, this.at + FOUND_CHARACTERS));
    if (INVISIBLE.test(rest)) {
      return `${nameOf(rest)}, which does not separate words: write a space`;
    }
    const word = /^\s|^[^\s()]+|^./u.exec(rest)?.[0] ?? rest;
    return `\`${word}\``;
  }
}

const FOUND_CHARACTERS = 24;

/** Characters that look like a space, or like nothing, and are no white space of the language. */
export const INVISIBLE = /^[\t\v\f\u0085\u00a0\u1680\u2000-\u200f\u2028\u2029\u202f\u205f\u2060\u3000\ufeff]/;

function nameOf(text: string): string {
  const code = text.charCodeAt(0);
  return code === 0x09 ? "a tab" : `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}

function isSpace(unit: number): boolean {
  return unit === 0x20 || unit === 0x0d || unit === 0x0a;
}

/** Unicode White_Space. Not `\s`: that has U+FEFF, which is none, and lacks U+0085. */
const WHITE_SPACE = /[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

function trimmed(source: string): { readonly start: number; readonly end: number } {
  let start = 0;
  let end = source.length;
  while (start < end && WHITE_SPACE.test(source.charAt(start))) {
    start += 1;
  }
  while (end > start && WHITE_SPACE.test(source.charAt(end - 1))) {
    end -= 1;
  }
  return { start, end };
}
