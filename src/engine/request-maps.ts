/** The structured views of a request that expressions can ask for; each is built when first asked for. */

export type Multimap = ReadonlyMap<string, readonly string[]>;

/** Members of a list-valued view before they are refused; keeps a hostile request from costing more than its size. */
const MAX_MEMBERS = 1_000;

/** Groups pairs by name, values in their order. */
export function toMultimap(pairs: Iterable<readonly [string, string]>): Multimap {
  const map = new Map<string, string[]>();
  for (const [name, value] of pairs) addTo(map, name, value);
  return map;
}

function addTo(map: Map<string, string[]>, name: string, value: string): void {
  const values = map.get(name);
  if (values === undefined) map.set(name, [value]);
  else values.push(value);
}

/**
 * Header fields by name in lower case, without HTTP/2's pseudo-headers. In one pass: many rules look at headers.
 *
 * @param cookie what stands in the place of the `Cookie` fields; none when empty
 */
export function headerMultimap(rawHeaders: readonly string[], cookie: string): Multimap {
  const map = new Map<string, string[]>();
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] as string).toLowerCase();
    if (name !== "cookie" && name.charCodeAt(0) !== COLON) addTo(map, name, rawHeaders[index + 1] as string);
  }
  if (cookie !== "") map.set("cookie", [cookie]);
  return map;
}

const COLON = 58;

/** Header fields, names in lower case, without HTTP/2's pseudo-headers. */
export function headerPairs(rawHeaders: readonly string[]): readonly (readonly [string, string])[] {
  const pairs: (readonly [string, string])[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    if (name.charCodeAt(0) !== COLON) pairs.push([name.toLowerCase(), rawHeaders[index + 1] as string]);
  }
  return pairs;
}

/** Query arguments as written, without percent-decoding; an argument without `=` has an empty value. */
export function queryPairs(query: string): readonly (readonly [string, string])[] {
  if (query === "") return [];
  return query.split("&", MAX_MEMBERS).map((argument) => {
    const equals = argument.indexOf("=");
    return equals === -1 ? [argument, ""] : [argument.slice(0, equals), argument.slice(equals + 1)];
  });
}

/** Cookies of a `Cookie` field; names are percent-decoded where that is possible. */
export function cookiePairs(header: string): readonly (readonly [string, string])[] {
  const pairs: (readonly [string, string])[] = [];
  for (const part of header.split(";", MAX_MEMBERS)) {
    const equals = part.indexOf("=");
    const name = part.slice(0, Math.max(equals, 0)).trim();
    if (name !== "") pairs.push([decodeName(name), part.slice(equals + 1).trim()]);
  }
  return pairs;
}

function decodeName(name: string): string {
  return name.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** Language tags of `Accept-Language` by descending weight, `*` left out (RFC 9110 section 12.5.4). */
export function acceptedLanguages(header: string): readonly string[] {
  return header
    .split(",", MAX_MEMBERS)
    .map((part) => {
      const [tag = "", ...parameters] = part.split(";").map((piece) => piece.trim());
      const weight = parameters.find((parameter) => parameter.startsWith("q="));
      return { tag, weight: weight === undefined ? 1 : Number(weight.slice(2)) || 0 };
    })
    .filter(({ tag, weight }) => tag !== "" && tag !== "*" && weight > 0)
    .toSorted((left, right) => right.weight - left.weight)
    .map(({ tag }) => tag);
}

/** Extension of the last path segment, lower case, without its dot; empty for `.name` and `name.`. */
export function pathExtension(path: string): string {
  const file = path.slice(path.lastIndexOf("/") + 1);
  const dot = file.lastIndexOf(".");
  return dot <= 0 ? "" : file.slice(dot + 1).toLowerCase();
}
