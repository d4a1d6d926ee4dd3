/**
 * The canonical form of a request path: one spelling for all that origins take for the same path, made once, then
 * matched and forwarded (spec: the order of RFC 3986 section 6.2.2 with the refusals that keep it unambiguous).
 */
import type { PathOptions } from "./options.ts";
import { hex } from "./quote.ts";

/** Why a request target has no canonical form. */
export type TargetErrorCode =
  | "ERR_TARGET_LENGTH"
  | "ERR_TARGET_FORM"
  | "ERR_TARGET_AUTHORITY"
  | "ERR_TARGET_RAW_CHARACTER"
  | "ERR_TARGET_PERCENT"
  | "ERR_TARGET_ENCODED_CONTROL"
  | "ERR_TARGET_ENCODED_SLASH"
  | "ERR_TARGET_ENCODED_BACKSLASH"
  | "ERR_TARGET_DOUBLE_ENCODING"
  | "ERR_TARGET_UTF8"
  | "ERR_TARGET_DOT_SEGMENT"
  | "ERR_TARGET_ABOVE_ROOT";

/** A request target that has to be answered with 400. */
export interface TargetError {
  readonly kind: "error";
  readonly code: TargetErrorCode;
  /** For logs and operators: what was expected, what was found and where. */
  readonly message: string;
}

