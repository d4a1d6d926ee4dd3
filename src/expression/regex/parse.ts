/**
 * Regular expressions in the dialect of Rust's `regex` crate with Unicode off (language.md section 3.2),
 * parsed to a tree over bytes. The library that runs them speaks RE2's dialect, which reads some patterns
 * with another meaning: so nothing reaches it but what is printed from this tree.
 */
import { MAX_REGEX_NESTING } from "../limits.ts";
import { parseClass } from "./class.ts";
import { foldCase, parseEscape, type Atom } from "./escape.ts";
import { complement, MAX_BYTE, MAX_CODE_POINT, type Ranges } from "./ranges.ts";
import {
  alternationNode,
  byteNode,
  RegexProblem,
  RegexReader,
  sequenceNode,
  sequencesNode,
  type Flags,
  type RegexNode,
} from "./syntax.ts";
import { encode, utf8Sequences } from "./unicode.ts";

const NO_FLAGS: Flags = { i: false, m: false, s: false, U: false, u: false, x: false };

interface Context {
  readonly reader: RegexReader;
  /** Changes as `(?flags)` are met; a group restores it. */
  flags: Flags;
  readonly names: Set<string>;
  depth: number;
}

/** @throws {RegexProblem} when the pattern is none, or needs what is not supported. */
export function parseRegex(pattern: string): RegexNode {
  const context: Context = {
    reader: new RegexReader(pattern),
    flags: NO_FLAGS,
    names: new Set(),
    depth: 0,
  };
  const node = parseAlternation(context);
  if (!context.reader.isAtEnd) {
    throw new RegexProblem("unopened group: `)` without `(`");
  }
  return node;
}

function parseAlternation(context: Context): RegexNode {
  const branches: RegexNode[] = [];
  do {
    branches.push(parseSequence(context));
  } while (context.reader.accept("|"));
  return alternationNode(branches);
}

function parseSequence(context: Context): RegexNode {
  const { reader } = context;
  const parts: RegexNode[] = [];
  for (;;) {
    reader.skipBlank(context.flags);
    if (reader.isAtEnd || reader.next === "|" || reader.next === ")") {
      return sequenceNode(parts);
    }
    if ("*+?{".includes(reader.next)) {
      throw new RegexProblem(`\`${reader.next}\` has nothing to repeat`);
    }
    const part = parsePart(context);
    if (part !== undefined) {
      parts.push(parseRepeats(context, part));
    }
  }
}

/** One part of a sequence; `undefined` for flags, which match nothing and cannot be repeated. */
function parsePart(context: Context): RegexNode | undefined {
  const { reader, flags } = context;
  const character = reader.take();
  switch (character) {
    case "(":
      return parseGroup(context);
    case "[":
      return classNode(parseClass(reader, flags, context.depth + 1), flags);
    case ".":
      return classNode(dotRanges(flags), flags);
    case "^":
      return { kind: "assertion", assertion: flags.m ? "lineStart" : "textStart" };
    case "$":
      return { kind: "assertion", assertion: flags.m ? "lineEnd" : "textEnd" };
    case "\\":
      return atomNode(parseEscape(reader, flags), flags);
    default:
      return atomNode({ kind: "character", codePoint: character.codePointAt(0) ?? 0 }, flags);
  }
}

function dotRanges(flags: Flags): Ranges {
  return complement(flags.s ? [] : [[0x0a, 0x0a]], flags.u ? MAX_CODE_POINT : MAX_BYTE);
}

function classNode(ranges: Ranges, flags: Flags): RegexNode {
  return flags.u ? sequencesNode(utf8Sequences(ranges)) : { kind: "byte", ranges };
}

function atomNode(atom: Atom, flags: Flags): RegexNode {
  switch (atom.kind) {
    case "assertion":
      return atom;
    case "byte":
      return byteNode(atom.byte);
    case "class":
      return classNode(atom.ranges, flags);
    case "character": {
      const { codePoint } = atom;
      if (flags.i && (flags.u || codePoint < 0x80)) {
        return classNode(foldCase([[codePoint, codePoint]], flags), flags);
      }
      return sequenceNode(encode(codePoint).map(byteNode));
    }
  }
}

/** Any number of `*`, `+`, `?` and `{…}`; each may be followed by `?` for lazy. */
function parseRepeats(context: Context, part: RegexNode): RegexNode {
  const { reader } = context;
  let node = part;
  for (let depth = 0; ; depth += 1) {
    reader.skipBlank(context.flags);
    const bounds = parseBounds(context);
    if (bounds === undefined) {
      return node;
    }
    if (depth >= MAX_REGEX_NESTING) {
      throw new RegexProblem(`repetitions nest deeper than ${MAX_REGEX_NESTING} levels`);
    }
    const isLazy = reader.accept("?") !== context.flags.U;
    node = { kind: "repeat", inner: node, ...bounds, isLazy };
  }
}

