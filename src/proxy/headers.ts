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
  "x-forwarded-port",
  "x-forwarded-proto",
  "x-real-ip",
  "stepgate-ray",
  // Frameworks that honour these run another method than the one the rules saw (CWE-436).
  "x-http-method",
  "x-http-method-override",
  "x-method-override",
  // The listener has answered 100-continue already; the origin is given the body straight away.
  "expect",
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
  return HOP_BY_HOP.has(dashed) || OWNED_BY_PROXY.has(dashed) || NEVER_NOMINATED.has(dashed);
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
    if (HOP_BY_HOP.has(lower) || OWNED_BY_PROXY.has(lower) || removed?.has(lower) === true) continue;
    if (lower.includes("_") && isDisguised(lower)) continue;
    headers.push(name, rawHeaders[index + 1] as string);
  }
  if (facts.cookie !== undefined) headers.push("cookie", facts.cookie);
  headers.push(
    "x-forwarded-for",
    facts.clientAddress,
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
  const decoded: string[] = [];
  for (const part of rawHeaders) decoded.push(typeof part === "string" ? part : part.toString("latin1"));
  const removed = nominated(decoded);
  const headers: string[] = [];
  for (let index = 0; index < decoded.length; index += 2) {
    const name = decoded[index] as string;
    const lower = name.toLowerCase();
    if (HOP_BY_HOP.has(lower) || removed?.has(lower) === true) continue;
    headers.push(name, decoded[index + 1] as string);
  }
  return headers;
}
