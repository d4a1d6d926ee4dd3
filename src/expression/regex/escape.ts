/** Escapes of regular expressions in the dialect of Rust's `regex`. */
import { complement, foldAscii, MAX_BYTE, MAX_CODE_POINT, normalise, type Ranges } from "./ranges.ts";
import { RegexProblem, type Assertion, type Flags, type RegexReader } from "./syntax.ts";
import { foldUnicode, PERL_PROPERTIES, propertyRanges, rangesOf } from "./unicode.ts";

/** What an escape, or a plain character, stands for. */
export type Atom =
  /** A character; its UTF-8 bytes when Unicode is off and it is beyond ASCII. */
  | { readonly kind: "character"; readonly codePoint: number }
  /** One byte 0x80 to 0xff, written as `\xHH` with Unicode off. */
  | { readonly kind: "byte"; readonly byte: number }
  | { readonly kind: "class"; readonly ranges: Ranges }
  | { readonly kind: "assertion"; readonly assertion: Assertion };

const CONTROL: ReadonlyMap<string, number> = new Map([
  ["a", 0x07],
  ["f", 0x0c],
  ["t", 0x09],
  ["n", 0x0a],
  ["r", 0x0d],
  ["v", 0x0b],
]);

const HEX_DIGITS: ReadonlyMap<string, number> = new Map([
  ["x", 2],
  ["u", 4],
  ["U", 8],
]);

const ASSERTIONS: ReadonlyMap<string, Assertion> = new Map([
  ["A", "textStart"],
  ["z", "textEnd"],
  ["b", "word"],
  ["B", "notWord"],
]);

/** Highest member of a class: a byte with Unicode off, a code point with it on. */
export function maxMember(flags: Flags): number {
  return flags.u ? MAX_CODE_POINT : MAX_BYTE;
}

/** With `(?i)`, the set with its other cases. */
export function foldCase(ranges: Ranges, flags: Flags): Ranges {
  if (!flags.i) {
    return ranges;
  }
  return flags.u ? foldUnicode(ranges) : foldAscii(ranges);
}

/** Reads an escape; the reader stands behind the `\`. */
export function parseEscape(reader: RegexReader, flags: Flags): Atom {
  if (reader.isAtEnd) {
    throw new RegexProblem("the pattern ends after `\\`");
  }
  const letter = reader.take();
  const control = CONTROL.get(letter);
  if (control !== undefined) {
    return { kind: "character", codePoint: control };
  }
  const digits = HEX_DIGITS.get(letter);
  if (digits !== undefined) {
    return parseHex(reader, { letter, digits, flags });
  }
  if (letter === "p" || letter === "P") {
    return parseProperty(reader, letter === "P", flags);
  }
  if (/[dswDSW]/.test(letter)) {
    return { kind: "class", ranges: perlClass(letter, flags) };
  }
  const assertion = ASSERTIONS.get(letter);
  if (assertion !== undefined) {
    return parseAssertion(reader, assertion, flags);
  }
  // The reference lets any ASCII character but letters, digits, `<` and `>` be escaped to itself.
  if (/^[\0-\x7f]$/.test(letter) && !/[0-9A-Za-z<>]/.test(letter)) {
    return { kind: "character", codePoint: letter.charCodeAt(0) };
  }
  throw new RegexProblem(refusalOf(letter));
}

function refusalOf(letter: string): string {
  if (/\d/.test(letter)) {
    return "back-references are not supported";
  }
  return /[<>]/.test(letter)
    ? `the word boundary \`\\${letter}\` is not supported`
    : `unrecognised escape \`\\${letter}\``;
}

function parseAssertion(reader: RegexReader, assertion: Assertion, flags: Flags): Atom {
  if (assertion === "word" || assertion === "notWord") {
    if (flags.u) {
      throw new RegexProblem("Unicode word boundaries are not supported, write `(?-u:\\b)`");
    }
    if (/^\{(?:start|end)(?:-half)?\}/.test(readAhead(reader))) {
      throw new RegexProblem("`\\b{start}` and its kin are not supported");
    }
  }
  return { kind: "assertion", assertion };
}

function readAhead(reader: RegexReader): string {
  return Array.from({ length: 12 }, (_, index) => reader.peek(index)).join("");
}

interface HexForm {
  readonly letter: string;
  readonly digits: number;
  readonly flags: Flags;
}

function parseHex(reader: RegexReader, { letter, digits, flags }: HexForm): Atom {
  const isBraced = reader.accept("{");
  const text = isBraced ? takeBraced(reader, letter) : takeCount(reader, digits);
  const isComplete = /^[0-9a-f]{1,8}$/i.test(text) && (isBraced || text.length === digits);
  const codePoint = isComplete ? Number.parseInt(text, 16) : -1;
  if (!isScalarValue(codePoint)) {
    throw new RegexProblem(`\`\\${letter}${isBraced ? `{${text}}` : text}\` is no Unicode scalar value`);
  }
  // Only the two-digit form is a byte; `\x{e9}` is always the character U+00E9.
  const isByte = letter === "x" && !isBraced && !flags.u && codePoint > 0x7f;
  return isByte ? { kind: "byte", byte: codePoint } : { kind: "character", codePoint };
}

function isScalarValue(codePoint: number): boolean {
  return codePoint >= 0 && codePoint <= MAX_CODE_POINT && !(codePoint >= 0xd800 && codePoint <= 0xdfff);
}

function takeCount(reader: RegexReader, count: number): string {
  let text = "";
  while (!reader.isAtEnd && text.length < count) {
    text += reader.take();
  }
  return text;
}

/** The text up to a `}`, which is stepped over. */
function takeBraced(reader: RegexReader, letter: string): string {
  let text = "";
  while (!reader.isAtEnd && reader.next !== "}") {
    text += reader.take();
  }
  if (!reader.accept("}")) {
    throw new RegexProblem(`the escape \`\\${letter}{\` is not closed`);
  }
  return text;
}

function parseProperty(reader: RegexReader, isNegated: boolean, flags: Flags): Atom {
  let query = reader.isAtEnd ? "" : reader.take();
  if (query === "{") {
    query = takeBraced(reader, isNegated ? "P" : "p");
  }
  if (!flags.u) {
    throw new RegexProblem(`Unicode class \`${query}\` needs Unicode mode, write \`(?u)\` in front`);
  }
  const isUnequal = query.includes("!=");
  const ranges = propertyRanges(query.replace("!=", "="));
  if (ranges === undefined) {
    throw new RegexProblem(`unknown Unicode class \`${query}\``);
  }
  const folded = foldCase(ranges, flags);
  return {
    kind: "class",
    ranges: isNegated === isUnequal ? folded : complement(folded, MAX_CODE_POINT),
  };
}

const ASCII_PERL: Readonly<Record<"d" | "s" | "w", Ranges>> = {
  d: [[0x30, 0x39]],
  s: normalise([
    [0x09, 0x0d],
    [0x20, 0x20],
  ]),
  w: normalise([
    [0x30, 0x39],
    [0x41, 0x5a],
    [0x5f, 0x5f],
    [0x61, 0x7a],
  ]),
};

function perlClass(letter: string, flags: Flags): Ranges {
  const name = letter.toLowerCase() as "d" | "s" | "w";
  const ranges = flags.u ? (rangesOf(PERL_PROPERTIES[name]) ?? []) : ASCII_PERL[name];
  return letter === name ? ranges : complement(ranges, maxMember(flags));
}
