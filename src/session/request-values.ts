/**
 * All values that a request has for a name, each in one spelling.
 *
 * Whoever can make us read another value than the origin does has as many sessions as they like while the origin
 * sees one. So repeats are found and reported, and what origins take for the same is the same here: quotes around
 * a cookie's value, percent-encoding, `+`, the letter case and spaces of an authorization scheme. A long value is a
 * value like any other: left out, it would hand the request to the next identifier, or to nobody. How long it can be is
 * for the limit of the header section to say; it is hashed before it is kept.
 */

/** Cookie pairs looked at; browsers keep 180 for a site. */
const MAX_PAIRS = 1000;

const AUTHORIZATION_NAMES: ReadonlySet<string> = new Set(["authorization", "proxy-authorization"]);

/**
 * @param name in lower case
 * @returns the values in their order, repeats included; without empty ones, which name nobody
 */
export function headerValues(rawHeaders: readonly string[], name: string): readonly string[] {
  const isAuthorization = AUTHORIZATION_NAMES.has(name);
  return fieldValues(rawHeaders, name)
    .map((value) => (isAuthorization ? oneCredential(value) : value.trim()))
    .filter(isUsable);
}

/**
 * @param name as the application sets it; letter case counts
 * @returns as {@link headerValues}
 */
export function cookieValues(rawHeaders: readonly string[], name: string): readonly string[] {
  const found: string[] = [];
  for (const field of fieldValues(rawHeaders, "cookie")) {
    for (const pair of field.split(";", MAX_PAIRS)) {
      const equals = pair.indexOf("=");
      // Some frameworks decode names too.
      if (equals !== -1 && percentDecoded(pair.slice(0, equals)).trim() === name) {
        found.push(oneSpelling(pair.slice(equals + 1).trim()));
      }
    }
  }
  return found.filter(isUsable);
}

/** Values of a field in their order, one for each time that it stands in the section. */
function fieldValues(rawHeaders: readonly string[], name: string): readonly string[] {
  const values: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const field = rawHeaders[index] as string;
    if (field.length === name.length && field.toLowerCase() === name) {
      values.push(rawHeaders[index + 1] as string);
    }
  }
  return values;
}

function isUsable(value: string): boolean {
  return value !== "";
}

/** Quotes, percent-encoding and `+` undone once, as frameworks do when they read cookies. To compare, never to forward. */
function oneSpelling(value: string): string {
  const isQuoted = value.length >= 2 && value.startsWith('"') && value.endsWith('"');
  return percentDecoded((isQuoted ? value.slice(1, -1) : value).replaceAll("+", " "));
}

function percentDecoded(text: string): string {
  if (!text.includes("%")) return text;
  return text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** Scheme in lower case, one space, credentials (RFC 9110 section 11.4: schemes are case-insensitive). */
function oneCredential(value: string): string {
  const text = value.trim();
  const end = text.search(/[\t ]/);
  return end === -1 ? text : `${text.slice(0, end).toLowerCase()} ${text.slice(end).trim()}`;
}
