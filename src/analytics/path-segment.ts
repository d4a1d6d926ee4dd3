/** What a path segment looks like by itself: an identifier, or a word that somebody chose. */

/**
 * - `variable`: an identifier, whatever else is seen;
 * - `number`, `date`: one, unless it is always the same (`/2010-04-01/Accounts`, `/rest/api/3/issue`);
 * - `mixed`: letters and digits, one if there are several of the kind;
 * - `text`: anything else.
 */
export type SegmentKind = "variable" | "number" | "date" | "mixed" | "text";

/** Longer words are no words. */
const MAX_WORD_LENGTH = 40;

const UUID = /^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;
const NUMBER = /^-?\d+(?:\.\d+)?$/;
const DATE = /^\d{4}-\d{2}(?:-\d{2}(?:t[\d:.]+z?)?)?$/i;
/** `v1`, `v1.47`, `v1beta1`: part of the name of an API, not of a thing. */
const VERSION = /^v\d+(?:\.\d+)?(?:(?:alpha|beta|rc)\d*)?$/i;
/** `cus_9s6XKzkNRiz8i3`: a kind and a random part. */
const PREFIXED = /^[a-z]{1,12}_(?:[a-z]{1,12}_)?([0-9a-z]{8,})$/i;
const UPPER_CASE_ID = /^[A-Z][0-9A-Z]{7,}$/;
const HEX = /^[0-9a-f]{7,}$/i;
/** Nobody writes these in the name of an endpoint, apart from a leading `@` or `:`. */
const PUNCTUATION = /[%,=;!$&'*+()]|.[@:]/;
const FILE_EXTENSION = /\.[a-z]{2,4}$/i;

/** @param segment of a canonical path, not empty */
export function kindOf(segment: string): SegmentKind {
  if (segment.length > MAX_WORD_LENGTH || UUID.test(segment) || PUNCTUATION.test(segment)) return "variable";
  if (DATE.test(segment)) return "date";
  if (NUMBER.test(segment)) return "number";
  if (VERSION.test(segment)) return "text";
  const word = segment.replace(FILE_EXTENSION, "");
  if (!/\d/.test(word)) return hasRandomCase(word) ? "variable" : "text";
  return isRandom(word) ? "variable" : "mixed";
}

function isRandom(word: string): boolean {
  const tail = PREFIXED.exec(word)?.[1];
  if (tail !== undefined && (/\d/.test(tail) || hasRandomCase(tail))) return true;
  if ((UPPER_CASE_ID.test(word) || HEX.test(word)) && countOf(word, /\d/g) >= 2) return true;
  // `node2pool` is a name, `4fZ9xQ7…` a key in base 32, 58, 62 or 64.
  return word.length >= 16 && (countOf(word, /\d+/g) >= 3 || hasRandomCase(word));
}

/** Sixteen characters and more that change case again and again: nobody writes that by hand. */
function hasRandomCase(word: string): boolean {
  return word.length >= 16 && countOf(word, /[a-z][A-Z]/g) >= 4;
}

function countOf(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}
