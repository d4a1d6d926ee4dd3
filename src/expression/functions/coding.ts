/** Functions that encode, decode and clean text. */
import { decodeBase64, encodeBase64 } from "./base64.ts";
import { toBytes } from "../bytes.ts";
import { parameter, type FunctionDefinition } from "./definition.ts";
import { MAX_DECODE_ROUNDS } from "../limits.ts";
import type { Value } from "../value.ts";

const SOURCE = parameter("field", ["Bytes"]);
const NAME = parameter("literal", ["Bytes"]);

/** A literal made of some of the letters, none twice. */
function flags(letters: string) {
  return parameter("literal", ["Bytes"], (value) => {
    const given = flagsOf(value);
    const isKnown = Array.from(given).every((letter) => letters.includes(letter));
    return isKnown && new Set(given).size === given.length
      ? undefined
      : `flags out of ${Array.from(letters, (letter) => `\`${letter}\``).join(" and ")}`;
  });
}

function flagsOf(value: Value | undefined): string {
  return typeof value === "string" ? value : "";
}

export const CODING_FUNCTIONS: readonly FunctionDefinition[] = [
  {
    name: "url_decode",
    parameters: [SOURCE, flags("ru")],
    required: 1,
    returns: () => "Bytes",
    bind: ([, given]) => {
      const isRecursive = flagsOf(given).includes("r");
      const isUnicode = flagsOf(given).includes("u");
      return (source) =>
        source === undefined ? undefined : urlDecode(source as string, { isRecursive, isUnicode });
    },
  },
  {
    name: "encode_base64",
    parameters: [parameter("both", ["Bytes"]), flags("up")],
    required: 1,
    returns: () => "Bytes",
    bind: ([, given]) => {
      const options = { urlSafe: flagsOf(given).includes("u"), padded: flagsOf(given).includes("p") };
      return (source) => (source === undefined ? undefined : encodeBase64(source as string, options));
    },
  },
  {
    name: "decode_base64",
    parameters: [SOURCE],
    required: 1,
    returns: () => "Bytes",
    bind: () => (source) => (source === undefined ? undefined : decodeBase64(source as string)),
  },
  {
    name: "remove_bytes",
    parameters: [SOURCE, NAME],
    required: 2,
    returns: () => "Bytes",
    bind: ([, listed]) => {
      const removed = new Set(flagsOf(listed));
      return (source) =>
        source === undefined
          ? undefined
          : Array.from(source as string)
              .filter((byte) => !removed.has(byte))
              .join("");
    },
  },
  {
    name: "remove_query_args",
    parameters: [SOURCE, NAME],
    required: 2,
    rest: NAME,
    returns: () => "Bytes",
    bind: ([, ...literals]) => {
      const names = new Set(literals.map(flagsOf));
      return (source) =>
        source === undefined
          ? undefined
          : (source as string)
              .split("&")
              .filter((pair) => !names.has(pair.split("=", 1)[0] ?? ""))
              .join("&");
    },
  },
];

interface DecodeOptions {
  readonly isRecursive: boolean;
  readonly isUnicode: boolean;
}

/** `+` is a space, `%HH` a byte, and with `u` also `%uHHHH` a character; anything else stays as it is. */
function urlDecode(source: string, { isRecursive, isUnicode }: DecodeOptions): string {
  let decoded = source;
  for (let round = 0; round < (isRecursive ? MAX_DECODE_ROUNDS : 1); round += 1) {
    const before = decoded;
    decoded = decodeOnce(before, isUnicode);
    if (decoded === before) {
      break;
    }
  }
  return decoded;
}

function decodeOnce(text: string, isUnicode: boolean): string {
  if (!/[+%]/.test(text)) {
    return text;
  }
  const pattern = isUnicode ? /\+|%u([\da-f]{4})|%([\da-f]{2})/gi : /\+|%()([\da-f]{2})/gi;
  return text.replaceAll(pattern, (_, unicode: string | undefined, byte: string | undefined) => {
    if (byte !== undefined) {
      return String.fromCharCode(Number.parseInt(byte, 16));
    }
    return unicode === undefined ? " " : toBytes(String.fromCharCode(Number.parseInt(unicode, 16)));
  });
}
