/**
 * What of a message's header section crosses the proxy (RFC 9110 section 7.6.1).
 * Lists are flat: name, value, name, value; values are binary strings as Node hands them over.
 */

/** Fields that concern one connection only, and what the proxy writes itself. Never forwarded, either way. */
const HOP_BY_HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
]);

/** Ours towards the origin: a client can neither set them nor nominate them away. */
const OWNED_BY_PROXY = new Set([
  "cookie",
  "host",
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "stepgate-ray",
  "max-forwards",
  // The listener has answered 100-continue already; the origin is given the body straight away.
  "expect",
  // Trailers of a request go nowhere: none are to be announced.
  "trailer",
]);

/** Frameworks that honour these run another method than the one the rules saw (CWE-436). */
const METHOD_OVERRIDES = new Set(["x-http-method", "x-http-method-override", "x-method-override"]);

/** What proxies and CDNs write about the client. Of a peer that is not trusted they are a visitor's own inventions. */
const CLIENT_CLAIMS = new Set([
  "x-real-ip",
  "x-forwarded-port",
  "x-forwarded-server",
  "x-forwarded-ssl",
  "x-forwarded-scheme",
  "x-forwarded",
  "forwarded-for",
  "x-original-forwarded-for",
  "x-original-host",
  "x-original-url",
  "x-rewrite-url",
  "x-client-ip",
  "x-cluster-client-ip",
  "x-envoy-external-address",
  "true-client-ip",
  "fastly-client-ip",
  "fly-client-ip",
  "cf-connecting-ip",
  "cf-connecting-ipv6",
  "cf-pseudo-ipv4",
  "cf-ipcountry",
  "cf-visitor",
  "cf-ray",
]);

/** Fields a `Connection` header may never remove: dropping one would change what the message means. */
const NEVER_NOMINATED = new Set([
  "authorization",
  "cache-control",
  "content-length",
  "content-type",
  "cookie",
  "host",
  "set-cookie",
]);

/** The names that `Connection` headers of this list nominate, lower case. */
function nominated(headers: readonly string[]): ReadonlySet<string> | undefined {
  let names: Set<string> | undefined;
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] as string;
    if (name.length !== 10 || name.toLowerCase() !== "connection") continue;
    for (const token of (headers[index + 1] as string).split(",")) {
      const nominee = token.trim().toLowerCase();
      if (nominee === "" || nominee === "close" || nominee === "keep-alive" || nominee === "upgrade")
        continue;
      if (NEVER_NOMINATED.has(nominee)) continue;
      (names ??= new Set()).add(nominee);
    }
  }
  return names;
}

/** CGI and WSGI origins read `X_Forwarded_For` and `X-Forwarded-For` as one variable. */
function isDisguised(lowerName: string): boolean {
  const dashed = lowerName.replaceAll("_", "-");
  return [HOP_BY_HOP, OWNED_BY_PROXY, NEVER_NOMINATED, METHOD_OVERRIDES, CLIENT_CLAIMS].some((names) =>
    names.has(dashed),
  );
}

/** Names with a rule of their own, so that all others cost one look. */
const REQUEST_FIELDS: ReadonlyMap<string, "always" | "override" | "claim"> = new Map([
  ...[...CLIENT_CLAIMS].map((name) => [name, "claim"] as const),
  ...[...METHOD_OVERRIDES].map((name) => [name, "override"] as const),
  ...[...HOP_BY_HOP, ...OWNED_BY_PROXY].map((name) => [name, "always"] as const),
]);

function isWithheld(lowerName: string, facts: ForwardedFacts): boolean {
  switch (REQUEST_FIELDS.get(lowerName)) {
    case "always":
      return true;
    case "override":
      return facts.keepMethodOverride !== true;
    case "claim":
      return facts.keepClientClaims !== true;
    case undefined:
      return lowerName.includes("_") && (facts.dropUnderscores === true || isDisguised(lowerName));
  }
}

/** What the proxy itself tells the origin about the request. */
export interface ForwardedFacts {
  /** The host the client asked for, as it goes into `Host` and `X-Forwarded-Host`. */
  readonly host: string;
  readonly clientAddress: string;
  readonly scheme: "http" | "https";
  /** The `Cookie` value the origin is to see, or `undefined` for none. */
  readonly cookie: string | undefined;
  readonly rayId: string;
  /** The whole `X-Forwarded-For` value where trusted proxies stand in front; the client's address when absent. */
  readonly forwardedFor?: string;
  /** Keeps what the peer says about the client (`X-Real-IP`, `True-Client-IP`, …): it is a trusted proxy. */
  readonly keepClientClaims?: boolean;
  /** Keeps `X-HTTP-Method-Override` and kin. */
  readonly keepMethodOverride?: boolean;
  /** Drops every field with `_` in its name, not only those in disguise. */
  readonly dropUnderscores?: boolean;
  /** The hop for `Via` (RFC 9110 section 7.6.3), such as `1.1 stepgate`; none when absent. */
  readonly via?: string | undefined;
  /** `Max-Forwards` with this hop subtracted; none when absent. */
  readonly maxForwards?: number | undefined;
}

