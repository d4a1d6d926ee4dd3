/**
 * A browser as far as cookies go: one jar, Set-Cookie values applied one by one, older cookies sent first. The
 * values are parsed by a library, not by our code.
 */
import { parseSetCookie } from "cookie";

interface StoredCookie {
  readonly value: string;
  readonly expiresAt: number;
  readonly order: number;
}

export interface Jar {
  /** Applies one Set-Cookie value. @throws {Error} for one that a browser would refuse */
  apply(line: string, nowMs: number): void;
  /** Value of the Cookie header, `undefined` when there is nothing to send. */
  header(nowMs: number): string | undefined;
  names(): readonly string[];
}

export function createJar(): Jar {
  const cookies = new Map<string, StoredCookie>();
  let order = 0;
  return {
    apply(line, nowMs) {
      const { name, value = "", maxAge, secure, path, domain, httpOnly } = parseSetCookie(line);
      if (name.startsWith("__Host-") && (secure !== true || path !== "/" || domain !== undefined)) {
        throw new Error(`a browser refuses \`${line}\``);
      }
      if (name.length + value.length > 4096) throw new Error(`a browser refuses ${line.length} bytes`);
      if (maxAge === undefined || maxAge <= 0) {
        cookies.delete(name);
        return;
      }
      if (httpOnly !== true) throw new Error(`page scripts could read \`${line}\``);
      order += 1;
      const stored = cookies.get(name)?.order ?? order;
      cookies.set(name, { value, expiresAt: nowMs + maxAge * 1000, order: stored });
    },
    header(nowMs) {
      const alive = [...cookies].filter(([, cookie]) => cookie.expiresAt > nowMs);
      const pairs = alive
        .toSorted((a, b) => a[1].order - b[1].order)
        .map(([name, { value }]) => `${name}=${value}`);
      return pairs.length === 0 ? undefined : pairs.join("; ");
    },
    names: () => [...cookies.keys()],
  };
}

/** Applies all values of a response. */
export function applyAll(jar: Jar, lines: readonly string[], nowMs: number): void {
  for (const line of lines) jar.apply(line, nowMs);
}
