/**
 * What regular expressions need to know of Unicode when `(?u)` is on: properties, case folding, and the
 * UTF-8 bytes of ranges. The tables are the runtime's own, read through its RegExp property escapes.
 */
import { MAX_CODE_POINT, normalise, type Range, type Ranges } from "./ranges.ts";

/** Sequences of byte ranges whose bytes are the UTF-8 of exactly the given code points. */
export function utf8Sequences(ranges: Ranges): readonly (readonly Range[])[] {
  return ranges.flatMap(([first, last]) => splitByLength(first, last).flatMap(splitByContinuation));
}

const SURROGATES: Range = [0xd800, 0xdfff];
const LENGTH_BOUNDS: readonly Range[] = [
  [0, 0x7f],
  [0x80, 0x7ff],
  [0x800, SURROGATES[0] - 1],
  [SURROGATES[1] + 1, 0xffff],
  [0x10000, MAX_CODE_POINT],
];

/** Parts of a range whose code points take equally many bytes, without the surrogates. */
function splitByLength(first: number, last: number): readonly Range[] {
  return LENGTH_BOUNDS.map(([low, high]): Range => [Math.max(first, low), Math.min(last, high)]).filter(
    ([low, high]) => low <= high,
  );
}

/** Splits until every byte position is a full range of its own. */
function splitByContinuation([first, last]: Range): readonly (readonly Range[])[] {
  const bytes = encode(first).length;
  for (let position = 1; position < bytes; position += 1) {
    const mask = (1 << (6 * position)) - 1;
    if ((first & ~mask) !== (last & ~mask)) {
      if ((first & mask) !== 0) {
        const middle = first | mask;
        return [...splitByContinuation([first, middle]), ...splitByContinuation([middle + 1, last])];
      }
      if ((last & mask) !== mask) {
        const middle = last & ~mask;
        return [...splitByContinuation([first, middle - 1]), ...splitByContinuation([middle, last])];
      }
    }
  }
  const lastBytes = encode(last);
  return [encode(first).map((byte, index): Range => [byte, lastBytes[index] ?? byte])];
}

/** UTF-8 of one code point. */
export function encode(codePoint: number): readonly number[] {
  if (codePoint < 0x80) {
    return [codePoint];
  }
  const continuation = (shift: number) => 0x80 | ((codePoint >> shift) & 0x3f);
  if (codePoint < 0x800) {
    return [0xc0 | (codePoint >> 6), continuation(0)];
  }
  if (codePoint < 0x10000) {
    return [0xe0 | (codePoint >> 12), continuation(6), continuation(0)];
  }
  return [0xf0 | (codePoint >> 18), continuation(12), continuation(6), continuation(0)];
}

/** Names of Rust's `regex` that JavaScript spells otherwise, in lower case without separators. */
const NAMED: ReadonlyMap<string, string> = new Map([
  ["any", "Any"],
  ["ascii", "ASCII"],
  ["assigned", "Assigned"],
]);

/** Rust's `\w` and `\s` and `\d` with Unicode on (UTS #18, annex C). */
export const PERL_PROPERTIES = {
  d: String.raw`\p{Nd}`,
  s: String.raw`\p{White_Space}`,
  w: String.raw`\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}`,
} as const;

/**
 * The code points of `\p{query}`: a general category, script or binary property, or `sc=…`, `scx=…`,
 * `gc=…`. `undefined` when there is none of that name.
 */
export function propertyRanges(query: string): Ranges | undefined {
  const [, key, value = ""] = /^([^=:]+)[=:](.*)$/.exec(query) ?? [];
  const candidates =
    key === undefined
      ? spellings(query).flatMap((name) => [name, `Script=${name}`])
      : spellings(value).map((name) => `${keyName(key)}=${name}`);
  for (const candidate of candidates) {
    const ranges = rangesOf(String.raw`\p{${candidate}}`);
    if (ranges !== undefined) {
      return ranges;
    }
  }
  return undefined;
}

/** Loose matching (UAX44-LM3) as far as letter case and separators go. */
function spellings(name: string): readonly string[] {
  const words = name.split(/[\s_-]+/).filter((word) => word !== "");
  const capitalised = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1).toLowerCase());
  const known = NAMED.get(words.join("").toLowerCase());
  return [...new Set([known ?? name, capitalised.join("_"), words.join("_").toUpperCase()])];
}

function keyName(key: string): string {
  const loose = key.toLowerCase().replaceAll(/[\s_-]/g, "");
  const names: ReadonlyMap<string, string> = new Map([
    ["sc", "Script"],
    ["script", "Script"],
    ["scx", "Script_Extensions"],
    ["scriptextensions", "Script_Extensions"],
    ["gc", "General_Category"],
    ["generalcategory", "General_Category"],
  ]);
  return names.get(loose) ?? key;
}

/** The code points that a class of the runtime's RegExp has; `undefined` when the runtime refuses it. */
export function rangesOf(properties: string): Ranges | undefined {
  let pattern: RegExp;
  try {
    pattern = new RegExp(`[${properties}]`, "u");
  } catch {
    return undefined;
  }
  const ranges: Range[] = [];
  let start = -1;
  for (let codePoint = 0; codePoint <= MAX_CODE_POINT + 1; codePoint += 1) {
    const isIn = codePoint <= MAX_CODE_POINT && pattern.test(String.fromCodePoint(codePoint));
    if (isIn && start === -1) {
      start = codePoint;
    } else if (!isIn && start !== -1) {
      ranges.push([start, codePoint - 1]);
      start = -1;
    }
  }
  return ranges;
}

/** The set with every code point that simple case folding makes equal to one in it. */
export function foldUnicode(ranges: Ranges): Ranges {
  const isIn = (codePoint: number) => ranges.some(([first, last]) => first <= codePoint && codePoint <= last);
  const cased = casedCodePoints();
  const folded = cased.filter(isIn).map((codePoint) => String.fromCodePoint(codePoint));
  if (folded.length === 0) {
    return ranges;
  }
  const pattern = new RegExp(
    `^[${folded.map((text) => `\\u{${(text.codePointAt(0) ?? 0).toString(16)}}`).join("")}]$`,
    "iu",
  );
  const equals = cased.filter((codePoint) => pattern.test(String.fromCodePoint(codePoint)));
  return normalise([...ranges, ...equals.map((codePoint): Range => [codePoint, codePoint])]);
}

/** Code points with another case; none lies beyond plane 1. */
function casedCodePoints(): readonly number[] {
  const cased: number[] = [];
  for (let codePoint = 0; codePoint <= 0x1ffff; codePoint += 1) {
    if (/[\p{Changes_When_Casemapped}\p{Changes_When_Casefolded}]/u.test(String.fromCodePoint(codePoint))) {
      cased.push(codePoint);
    }
  }
  return cased;
}
