/** Trees as text, in one normal form: parsing the text gives the same tree. */
import type { Argument, IndexNode, Items, Literal, LogicalNode, Subscript, Test } from "./ast.ts";
import { fromUtf8 } from "./bytes.ts";
import { ipToText, networkOf, type IpRange } from "./ip.ts";
import type { CheckedFilter, CheckedValue } from "./parse/parse.ts";

/** Operators as words, strings quoted, one space between parts; parentheses as they were written. */
export function printExpression({ root }: CheckedFilter | CheckedValue): string {
  return root.kind === "index" ? printIndex(root) : printLogical(root);
}

function printLogical(node: LogicalNode): string {
  switch (node.kind) {
    case "constant":
      return String(node.value);
    case "group":
      return `(${printLogical(node.inner)})`;
    case "not":
      return `not ${printLogical(node.term)}`;
    case "combine":
      return node.terms.map(printLogical).join(` ${node.operator} `);
    case "quantifier":
      return `${node.quantifier}(${printArgument(node.argument)})`;
    case "comparison":
      return printIndex(node.left) + printTest(node.test);
  }
}

function printArgument(argument: Argument): string {
  if (argument.kind === "literal") {
    return printLiteral(argument.literal);
  }
  return argument.kind === "index" ? printIndex(argument) : printLogical(argument);
}

function printIndex({ target, path }: IndexNode): string {
  const name =
    target.kind === "field"
      ? target.name
      : `${target.name}(${target.arguments.map(printArgument).join(", ")})`;
  return name + path.map(printSubscript).join("");
}

function printSubscript(subscript: Subscript): string {
  switch (subscript.kind) {
    case "each":
      return "[*]";
    case "at":
      return `[${subscript.index}]`;
    case "key":
      return `[${quote(subscript.key)}]`;
  }
}

function printTest(test: Test): string {
  switch (test.kind) {
    case "truth":
      return "";
    case "order":
      return ` ${test.operator} ${printLiteral(test.literal)}`;
    case "bits":
      return ` & ${test.mask}`;
    case "contains":
      return ` contains ${quote(test.needle)}`;
    case "matches":
      return ` matches ${printPattern(test.pattern)}`;
    case "wildcard":
      return ` ${test.strict ? "strict wildcard" : "wildcard"} ${quote(test.pattern)}`;
    case "in":
      return ` in {${printItems(test.items).join(" ")}}`;
    case "list":
      return ` in $${test.name}`;
  }
}

function printLiteral(literal: Literal): string {
  switch (literal.type) {
    case "Bytes":
      return quote(literal.value);
    case "Int":
      return String(literal.value);
    case "Ip":
      return ipToText(literal.value);
  }
}

function printItems(items: Items): readonly string[] {
  switch (items.type) {
    case "Bytes":
      return items.members.map(quote);
    case "Int":
      return items.ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}..${last}`));
    case "Ip":
      return items.ranges.map(printIpRange);
  }
}

/** As an address, a CIDR when the range is one, or both bounds. */
function printIpRange(range: IpRange): string {
  const { first, last } = range;
  if (first.bytes === last.bytes) {
    return ipToText(first);
  }
  const width = first.bytes.length * 8;
  for (let bits = 0; bits < width; bits += 1) {
    const network = networkOf(first, bits);
    if (network.first.bytes === first.bytes && network.last.bytes === last.bytes) {
      return `${ipToText(first)}/${bits}`;
    }
  }
  return `${ipToText(first)}..${ipToText(last)}`;
}

/** A quoted string; bytes that are no valid UTF-8, and control characters, as `\xHH`. */
export function quote(bytes: string): string {
  const text = fromUtf8(bytes);
  const escaped =
    text === undefined
      ? bytes.replaceAll(/["\\]/g, String.raw`\$&`).replaceAll(/[^ -~]/g, escapeByte)
      : text.replaceAll(/["\\]/g, String.raw`\$&`).replaceAll(/[\0-\x1f\x7f]/g, escapeByte);
  return `"${escaped}"`;
}

function escapeByte(unit: string): string {
  return `\\x${unit.charCodeAt(0).toString(16).padStart(2, "0")}`;
}

/** Quoted where that says the same, else raw with as many `#` as it needs. */
function printPattern(pattern: string): string {
  // A quoted pattern keeps its backslashes, but a quote in it, or a last backslash, would be read otherwise.
  if (!pattern.includes('"') && !/(?:^|[^\\])(?:\\\\)*\\$/.test(pattern)) {
    return `"${pattern}"`;
  }
  let hashes = "";
  while (pattern.includes(`"${hashes}`)) {
    hashes += "#";
  }
  return `r${hashes}"${pattern}"${hashes}`;
}
