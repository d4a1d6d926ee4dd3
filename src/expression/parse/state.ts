/** What all parts of the parser share: position, names, mistakes so far, depth. */
import type { Argument, LogicalNode } from "../ast.ts";
import { Cursor, SyntaxFault } from "./cursor.ts";
import type { ErrorCode, Fault } from "../errors.ts";
import { MAX_NESTING_DEPTH } from "../limits.ts";
import type { Span } from "../position.ts";
import type { Scheme } from "../scheme.ts";

/** The rules of the grammar that refer to each other in circles. */
export interface Grammar {
  readonly logical: (state: ParseState) => LogicalNode;
  readonly argument: (state: ParseState) => Argument;
}

export class ParseState {
  readonly cursor: Cursor;
  readonly scheme: Scheme;
  readonly grammar: Grammar;
  /** Mistakes after which parsing went on: those of names and types. */
  readonly faults: Fault[] = [];
  /** Where the last bare Bool ended, -1 before the first: an operator behind it is a mistake of its own kind. */
  bareBoolEnd = -1;
  #depth = 0;

  constructor(source: string, scheme: Scheme, grammar: Grammar) {
    this.cursor = new Cursor(source);
    this.scheme = scheme;
    this.grammar = grammar;
  }

  /** Notes a mistake and goes on. */
  report(code: ErrorCode, message: string, span: Span): void {
    this.faults.push({ code, message, start: span.start, end: span.end });
  }

  /** From `start` to here. */
  spanFrom(start: number): Span {
    return { start, end: this.cursor.at };
  }

  /** From `start` to the end of the input: where the reference engine ends most spans. */
  spanToEnd(start: number): Span {
    return { start, end: this.cursor.end };
  }

  /**
   * Parses one level deeper.
   *
   * @throws {SyntaxFault} at the cursor beyond {@link MAX_NESTING_DEPTH} levels.
   */
  nested<T>(parse: () => T): T {
    if (this.#depth >= MAX_NESTING_DEPTH) {
      throw this.cursor.fault(
        "nesting_too_deep",
        `expected at most ${MAX_NESTING_DEPTH} levels of parentheses, \`not\` and calls`,
      );
    }
    this.#depth += 1;
    const result = parse();
    this.#depth -= 1;
    return result;
  }

  /**
   * Parses if that works without a mistake, else steps back. The mistake that was in the way is returned
   * for a better message. A name that is known but not available is none here: its own message is the best.
   */
  attempt<T>(parse: () => T): { readonly value: T } | { readonly fault: Fault } {
    const { at } = this.cursor;
    const depth = this.#depth;
    const known = this.faults.length;
    let fault: Fault | undefined;
    try {
      const value = parse();
      fault = this.faults.slice(known).find(({ code }) => !isUnavailable(code));
      if (fault === undefined) {
        return { value };
      }
    } catch (error) {
      if (!(error instanceof SyntaxFault)) {
        throw error;
      }
      fault = this.faults[known] ?? error.fault;
    }
    this.cursor.at = at;
    this.#depth = depth;
    this.faults.length = known;
    return { fault };
  }
}

function isUnavailable(code: ErrorCode): boolean {
  return code === "unavailable_field" || code === "unavailable_function";
}
