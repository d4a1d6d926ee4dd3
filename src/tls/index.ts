export { ensureDevCertificate } from "./development.ts";
export type { DevCertificate, DevCertificateOptions } from "./development.ts";
export { CertificateError } from "./errors.ts";
export type { CertificateErrorCode } from "./errors.ts";
export { loadCertificate } from "./own.ts";
export type { Certificate, CertificateFiles, OwnCertificate } from "./own.ts";
