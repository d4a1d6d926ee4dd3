/**
 * Refuses messages that another server could read differently than Node did, before anything is recorded or sent
 * upstream (RFC 9112 sections 6 and 11.2: request smuggling). Node refuses most of them itself; these it lets pass.
 */
import type { IncomingMessage } from "node:http";

export type StrictRefusal = "version" | "method" | "transfer_encoding" | "expectation";

const VERSIONS = new Set(["1.0", "1.1", "2.0"]);

/** Methods that ask something of the gateway itself (RFC 9110 sections 9.3.6 and 9.3.8). */
const REFUSED_METHODS = new Set(["CONNECT", "TRACE"]);

/** @returns why the request is refused, or `undefined` */
export function strictRefusal(req: IncomingMessage): StrictRefusal | undefined {
  if (!VERSIONS.has(req.httpVersion)) return "version";
  if (REFUSED_METHODS.has(req.method ?? "")) return "method";
  if (req.httpVersionMajor === 1 && !hasPlainTransferEncoding(req)) return "transfer_encoding";
  const { expect } = req.headers;
  return expect === undefined || expect.toLowerCase() === "100-continue" ? undefined : "expectation";
}

/** Either no `Transfer-Encoding` at all, or exactly one that says `chunked`, on HTTP/1.1, without `Content-Length`. */
function hasPlainTransferEncoding(req: IncomingMessage): boolean {
  const { rawHeaders } = req;
  let found: string | undefined;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    if (name.length !== 17 || name.toLowerCase() !== "transfer-encoding") continue;
    if (found !== undefined) return false;
    found = rawHeaders[index + 1];
  }
  if (found === undefined) return true;
  return (
    req.httpVersion === "1.1" &&
    found.toLowerCase() === "chunked" &&
    req.headers["content-length"] === undefined
  );
}