/**
 * The header list an origin receives for a client's request.
 *
 * @param rawHeaders what the client sent, flat, pseudo-headers included (HTTP/2)
 * @returns a new flat list: end-to-end fields in their order, then the proxy's own
 */
export function originRequestHeaders(rawHeaders: readonly string[], facts: ForwardedFacts): string[] {
  const removed = nominated(rawHeaders);
  const headers: string[] = ["host", facts.host];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    if (name.charCodeAt(0) === 58 /* ":" */) continue;
    const lower = name.toLowerCase();
    if (removed?.has(lower) === true || isWithheld(lower, facts)) continue;
    headers.push(name, rawHeaders[index + 1] as string);
  }
  if (facts.cookie !== undefined) headers.push("cookie", facts.cookie);
  if (facts.via !== undefined) headers.push("via", facts.via);
  if (facts.maxForwards !== undefined) headers.push("max-forwards", String(facts.maxForwards));
  headers.push(
    "x-forwarded-for",
    facts.forwardedFor ?? facts.clientAddress,
    "x-forwarded-host",
    facts.host,
    "x-forwarded-proto",
    facts.scheme,
    "stepgate-ray",
    facts.rayId,
  );
  return headers;
}

/**
 * The header list a client receives of an origin's response, hop-by-hop and nominated fields removed.
 *
 * @param rawHeaders what the origin sent, flat, as byte buffers or strings
 */
export function clientResponseHeaders(rawHeaders: readonly (Buffer | string)[]): string[] {
  const headers: string[] = [];
  let connection: string[] | undefined;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = toText(rawHeaders[index] as Buffer | string);
    const lower = name.toLowerCase();
    if (!HOP_BY_HOP.has(lower)) headers.push(name, toText(rawHeaders[index + 1] as Buffer | string));
    else if (lower === "connection")
      (connection ??= []).push(name, toText(rawHeaders[index + 1] as Buffer | string));
  }
  const removed = connection === undefined ? undefined : nominated(connection);
  return removed === undefined ? headers : headers.filter((_, index) => !isNamed(headers, index, removed));
}

function toText(part: Buffer | string): string {
  return typeof part === "string" ? part : part.toString("latin1");
}

/** Whether the entry of a flat list is the name or the value of one of these fields. */
function isNamed(headers: readonly string[], index: number, names: ReadonlySet<string>): boolean {
  return names.has((headers[index & ~1] as string).toLowerCase());
}

/** Fields that must not come after the content they are about (RFC 9110 section 6.5.1), or that others act on. */
const NEVER_IN_TRAILERS = new Set([
  ...NEVER_NOMINATED,
  "age",
  "content-encoding",
  "content-range",
  "date",
  "expires",
  "location",
  "retry-after",
  "stepgate-ray",
  "trailer",
  "vary",
  "warning",
  "www-authenticate",
]);

/** The trailers of an origin's response that the client gets: no framing, routing, caching or authentication. */
export function clientTrailers(
  trailers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string | string[]> | undefined {
  let kept: Record<string, string | string[]> | undefined;
  for (const [name, value] of Object.entries(trailers)) {
    if (value === undefined || NEVER_IN_TRAILERS.has(name) || HOP_BY_HOP.has(name)) continue;
    (kept ??= {})[name] = value;
  }
  return kept;
}

/**
 * Whether the end of a response's body can be read in one way only. Parsers differ about every other
 * `Transfer-Encoding` (llhttp#876), and what one takes for the body is the next response to the other.
 *
 * @param rawHeaders what the origin sent, flat
 */
export function hasPlainFraming(rawHeaders: readonly (Buffer | string)[]): boolean {
  let encoding: string | undefined;
  let hasLength = false;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const part = rawHeaders[index] as Buffer | string;
    if (part.length !== 17 && part.length !== 14) continue;
    const name = String(part).toLowerCase();
    if (name === "content-length") hasLength = true;
    if (name !== "transfer-encoding") continue;
    if (encoding !== undefined) return false;
    encoding = String(rawHeaders[index + 1]).toLowerCase();
  }
  return encoding === undefined || (encoding === "chunked" && !hasLength);
}
