/** User text for error messages: short, and without characters that could forge a log line. */
import { MAX_QUOTED_LENGTH } from "./limits.ts";

/**
 * Shortens `text` to a quotation and makes control characters visible. Meant for the inside of backticks or quotes;
 * not an escape for HTML or shells.
 */
export function quoted(text: string): string {
  const short = text.length > MAX_QUOTED_LENGTH ? `${text.slice(0, MAX_QUOTED_LENGTH)}…` : text;
  return short.replace(
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g,
    (char) => `\\u${hex(char.charCodeAt(0), 4)}`,
  );
}

/** `value` in lower-case hexadecimal, filled with zeros to `digits`. */
export function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, "0");
}
