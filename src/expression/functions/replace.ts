/** `regex_replace` and `wildcard_replace`. */
import { fromUtf8 } from "../bytes.ts";
import { parameter, type FunctionDefinition, type Implementation } from "./definition.ts";
import { checkRegex, compileRegex } from "../regex/regex.ts";
import { checkWildcard, compileWildcardCapture } from "../wildcard.ts";
import type { Value } from "../value.ts";

/** Highest `${N}` in a replacement. */
const MAX_GROUP = 8;

const SOURCE = parameter("field", ["Bytes"]);

const REGEX = parameter("literal", ["Bytes"], (value) => {
  const pattern = patternOf(value);
  const problem = pattern === undefined ? "the pattern is not valid UTF-8" : checkRegex(pattern);
  return problem === undefined ? undefined : `a regular expression (${problem})`;
});

const WILDCARD = parameter("literal", ["Bytes"], (value) => {
  const problem = checkWildcard(value as string);
  return problem === undefined ? undefined : `a wildcard (${problem})`;
});

const REPLACEMENT = parameter("literal", ["Bytes"], (value) => {
  const parsed = parseReplacement(value as string);
  return typeof parsed === "string" ? parsed : undefined;
});

const STRICT = parameter("literal", ["Bytes"], (value) => (value === "s" ? undefined : 'the flag `"s"`'));

export const REPLACE_FUNCTIONS: readonly FunctionDefinition[] = [
  {
    name: "regex_replace",
    parameters: [parameter("both", ["Bytes"]), REGEX, REPLACEMENT],
    required: 3,
    returns: () => "Bytes",
    bind: ([, pattern, replacement]) => bindRegexReplace(pattern, replacement),
  },
  {
    name: "wildcard_replace",
    parameters: [SOURCE, WILDCARD, REPLACEMENT, STRICT],
    required: 3,
    returns: () => "Bytes",
    bind: ([, pattern, replacement, flag]) => bindWildcardReplace(pattern, replacement, flag === "s"),
  },
];

/** The first match only; a value without a match stays as it is. */
function bindRegexReplace(pattern: Value | undefined, replacement: Value | undefined): Implementation {
  const regex = compileRegex(patternOf(pattern) ?? "");
  if ("problem" in regex) {
    // INVARIANT: the parser has checked the same pattern.
    throw new TypeError(`expected a checked pattern: ${regex.problem}`);
  }
  const parts = partsOf(replacement);
  return (source) => {
    if (typeof source !== "string") {
      return undefined;
    }
    const bounds = regex.find(source);
    if (bounds === undefined) {
      return source;
    }
    const group = (index: number) => {
      const start = bounds[index * 2] ?? -1;
      return start === -1 ? "" : source.slice(start, bounds[index * 2 + 1]);
    };
    return source.slice(0, bounds[0]) + fill(parts, group) + source.slice(bounds[1]);
  };
}

/** The whole value or nothing; each star is a group. */
function bindWildcardReplace(
  pattern: Value | undefined,
  replacement: Value | undefined,
  strict: boolean,
): Implementation {
  const capture = compileWildcardCapture(pattern as string, strict);
  const parts = partsOf(replacement);
  return (source) => {
    if (typeof source !== "string") {
      return undefined;
    }
    const captures = capture(source);
    return captures === undefined ? source : fill(parts, (group) => captures[group - 1] ?? "");
  };
}

/** Patterns are text: the bytes of the literal read as UTF-8. */
function patternOf(value: Value | undefined): string | undefined {
  return typeof value === "string" ? fromUtf8(value) : undefined;
}

/** Literal text, or the number of a group. */
type Part = string | number;

function partsOf(replacement: Value | undefined): readonly Part[] {
  const parts = parseReplacement(replacement as string);
  if (typeof parts === "string") {
    throw new TypeError(`expected a checked replacement: ${parts}`);
  }
  return parts;
}

/** `${1}` to `${8}` are groups, `$$` is a dollar; the parts, or what is expected instead. */
function parseReplacement(text: string): readonly Part[] | string {
  const parts: Part[] = [];
  let plain = "";
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] !== "$") {
      plain += text[at];
      continue;
    }
    const [reference, digits] = /^\$(?:\$|\{(\d+)\})/.exec(text.slice(at, at + 8)) ?? [];
    if (reference === undefined) {
      plain += "$";
      continue;
    }
    if (digits === undefined) {
      plain += "$";
    } else if (Number(digits) < 1 || Number(digits) > MAX_GROUP) {
      return `groups from \`\${1}\` to \`\${${MAX_GROUP}}\``;
    } else {
      parts.push(plain, Number(digits));
      plain = "";
    }
    at += reference.length - 1;
  }
  return [...parts, plain];
}

function fill(parts: readonly Part[], group: (index: number) => string): string {
  return parts.map((part) => (typeof part === "number" ? group(part) : part)).join("");
}
