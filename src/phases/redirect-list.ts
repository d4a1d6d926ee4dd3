/**
 * A bulk redirect list made ready: found by host, then by path, in a time that does not depend on how many items it
 * has. Precedence (product page "Bulk Redirects, how it works"): the more specific path, then the exact host before
 * `include_subdomains`, then the more specific domain, then an explicit scheme.
 */
import type { Redirect } from "../ruleset/index.ts";
import { MAX_HOST_LABELS, MAX_SUBPATH_SEGMENTS } from "./limits.ts";

/** The parts of a request's URL that redirects look at. */
export interface RequestUrl {
  readonly scheme: string;
  readonly host: string;
  readonly path: string;
  /** Without `?`; empty when there is none. */
  readonly query: string;
}

export interface RedirectMatch {
  readonly redirect: Redirect;
  /** What of the request's path lies below the source's; empty or starting with `/`. */
  readonly suffix: string;
}

export interface RedirectIndex {
  find(url: RequestUrl): RedirectMatch | undefined;
}

/** Redirects of one host and path, by scheme; `any` stands behind the explicit ones. */
interface PathEntry {
  http?: Redirect;
  https?: Redirect;
  any?: Redirect;
}

/** Redirects of one host, by path. */
interface HostEntry {
  readonly exact: Map<string, PathEntry>;
  readonly subpath: Map<string, PathEntry>;
}

/** The host itself, and the redirects of a parent domain that include subdomains. */
interface HostEntries {
  readonly own: Map<string, HostEntry>;
  readonly subdomains: Map<string, HostEntry>;
}

/** @param redirects rows whose source cannot be read are left out; the API refuses them */
export function indexRedirects(redirects: Iterable<Redirect>): RedirectIndex {
  const hosts: HostEntries = { own: new Map(), subdomains: new Map() };
  for (const redirect of redirects) {
    const source = parseSource(redirect.source_url);
    if (source === undefined) continue;
    add(hosts.own, source, redirect);
    if (redirect.include_subdomains) add(hosts.subdomains, source, redirect);
  }
  return { find: (url) => find(hosts, url) };
}

/** The parts of a URL text as the fields of the Rules language write it: scheme, host without port, path, query. */
export function splitUrl(text: string): RequestUrl {
  const hostStart = text.indexOf("://") + 3;
  const pathStart = text.indexOf("/", hostStart);
  const question = text.indexOf("?", pathStart);
  return {
    scheme: text.slice(0, hostStart - 3),
    host: text.slice(hostStart, pathStart),
    path: text.slice(pathStart, question === -1 ? undefined : question),
    query: question === -1 ? "" : text.slice(question + 1),
  };
}

interface Source {
  readonly scheme: keyof PathEntry;
  readonly host: string;
  readonly path: string;
}

/** @param text host and path, with or without `http://` or `https://` */
function parseSource(text: string): Source | undefined {
  const scheme = /^(https?):\/\//i.exec(text)?.[1]?.toLowerCase() as "http" | "https" | undefined;
  const url = URL.parse(scheme === undefined ? `https://${text}` : text);
  if (url === null || url.hostname === "") return undefined;
  return { scheme: scheme ?? "any", host: url.hostname, path: canonicalSourcePath(url.pathname) };
}

/** The spelling in which canonical request paths arrive: unreserved characters decoded, other escapes in upper case. */
function canonicalSourcePath(path: string): string {
  return path.replace(/%([0-9a-f]{2})/gi, (escape, hex: string) => {
    const character = String.fromCharCode(Number.parseInt(hex, 16));
    return /[A-Za-z0-9._~-]/.test(character) ? character : escape.toUpperCase();
  });
}

function add(hosts: Map<string, HostEntry>, source: Source, redirect: Redirect): void {
  let host = hosts.get(source.host);
  if (host === undefined) {
    host = { exact: new Map(), subpath: new Map() };
    hosts.set(source.host, host);
  }
  const paths = redirect.subpath_matching ? host.subpath : host.exact;
  const path = redirect.subpath_matching ? withoutFinalSlash(source.path) : source.path;
  const entry = paths.get(path) ?? {};
  // The first row wins where two have the same source; the API lets no second one in.
  entry[source.scheme] ??= redirect;
  paths.set(path, entry);
}

function find(hosts: HostEntries, url: RequestUrl): RedirectMatch | undefined {
  const candidates = hostEntries(hosts, url.host);
  if (candidates.length === 0) return undefined;
  for (const candidate of candidates) {
    const redirect = findWholePath(candidate, url);
    if (redirect !== undefined) return { redirect, suffix: "" };
  }
  return findSubpath(candidates, url);
}

/** Sources with just this path: those with an explicit scheme first. */
function findWholePath({ exact, subpath }: HostEntry, { path, scheme }: RequestUrl): Redirect | undefined {
  const ofExact = exact.get(path);
  const ofSubpath = subpath.get(path);
  if (ofExact === undefined && ofSubpath === undefined) return undefined;
  const explicit = scheme === "http" ? "http" : "https";
  return ofExact?.[explicit] ?? ofSubpath?.[explicit] ?? ofExact?.any ?? ofSubpath?.any;
}

/** Entries that may answer for a host: its own, then those of its parent domains, nearest first. */
function hostEntries(hosts: HostEntries, host: string): readonly HostEntry[] {
  const found: HostEntry[] = [];
  const own = hosts.own.get(host);
  if (own !== undefined) found.push(own);
  if (hosts.subdomains.size === 0) return found;
  let dot = host.indexOf(".");
  for (let label = 0; dot !== -1 && label < MAX_HOST_LABELS; label += 1) {
    const parent = hosts.subdomains.get(host.slice(dot + 1));
    if (parent !== undefined) found.push(parent);
    dot = host.indexOf(".", dot + 1);
  }
  return found;
}

/** Walks up to the root by segments; a deeper source than the product allows is never there. */
function findSubpath(candidates: readonly HostEntry[], url: RequestUrl): RedirectMatch | undefined {
  if (candidates.every(({ subpath }) => subpath.size === 0)) return undefined;
  for (const end of segmentEnds(url.path)) {
    const prefix = url.path.slice(0, end);
    for (const { subpath } of candidates) {
      const entry = subpath.get(prefix);
      const redirect = (url.scheme === "http" ? entry?.http : entry?.https) ?? entry?.any;
      if (redirect !== undefined) return { redirect, suffix: url.path.slice(end) };
    }
  }
  return undefined;
}

/** Offsets of the slashes of a path, the last one first; 0 is the root. */
function segmentEnds(path: string): readonly number[] {
  const ends: number[] = [];
  let slash = 0;
  while (slash !== -1 && ends.length <= MAX_SUBPATH_SEGMENTS) {
    ends.push(slash);
    slash = path.indexOf("/", slash + 1);
  }
  return ends.toReversed();
}

function withoutFinalSlash(path: string): string {
  return path.endsWith("/") ? path.slice(0, -1) : path;
}
