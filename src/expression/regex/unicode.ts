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

/** Classes whose code points are remembered; patterns use the same few again and again. */
const MAX_REMEMBERED = 64;
const remembered = new Map<string, Ranges>();

/** The code points that a class of the runtime's RegExp has; `undefined` when the runtime refuses it. */
export function rangesOf(properties: string): Ranges | undefined {
  const known = remembered.get(properties);
  if (known !== undefined) {
    return known;
  }
  const ranges = scanRanges(properties);
  // Names that do not exist are not remembered: there is no end of them.
  if (ranges !== undefined && remembered.size < MAX_REMEMBERED) {
    remembered.set(properties, ranges);
  }
  return ranges;
}

function scanRanges(properties: string): Ranges | undefined {
  let runs: RegExp;
  try {
    runs = new RegExp(`[${properties}]+`, "gu");
  } catch {
    return undefined;
  }
  // Whole planes of text at a time: a test per code point would take a tenth of a second.
  const ranges = ASSIGNED_PLANES.flatMap((plane) => runsOfPlane(plane, runs));
  for (const [first, last] of UNIFORM_PLANES) {
    for (let plane = first; plane <= last; plane += 1) {
      // One code point speaks for all; the last two are noncharacters in every plane.
      const start = plane * PLANE;
      for (const [low, high] of [
        [start, start + 0xfffd] as const,
        [start + 0xfffe, start + 0xffff] as const,
      ]) {
        runs.lastIndex = 0;
        if (runs.test(String.fromCodePoint(low))) {
          ranges.push([low, high]);
        }
      }
    }
  }
  return normalise(ranges);
}

const PLANE = 0x10000;
/** Planes with characters of more than one kind. */
const ASSIGNED_PLANES: readonly number[] = [0, 1, 2, 3, 14];
/** Unassigned planes, and those for private use: alike throughout. */
const UNIFORM_PLANES: readonly Range[] = [
  [4, 13],
  [15, 16],
];

function runsOfPlane(plane: number, runs: RegExp): Range[] {
  const unitsPerCodePoint = plane === 0 ? 1 : 2;
  return Array.from(planeText(plane).matchAll(runs), ({ index, 0: run }): Range => {
    const first = plane * PLANE + index / unitsPerCodePoint;
    return [first, first + run.length / unitsPerCodePoint - 1];
  });
}

/** The code points of a plane side by side. In plane 0 a letter stands in for each surrogate. */
function planeText(plane: number): string {
  const units = new Uint16Array(plane === 0 ? PLANE : PLANE * 2);
  for (let offset = 0; offset < PLANE; offset += 1) {
    if (plane === 0) {
      units[offset] = offset >= SURROGATES[0] && offset <= SURROGATES[1] ? 0 : offset;
    } else {
      const above = (plane - 1) * PLANE + offset;
      units[offset * 2] = 0xd800 | (above >> 10);
      units[offset * 2 + 1] = 0xdc00 | (above & 0x3ff);
    }
  }
  return new TextDecoder("utf-16le", { ignoreBOM: true }).decode(units);
}

/** The set with every code point that simple case folding makes equal to one in it. */
export function foldUnicode(ranges: Ranges): Ranges {
  const equals = [...foldGroups().values()]
    .filter((group) => group.some((codePoint) => contains(ranges, codePoint)))
    .flat();
  return normalise([...ranges, ...equals.map((codePoint): Range => [codePoint, codePoint])]);
}

function contains(ranges: Ranges, codePoint: number): boolean {
  return ranges.some(([first, last]) => first <= codePoint && codePoint <= last);
}

let groups: ReadonlyMap<string, readonly number[]> | undefined;

/** Code points that simple case folding makes equal, by a key they share; made when first needed. */
function foldGroups(): ReadonlyMap<string, readonly number[]> {
  groups ??= Map.groupBy(casedCodePoints(), foldKey);
  return groups;
}

/** Where simple folding is not what the cases of a letter show (CaseFolding.txt, status S). */
const FOLDED_ALIKE: ReadonlyMap<number, number> = new Map([
  // The capital of the Turkish dotless i is `I`, but it folds to itself.
  [0x131, 0x131],
  [0x1fd3, 0x390],
  [0x1fe3, 0x3b0],
  [0xfb05, 0xfb06],
]);

/** The capital of the small letter; where one of them is several letters, the letter before it. */
function foldKey(codePoint: number): string {
  const alike = FOLDED_ALIKE.get(codePoint);
  if (alike !== undefined) {
    return String.fromCodePoint(alike);
  }
  const letter = String.fromCodePoint(codePoint);
  const small = letter.toLowerCase();
  const lower = Array.from(small).length === 1 ? small : letter;
  const capital = lower.toUpperCase();
  return Array.from(capital).length === 1 ? capital : lower;
}

/** Code points with another case. */
export function casedCodePoints(): readonly number[] {
  const ranges = rangesOf(String.raw`\p{Changes_When_Casemapped}\p{Changes_When_Casefolded}`) ?? [];
  return ranges.flatMap(([first, last]) =>
    Array.from({ length: last - first + 1 }, (_, offset) => first + offset),
  );
}
