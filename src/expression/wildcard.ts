/** Wildcards: `*` is any run of bytes, everything else stands for itself (language.md section 3.3). */

/** The text between the stars; `a*b` is `["a", "b"]`. */
type Pieces = readonly string[];

/** What is wrong with a pattern, `undefined` when nothing is. */
export function checkWildcard(pattern: string): string | undefined {
  const pieces = split(pattern);
  return typeof pieces === "string" ? pieces : undefined;
}

/** Whether whole values match. Without `strict` ASCII letters match in either case. */
export function compileWildcard(pattern: string, strict: boolean): (value: string) => boolean {
  const pieces = piecesOf(strict ? pattern : lowerAscii(pattern));
  const match = (value: string) => matchPieces(pieces, value, value);
  return strict ? match : (value) => match(lowerAscii(value));
}

/**
 * What each star stands for in a value, as little as possible from the left; `undefined` when the value
 * does not match.
 */
export function compileWildcardCapture(
  pattern: string,
  strict: boolean,
): (value: string) => readonly string[] | undefined {
  const pieces = piecesOf(strict ? pattern : lowerAscii(pattern));
  return (value) => {
    const captures: string[] = [];
    const compared = strict ? value : lowerAscii(value);
    return matchPieces(pieces, compared, value, captures) ? captures : undefined;
  };
}

/** Folds ASCII letters only: bytes beyond are not letters of any alphabet here. */
export function lowerAscii(bytes: string): string {
  return bytes.replaceAll(/[A-Z]+/g, (run) => run.toLowerCase());
}

export function upperAscii(bytes: string): string {
  return bytes.replaceAll(/[a-z]+/g, (run) => run.toUpperCase());
}

/** Each middle piece at its first place after the one before it: no choice is ever taken back. */
function matchPieces(pieces: Pieces, compared: string, value: string, captures?: string[]): boolean {
  const first = pieces[0] ?? "";
  const last = pieces.at(-1) ?? "";
  if (pieces.length === 1) {
    return compared === first;
  }
  const lastStart = compared.length - last.length;
  if (!compared.startsWith(first) || lastStart < first.length || !compared.endsWith(last)) {
    return false;
  }
  let at = first.length;
  for (let index = 1; index < pieces.length - 1; index += 1) {
    const piece = pieces[index] ?? "";
    const found = compared.indexOf(piece, at);
    if (found === -1 || found + piece.length > lastStart) {
      return false;
    }
    captures?.push(value.slice(at, found));
    at = found + piece.length;
  }
  captures?.push(value.slice(at, lastStart));
  return true;
}

function piecesOf(pattern: string): Pieces {
  const pieces = split(pattern);
  if (typeof pieces === "string") {
    throw new TypeError(`expected a checked wildcard: ${pieces}`);
  }
  return pieces;
}

/** The pieces, or what is wrong. */
function split(pattern: string): Pieces | string {
  const pieces: string[] = [];
  let piece = "";
  for (let at = 0; at < pattern.length; at += 1) {
    const unit = pattern.charAt(at);
    if (unit === "\\") {
      at += 1;
      const escaped = pattern.charAt(at);
      if (escaped !== "*" && escaped !== "\\") {
        return "expected `*` or `\\` after `\\`";
      }
      piece += escaped;
    } else if (unit === "*") {
      if (pieces.length > 0 && piece === "") {
        return "expected at most one `*` in a row, found `**`";
      }
      pieces.push(piece);
      piece = "";
    } else {
      piece += unit;
    }
  }
  pieces.push(piece);
  return pieces;
}
