/** Literals after `matches`, and list names. */
import type { Cursor } from "./cursor.ts";
import { lexRaw } from "./lex-string.ts";

/** Text of a regular expression and the part of the source that an error in it points at. */
export interface PatternLiteral {
  readonly pattern: string;
  readonly start: number;
  readonly end: number;
}

/**
 * A regular expression: raw text verbatim, or quoted with rules of its own (language.md section 3.2).
 * Errors of a quoted pattern point at the pattern, of a raw one just behind the literal, as in the
 * reference engine.
 */
export function lexPattern(cursor: Cursor): PatternLiteral {
  if (cursor.accept('"')) {
    return lexQuotedPattern(cursor);
  }
  if (cursor.accept("r")) {
    const pattern = lexRaw(cursor);
    return { pattern, start: cursor.at, end: cursor.end };
  }
  if (cursor.isAtEnd) {
    throw cursor.fault(
      "unrecognised_input",
      "expected a regular expression, found the end of the expression",
    );
  }
  throw cursor.fault("expected_name", `expected \`"\` or \`r"\`, found ${cursor.found()}`);
}

/** `\c` stays `\c`, but for `\"`, which is a quote. A quote inside `[…]` does not end the literal. */
function lexQuotedPattern(cursor: Cursor): PatternLiteral {
  const { source, end } = cursor;
  const start = cursor.at;
  let pattern = "";
  let isInClass = false;
  for (let at = start; at < end; at += 1) {
    const unit = source[at];
    if (unit === '"' && !isInClass) {
      cursor.at = at + 1;
      return { pattern, start, end: at };
    }
    if (unit === "\\" && at + 1 < end) {
      at += 1;
      pattern += source[at] === '"' && !isInClass ? '"' : `\\${source[at]}`;
      continue;
    }
    if (unit === "[") {
      isInClass = true;
    } else if (unit === "]") {
      isInClass = false;
    }
    pattern += unit;
  }
  throw cursor.fault("missing_quote", 'expected `"` at the end of the regular expression', start);
}

/** `$name`, without the `$`. */
export function lexListName(cursor: Cursor): string {
  cursor.expect("$");
  const start = cursor.at;
  const found = cursor.found();
  const name = cursor.takeWhile(isListUnit);
  if (name === "") {
    throw cursor.fault("invalid_list_name", `expected a list name after \`$\`, found ${found}`, start);
  }
  if (name.startsWith(".") || name.endsWith(".")) {
    throw cursor.fault(
      "invalid_list_name",
      `expected a list name that neither starts nor ends with \`.\`, found \`${name}\``,
      start,
    );
  }
  return name;
}

/** a-z, 0-9, `_` and `.`. */
function isListUnit(unit: number): boolean {
  return (unit >= 0x61 && unit <= 0x7a) || (unit >= 0x30 && unit <= 0x39) || unit === 0x5f || unit === 0x2e;
}
