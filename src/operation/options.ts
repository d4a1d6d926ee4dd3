/** How a zone reads paths: what its origin treats as the same path, in one table with reasons. */
import { MAX_TARGET_BYTES } from "./limits.ts";

/**
 * What the origin of a zone makes of unusual spellings. The first group decides what is refused or rewritten before
 * a request is matched **and** forwarded; the second group only which spellings count as the same operation.
 */
export interface PathOptions {
  /** Longest request target in bytes, query included. Longer ones are refused. */
  readonly maxTargetBytes: number;
  /**
   * `%2F`: `reject` refuses it, `keep` leaves it inside its segment (origins that route on the undecoded path),
   * `decode` makes it the separator that nginx, Flask, Django, Starlette and lighttpd take it for. `keep` in front
   * of an origin that decodes lets `/v1%2Ftransfer` reach `/v1/transfer` unseen.
   */
  readonly encodedSlash: "reject" | "keep" | "decode";
  /** `%5C`, likewise; `decode` makes it a `/`, as IIS and .NET do. A raw backslash is always refused. */
  readonly encodedBackslash: "reject" | "keep" | "decode";
  /** `%25` before two hexadecimal digits: `reject` it, or `keep` it as the text it is. It is never decoded twice. */
  readonly doubleEncoding: "reject" | "keep";

  /** Whether `/Transfer` and `/transfer` are different operations. */
  readonly caseSensitive: boolean;
  /**
   * Which letters lose their case when `caseSensitive` is false. `ascii` leaves every other letter alone. `unicode`
   * also folds letters like `%C3%89`, and with them the long s (`%C5%BF`) and the Kelvin sign (`%E2%84%AA`), for
   * origins that compare decoded text without case (ASP.NET, Go's EqualFold, Python's `re.IGNORECASE`).
   */
  readonly caseFolding: "ascii" | "unicode";
  /** Whether `/a/` is the operation `/a`. */
  readonly trailingSlash: "fold" | "keep";
  /**
   * What `;` means. `fold`: parameters of one segment, ignored as servlet containers do; if that gives no operation,
   * as `cut`. `cut`: the end of the path, as in Fastify up to 4 (`useSemicolonDelimiter`). `keep`: nothing.
   */
  readonly params: "fold" | "cut" | "keep";
  /** Whether `/a.json` also is the operation `/a`, as in Rails' `(.:format)`. */
  readonly formatSuffix: "fold" | "keep";
  /** Whether `/a.php/more` also is the operation `/a.php` (path info of CGI and PHP). Never applies to `/` itself. */
  readonly pathInfo: "off" | "prefix";
}

/**
 * The options of a zone that says nothing: they take no spelling for another path that one of 19 measured origins
 * takes for the same one, except path info.
 */
export const DEFAULT_PATH_OPTIONS: PathOptions = {
  maxTargetBytes: MAX_TARGET_BYTES,
  // 8 of 19 origins take `%2F` for a separator and 11 do not: no reading is safe for all, so none is chosen.
  encodedSlash: "reject",
  // IIS and .NET take `%5C` for a separator; hardly anyone needs it in a path.
  encodedBackslash: "reject",
  // Two decoding proxies in a row would see another path than we do (ASVS 5.0, 1.1.1).
  doubleEncoding: "reject",
  // 5 of 19 origins ignore case, and on the others a request in the wrong case ends in a 404 anyway.
  caseSensitive: false,
  // None of 19 origins folds letters outside ASCII.
  caseFolding: "ascii",
  // 7 of 19 origins answer `/a/` as `/a`.
  trailingSlash: "fold",
  // Servlet containers drop `;x=1` before they route, older Fastify drops all that follows.
  params: "fold",
  // `/report.json` and `/report` are different operations everywhere but in Rails and its kin.
  formatSuffix: "keep",
  // Would make every operation a prefix; only CGI, PHP and file servers that run scripts need it.
  pathInfo: "off",
};
