/** What can be wrong with a certificate, its key or the folder they live in. */

export type CertificateErrorCode =
  | "ERR_CERTIFICATE_FILE"
  | "ERR_CERTIFICATE_INVALID"
  | "ERR_CERTIFICATE_KEY_INVALID"
  | "ERR_CERTIFICATE_KEY_MISMATCH"
  | "ERR_CERTIFICATE_HOST"
  | "ERR_CERTIFICATE_BUSY";

/** The message is one line: what is wrong, where, and what to do about it. */
export class CertificateError extends Error {
  override readonly name = "CertificateError";
  readonly code: CertificateErrorCode;

  constructor(code: CertificateErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The part of a system error that a person can act on: `ENOENT`, `EACCES`, … */
export function systemReason(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code === "ENOENT") return "it does not exist";
  if (code === "EACCES" || code === "EPERM") return "permission denied";
  if (code === "EISDIR") return "it is a directory";
  if (code === "EROFS") return "the file system is read-only";
  return code ?? (error instanceof Error ? error.message : "unknown error");
}
