/** Trees of regular expressions as RE2 patterns over binary strings. */
import type { Ranges } from "./ranges.ts";
import type { Assertion, RegexNode } from "./syntax.ts";

/** RE2 refuses repetitions whose counts multiply to more. */
const MAX_COUNT_PRODUCT = 1000;

const ASSERTIONS: Readonly<Record<Assertion, string>> = {
  textStart: String.raw`\A`,
  textEnd: String.raw`\z`,
  lineStart: "(?m:^)",
  lineEnd: "(?m:$)",
  word: String.raw`\b`,
  notWord: String.raw`\B`,
};

/** Instructions that a tree compiles to, roughly; repetitions count as often as they repeat. */
export function countInstructions(node: RegexNode): number {
  switch (node.kind) {
    case "empty":
      return 0;
    case "byte":
    case "assertion":
      return 1;
    case "group":
      return countInstructions(node.inner) + (node.isCapture ? 2 : 0);
    case "sequence":
      return sum(node.parts);
    case "alternation":
      return sum(node.branches) + node.branches.length;
    case "repeat":
      return (countInstructions(node.inner) + 1) * Math.max(1, node.max ?? node.min + 1);
  }
}

function sum(nodes: readonly RegexNode[]): number {
  return nodes.reduce((total, node) => total + countInstructions(node), 0);
}

/** The tree as a pattern. Without `captures` all groups are plain, which runs faster. */
export function printRegex(node: RegexNode, captures: boolean): string {
  switch (node.kind) {
    case "empty":
      return "(?:)";
    case "byte":
      return printClass(node.ranges);
    case "assertion":
      return ASSERTIONS[node.assertion];
    case "group":
      return `(${node.isCapture && captures ? "" : "?:"}${printRegex(node.inner, captures)})`;
    case "sequence":
      return node.parts.map((part) => printOperand(part, captures)).join("");
    case "alternation":
      return node.branches.map((branch) => printRegex(branch, captures)).join("|");
    case "repeat":
      return printRepeat(node, captures);
  }
}

function printOperand(node: RegexNode, captures: boolean): string {
  const text = printRegex(node, captures);
  return node.kind === "alternation" ? `(?:${text})` : text;
}

function printClass(ranges: Ranges): string {
  const [only] = ranges;
  if (only === undefined) {
    // RE2 has no empty class; this one excludes every code unit.
    return String.raw`[^\x00-\x{10ffff}]`;
  }
  if (ranges.length === 1 && only[0] === only[1]) {
    return hex(only[0]);
  }
  return `[${ranges.map(([first, last]) => (first === last ? hex(first) : `${hex(first)}-${hex(last)}`)).join("")}]`;
}

function hex(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, "0")}`;
}

type Repeat = Extract<RegexNode, { readonly kind: "repeat" }>;

function printRepeat(node: Repeat, captures: boolean): string {
  const { inner, min, max, isLazy } = node;
  const lazy = isLazy ? "?" : "";
  const one = `(?:${printRegex(inner, captures)})`;
  if (max === undefined && min <= 1) {
    return `${one}${min === 0 ? "*" : "+"}${lazy}`;
  }
  const perRound = Math.max(1, countProduct(inner));
  const largest = Math.max(min, max ?? 0);
  if (largest * perRound <= MAX_COUNT_PRODUCT) {
    return `${one}{${min},${max ?? ""}}${lazy}`;
  }
  // Only the last copy keeps its captures, as the last round does.
  const plain = `(?:${printRegex(inner, false)})`;
  const step = Math.max(1, Math.floor(MAX_COUNT_PRODUCT / perRound));
  const optional = max === undefined ? "" : copies(max - min, step, (count) => `${plain}{0,${count}}${lazy}`);
  const tail = max === undefined ? `${plain}*${lazy}` : optional;
  const required = copies(Math.max(0, min - 1), step, (count) => `${plain}{${count}}`);
  return `(?:${required}${min > 0 ? one : ""}${tail})`;
}

function copies(count: number, step: number, print: (count: number) => string): string {
  let text = print(step).repeat(Math.floor(count / step));
  if (count % step > 0) {
    text += print(count % step);
  }
  return text;
}

/** The largest product of counts on a path down the tree, as RE2 reckons it. */
function countProduct(node: RegexNode): number {
  switch (node.kind) {
    case "empty":
    case "byte":
    case "assertion":
      return 1;
    case "group":
      return countProduct(node.inner);
    case "sequence":
      return Math.max(...node.parts.map(countProduct));
    case "alternation":
      return Math.max(...node.branches.map(countProduct));
    case "repeat": {
      const own = Math.max(node.min, node.max ?? 0, 1);
      return Math.min(MAX_COUNT_PRODUCT, own * countProduct(node.inner));
    }
  }
}
