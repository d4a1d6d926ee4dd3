/** Bracketed classes of regular expressions: ranges, nesting, `&&`, `--`, `~~`, POSIX names. */
import { MAX_REGEX_NESTING } from "../limits.ts";
import { foldCase, maxMember, parseEscape, type Atom } from "./escape.ts";
import {
  complement,
  difference,
  intersection,
  normalise,
  symmetricDifference,
  union,
  type Range,
  type Ranges,
} from "./ranges.ts";
import { RegexProblem, type Flags, type RegexReader } from "./syntax.ts";

const OPERATIONS: Readonly<Record<string, (left: Ranges, right: Ranges) => Ranges>> = {
  "&&": intersection,
  "--": difference,
  "~~": symmetricDifference,
};

const POSIX: ReadonlyMap<string, readonly Range[]> = new Map<string, readonly Range[]>([
  [
    "alnum",
    [
      [0x30, 0x39],
      [0x41, 0x5a],
      [0x61, 0x7a],
    ],
  ],
  [
    "alpha",
    [
      [0x41, 0x5a],
      [0x61, 0x7a],
    ],
  ],
  ["ascii", [[0x00, 0x7f]]],
  [
    "blank",
    [
      [0x09, 0x09],
      [0x20, 0x20],
    ],
  ],
  [
    "cntrl",
    [
      [0x00, 0x1f],
      [0x7f, 0x7f],
    ],
  ],
  ["digit", [[0x30, 0x39]]],
  ["graph", [[0x21, 0x7e]]],
  ["lower", [[0x61, 0x7a]]],
  ["print", [[0x20, 0x7e]]],
  [
    "punct",
    [
      [0x21, 0x2f],
      [0x3a, 0x40],
      [0x5b, 0x60],
      [0x7b, 0x7e],
    ],
  ],
  [
    "space",
    [
      [0x09, 0x0d],
      [0x20, 0x20],
    ],
  ],
  ["upper", [[0x41, 0x5a]]],
  [
    "word",
    [
      [0x30, 0x39],
      [0x41, 0x5a],
      [0x5f, 0x5f],
      [0x61, 0x7a],
    ],
  ],
  [
    "xdigit",
    [
      [0x30, 0x39],
      [0x41, 0x46],
      [0x61, 0x66],
    ],
  ],
]);

/** Reads a class; the reader stands behind its `[`. */
export function parseClass(reader: RegexReader, flags: Flags, depth: number): Ranges {
  if (depth > MAX_REGEX_NESTING) {
    throw new RegexProblem(`groups and classes nest deeper than ${MAX_REGEX_NESTING} levels`);
  }
  reader.skipBlank(flags);
  const isNegated = reader.accept("^");
  let result: Ranges | undefined;
  let combine = union;
  let isStart = true;
  for (;;) {
    const operand = foldCase(parseUnion(reader, flags, { depth, isStart }), flags);
    result = result === undefined ? operand : combine(result, operand);
    isStart = false;
    if (reader.accept("]")) {
      return isNegated ? complement(result, maxMember(flags)) : result;
    }
    combine = OPERATIONS[reader.take() + reader.take()] ?? union;
  }
}

interface UnionPlace {
  readonly depth: number;
  /** At the start of the class, where `-` and `]` are literal. */
  readonly isStart: boolean;
}

/** Items side by side, up to `]` or an operation. */
function parseUnion(reader: RegexReader, flags: Flags, { depth, isStart }: UnionPlace): Ranges {
  const items: Range[] = [];
  reader.skipBlank(flags);
  if (isStart) {
    while (reader.accept("-")) {
      items.push([0x2d, 0x2d]);
      reader.skipBlank(flags);
    }
    if (items.length === 0 && reader.accept("]")) {
      items.push([0x5d, 0x5d]);
    }
  }
  for (;;) {
    reader.skipBlank(flags);
    if (reader.isAtEnd) {
      throw new RegexProblem("the character class is not closed");
    }
    if (reader.next === "]" || ["&&", "--", "~~"].some((text) => reader.startsWith(text))) {
      return normalise(items);
    }
    items.push(...parseItem(reader, flags, depth));
  }
}

function parseItem(reader: RegexReader, flags: Flags, depth: number): Ranges {
  if (reader.next === "[") {
    const posix = parsePosix(reader, flags);
    if (posix !== undefined) {
      return posix;
    }
    reader.take();
    return parseClass(reader, flags, depth + 1);
  }
  const first = parseAtom(reader, flags);
  reader.skipBlank(flags);
  if (reader.next !== "-" || reader.peek() === "]" || reader.peek() === "-" || reader.peek() === "") {
    return first.kind === "class" ? first.ranges : [[memberOf(first, flags), memberOf(first, flags)]];
  }
  reader.take();
  reader.skipBlank(flags);
  const last = parseAtom(reader, flags);
  if (first.kind === "class" || last.kind === "class") {
    throw new RegexProblem("expected single characters as the ends of a range in a class");
  }
  const range: Range = [memberOf(first, flags), memberOf(last, flags)];
  if (range[1] < range[0]) {
    throw new RegexProblem("a range in a class ends before it starts");
  }
  return [range];
}

function parseAtom(reader: RegexReader, flags: Flags): Atom {
  if (reader.isAtEnd) {
    throw new RegexProblem("the character class is not closed");
  }
  const character = reader.take();
  if (character !== "\\") {
    return { kind: "character", codePoint: character.codePointAt(0) ?? 0 };
  }
  const atom = parseEscape(reader, flags);
  if (atom.kind === "assertion") {
    throw new RegexProblem("an assertion cannot stand in a class");
  }
  return atom;
}

function memberOf(atom: Atom, flags: Flags): number {
  if (atom.kind === "byte") {
    return atom.byte;
  }
  const codePoint = atom.kind === "character" ? atom.codePoint : 0;
  if (!flags.u && codePoint > 0x7f) {
    throw new RegexProblem(
      "a class without Unicode mode holds bytes: write `(?u)` in front, or `\\xHH` for a byte",
    );
  }
  return codePoint;
}

/** `[:name:]` or `[:^name:]`; `undefined`, without a step, when there is none of that name. */
function parsePosix(reader: RegexReader, flags: Flags): Ranges | undefined {
  const start = reader.at;
  if (!reader.accept("[:")) {
    return undefined;
  }
  const isNegated = reader.accept("^");
  let name = "";
  while (/[a-z]/.test(reader.next)) {
    name += reader.take();
  }
  const ranges = POSIX.get(name);
  if (ranges === undefined || !reader.accept(":]")) {
    reader.reset(start);
    return undefined;
  }
  const folded = foldCase(normalise(ranges), flags);
  return isNegated ? complement(folded, maxMember(flags)) : folded;
}
