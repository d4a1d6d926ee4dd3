/** From the request target as it came in to what is matched and forwarded (RFC 9112 section 3.2). */
import { canonicalPath, characterName, targetError } from "./canonical-path.ts";
import type { TargetError } from "./canonical-path.ts";
import { DEFAULT_PATH_OPTIONS } from "./options.ts";
import type { PathOptions } from "./options.ts";

/** A target that names a path: origin-form or absolute-form. `path + query` is what goes to the origin. */
export interface CanonicalPath {
  readonly kind: "path";
  /** Canonical: matched and forwarded byte for byte. Only unreserved and reserved characters and upper-case escapes. */
  readonly path: string;
  /** As it came in, with its `?`; `""` if the target has no `?`, `"?"` if nothing follows it. Never decoded. */
  readonly query: string;
  /**
   * The authority of an absolute-form target, as it came in, or `null` for origin-form. The caller compares
   * `canonicalHost` of it with that of the Host header and answers 400 if they differ.
   */
  readonly authority: string | null;
  /** The request target as it came in. */
  readonly raw: string;
}

/** `*`: the server as a whole. Legal with OPTIONS only, which the caller checks. */
export interface AsteriskTarget {
  readonly kind: "asterisk";
  readonly raw: string;
}

export type CanonicalTarget = CanonicalPath | AsteriskTarget;

const ABSOLUTE_FORM = /^https?:\/\/([^/?]*)/i;
/**
 * Printable ASCII but `#`: clients send more of it raw than RFC 3986 allows (`[`, `|`, `"`), and no decision depends
 * on it. Bytes from 0x80 are refused rather than encoded: browsers always encode them, and origins disagree on the
 * charset of raw ones.
 */
const NOT_IN_QUERY = /[^!"$-~]/;
const NOT_IN_AUTHORITY = /[^!-~]|[\\#]/;

/**
 * Gives a request target its canonical form, or the reason to answer 400.
 *
 * Origin-form (`/a?b`) and absolute-form (`http://host/a?b`, either case of the scheme) give a path; `*` gives
 * `asterisk`; authority-form (CONNECT) and everything else is refused. The query is checked for raw controls,
 * spaces, `#` and bytes from 0x80, and otherwise left alone.
 *
 * @param target - the request target as Node gives it in `req.url`: one character per byte.
 * @param options - of the zone the request belongs to.
 */
export function canonicalTarget(
  target: string,
  options: PathOptions = DEFAULT_PATH_OPTIONS,
): CanonicalTarget | TargetError {
  if (target.length > options.maxTargetBytes) {
    return targetError(
      "ERR_TARGET_LENGTH",
      `expected a request target of at most ${options.maxTargetBytes} bytes, found ${target.length}; send the data in the body`,
    );
  }
  if (target.charCodeAt(0) === 0x2f) return pathTarget(target, 0, null, options);
  if (target === "*") return { kind: "asterisk", raw: target };
  const absolute = ABSOLUTE_FORM.exec(target);
  if (absolute === null) {
    return targetError(
      "ERR_TARGET_FORM",
      "expected a request target that starts with `/` or `http://`, or is `*`; send the path in origin-form",
    );
  }
  const authority = absolute[1]!;
  if (authority === "" || NOT_IN_AUTHORITY.test(authority)) {
    return targetError(
      "ERR_TARGET_AUTHORITY",
      "expected a host after `http://` in the request target; send the path in origin-form",
    );
  }
  return pathTarget(target, absolute[0].length, authority, options);
}

function pathTarget(
  target: string,
  pathStart: number,
  authority: string | null,
  options: PathOptions,
): CanonicalPath | TargetError {
  const queryStart = target.indexOf("?", pathStart);
  const query = queryStart === -1 ? "" : target.slice(queryStart);
  const refused = query.search(NOT_IN_QUERY);
  if (refused !== -1) {
    return targetError(
      "ERR_TARGET_RAW_CHARACTER",
      `expected a query of printable ASCII, found ${characterName(query.charCodeAt(refused))} at byte ${refused - 1} of the query; percent-encode it`,
    );
  }
  // `http://host?q` has an empty path, which RFC 9110 section 4.2.3 makes equal to `/`.
  const rawPath = target.slice(pathStart, queryStart === -1 ? undefined : queryStart) || "/";
  const path = canonicalPath(rawPath, options);
  return typeof path === "string" ? { kind: "path", path, query, authority, raw: target } : path;
}
