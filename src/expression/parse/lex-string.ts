/** String and byte literals (language.md section 3.1). Each returns the bytes as a binary string. */
import { toBytes } from "../bytes.ts";
import { INVISIBLE, type Cursor } from "./cursor.ts";
import { MAX_RAW_HASHES } from "../limits.ts";

/** Bytes on the right of a comparison: quoted, raw, or hex pairs such as `01:2f-34`. */
export function lexBytes(cursor: Cursor): string {
  const next = cursor.next;
  if (next === '"' || next === "r") {
    return lexString(cursor);
  }
  if (cursor.isAtEnd) {
    throw cursor.fault("unrecognised_input", "expected a string, found the end of the expression");
  }
  return lexHexPairs(cursor);
}

/** A quoted or raw string. */
export function lexString(cursor: Cursor): string {
  if (cursor.accept('"')) {
    return lexQuoted(cursor);
  }
  if (cursor.accept("r")) {
    return toBytes(lexRaw(cursor));
  }
  if (cursor.isAtEnd) {
    throw cursor.fault("unrecognised_input", "expected a string, found the end of the expression");
  }
  throw cursor.fault("expected_name", `expected \`"\` or \`r"\`, found ${cursor.found()}`);
}

/** The rest of a raw string after its `r`: the text between the quotes, verbatim. */
export function lexRaw(cursor: Cursor): string {
  const start = cursor.at;
  const hashes = cursor.takeWhile((unit) => unit === HASH);
  if (hashes.length > MAX_RAW_HASHES) {
    throw cursor.fault(
      "invalid_raw_string",
      `expected at most ${MAX_RAW_HASHES} \`#\`, found ${hashes.length}`,
      start,
    );
  }
  if (!cursor.accept('"')) {
    throw cursor.fault("expected_name", `expected \`"\` or \`#\`, found ${cursor.found()}`);
  }
  const end = cursor.source.indexOf(`"${hashes}`, cursor.at);
  if (end === -1 || end + 1 + hashes.length > cursor.end) {
    throw cursor.fault("missing_quote", `expected \`"${hashes}\` at the end of the string`, start);
  }
  const text = cursor.source.slice(cursor.at, end);
  cursor.at = end + 1 + hashes.length;
  return text;
}

const HASH = 0x23;

/** The rest of a quoted string after its first quote. Escapes make bytes, not characters. */
function lexQuoted(cursor: Cursor): string {
  const start = cursor.at;
  let bytes = "";
  let plainStart = start;
  while (!cursor.isAtEnd) {
    const unit = cursor.source[cursor.at];
    if (unit === '"') {
      bytes += toBytes(cursor.source.slice(plainStart, cursor.at));
      cursor.at += 1;
      return bytes;
    }
    if (unit === "\\") {
      bytes += toBytes(cursor.source.slice(plainStart, cursor.at));
      cursor.at += 1;
      bytes += lexEscape(cursor, start);
      plainStart = cursor.at;
    } else {
      cursor.at += 1;
    }
  }
  throw cursor.fault("missing_quote", 'expected `"` at the end of the string', start);
}

function lexEscape(cursor: Cursor, stringStart: number): string {
  const next = cursor.next;
  if (next === '"' || next === "\\") {
    cursor.at += 1;
    return next;
  }
  if (next === "x") {
    cursor.at += 1;
    return lexByte(cursor, 2, 16);
  }
  if (next >= "0" && next <= "7") {
    return lexByte(cursor, 3, 8);
  }
  if (next === "") {
    throw cursor.fault("missing_quote", 'expected `"` at the end of the string', stringStart);
  }
  throw cursor.fault(
    "invalid_escape",
    `expected \`"\`, \`\\\`, xHH or OOO after \`\\\`, found \`${next}\``,
    cursor.at,
    cursor.at + next.length,
  );
}

function lexByte(cursor: Cursor, digits: number, radix: 8 | 16): string {
  const start = cursor.at;
  const text = cursor.take(digits);
  const value = (radix === 16 ? /^[0-9a-f]+$/i : /^[0-7]+$/).test(text) ? Number.parseInt(text, radix) : 256;
  if (value > 0xff) {
    throw cursor.fault(
      "invalid_integer",
      `expected a quoted string, or a byte as ${digits} ${radix === 16 ? "hexadecimal" : "octal"} digits, found \`${text}\``,
      start,
      cursor.at,
    );
  }
  return String.fromCharCode(value);
}

/** What editors and web pages make of a straight quote. */
const OTHER_QUOTES = /^['\u2018-\u201f\u00ab\u00bb`]/;

/** Two or more bytes as hex pairs; the separators `:`, `-` and `.` may be mixed. */
function lexHexPairs(cursor: Cursor): string {
  refuseLookalike(cursor);
  let bytes = lexByte(cursor, 2, 16);
  const separatorAt = cursor.at;
  const separator = cursor.take(1);
  if (!isSeparator(separator)) {
    throw cursor.fault(
      "expected_name",
      `expected a byte separator (\`:\`, \`-\` or \`.\`) or quotes around the text, found \`${separator}\``,
      separatorAt,
      cursor.at,
    );
  }
  do {
    bytes += lexByte(cursor, 2, 16);
  } while (isSeparator(cursor.next) && cursor.take(1) !== "");
  return bytes;
}

/** Refuses what looks like a quote or a space, at the place where two hex digits were expected. */
function refuseLookalike(cursor: Cursor): void {
  const { at, next } = cursor;
  const isQuote = OTHER_QUOTES.test(next);
  if (!isQuote && !INVISIBLE.test(next)) {
    return;
  }
  const quotes = next === "'" ? "double quotes" : 'straight quotes `"`';
  const wanted = isQuote ? `${quotes} around the text` : "a string";
  const found = cursor.found();
  cursor.take(2);
  throw cursor.fault(
    "invalid_integer",
    `expected ${wanted}, found ${isQuote ? `\`${next}\`` : found}`,
    at,
    cursor.at,
  );
}

function isSeparator(text: string): boolean {
  return text === ":" || text === "-" || text === ".";
}
