/**
 * Refuses messages that another server could read differently than Node did, before anything is recorded or sent
 * upstream (RFC 9112 sections 6 and 11.2: request smuggling). Node refuses most of them itself; these it lets pass.
 */
import { METHODS } from "node:http";
import type { IncomingMessage } from "node:http";

export type StrictRefusal =
  | "version"
  | "method"
  | "transfer_encoding"
  | "expectation"
  | "header_count"
  | "header_name"
  | "method_override"
  | "loop";

/** How a gateway reads headers that origins read in more than one way. */
export interface HeaderPolicy {
  /**
   * Header names with `_`, which CGI and WSGI origins take for `-`. `forward`: passed on, except those that would
   * pass for a protected name, which are dropped; `drop`: all dropped, as nginx does; `reject`: 400, as Envoy's edge
   * guide has it.
   */
  readonly underscores: "forward" | "drop" | "reject";
  /**
   * `X-HTTP-Method-Override` and kin, by which frameworks run another method than the one in the request line.
   * `strip`: removed; `forward`: passed on, for origins that are known to ignore them; `honour`: a POST counts as
   * the method it names, for rules and operations alike, and the origin gets the header.
   */
  readonly methodOverride: "strip" | "forward" | "honour";
}

export const DEFAULT_HEADER_POLICY: HeaderPolicy = { underscores: "forward", methodOverride: "strip" };

const TEXT_VERSIONS = new Set(["1.0", "1.1"]);

/** What Node's parser of HTTP/1.1 takes. HTTP/2 brings any text. */
const KNOWN_METHODS: ReadonlySet<string | undefined> = new Set(METHODS);

/** Whether a method is one by name; `post`, which some origins take for POST and rules do not, is none. */
export function isKnownMethod(method: string | undefined): boolean {
  return KNOWN_METHODS.has(method);
}

/** Methods that ask something of the gateway itself (RFC 9110 sections 9.3.6 and 9.3.8). */
const REFUSED_METHODS = new Set(["CONNECT", "TRACE"]);

/** Fields of one request. Browsers send about 20; some origins ignore those from the 100th on, so that rules would see more. */
const MAX_FIELDS = 200;

/** Passes through gateways of this name before a request counts as running in a circle. */
const MAX_PASSES = 8;

/** @returns why the request is refused, or `undefined` */
export function strictRefusal(
  req: IncomingMessage,
  policy: HeaderPolicy = DEFAULT_HEADER_POLICY,
): StrictRefusal | undefined {
  // Node's parser takes `HTTP/2.0` and `HTTP/0.9` in a request line too; HTTP/2 itself comes as streams.
  if (!("stream" in req || TEXT_VERSIONS.has(req.httpVersion))) return "version";
  if (REFUSED_METHODS.has(req.method ?? "") || !isKnownMethod(req.method)) return "method";
  if (req.httpVersionMajor === 1 && !hasPlainTransferEncoding(req)) return "transfer_encoding";
  const { expect, via } = req.headers;
  if (expect !== undefined && expect.toLowerCase() !== "100-continue") return "expectation";
  if (via !== undefined && via.split("stepgate", MAX_PASSES + 2).length > MAX_PASSES) return "loop";
  return policyRefusal(req, policy);
}

function policyRefusal(req: IncomingMessage, policy: HeaderPolicy): StrictRefusal | undefined {
  if (req.rawHeaders.length > 2 * MAX_FIELDS) return "header_count";
  if (policy.underscores === "reject" && hasUnderscore(req.rawHeaders)) return "header_name";
  if (policy.methodOverride === "honour" && overriddenMethod(req) === null) return "method_override";
  return undefined;
}

/** Either no `Transfer-Encoding` at all, or exactly one that says `chunked`, on HTTP/1.1, without `Content-Length`. */
function hasPlainTransferEncoding(req: IncomingMessage): boolean {
  // Node's own table has the field whenever the message has it: the usual message is done here.
  if (req.headers["transfer-encoding"] === undefined) return true;
  const { rawHeaders } = req;
  let found: string | undefined;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    if (name.length !== 17 || name.toLowerCase() !== "transfer-encoding") continue;
    if (found !== undefined) return false;
    found = rawHeaders[index + 1];
  }
  return (
    req.httpVersion === "1.1" &&
    found?.toLowerCase() === "chunked" &&
    req.headers["content-length"] === undefined
  );
}

function hasUnderscore(rawHeaders: readonly string[]): boolean {
  for (let index = 0; index < rawHeaders.length; index += 2)
    if ((rawHeaders[index] as string).includes("_")) return true;
  return false;
}

const OVERRIDE_FIELDS = ["x-http-method-override", "x-http-method", "x-method-override"] as const;
/** What a POST may become: CONNECT and TRACE are refused as such, the rest are the methods operations can have. */
const OVERRIDES = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/**
 * The method that a POST asks to be run as; `undefined` when it asks for none, `null` when frameworks would differ
 * about it: several values, or one that is no method.
 */
export function overriddenMethod(req: IncomingMessage): string | null | undefined {
  if (req.method !== "POST") return undefined;
  let found: string | undefined;
  for (const field of OVERRIDE_FIELDS) {
    const value = req.headers[field];
    if (value === undefined) continue;
    const method = String(value).toUpperCase();
    if (!OVERRIDES.has(method) || (found !== undefined && found !== method)) return null;
    found = method;
  }
  return found;
}
