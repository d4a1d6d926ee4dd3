/** Changes of a header list. Lists are flat: name, value, name, value; values are binary strings. */

/** INVARIANT: `name` is a token and `value` a valid field value; see {@link toHeaderValue}. */
export type HeaderEdit =
  | { readonly operation: "set" | "add"; readonly name: string; readonly value: string }
  | { readonly operation: "remove"; readonly name: string };

/** What RFC 9110 section 5.5 allows in a field value: HTAB, SP, VCHAR, obs-text. CR, LF and NUL above all are not in it. */
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** A token (RFC 9110 section 5.6.2). */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/**
 * A text as a field value, without the white space around it (RFC 9110 section 5.5).
 *
 * @param text binary string; what comes out of an expression can hold any byte a visitor sent
 * @returns `undefined` for a text that could end the field or the header section
 */
export function toHeaderValue(text: string): string | undefined {
  return FIELD_VALUE.test(text) ? text.replace(/^[\t ]+|[\t ]+$/g, "") : undefined;
}

export function isHeaderName(name: string): boolean {
  return TOKEN.test(name);
}

/**
 * A list with the edits made, in their order: `set` replaces all values of a name, `add` appends one, `remove` drops
 * all.
 *
 * @param headers not changed
 */
export function applyHeaderEdits(headers: readonly string[], edits: readonly HeaderEdit[]): string[] {
  const edited = [...headers];
  for (const edit of edits) {
    if (edit.operation !== "add") removeFrom(edited, edit.name);
    if (edit.operation !== "remove") edited.push(edit.name, edit.value);
  }
  return edited;
}

/** Moves what stays to the front: a list of dozens is looked through once, and nothing is made for it. */
function removeFrom(headers: string[], name: string): void {
  const lower = name.toLowerCase();
  let end = 0;
  for (let index = 0; index < headers.length; index += 2) {
    const other = headers[index] as string;
    if (other.length === lower.length && other.toLowerCase() === lower) continue;
    if (end !== index) {
      headers[end] = other;
      headers[end + 1] = headers[index + 1] as string;
    }
    end += 2;
  }
  headers.length = end;
}