const UNRESERVED = /^[A-Za-z0-9\-._~]$/;
/** Anything that needs a decision: neither unreserved, sub-delims, `:`, `@` nor `/`; or what could be removed. */
const NEEDS_WORK = /[^\w\-.~!$&'()*+,;=:@/]|\/[/.]/;
/** `%`, and characters that a path cannot have as they are. */
const NOT_LITERAL = /[^\w\-.~!$&'()*+,;=:@/]/g;
/** Printable characters that RFC 3986 forbids in a path: sent raw by browsers (`|`, `[`, `]`) and careless clients. */
const TO_ENCODE = /["<>[\]^`{|}]/;

/** Canonical text of each percent-encoded byte: unreserved characters decoded, the others in upper-case hex. */
const ESCAPE_OF: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  const char = String.fromCharCode(byte);
  return UNRESERVED.test(char) ? char : `%${hex(byte, 2).toUpperCase()}`;
});

/** What every ambiguity below has in it. */
const AMBIGUOUS = /[%;]/;
/** `%25` before two hex digits, each plain or itself percent-encoded: decoding once would leave an escape behind. */
const DOUBLE_ENCODING = /%25(?:[0-9A-Fa-f]|%3[0-9]|%[46][1-6]){2}/;
/** Where something could have to be removed; `/.well-known` is a false alarm. */
const SLASH_OR_DOT_SEGMENT = /\/[/.]/;
const NON_ASCII_ESCAPE = /%[89A-Fa-f]/;
const NON_ASCII_ESCAPES = /(?:%[89A-Fa-f][0-9A-Fa-f])+/g;
/**
 * A dot segment that some servers see and others do not: `..;x` (servlet containers cut the parameter first),
 * `..%3B` (a decoding proxy before one), `..%2F` and `x%2F..` where encoded separators are kept.
 */
const HIDDEN_DOT_SEGMENT = /\/\.\.?(?:;|%3B|%2F|%5C)|(?:%2F|%5C)\.\.?(?=\/|;|%3B|%2F|%5C|$)/;

/**
 * Canonicalises the path of a request target: steps 2 to 7. Total, linear, and idempotent: the result is its own
 * canonical form.
 *
 * - Raw controls, space, `\`, `#`, `?` and bytes from 0x80 are refused; raw `"<>[]^{|}` and backtick are
 *   percent-encoded, because browsers send some of them (WHATWG URL, path percent-encode set) and their encoded form
 *   is stable.
 * - Escapes of unreserved characters are decoded, once; other escapes stay, in upper case. Escapes that are not
 *   UTF-8, or of control characters, are refused.
 * - Dot segments are removed (climbing above the root is refused), then runs of `/` become one.
 *
 * @param path - starts with `/`, without query; one character per byte.
 */
export function canonicalPath(path: string, options: PathOptions): string | TargetError {
  // Most requests end here, after one look at each character.
  if (!NEEDS_WORK.test(path)) return path;
  const decoded = decodePath(path, options);
  return typeof decoded === "string" && SLASH_OR_DOT_SEGMENT.test(decoded)
    ? removeDotSegments(decoded)
    : decoded;
}

/** Steps 2 to 5 of `canonicalPath`: escapes settled, nothing ambiguous left, dot segments and slashes untouched. */
export function decodePath(path: string, options: PathOptions): string | TargetError {
  const decoded = decodeEscapes(path, options);
  return typeof decoded === "string" ? (findAmbiguity(path, decoded, options) ?? decoded) : decoded;
}

/** Steps 6 and 7: RFC 3986 section 5.2.4, except that `..` at the root is refused; then merges slashes. */
export function removeDotSegments(path: string): string | TargetError {
  const segments: string[] = [];
  let endsInside = false;
  for (let start = 1, end: number; start <= path.length; start = end + 1) {
    end = path.indexOf("/", start);
    if (end === -1) end = path.length;
    const segment = path.slice(start, end);
    endsInside = segment !== "" && segment !== "." && segment !== "..";
    if (segment === "..") {
      if (segments.pop() === undefined) {
        return targetError(
          "ERR_TARGET_ABOVE_ROOT",
          "expected a path below `/`, found `..` above the root; remove it",
        );
      }
    } else if (segment !== ".") segments.push(segment);
  }
  let merged = "";
  for (const segment of segments) if (segment !== "") merged += `/${segment}`;
  return endsInside ? merged : `${merged}/`;
}

/** Builds the error of one code; `message` says what was expected, what was found and where. */
export function targetError(code: TargetErrorCode, message: string): TargetError {
  return { kind: "error", code, message };
}

/**
 * The text of a run of well-formed escapes, or `null` if they are not UTF-8. Strict: no overlong forms, no
 * surrogates, nothing beyond U+10FFFF.
 */
export function decodeUtf8(escapes: string): string | null {
  try {
    return decodeURIComponent(escapes);
  } catch {
    return null;
  }
}

/** Names a character so that no terminal or log obeys it. */
export function characterName(code: number): string {
  return code > 0x20 && code < 0x7f ? `\`${String.fromCharCode(code)}\`` : `0x${hex(code, 2)}`;
}

function decodeEscapes(path: string, options: PathOptions): string | TargetError {
  let decoded = "";
  let copiedTo = 0;
  for (let index = nextSpecial(path, 0); index !== -1; index = nextSpecial(path, copiedTo)) {
    const code = path.charCodeAt(index);
    const isEscape = code === 0x25;
    const piece = isEscape ? decodeEscapeAt(path, index, options) : encodeRaw(code, index);
    if (typeof piece !== "string") return piece;
    decoded += path.slice(copiedTo, index) + piece;
    copiedTo = index + (isEscape ? 3 : 1);
  }
  return decoded + path.slice(copiedTo);
}

/** Index of the next character that is not copied as it is, or -1. */
function nextSpecial(path: string, from: number): number {
  NOT_LITERAL.lastIndex = from;
  return NOT_LITERAL.test(path) ? NOT_LITERAL.lastIndex - 1 : -1;
}

function encodeRaw(code: number, index: number): string | TargetError {
  return TO_ENCODE.test(String.fromCharCode(code))
    ? ESCAPE_OF[code]!
    : targetError(
        "ERR_TARGET_RAW_CHARACTER",
        `expected a path of printable ASCII, found ${characterName(code)} at byte ${index} of the path; percent-encode it`,
      );
}

function decodeEscapeAt(path: string, index: number, options: PathOptions): string | TargetError {
  const high = hexDigit(path.charCodeAt(index + 1));
  const low = hexDigit(path.charCodeAt(index + 2));
  if (high < 0 || low < 0) {
    return targetError(
      "ERR_TARGET_PERCENT",
      `expected two hexadecimal digits after \`%\` at byte ${index} of the path; write a literal \`%\` as \`%25\``,
    );
  }
  const byte = high * 16 + low;
  const isSlash = byte === 0x2f;
  if (isSlash || byte === 0x5c) {
    const policy = isSlash ? options.encodedSlash : options.encodedBackslash;
    if (policy === "decode") return "/";
    if (policy === "reject") return separatorError(isSlash, index);
  }
  if (byte < 0x20 || byte === 0x7f) {
    return targetError(
      "ERR_TARGET_ENCODED_CONTROL",
      `expected no control character, found \`%${hex(byte, 2)}\` at byte ${index} of the path; remove it`,
    );
  }
  return ESCAPE_OF[byte]!;
}

function separatorError(isSlash: boolean, index: number): TargetError {
  const [code, escape, option] = isSlash
    ? (["ERR_TARGET_ENCODED_SLASH", "%2F", "encodedSlash"] as const)
    : (["ERR_TARGET_ENCODED_BACKSLASH", "%5C", "encodedBackslash"] as const);
  return targetError(
    code,
    `expected no \`${escape}\`, found one at byte ${index} of the path; set the path option \`${option}\` to what the origin does with it`,
  );
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** What two readers of the same path could understand differently; `path` gives the place, `decoded` the meaning. */
function findAmbiguity(path: string, decoded: string, options: PathOptions): TargetError | undefined {
  if (!AMBIGUOUS.test(path)) return undefined;
  const doubled = options.doubleEncoding === "reject" ? path.search(DOUBLE_ENCODING) : -1;
  if (doubled !== -1) {
    return targetError(
      "ERR_TARGET_DOUBLE_ENCODING",
      `expected text encoded once, found \`${path.slice(doubled, doubled + 5)}\` at byte ${doubled} of the path; encode it once, or set the path option \`doubleEncoding\` to \`keep\``,
    );
  }
  if (NON_ASCII_ESCAPE.test(path)) {
    for (const run of path.matchAll(NON_ASCII_ESCAPES)) {
      if (decodeUtf8(run[0]) === null) {
        return targetError(
          "ERR_TARGET_UTF8",
          `expected UTF-8, found \`${run[0].slice(0, 12)}\` at byte ${run.index} of the path; encode the text as UTF-8`,
        );
      }
    }
  }
  const hidden = HIDDEN_DOT_SEGMENT.exec(decoded);
  if (hidden === null) return undefined;
  const segment = decoded.slice(0, hidden.index + 1).split("/").length - 1;
  return targetError(
    "ERR_TARGET_DOT_SEGMENT",
    `expected no dot segment with a parameter or an encoded separator, found \`${hidden[0]}\` in segment ${segment} of the path; remove it`,
  );
}
