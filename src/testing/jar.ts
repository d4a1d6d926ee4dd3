/** The cookies of one visitor of one host, as a browser keeps them (RFC 6265bis section 5.6). */
import { parseSetCookie } from "cookie";

/** Cookies of one visitor. */
export interface CookieJar {
  /** Value of the `Cookie` field for a path, `undefined` when there are no cookies. */
  header(path: string): string | undefined;
  /** Stores or deletes what the `Set-Cookie` lines of a response say, in their order. */
  store(lines: readonly string[]): void;
  /** Name → value of what is stored. */
  entries(): ReadonlyMap<string, string>;
  /** As a visitor that clears its cookies. */
  clear(): void;
}

interface StoredCookie {
  readonly value: string;
  readonly path: string;
  readonly expiresAt: number;
}

/** Cookies of one host kept by browsers; the oldest goes first. */
const MAX_COOKIES = 180;

/** Longest name and value together that browsers keep. */
const MAX_PAIR_BYTES = 4096;

/**
 * Makes an empty jar.
 *
 * @param now the clock that `Max-Age` is judged by, epoch milliseconds
 */
export function createCookieJar(now: () => number = Date.now): CookieJar {
  const cookies = new Map<string, StoredCookie>();
  const live = (): readonly [string, StoredCookie][] =>
    [...cookies].filter(([, { expiresAt }]) => expiresAt > now());
  return {
    header(path) {
      const pairs = live().filter(([, cookie]) => matchesPath(path, cookie.path));
      return pairs.length === 0 ? undefined : pairs.map(([name, { value }]) => `${name}=${value}`).join("; ");
    },
    store(lines) {
      for (const line of lines) {
        const { name, cookie } = readLine(line, now());
        if (cookie === undefined) continue;
        if (cookie.expiresAt <= now()) cookies.delete(name);
        else cookies.set(name, cookie);
        const oldest = cookies.keys().next();
        if (cookies.size > MAX_COOKIES && oldest.done !== true) cookies.delete(oldest.value);
      }
    },
    entries: () => new Map(live().map(([name, { value }]) => [name, value])),
    clear: () => cookies.clear(),
  };
}

/** @returns no cookie for a line that a browser would refuse: a test must not get to see it either */
function readLine(
  line: string,
  nowMs: number,
): { readonly name: string; readonly cookie: StoredCookie | undefined } {
  const { name, value = "", path = "/", maxAge, expires, secure, domain } = parseSetCookie(line);
  const isHostBound = name.startsWith("__Host-");
  const isRefused =
    (isHostBound && (path !== "/" || domain !== undefined)) ||
    ((isHostBound || name.startsWith("__Secure-")) && secure !== true) ||
    name.length + value.length > MAX_PAIR_BYTES;
  if (isRefused) return { name, cookie: undefined };
  const untilExpires = expires?.getTime() ?? Number.POSITIVE_INFINITY;
  return {
    name,
    cookie: { value, path, expiresAt: maxAge === undefined ? untilExpires : nowMs + maxAge * 1000 },
  };
}

/** RFC 6265bis section 5.1.4. */
function matchesPath(path: string, cookiePath: string): boolean {
  if (path === cookiePath || cookiePath === "/") return true;
  return path.startsWith(cookiePath) && (cookiePath.endsWith("/") || path.charAt(cookiePath.length) === "/");
}
