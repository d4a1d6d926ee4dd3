/** Integer literals and ranges (language.md section 3). */
import type { IntRange } from "../ast.ts";
import type { Cursor } from "./cursor.ts";
import { MAX_INT, MIN_INT, toInt, type Int } from "../int.ts";

/** Digits of the longest 64-bit integer in any base, with its sign. */
const MAX_DIGITS = 24;

/** `0x1f`, `017`, `-12`, `12`: digits up to `f` are taken greedily and then judged by their base. */
export function lexInt(cursor: Cursor): Int {
  if (cursor.accept("0x")) {
    const start = cursor.at;
    return toNumber(cursor, takeDigits(cursor), { base: 16, start });
  }
  const start = cursor.at;
  if (cursor.startsWith("0")) {
    return toNumber(cursor, takeDigits(cursor), { base: 8, start });
  }
  const sign = cursor.accept("-") ? "-" : "";
  return toNumber(cursor, sign + takeDigits(cursor), { base: 10, start });
}

/** `5` or `1..5`. */
export function lexIntRange(cursor: Cursor): IntRange {
  const start = cursor.at;
  const first = lexInt(cursor);
  const last = cursor.accept("..") ? lexInt(cursor) : first;
  if (last < first) {
    throw cursor.fault(
      "invalid_range",
      `expected a range from low to high, found \`${cursor.source.slice(start, cursor.at)}\``,
      start,
      cursor.at,
    );
  }
  return { first, last };
}

function takeDigits(cursor: Cursor): string {
  const found = cursor.found();
  const start = cursor.at;
  const digits = cursor.takeWhile(isHexDigit);
  if (digits === "") {
    throw cursor.fault("expected_name", `expected a digit, found ${found}`, start);
  }
  return digits;
}

export function isHexDigit(unit: number): boolean {
  return (unit >= 0x30 && unit <= 0x39) || (unit >= 0x41 && unit <= 0x46) || (unit >= 0x61 && unit <= 0x66);
}

const BASES = {
  8: { digits: /^[0-7]+$/, prefix: "0o", name: "octal" },
  10: { digits: /^-?\d+$/, prefix: "", name: "decimal" },
  16: { digits: /^[\da-f]+$/i, prefix: "0x", name: "hexadecimal" },
} as const;

function toNumber(
  cursor: Cursor,
  text: string,
  { base, start }: { readonly base: keyof typeof BASES; readonly start: number },
): Int {
  const { digits, prefix, name } = BASES[base];
  const refuse = (message: string) => cursor.fault("invalid_integer", message, start, cursor.at);
  if (!digits.test(text)) {
    throw refuse(`expected ${name} digits, found \`${shorten(text)}\``);
  }
  const isNegative = text.startsWith("-");
  const significant = text.replace(/^-?0*/, "") || "0";
  if (significant.length > MAX_DIGITS) {
    throw refuse(`expected a 64-bit integer, found \`${shorten(text)}\``);
  }
  const magnitude = BigInt(prefix + significant);
  const value = isNegative ? -magnitude : magnitude;
  if (value < MIN_INT || value > MAX_INT) {
    throw refuse(`expected a 64-bit integer, found \`${shorten(text)}\``);
  }
  return toInt(value);
}

function shorten(text: string): string {
  return text.length <= MAX_DIGITS ? text : `${text.slice(0, MAX_DIGITS)}…`;
}
