/**
 * Which spelling of a path rules see and which one the origin receives (the original's URL normalisation). Operations
 * are always matched by the canonical form; this only lets the other two differ from it, and only where they may.
 */
import { decodePath } from "./canonical-path.ts";
import type { PathOptions } from "./options.ts";
import type { CanonicalPath } from "./target.ts";

/** Wire shape of `/zones/{id}/url_normalization`. */
export interface UrlNormalization {
  /** Who gets the normalised path: rules only, rules and the origin, or nobody. */
  readonly scope: "incoming" | "both" | "none";
  /** `rfc3986` is RFC 3986 section 6.2.2; `cloudflare` also merges runs of `/`. */
  readonly type: "cloudflare" | "rfc3986";
}

export const DEFAULT_URL_NORMALIZATION: UrlNormalization = Object.freeze({
  scope: "both",
  type: "cloudflare",
});

/** The two spellings of one path. */
export interface PathForms {
  /** For `http.request.uri.path` and what is derived from it. */
  readonly rules: string;
  /** For the request to the origin. */
  readonly origin: string;
}

export interface PathFormsOptions {
  readonly normalization: UrlNormalization;
  /** Of the zone; the same as given to `canonicalTarget`. */
  readonly pathOptions: PathOptions;
  /** Names the saved operation that a path is, whatever identity serves; `undefined` if it is none. */
  readonly match: (path: string) => unknown;
}

/** A segment that only a variable can be: no canonical path has a raw space. */
const EMPTY_SEGMENT = /\/(?=\/)/g;

/**
 * Gives rules and the origin the spellings that the zone asks for.
 *
 * INVARIANT: a path that is forwarded in another form than the canonical one has no dot segments, and is the same
 * operation however an origin reads it: with or without decoding, with or without merging slashes, with empty
 * segments as values of variables. Where that does not hold, both get the canonical form. So no setting lets a
 * request run one operation while it is judged and remembered as another.
 */
export function pathForms(target: CanonicalPath, options: PathFormsOptions): PathForms {
  const { path } = target;
  const { scope, type } = options.normalization;
  const sent = sentPath(target);
  if (sent === path) return { rules: path, origin: path };
  const normalized = type === "cloudflare" ? path : withoutMerging(sent, options.pathOptions, path);
  const origin = scope === "both" ? normalized : sent;
  if (!isSafe(origin, path, options)) return { rules: path, origin: path };
  return { rules: scope === "none" ? sent : normalized, origin };
}

/** The path of a request target as it came in; `/` where it is empty. */
function sentPath({ raw, query, authority }: CanonicalPath): string {
  const end = raw.length - query.length;
  const start = authority === null ? 0 : raw.indexOf("://") + 3 + authority.length;
  return raw.slice(start, end) || "/";
}

/** RFC 3986 alone: escapes settled, dot segments removed as section 5.2.4 says, runs of `/` left as they are. */
function withoutMerging(sent: string, options: PathOptions, canonical: string): string {
  const decoded = decodePath(sent, options);
  if (typeof decoded !== "string") return canonical;
  const kept: string[] = [];
  const segments = decoded.slice(1).split("/");
  for (const segment of segments) {
    if (segment === "..") kept.pop();
    else if (segment !== ".") kept.push(segment);
  }
  if (isDotSegment(segments.at(-1) ?? "")) kept.push("");
  return `/${kept.join("/")}`;
}

function isSafe(form: string, canonical: string, { pathOptions, match }: PathFormsOptions): boolean {
  const decoded = decodePath(form, pathOptions);
  if (typeof decoded !== "string" || decoded.split("/").some(isDotSegment)) return false;
  const operation = match(canonical);
  const readings = [form, decoded, merge(form), merge(decoded)];
  return readings.every(
    (reading) => match(reading) === operation && match(reading.replace(EMPTY_SEGMENT, "/ ")) === operation,
  );
}

const merge = (path: string): string => path.replace(/\/{2,}/g, "/");

const isDotSegment = (segment: string): boolean => segment === "." || segment === "..";
