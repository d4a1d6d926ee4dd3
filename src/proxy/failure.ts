/** What the error of a request says about the origin. */
import { errors } from "undici";

/** There was no connection, no answer in time, or none that is HTTP. */
export type FailureReason = "connect" | "timeout" | "protocol";

/** Whether a connection ended before a response began. */
export function isClosedUnder(error: Error): boolean {
  return error instanceof errors.SocketError || (error as NodeJS.ErrnoException).code === "ECONNRESET";
}

const CONNECT_ERRORS = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "ENOENT",
  "EACCES",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EAI_AGAIN",
]);

/** What Node calls an origin's certificate that does not hold (`tls` documentation, "X509 certificate error codes"). */
const CERTIFICATE_ERROR = /CERT|UNABLE_TO_|_ISSUER|HOSTNAME_MISMATCH|SIGNATURE_FAILURE/;

export function failureReason(error: Error): FailureReason {
  if (error instanceof errors.ConnectTimeoutError) return "connect";
  if (error instanceof errors.HeadersTimeoutError || error instanceof errors.BodyTimeoutError)
    return "timeout";
  const code = (error as NodeJS.ErrnoException).code ?? "";
  return CONNECT_ERRORS.has(code) || code.startsWith("ERR_TLS_") || CERTIFICATE_ERROR.test(code)
    ? "connect"
    : "protocol";
}
