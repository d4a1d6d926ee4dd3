/**
 * Where a redirect leads, and whether it may lead there. What a visitor sends must not choose the host that others
 * are sent to (CWE-601; ASVS 5.0 section 3.7.2), and a redirect to itself would never end.
 */
import { fromUtf8 } from "../expression/index.ts";
import type { Redirect } from "../ruleset/index.ts";
import { MAX_LOCATION_BYTES } from "./limits.ts";
import type { RedirectMatch, RequestUrl } from "./redirect-list.ts";

export type RedirectTarget =
  /** `location` is ASCII, absolute, and a valid field value. */
  | { readonly kind: "location"; readonly location: string }
  /** The target is the request's own address: the request goes on instead of going in circles. */
  | { readonly kind: "loop" }
  /** `reason` is a clause for the operator. */
  | { readonly kind: "unsafe"; readonly reason: string };

/** What a computed target is held against. */
export interface TargetContext {
  /** The request's own URL as the visitor sees it; its authority may have a port. */
  readonly url: RequestUrl;
  readonly authority: string;
  /** Whether a computed target may lead to this host. */
  readonly allowsHost: (host: string) => boolean;
  readonly preserveQuery: boolean;
}

/** Schemes that run or read something instead of leading somewhere. */
const DANGEROUS_SCHEME = /^(?:javascript|data|vbscript|blob|file|filesystem|about|view-source):/i;

/** Control characters, spaces and `\\`: parsers drop or turn them, each in its own way. */
const AMBIGUOUS = /[\0-\x20\x7f\\]/;

/** An absolute http(s) URL with both slashes, or a path that is no `//host`. */
const WEB_URL = /^https?:\/\/[^/]/i;
const LOCAL_PATH = /^\/(?!\/)/;

/**
 * Judges a target that was computed from a request.
 *
 * @param value what the expression gave, a binary string; `undefined` when it gave nothing
 */
export function judgeComputedTarget(value: string | undefined, context: TargetContext): RedirectTarget {
  if (value === undefined || value === "") return unsafe("the expression gave nothing");
  if (value.length > MAX_LOCATION_BYTES) return unsafe(`it has more than ${MAX_LOCATION_BYTES} bytes`);
  const text = fromUtf8(value);
  if (text === undefined) return unsafe("it is not valid UTF-8");
  if (AMBIGUOUS.test(text)) return unsafe("it has a space, a control character or a backslash");
  const isLocal = LOCAL_PATH.test(text);
  if (!isLocal && !WEB_URL.test(text))
    return unsafe("it is neither an http(s) URL with `//` nor a path with one leading `/`");
  const url = URL.parse(text, ownOrigin(context));
  if (url === null) return unsafe("it is no valid URL");
  if (url.username !== "" || url.password !== "") return unsafe("it has a user name or password");
  if (!isLocal && !context.allowsHost(url.hostname)) {
    return unsafe("its host is neither one of the site's nor written in the rule");
  }
  return finish(url, context);
}

/** The target of a rule's own static text, which the API has checked. */
export function staticTarget(text: string, context: TargetContext): RedirectTarget {
  const url = URL.parse(text, ownOrigin(context));
  if (url === null || DANGEROUS_SCHEME.test(url.href)) return unsafe("it is no valid URL");
  return finish(url, context);
}

/** The target of an item of a bulk redirect list. */
export function listTarget({ redirect, suffix }: RedirectMatch, context: TargetContext): RedirectTarget {
  const url = URL.parse(redirect.target_url);
  if (url === null || DANGEROUS_SCHEME.test(url.href)) return unsafe("the list has no valid URL for it");
  if (keepsSuffix(redirect) && suffix !== "") url.pathname = joinPath(url.pathname, suffix);
  return finish(url, { ...context, preserveQuery: redirect.preserve_query_string });
}

function keepsSuffix(redirect: Redirect): boolean {
  return redirect.subpath_matching && redirect.preserve_path_suffix;
}

function joinPath(path: string, suffix: string): string {
  return (path.endsWith("/") ? path.slice(0, -1) : path) + suffix;
}

function finish(url: URL, context: TargetContext): RedirectTarget {
  if (context.preserveQuery && context.url.query !== "") url.search = `?${context.url.query}`;
  const { href } = url;
  if (href.length > MAX_LOCATION_BYTES) return unsafe(`it has more than ${MAX_LOCATION_BYTES} bytes`);
  return isOwnAddress(url, context) ? { kind: "loop" } : { kind: "location", location: href };
}

/** Fragments never reach a server: with and without one it is the same address. */
function isOwnAddress(url: URL, { url: own, authority }: TargetContext): boolean {
  const query = own.query === "" ? "" : `?${own.query}`;
  const self = URL.parse(`${own.scheme}://${authority}${own.path}${query}`);
  if (self === null) return false;
  return url.origin === self.origin && url.pathname === self.pathname && url.search === self.search;
}

function ownOrigin({ url, authority }: TargetContext): string {
  return `${url.scheme}://${authority}`;
}

function unsafe(reason: string): RedirectTarget {
  return { kind: "unsafe", reason };
}
