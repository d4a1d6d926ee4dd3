/** Functions of text: case, length, parts. */
import { parameter, type FunctionDefinition } from "./definition.ts";
import type { Int } from "../int.ts";
import { ipToText } from "../ip.ts";
import { isArrayType } from "../types.ts";
import { isIp, type Value } from "../value.ts";
import { lowerAscii, upperAscii } from "../wildcard.ts";

const SOURCE = parameter("field", ["Bytes"]);

function bytesFunction(name: string, apply: (bytes: string) => Value | undefined): FunctionDefinition {
  return {
    name,
    parameters: [SOURCE],
    required: 1,
    returns: () => "Bytes",
    bind: () => (source) => (source === undefined ? undefined : apply(source as string)),
  };
}

function affixFunction(name: string, holds: (bytes: string, affix: string) => boolean): FunctionDefinition {
  return {
    name,
    parameters: [SOURCE, parameter("both", ["Bytes"])],
    required: 2,
    returns: () => "Bool",
    bind: () => (source, affix) =>
      source === undefined || affix === undefined ? undefined : holds(source as string, affix as string),
  };
}

export const TEXT_FUNCTIONS: readonly FunctionDefinition[] = [
  bytesFunction("lower", lowerAscii),
  bytesFunction("upper", upperAscii),
  affixFunction("starts_with", (bytes, affix) => bytes.startsWith(affix)),
  affixFunction("ends_with", (bytes, affix) => bytes.endsWith(affix)),
  {
    name: "len",
    parameters: [
      {
        kind: "field",
        expected: "`Bytes` or `Array<…>`",
        accepts: (type) => type === "Unknown" || type === "Bytes" || isArrayType(type),
      },
    ],
    required: 1,
    returns: () => "Int",
    bind: () => (value) => (value === undefined ? undefined : (value as string | readonly Value[]).length),
  },
  {
    name: "substring",
    parameters: [SOURCE, parameter("both", ["Int"]), parameter("both", ["Int"])],
    required: 2,
    returns: () => "Bytes",
    bind: (literals) => (source, start, end) =>
      source === undefined || start === undefined
        ? undefined
        : substring(source as string, start as Int, {
            end: end as Int | undefined,
            // Given but missing is not the same as not given.
            isEndGiven: literals.length > 2,
          }),
  },
  {
    name: "to_string",
    parameters: [parameter("field", ["Int", "Bool", "Ip"])],
    required: 1,
    returns: () => "Bytes",
    bind: () => (value) => (value === undefined ? undefined : toText(value)),
  },
];

function substring(
  source: string,
  start: Int,
  { end, isEndGiven }: { readonly end: Int | undefined; readonly isEndGiven: boolean },
): string | undefined {
  if (isEndGiven && end === undefined) {
    return undefined;
  }
  // Indexes beyond the safe integers are beyond any text: losing their last digits changes nothing.
  return source.slice(Number(start), end === undefined ? undefined : Number(end));
}

function toText(value: Value): string | undefined {
  if (typeof value === "object") {
    return isIp(value) ? ipToText(value) : undefined;
  }
  return String(value);
}
