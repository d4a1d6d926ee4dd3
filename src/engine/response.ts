/** What the engine changes on an origin's response: flat header lists in, flat header lists out. */

/** Fields by which a CDN in front could be told to store what `Cache-Control` forbids. */
const SHARED_CACHE_FIELDS = new Set([
  "surrogate-control",
  "cdn-cache-control",
  "cloudflare-cdn-cache-control",
]);

const CACHE_FIELD_LENGTHS: ReadonlySet<number> = new Set(
  ["cache-control", ...SHARED_CACHE_FIELDS].map((name) => name.length),
);

/** One list member; a quoted argument may hold commas. */
const DIRECTIVE = /(?:[^,"]|"[^"]*")+/g;

/** Directives of RFC 9111 section 5.2.2 that invite a shared cache, with their arguments. */
const SHARED_DIRECTIVE = /^(?:public|s-maxage(?:=.*)?|proxy-revalidate)$/i;

/** Directives that already keep a response out of shared caches. */
const PRIVATE_DIRECTIVE = /^(?:private|no-store)$/i;

/**
 * Adds `Set-Cookie` lines and makes sure that no shared cache stores them: one visitor's sequence must never
 * be handed to another (RFC 9111 section 7.3).
 *
 * @param headers flat list as the origin sent it; changed in place where it says nothing about caches
 * @param cookies complete `Set-Cookie` values, in order
 * @returns the list with the lines
 */
export function addSequenceCookies(headers: string[], cookies: readonly string[]): string[] {
  let edited = headers;
  if (concernsCaches(headers)) edited = withPrivateCache(headers);
  else edited.push("cache-control", "private");
  for (const cookie of cookies) edited.push("set-cookie", cookie);
  return edited;
}

function concernsCaches(headers: readonly string[]): boolean {
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] as string;
    // Other fields are told apart by their length already.
    if (!CACHE_FIELD_LENGTHS.has(name.length)) continue;
    const lower = name.toLowerCase();
    if (lower === "cache-control" || SHARED_CACHE_FIELDS.has(lower)) return true;
  }
  return false;
}

function withPrivateCache(headers: readonly string[]): string[] {
  const edited: string[] = [];
  const directives: string[] = [];
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] as string;
    const value = headers[index + 1] as string;
    const lower = name.toLowerCase();
    if (lower === "cache-control")
      directives.push(...(value.match(DIRECTIVE) ?? []).map((directive) => directive.trim()));
    else if (!SHARED_CACHE_FIELDS.has(lower)) edited.push(name, value);
  }
  const kept = directives.filter((directive) => directive !== "" && !SHARED_DIRECTIVE.test(directive));
  if (!kept.some((directive) => PRIVATE_DIRECTIVE.test(directive))) kept.unshift("private");
  edited.push("cache-control", kept.join(", "));
  return edited;
}