interface Bounds {
  readonly min: number;
  readonly max: number | undefined;
}

function parseBounds({ reader }: Context): Bounds | undefined {
  if (reader.accept("*")) {
    return { min: 0, max: undefined };
  }
  if (reader.accept("+")) {
    return { min: 1, max: undefined };
  }
  if (reader.accept("?")) {
    return { min: 0, max: 1 };
  }
  if (!reader.accept("{")) {
    return undefined;
  }
  let text = "";
  while (!reader.isAtEnd && reader.next !== "}") {
    text += reader.take();
  }
  if (!reader.accept("}")) {
    throw new RegexProblem(`the repetition \`{${text}\` is not closed`);
  }
  return readCounts(text);
}

function readCounts(text: string): Bounds {
  const [, first, comma, last] = /^\s*(\d+)\s*(?:(,)\s*(\d*)\s*)?$/.exec(text) ?? [];
  if (first === undefined) {
    throw new RegexProblem(`expected a count such as \`{2}\`, \`{2,}\` or \`{2,5}\`, found \`{${text}}\``);
  }
  const min = Number(first);
  const max = comma === undefined ? min : last === "" ? undefined : Number(last);
  if (Math.max(min, max ?? 0) > MAX_COUNT) {
    throw new RegexProblem(`the count of a repetition exceeds ${MAX_COUNT}`);
  }
  if (max !== undefined && max < min) {
    throw new RegexProblem(`the repetition \`{${text}}\` ends before it starts`);
  }
  return { min, max };
}

/** An unsigned 32-bit number in the reference. */
const MAX_COUNT = 0xffff_ffff;

/** Reads a group, or `(?flags)`; the reader stands behind the `(`. */
function parseGroup(context: Context): RegexNode | undefined {
  const { reader, flags: outer } = context;
  let isCapture = true;
  if (["?=", "?!", "?<=", "?<!"].some((text) => reader.startsWith(text))) {
    throw new RegexProblem("look-around is not supported");
  }
  if (reader.accept("?P<") || reader.accept("?<")) {
    parseGroupName(context);
  } else if (reader.accept("?")) {
    isCapture = false;
    context.flags = parseFlags(reader, outer);
    if (reader.accept(")")) {
      return undefined;
    }
    reader.take();
  }
  context.depth += 1;
  if (context.depth > MAX_REGEX_NESTING) {
    throw new RegexProblem(`groups and classes nest deeper than ${MAX_REGEX_NESTING} levels`);
  }
  const inner = parseAlternation(context);
  if (!reader.accept(")")) {
    throw new RegexProblem("unclosed group: `(` without `)`");
  }
  context.depth -= 1;
  context.flags = outer;
  return { kind: "group", isCapture, inner };
}

function parseGroupName({ reader, names }: Context): void {
  let name = "";
  while (!reader.isAtEnd && reader.next !== ">") {
    name += reader.take();
  }
  if (!reader.accept(">") || !/^[\p{Alphabetic}_][\p{Alphabetic}\p{N}_.[\]]*$/u.test(name)) {
    throw new RegexProblem(`expected a group name, found \`${name}\``);
  }
  if (names.has(name)) {
    throw new RegexProblem(`duplicate group name \`${name}\``);
  }
  names.add(name);
}

/** Flags up to `:` or `)`, which is left standing. */
function parseFlags(reader: RegexReader, outer: Flags): Flags {
  const flags = { ...outer };
  const seen = new Set<string>();
  let value = true;
  let previous = "";
  while (reader.next !== ":" && reader.next !== ")") {
    const flag = reader.isAtEnd ? "" : reader.take();
    if (seen.has(flag)) {
      throw new RegexProblem(`duplicate flag \`${flag}\``);
    }
    seen.add(flag);
    if (flag === "-") {
      value = false;
    } else if (isFlag(flag)) {
      flags[flag] = value;
    } else {
      throw new RegexProblem(
        flag === "R" ? "the flag `R` is not supported" : `unrecognised flag \`${flag}\``,
      );
    }
    previous = flag;
  }
  if (previous === "-" || (previous === "" && reader.next === ")")) {
    throw new RegexProblem("expected a flag");
  }
  return flags;
}

function isFlag(text: string): text is keyof Flags {
  return text in NO_FLAGS && text.length === 1;
}
