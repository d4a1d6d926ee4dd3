/** What two canonical paths have in common when the origin of a zone takes them for the same (for matching only). */
import { decodeUtf8 } from "./canonical-path.ts";
import type { PathOptions } from "./options.ts";

/** Escapes of sub-delims, `:` and `@`: RFC 3986 keeps them apart from the plain character, origins that decode do not. */
const ESCAPED_DELIMITER = /%(?:2[14678ABC9]|3[ABD]|40)/g;
const NON_ASCII_RUN = /(?:%[89A-F][0-9A-F])+/g;

/**
 * The key under which a canonical path is looked up. Two paths with one key are the same operation; the key is never
 * forwarded. Folds, each by its option: `;params` of every segment, the trailing slash, and letter case; and always
 * escapes of delimiters (`/users/%40me` reaches `/users/@me` on every origin that decodes before it routes). There
 * is no Unicode normalisation of any kind, and `formatSuffix` and `pathInfo` are the matcher's affair.
 *
 * @param path - from `canonicalTarget`, or a normalised endpoint: ASCII only.
 */
export function matchKey(path: string, options: PathOptions): string {
  let key = path.includes("%") ? foldEscapes(path, options) : path;
  if (options.params !== "keep" && key.includes(";")) {
    key =
      options.params === "cut"
        ? key.slice(0, key.indexOf(";"))
        : // `/;x/a` is `//a` to a servlet container, hence `/a`.
          key.replace(/;[^/]*/g, "").replace(/\/{2,}/g, "/");
  }
  if (options.trailingSlash === "fold" && key.length > 1 && key.endsWith("/")) key = key.slice(0, -1);
  // ASCII only by construction, so this folds A-Z and the hex digits of escapes, nothing else.
  return options.caseSensitive ? key : key.toLowerCase();
}

function foldEscapes(path: string, options: PathOptions): string {
  const plain = path.replace(ESCAPED_DELIMITER, (escape) =>
    String.fromCharCode(Number.parseInt(escape.slice(1), 16)),
  );
  return options.caseSensitive || options.caseFolding === "ascii"
    ? plain
    : plain.replace(NON_ASCII_RUN, (run) => {
        const text = decodeUtf8(run);
        return text === null ? run : encodeURIComponent(foldLetters(text));
      });
}

/** Simple case folding: letter for letter, so that `ß` stays `ß` and no ligature falls apart. */
function foldLetters(text: string): string {
  return Array.from(text, (char) => {
    const upper = char.toUpperCase();
    const lower = (upper.length === char.length ? upper : char).toLowerCase();
    return lower.length <= char.length ? lower : char;
  }).join("");
}
