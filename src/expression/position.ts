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
  // Carets count characters, not bytes, so that they stand under what they mean.
  const indent = " ".repeat(characters(source.slice(lineStart, start)));
  const carets = "^".repeat(Math.max(1, characters(source.slice(start, end))));
  return [
    `Filter parsing error (${line}:${column}):`,
    source.slice(lineStart, lineEnd),
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

function characters(text: string): number {
  let count = 0;
  for (const _ of text) {
    count += 1;
  }
  return count;
}
