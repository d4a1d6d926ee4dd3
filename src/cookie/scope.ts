/** Attributes of the sequence cookies, and which combinations of them a browser would refuse. */
import { stringifySetCookie } from "cookie";

import type { NameKind } from "./names.ts";
import { isPublicSuffix } from "./public-suffix.ts";

/** Where the browser sends the cookies of a zone. */
export interface SequenceCookieScope {
  readonly sameSite: "Lax" | "Strict" | "None";
  /** One jar per top-level site (CHIPS), for pages in frames of other sites. */
  readonly partitioned: boolean;
  /** Domain shared by several hosts; `null` binds each cookie to its host. */
  readonly domain: string | null;
  /** Life time of a cookie in seconds; by default as long as the sequence looks back. */
  readonly maxAgeSeconds?: number;
}

/** A combination that no browser would accept or that could not work. */
export interface CookieScopeProblem {
  /** JSON pointer into the scope. */
  readonly pointer: string;
  readonly message: string;
}

/** RFC 6265bis section 5.5: a browser cuts longer life times down to 400 days. */
const MAX_AGE_LIMIT_SECONDS = 400 * 86_400;

const SAME_SITE_VALUES: ReadonlySet<string> = new Set(["Lax", "Strict", "None"]);
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;
const IPV4 = /^\d{1,3}(\.\d{1,3}){3}$/;

/** Names of a scope begin with `__Secure-sq.` if it has a domain, else with `__Host-sq.`. */
export function nameKindOf(scope: SequenceCookieScope): NameKind {
  return scope.domain === null ? "host" : "domain";
}

/**
 * What is wrong with a scope; every cookie is `Secure`, which `SameSite=None`, `Partitioned` and both name
 * prefixes demand.
 *
 * @param hosts host names that the zone answers for
 * @returns an empty list for a scope that works on all of them
 */
export function checkCookieScope(
  scope: SequenceCookieScope,
  hosts: readonly string[],
): readonly CookieScopeProblem[] {
  const problems: CookieScopeProblem[] = [];
  const { sameSite, partitioned, domain, maxAgeSeconds } = scope;
  if (!SAME_SITE_VALUES.has(sameSite)) {
    problems.push({
      pointer: "/sameSite",
      message: `expected \`Lax\`, \`Strict\` or \`None\`, found \`${sameSite}\``,
    });
  }
  if (partitioned && sameSite !== "None") {
    const message = `expected \`SameSite=None\` with \`Partitioned\`, found \`${sameSite}\`: such cookies are not sent in frames of other sites, so use \`None\` or do without \`Partitioned\``;
    problems.push({ pointer: "/partitioned", message });
  }
  if (maxAgeSeconds !== undefined && !isLifeTime(maxAgeSeconds)) {
    const message = `expected 1 to ${MAX_AGE_LIMIT_SECONDS} seconds, found \`${maxAgeSeconds}\``;
    problems.push({ pointer: "/maxAgeSeconds", message });
  }
  const domainProblem = domain === null ? undefined : checkDomain(domain, hosts);
  if (domainProblem !== undefined) problems.push({ pointer: "/domain", message: domainProblem });
  return problems;
}

/** @returns what follows the pair in a Set-Cookie field that stores a cookie of this scope */
export function storeAttributes(scope: SequenceCookieScope, maxAgeSeconds: number): string {
  return attributesOf({
    maxAge: maxAgeSeconds,
    httpOnly: true,
    sameSite: SAME_SITE[scope.sameSite],
    ...identityOf(scope),
  });
}

/**
 * @returns what follows the pair in a Set-Cookie field that deletes a cookie of this scope. Only what identifies
 *   the cookie, and `SameSite=None` where a response in a frame of another site could not delete it otherwise
 */
export function deleteAttributes(scope: SequenceCookieScope): string {
  return attributesOf({
    maxAge: 0,
    ...(scope.sameSite === "None" ? { sameSite: SAME_SITE.None } : {}),
    ...identityOf(scope),
  });
}

const SAME_SITE = { Lax: "lax", Strict: "strict", None: "none" } as const;

type Attributes = Omit<Parameters<typeof stringifySetCookie>[0], "name" | "value">;

/** A browser finds a stored cookie by name, domain, path and partition. */
function identityOf(scope: SequenceCookieScope): Attributes {
  return {
    path: "/",
    secure: true,
    ...(scope.domain === null ? {} : { domain: scope.domain }),
    ...(scope.partitioned ? { partitioned: true } : {}),
  };
}

function attributesOf(attributes: Attributes): string {
  const name = "n";
  return stringifySetCookie({ name, value: "", ...attributes }).slice(`${name}=`.length);
}

function isLifeTime(seconds: number): boolean {
  return Number.isInteger(seconds) && seconds >= 1 && seconds <= MAX_AGE_LIMIT_SECONDS;
}

function checkDomain(domain: string, hosts: readonly string[]): string | undefined {
  if (domain.startsWith(".")) return `expected a domain without a leading dot: write \`${domain.slice(1)}\``;
  if (!HOST_NAME.test(domain)) return `expected a host name in lower case, found \`${domain}\``;
  if (IPV4.test(domain)) return `expected a domain, found the address \`${domain}\`: use \`null\``;
  if (!domain.includes(".")) {
    return `expected a domain of two labels or more, found \`${domain}\`: browsers refuse it, so use \`null\``;
  }
  if (isPublicSuffix(domain)) {
    return `expected a domain of your own, found the public suffix \`${domain}\`: name the domain below it`;
  }
  const outside = hosts.find((host) => host !== domain && !host.endsWith(`.${domain}`));
  if (outside === undefined) return undefined;
  return `expected a domain that all hosts of the zone share, but \`${outside}\` is not below \`${domain}\`: use \`null\` or split the zone`;
}
