/** Bodies of requests. Small ones are taken in whole before an origin is asked: who sends one slowly holds no connection to it. */
import type { NodeRequest } from "./types.ts";

/** Forms and JSON of usual applications. Larger bodies, and those that do not say how large they are, stream. */
const SMALL_BODY_BYTES = 65_536;

/** Whether the request carries a body, whatever its method (RFC 9112 section 6.3; HTTP/2 says so by END_STREAM). */
export function hasBody(req: NodeRequest): boolean {
  if ("stream" in req) return !req.stream.endAfterHeaders;
  const length = req.headers["content-length"];
  return req.headers["transfer-encoding"] !== undefined || (length !== undefined && length !== "0");
}

/** Whether a request's body, which it has, is one to be taken in. */
export function hasSmallBody({ headers }: NodeRequest): boolean {
  const length = headers["content-length"];
  return length !== undefined && Number(length) <= SMALL_BODY_BYTES;
}

/** @param done called with the whole body; never, when the client leaves first */
export function readSmallBody(req: NodeRequest, done: (body: Buffer) => void): void {
  const chunks: Buffer[] = [];
  req.on("data", (chunk: Buffer) => chunks.push(chunk));
  req.once("end", () => done(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
}
