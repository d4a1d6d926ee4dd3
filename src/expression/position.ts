/** From offsets in the source to line, column and caret. */
import { utf8Length } from "./bytes.ts";

/** Part of a source by UTF-16 offsets; `end` is exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

interface Position {
  readonly line: number;
  readonly column: number;
  readonly length: number;
}

/** Line and column of a span, 1-based; column and length in UTF-8 bytes, the length clipped to the line. */
export function describePosition(source: string, span: Span): Position {
  const { start, end, lineStart, line } = clipToLine(source, span);
  return {
    line,
    column: utf8Length(source.slice(lineStart, start)) + 1,
    length: utf8Length(source.slice(start, end)),
  };
}

/** The span under its line with carets, in the form of the reference engine. */
export function renderPosition(source: string, fault: Span & { readonly message: string }): string {
  const { start, end, lineStart, lineEnd } = clipToLine(source, fault);
  const { line, column } = describePosition(source, fault);
  // Carets count the cells of a terminal, not bytes, so that they stand under what they mean.
  const indent = " ".repeat(cells(source.slice(lineStart, start)));
  const carets = "^".repeat(Math.max(1, cells(source.slice(start, end))));
  return [
    `Filter parsing error (${line}:${column}):`,
    printable(source.slice(lineStart, lineEnd)),
    `${indent}${carets} ${fault.message}`,
  ].join("\n");
}

interface ClippedSpan extends Span {
  readonly line: number;
  readonly lineStart: number;
  readonly lineEnd: number;
}

function clipToLine(source: string, span: Span): ClippedSpan {
  let line = 1;
  let lineStart = 0;
  for (let at = source.indexOf("\n"); at !== -1 && at < span.start; at = source.indexOf("\n", lineStart)) {
    line += 1;
    lineStart = at + 1;
  }
  const newline = source.indexOf("\n", span.start);
  const lineEnd = newline === -1 ? source.length : newline;
  return {
    line,
    lineStart,
    lineEnd,
    start: span.start,
    end: Math.max(span.start, Math.min(span.end, lineEnd)),
  };
}

/** What moves the cursor of a terminal, or commands it, as one visible cell each. */
function printable(line: string): string {
  return line
    .replace(/\r$/, "")
    .replaceAll(/[\t\r]/g, " ")
    .replaceAll(CONTROL, "\ufffd");
}

const CONTROL = /\p{Cc}/gu;

/** Marks that combine with the character before them, and characters without a shape. */
const NO_CELL = /[\p{Mn}\p{Me}\u200b-\u200f\u2060\ufeff]/u;

/** Characters of East Asian scripts and emoji, which take two cells (UAX 11). */
const TWO_CELLS =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/u;

function cells(text: string): number {
  let count = 0;
  for (const character of text) {
    count += NO_CELL.test(character) ? 0 : TWO_CELLS.test(character) ? 2 : 1;
  }
  return count;
}
