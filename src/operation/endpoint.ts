/** Path templates of saved endpoints, in the one form that requests are matched against (API Shield, Endpoint Management). */
import { decodePath, removeDotSegments } from "./canonical-path.ts";
import type { TargetErrorCode } from "./canonical-path.ts";
import { inputError } from "./input-error.ts";
import type { OperationInputError, OperationInputErrorCode } from "./input-error.ts";
import { MAX_ENDPOINT_LENGTH } from "./limits.ts";
import { DEFAULT_PATH_OPTIONS } from "./options.ts";
import type { PathOptions } from "./options.ts";
import { quoted } from "./quote.ts";

export interface NormalizedEndpoint {
  readonly kind: "endpoint";
  /** `/users/{var1}`: canonical path, variables numbered from the left. At most 4096 characters. */
  readonly endpoint: string;
}

/** A whole segment `{name}`; the name is for the reader only and does not survive. */
const VARIABLE = /^\{[^{}/]+\}$/;
/** Controls, and halves of surrogate pairs, which have no UTF-8. */
const NOT_ENCODABLE = /[\u0000-\u001f\u007f]|\p{Surrogate}/u;
const TO_ENCODE = /[^!-~]+/gu;
/** Templates may hold what some zone lets through: whether `%2F` or `%25aa` can arrive is each zone's own decision. */
const TEMPLATE_OPTIONS: PathOptions = {
  ...DEFAULT_PATH_OPTIONS,
  encodedSlash: "keep",
  encodedBackslash: "keep",
  doubleEncoding: "keep",
};
/** What is wrong with a segment that no request can have. */
const SEGMENT_REASONS: Partial<Record<TargetErrorCode, string>> = {
  ERR_TARGET_PERCENT: "needs two hexadecimal digits after `%`; write a literal `%` as `%25`",
  ERR_TARGET_ENCODED_CONTROL:
    "contains an encoded control character, which every request is refused for; remove it",
  ERR_TARGET_UTF8: "is not UTF-8 when decoded; encode the text as UTF-8",
  ERR_TARGET_DOT_SEGMENT: "hides a dot segment, which every request is refused for; remove it",
};

/**
 * Gives a path template its normal form: variables renamed from the left to `{var1}`, `{var2}`, …; `\` turned into
 * `/`; runs of `/` merged; unreserved characters decoded, other bytes percent-encoded as UTF-8, escapes in upper
 * case; dot segments removed. A trailing slash stays. Idempotent.
 *
 * @param template - starts with `/`, no query, at most 4096 characters before and after; variables are whole segments.
 */
export function normalizeEndpoint(template: string): NormalizedEndpoint | OperationInputError {
  const fail = (code: OperationInputErrorCode, reason: string): OperationInputError =>
    inputError("endpoint", code, template, reason);
  const misuse = findMisuse(template);
  if (misuse !== null) return fail(...misuse);
  const segments: string[] = [];
  for (const segment of template.slice(1).replaceAll("\\", "/").split("/")) {
    const normalized = normalizeSegment(segment);
    if (typeof normalized !== "string") return fail(...normalized);
    segments.push(normalized);
  }
  const path = removeDotSegments(`/${segments.join("/")}`);
  if (typeof path !== "string") {
    return fail("ERR_ENDPOINT_PATH", "`..` climbs above the root; write the path without dot segments");
  }
  let variables = 0;
  const endpoint = path.replace(/\{\}/g, () => `{var${++variables}}`);
  return endpoint.length > MAX_ENDPOINT_LENGTH
    ? fail(...tooLong(endpoint.length, "once percent-encoded"))
    : { kind: "endpoint", endpoint };
}

type Misuse = readonly [code: OperationInputErrorCode, reason: string];

function findMisuse(template: string): Misuse | null {
  if (template.length > MAX_ENDPOINT_LENGTH) return tooLong(template.length, "as written");
  if (!template.startsWith("/")) {
    return ["ERR_ENDPOINT_FORM", "it does not start with `/`; write the path only, like `/users/{id}`"];
  }
  if (/[?#]/.test(template)) {
    return ["ERR_ENDPOINT_QUERY", "operations have no query and no fragment; end the path before `?` or `#`"];
  }
  if (NOT_ENCODABLE.test(template)) {
    return ["ERR_ENDPOINT_CHARACTER", "it contains a control character or half a surrogate pair; remove it"];
  }
  return null;
}

/** A literal in canonical form, or `{}` for a variable: a literal brace ends up percent-encoded, so `{}` is free. */
function normalizeSegment(segment: string): string | Misuse {
  if (VARIABLE.test(segment)) return "{}";
  if (/[{}]/.test(segment)) {
    return [
      "ERR_ENDPOINT_VARIABLE",
      `segment \`${quoted(segment)}\` is not a variable as a whole; write \`{name}\` between two slashes, or \`%7B\` for a brace`,
    ];
  }
  const encoded = segment.replace(TO_ENCODE, encodeURIComponent);
  const decoded = decodePath(`/${encoded}`, TEMPLATE_OPTIONS);
  if (typeof decoded === "string") return decoded.slice(1);
  const reason = SEGMENT_REASONS[decoded.code] ?? "cannot be part of a path; remove it";
  return ["ERR_ENDPOINT_PATH", `segment \`${quoted(segment)}\` ${reason}`];
}

function tooLong(length: number, when: string): Misuse {
  return [
    "ERR_ENDPOINT_LENGTH",
    `it has ${length} characters ${when} and may have ${MAX_ENDPOINT_LENGTH}; shorten it`,
  ];
}
